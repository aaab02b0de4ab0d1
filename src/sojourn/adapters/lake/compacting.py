"""Compacting: many small files of a day become one, and who lists the day meets the old ones or the new one.

The day's folder is built a second time, with the merged file and hard links to the others, and the two change
places in one step. Where the file system cannot do that, the merged file gets its name before the others lose
theirs: for that moment, a listing shows rows twice. Whoever listed before opens names that are gone, and is
told so.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from sojourn.adapters.lake.durable import exchange, sync
from sojourn.adapters.lake.files import File

FAN_IN = (
    32  # Files merged at once on a day that goes on: rows are written again once or twice until it is over.
)
SMALL_BYTES = 1 << 18  # The smallest size that is told from others: a file of 1 kB costs as much to open.
OLD_S = 60.0  # Who is in the middle of listing a folder that was replaced finds all of it for so long.
FULL_BYTES = 128 << 20  # A file this large is not merged any more: what Spark makes a task of.


def choose(files: Sequence[File], *, is_closed: bool) -> Sequence[File]:
    """Choose neighbours to merge, of one day's files in order; none where it is not worth it.

    Of a day that goes on: FAN_IN of about one size. Of one that is closed: all that fit into one file.
    """
    if is_closed:
        return _fitting(files)
    chosen: list[File] = []
    for file in files:
        if chosen and _size(file) != _size(chosen[0]):
            chosen = []
        chosen.append(file)
        if len(chosen) == FAN_IN and sum(each.n_bytes for each in chosen) <= FULL_BYTES:
            return chosen
        chosen = chosen[1:] if len(chosen) == FAN_IN else chosen
    return ()


def _size(file: File) -> int:
    """Return about how large a file is: each size is FAN_IN times the one before."""
    size, bound = 0, SMALL_BYTES
    while file.n_bytes >= bound:
        size, bound = size + 1, bound * FAN_IN
    return size


def _fitting(files: Sequence[File]) -> Sequence[File]:
    """Return the first neighbours that fit into one file together."""
    chosen: list[File] = []
    n_bytes = 0
    for file in files:
        if chosen and n_bytes + file.n_bytes > FULL_BYTES:
            if len(chosen) > 1:
                break
            chosen, n_bytes = [], 0
        chosen.append(file)
        n_bytes += file.n_bytes
    return chosen if len(chosen) > 1 else ()


def put_in_place(merged: Path, day: Path, files: Sequence[File], *, old: Path) -> None:
    """Let a merged file, alone in its folder, take the place of the files of a day that it was made of.

    The folder of before goes to `old`, until `remove_old` finds it.
    """
    sync(merged)
    gone = {file.path.name for file in files}
    if _exchange_day(merged.parent, day, gone):
        sync(day.parent)
        retire(merged.parent, old)
        return
    merged.rename(day / merged.name)
    sync(day)
    for name in gone:
        (day / name).unlink()
    sync(day)


def retire(folder: Path, old: Path) -> None:
    """Put a folder where nobody looks for it; who has it open goes on reading."""
    old.mkdir(exist_ok=True)
    folder.rename(old / str(time.time_ns()))


def remove_old(old: Path, *, older_s: float = OLD_S) -> None:
    """Remove folders that were replaced so long ago."""
    for folder in old.iterdir() if old.is_dir() else ():
        if time.time() - int(folder.name) / 1e9 >= older_s:
            shutil.rmtree(folder)


def _exchange_day(made: Path, day: Path, gone: set[str]) -> bool:
    try:
        for path in day.iterdir():
            if path.name not in gone:
                os.link(path, made / path.name)
    except OSError:  # a file system without hard links
        return False
    sync(made)
    return exchange(made, day)
