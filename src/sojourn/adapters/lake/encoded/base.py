"""Base: the events of a lake's files, encoded and kept beside them, as far as they went when it was written.

    encoded/index.json          what is there, and of which files; it names the arrays of one generation
    encoded/<generation>-<n>    one array each

It can be deleted at any time: it changes how long an answer takes, and no answer. Arrays are on disk before
the index is, which is replaced in one step. Where one is not as the index says, nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import duckdb
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.adapters.lake.durable import replace_file, sync
from sojourn.adapters.lake.encoded.ledger import KeptLedger
from sojourn.adapters.lake.encoded.rows import Rows, offsets
from sojourn.adapters.lake.encoded.visits import Revision
from sojourn.analytics.names import Names

FOLDER = "encoded"
LOCK = "lock"
VERSION = f"1, DuckDB {duckdb.__version__}"
"""Of the layout, and of the library whose hashes stand in it."""

_INDEX = "index.json"
_ROWS, _WORDS = "rows/", "words/"


class Origin(Struct, frozen=True):
    """Which rows a base holds: they are there once, whatever files they lie in."""

    position: int
    """The last log entry."""
    group: int
    """The last group of facts."""
    mark: str
    """What the log has at that position."""
    days: tuple[str, ...]
    """The days of the tables it was read from: retention removes whole ones."""


class Revisions(NamedTuple):
    """Visits that got another name: columns of one length, those of one person together."""

    people: Names
    starts: NDArray[np.int64]
    profiles: Names
    """Of each row, whom it was said of."""
    rows: Rows
    """The other fields of a revision, by their names."""

    @classmethod
    def of_people(cls, found: Mapping[str, Sequence[Revision]]) -> Revisions:
        """Lay revisions out, by the names of people."""
        people = sorted(person for person, some in found.items() if some)
        rows = [row for person in people for row in found[person]]
        return cls(
            people=Names.of(people),
            starts=offsets(np.array([len(found[person]) for person in people], dtype=np.int64)),
            profiles=Names.of(row.profile for row in rows),
            rows={
                name: np.array([getattr(row, name) for row in rows], dtype=kind)
                for name, kind in _KINDS.items()
            },
        )

    def of(self, i: int) -> list[Revision]:
        """Return the revisions of the i-th of its people."""
        low, high = self.starts[i : i + 2].tolist()
        columns = [self.rows[name][low:high].tolist() for name in _KINDS]
        return [Revision(*row) for row in zip(self.profiles[low:high], *columns, strict=True)]


_KINDS = {"position": np.int64, "old": np.uint64, "new": np.uint64, "group": np.int64, "n": np.int64}


class Base(NamedTuple):
    """All that is kept; arrays are mapped from disk."""

    origin: Origin
    people: Names
    """Sorted."""
    starts: NDArray[np.int64]
    """Shape (n_people + 1,): everybody has a row."""
    session: NDArray[np.int32]
    session_starts: NDArray[np.int64]
    """Shape (n_people + 1,): the first number of each person's visits."""
    rows: Rows
    words: dict[str, Names]
    """The texts behind codes, sorted: `profile`, `name` and each attribute of text."""
    ledger: KeptLedger
    revisions: Revisions


class _Array(Struct, frozen=True):
    file: str
    dtype: str
    length: int


class _Index(Struct, frozen=True):
    version: str
    origin: Origin
    arrays: dict[str, _Array]


def save_base(lake: Path, base: Base) -> None:
    """Keep a base in place of what was kept; whoever has that open goes on reading it.

    Only who holds the lock may. Raises OSError where it cannot be written.
    """
    folder = lake / FOLDER
    flat = _flat(base)
    generation = uuid4().hex
    arrays = {
        name: _write(folder, f"{generation}-{n}", array) for n, (name, array) in enumerate(flat.items())
    }
    sync(folder)
    _replace(folder, _Index(VERSION, base.origin, arrays))
    for old in folder.glob("*-*"):
        if not old.name.startswith(generation):
            old.unlink(missing_ok=True)


