"""The lake: how far it is written, its files merged, its tables asked and carried away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.lake_sql import print_sql
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import say_json, show, table

if TYPE_CHECKING:
    from sojourn.model.lake import LakeSize

MAX_ROWS = 1_000  # of an answer for people; programs take all with --json.

lake = typer.Typer(
    help="Look at the lake: all events and facts as tables, for analysis.", no_args_is_help=True
)


lake.command("sql", epilog="`sojourn lake sql edges --dialect spark`")(print_sql)


@lake.command(epilog="`sojourn lake status --json`")
def status(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say how far the lake's files are written, and how much is in them.

    What is not in files yet is read from the log: whoever asks sees all of it.
    """
    from sojourn.wiring import lake as lakes  # noqa: PLC0415 - help needs no database

    found = lakes.status(configuration(config, data))
    if json:
        say_json(found)
        return
    n_left = found.engine_position - found.position
    rows = [
        ("events in files", f"{found.position:,}"),
        ("events that are read from the log", f"{n_left:,}"),
        *((f"files of {name}", _size(size)) for name, size in found.tables.items()),
    ]
    show(table(("lake", ""), rows))


@lake.command(epilog="`sojourn lake compact`")
def compact(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Write all there is to the lake, and merge the files of each day.

    A server does both by itself; this is for a folder that nobody serves, as after an import.
    """
    from sojourn.wiring import lake as lakes  # noqa: PLC0415

    size = lakes.compact(configuration(config, data), now=now_ms)
    if json:
        say_json(size)
    else:
        show(f"The lake is {_size(size)}.")


@lake.command(
    epilog="`sojourn lake export warehouse`\n\n`sojourn lake export out --table sessions --format csv`"
)
def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write; made where it is not there.")
    ],
    *,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME", help="Only this table; may be given several times."),
    ] = None,
    format: Annotated[
        Literal["parquet", "csv", "jsonl"], typer.Option("--format", help="How files are written.")
    ] = "parquet",
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write tables as they are at this instant, one file each, for a warehouse.

    People are who they are by now, and visits what they are by now; all tables are of the same instant.
    """
    from sojourn.wiring import lake as lakes  # noqa: PLC0415

    written = lakes.export(configuration(config, data), folder, tables=tables, format=format)
    if json:
        say_json(written)
    else:
        show(table(("file", "rows"), [(str(one.path), f"{one.n_rows:,}") for one in written]))


@lake.command(epilog='`sojourn lake query "SELECT name, count(*) FROM steps GROUP BY name"`')
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A question in DuckDB's SQL.")],
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the lake's tables a question."""
    from sojourn.wiring import lake as lakes  # noqa: PLC0415

    columns, rows = lakes.query(configuration(config, data), sql, limit=None if json else MAX_ROWS)
    if json:
        say_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show(table(columns, [[_cell(value) for value in row] for row in rows]))


def _size(size: LakeSize) -> str:
    files = "1 file" if size.n_files == 1 else f"{size.n_files:,} files"
    return f"{files}, {size.n_bytes / 1e6:,.1f} MB"


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
