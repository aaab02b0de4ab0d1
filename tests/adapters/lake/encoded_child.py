"""A process that makes what is kept encoded over and over, until it is killed: `encoded_child DATA`."""

from __future__ import annotations

import sys
from pathlib import Path

from sojourn.adapters.lake.encoded import Columns, read_known
from sojourn.adapters.sqlite.tail import SqliteTail


def main() -> None:
    """Make it, add a column to it, throw it away; say so each time."""
    data = Path(sys.argv[1])
    tail = SqliteTail(data)
    while True:
        for columns in (Columns(), Columns(("channel",), ("properties.price",))):
            read_known(data / "lake", tail, columns, few_events=0)
            print("made", flush=True)
        (data / "lake" / "encoded" / "index.json").unlink()


if __name__ == "__main__":
    main()