def add_columns(lake: Path, origin: Origin, rows: Rows, words: dict[str, Names]) -> None:
    """Keep more columns beside a base; nothing happens where another one is kept by now.

    Only who holds the lock may. Raises OSError where they cannot be written.
    """
    folder = lake / FOLDER
    index = _read_index(folder)
    if index is None or index.origin != origin:
        return
    flat: dict[str, NDArray[Any]] = {_ROWS + name: column for name, column in rows.items()}
    for name, texts in words.items():
        flat |= _of_names(_WORDS + name, texts)
    generation = next(iter(index.arrays.values())).file.partition("-")[0]
    added = {name: _write(folder, f"{generation}-{uuid4().hex}", array) for name, array in flat.items()}
    sync(folder)
    _replace(folder, msgspec.structs.replace(index, arrays=index.arrays | added))


def read_origin(lake: Path) -> Origin | None:
    """Say which rows are kept; None where none are."""
    index = _read_index(lake / FOLDER)
    return None if index is None else index.origin


def open_base(lake: Path) -> Base | None:
    """Open what is kept; None where nothing is, or not all of it."""
    index = _read_index(lake / FOLDER)
    if index is None:
        return None
    arrays = {}
    for name, one in index.arrays.items():
        array = _map(lake / FOLDER / one.file)
        if array is None or (array.dtype.str, len(array)) != (one.dtype, one.length):
            return None
        arrays[name] = array
    return _base(index.origin, arrays)


def _flat(base: Base) -> dict[str, NDArray[Any]]:
    flat: dict[str, NDArray[Any]] = {
        "starts": base.starts, "session": base.session, "session_starts": base.session_starts,
        "until": base.ledger.until, "revisions.starts": base.revisions.starts,
    }  # fmt: skip
    flat |= {_ROWS + name: column for name, column in base.rows.items()}
    flat |= {f"revisions/{name}": column for name, column in base.revisions.rows.items()}
    names = {"people": base.people, "revisions.people": base.revisions.people}
    names |= {"revisions.profiles": base.revisions.profiles}
    names |= {f"ledger.{name}": getattr(base.ledger, name) for name in _LEDGER}
    names |= {_WORDS + name: texts for name, texts in base.words.items()}
    for name, texts in names.items():
        flat |= _of_names(name, texts)
    return flat


_LEDGER = ("devices", "owners", "profiles", "targets")


def _base(origin: Origin, flat: dict[str, NDArray[Any]]) -> Base:
    def names(name: str) -> Names:
        return Names(flat[f"{name}:blob"], flat[f"{name}:offsets"])

    def under(prefix: str) -> Rows:
        return {name.removeprefix(prefix): array for name, array in flat.items() if name.startswith(prefix)}

    words = {name.removesuffix(":blob") for name in under(_WORDS) if name.endswith(":blob")}
    ledger = {name: names(f"ledger.{name}") for name in _LEDGER}
    return Base(
        origin=origin,
        people=names("people"),
        starts=flat["starts"],
        session=flat["session"],
        session_starts=flat["session_starts"],
        rows=under(_ROWS),
        words={name: names(_WORDS + name) for name in words},
        ledger=KeptLedger(until=flat["until"], **ledger),
        revisions=Revisions(
            names("revisions.people"),
            flat["revisions.starts"],
            names("revisions.profiles"),
            under("revisions/"),
        ),
    )


def _of_names(name: str, texts: Names) -> dict[str, NDArray[Any]]:
    return {f"{name}:blob": texts.blob, f"{name}:offsets": texts.offsets}


def _write(folder: Path, name: str, array: NDArray[Any]) -> _Array:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("wb") as file:
        np.save(file, array, allow_pickle=False)
    sync(folder / name)
    return _Array(name, array.dtype.str, len(array))


def _replace(folder: Path, index: _Index) -> None:
    replace_file(folder / _INDEX, msgspec.json.encode(index))


def _read_index(folder: Path) -> _Index | None:
    try:
        index = msgspec.json.decode((folder / _INDEX).read_bytes(), type=_Index)
    except (OSError, msgspec.DecodeError):
        return None
    return index if index.version == VERSION else None


def _map(path: Path) -> NDArray[Any] | None:
    # What NumPy says of a file that is cut short depends on where it is cut.
    with contextlib.suppress(OSError, ValueError, EOFError):
        # A view as plain array: NumPy's own class for maps costs time in every small step.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return None
