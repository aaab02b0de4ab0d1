"""A process that writes and merges a lake over and over, until it is killed: `crash_child DATA SEED`."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from sojourn.adapters.lake import ParquetLake, compacting
from sojourn.adapters.sqlite.tail import SqliteTail


def main() -> None:
    """Write the folder's facts in small slices, merging in between, and say each time how far it is."""
    data, random = Path(sys.argv[1]), Random(int(sys.argv[2]))
    compacting.FAN_IN = 3
    tail = SqliteTail(data)
    lake = ParquetLake(data / "lake", wait=True)
    while True:
        reach = tail.reach()
        if lake.reach == reach:
            lake.compact(is_final=True)
        else:
            lake.write(tail.read(lake.reach, reach, n_events=random.randrange(1, 30)))
            lake.compact(is_final=random.random() < 0.3)
        print(lake.reach.position, flush=True)


if __name__ == "__main__":
    main()
