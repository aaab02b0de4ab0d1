"""The lake of a data folder: opened to read, and written while no server does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from sojourn.adapters.sqlite.tail import SqliteTail
from sojourn.config import Config
from sojourn.config import Lake as Settings
from sojourn.model.errors import ConfigError
from sojourn.model.lake import LakeSize
from sojourn.model.ports import Tail
from sojourn.runtime.lake import Follower, Pace

if TYPE_CHECKING:
    from sojourn.adapters.lake import LakeReading, ParquetLake

FOLDER = "lake"


class LakeStatus(Struct, frozen=True):
    """How a lake is doing."""

    position: int
    """The last log entry in its files."""
    engine_position: int
    """The last log entry the engine has taken: what is in between is read from the log."""
    group: int
    engine_group: int
    tables: dict[str, LakeSize]


class Exported(Struct, frozen=True):
    """One file that was written."""

    path: str
    n_rows: int


@contextmanager
def open_lake(data: Path) -> Iterator[LakeReading]:
    """Open every table of a data folder, beside a server that may be writing: files and what came since.

    Where the folder stands for a cluster's lake, that is opened.

    Relations of the reading's connection are for this `with` only; meanwhile nobody compacts the files.
    Raises ConfigError where no data is there.
    """
    from sojourn.adapters.lake import read_lake  # noqa: PLC0415 - DuckDB takes long to load
    from sojourn.adapters.lake.iceberg.linking import read_link  # noqa: PLC0415

    place = read_link(data / FOLDER)
    if place is not None:
        from sojourn.adapters.lake.iceberg.reading import read_iceberg  # noqa: PLC0415

        with read_iceberg(place) as reading:
            yield reading
        return
    with open_to_read(data) as tail, read_lake(data / FOLDER, tail) as reading:
        yield reading


@contextmanager
def open_to_read(data: Path) -> Iterator[Tail]:
    """Open what comes after the files of a lake: in log and store, or nothing where there is a lake alone.

    Raises ConfigError where neither is there.
    """
    from sojourn.adapters.lake.sealed import SealedTail, is_sealed  # noqa: PLC0415 - as above

    if is_sealed(data / FOLDER):
        yield SealedTail(data / FOLDER)
        return
    with open_tail(data) as tail:
        yield tail


@contextmanager
def open_to_write(data: Path, *, wait: bool = False) -> Iterator[tuple[SqliteTail, ParquetLake]]:
    """Open the lake of a data folder to write; raises FolderInUseError where a server does that."""
    from sojourn.adapters.lake import ParquetLake  # noqa: PLC0415

    with ExitStack() as stack:
        tail = stack.enter_context(open_tail(data))
        lake = ParquetLake(data / FOLDER, wait=wait)
        stack.callback(lake.close)
        yield tail, lake


def compact(config: Config, *, now: Callable[[], int]) -> LakeSize:
    """Write all there is, and merge the files of each day as far as it goes; return what is there then."""
    with open_to_write(config.data) as (tail, lake):
        Follower(tail, lake, now=now, pace=pace_of(config.lake)).catch_up()
        while lake.compact(is_final=True):
            pass
        return lake.size()


def status(config: Config) -> LakeStatus:
    """Say how far the lake is written, and how large it is."""
    from sojourn.adapters.lake import files, read_progress  # noqa: PLC0415

    with open_tail(config.data) as tail:
        written, engine = read_progress(config.data / FOLDER).reach, tail.reach()
    sizes: dict[str, LakeSize] = {}
    for file in files.list_files(config.data / FOLDER):
        before = sizes.get(file.table, LakeSize())
        sizes[file.table] = LakeSize(before.n_files + 1, before.n_bytes + file.n_bytes)
    return LakeStatus(written.position, engine.position, written.group, engine.group, sizes)


def export(
    config: Config, folder: Path, *, tables: Sequence[str] | None, format: Literal["parquet", "csv", "jsonl"]
) -> list[Exported]:
    """Write tables (all, with None) to a folder, one file each, all as of the same instant.

    Raises ConfigError where there is no such table, or the folder cannot be written.
    """
    options = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv", "jsonl": "FORMAT json"}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be made ({error.strerror}); name another [lake-export]"
        ) from None
    with open_lake(config.data) as reading:
        for name in tables or reading.names:
            path = folder / f"{name}.{format}"
            written.append(Exported(str(path), reading.write(name, path, options[format])))
    return written


def query(config: Config, sql: str, *, limit: int | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Answer a question in SQL: the columns' names, and the rows, at most `limit`.

    Raises ConfigError where it cannot be answered.
    """
    with open_lake(config.data) as reading:
        return reading.ask(sql, limit=limit)


def pace_of(settings: Settings) -> Pace:
    """Return a lake's settings as its follower takes them."""
    return Pace(every_ms=settings.every_ms, events=settings.events, keep_ms=settings.keep_ms)


@contextmanager
def open_tail(data: Path) -> Iterator[SqliteTail]:
    """Open what log and store of a data folder hold; raises ConfigError where no data is there."""
    from sojourn.adapters.lake.iceberg.linking import read_link  # noqa: PLC0415 - as above

    if read_link(data / FOLDER) is not None:
        raise ConfigError(
            f"{data}: stands for a cluster's lake, which is not kept here; what is asked can be asked, and "
            "`sojourn cluster lake` keeps it [lake-link]"
        )
    if not (data / "log.db").exists() or not (data / "state.db").exists():
        raise ConfigError(
            f"{data}: no data is there yet; `sojourn serve` and `sojourn import` make it, or name another "
            "folder with --data [no-data]"
        )
    tail = SqliteTail(data)
    try:
        yield tail
    finally:
        tail.close()


def erase_lake(data: Path) -> None:
    """Do what plans to erase say, while no server writes the lake."""
    with open_to_write(data, wait=True) as (_, lake):
        while lake.erase():
            pass
