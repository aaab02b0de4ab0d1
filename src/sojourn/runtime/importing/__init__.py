"""Import: files of past events become the log's events, in time order, each row once."""

from sojourn.runtime.importing.importer import Imported, Step, import_file
from sojourn.runtime.importing.judging import Origin
from sojourn.runtime.importing.mapping import ColumnMap, parse_column_map
from sojourn.runtime.importing.playing import Player, end_play
from sojourn.runtime.importing.reader import Format, Reading, Row, read_rows

__all__ = [
    "ColumnMap",
    "Format",
    "Imported",
    "Origin",
    "Player",
    "Reading",
    "Row",
    "Step",
    "end_play",
    "import_file",
    "parse_column_map",
    "read_rows",
]
