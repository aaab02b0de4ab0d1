"""Folder: encoded events kept on disk and mapped into memory, so that the next question is quick.

    events.json              what is there; it names the files of one generation
    <generation>-<n>.npy     one array each

A new generation is written beside the old one, and `events.json` is replaced last, in one step: whoever opens
the folder sees one generation or the other, whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import Column, Events
from sojourn.analytics.names import Names
from sojourn.model.errors import ConfigError

_INDEX = "events.json"
_VERSION = 1
_MAX_TRIES = 3  # openings that meet a folder just being replaced.


class _Index(Struct, kw_only=True):
    version: int
    generation: str
    steps: list[str]
    columns: dict[str, list[str]]
    """Attribute -> its values."""
    values: list[str]
    has_session: bool
    left_out: dict[str, int]


def save_events(events: Events, folder: Path) -> None:
    """Keep events in a folder, in place of what was kept there; a crash leaves the old or the new ones.

    Raises:
        ConfigError: The folder is there and holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _INDEX).exists() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder}: holds something else than encoded events; give an empty or a new folder"
        )
    generation = uuid4().hex
    names = _packed(events.people)
    arrays: list[NDArray[Any]] = [events.starts, events.step, events.at, names.blob, names.offsets]
    arrays += [] if events.session is None else [events.session]
    arrays += [column.codes for column in events.columns.values()]
    arrays += list(events.values.values())
    for i, array in enumerate(arrays):
        with (folder / f"{generation}-{i}.npy").open("wb") as file:
            np.save(file, array, allow_pickle=False)
            os.fsync(file.fileno())
    index = _Index(
        version=_VERSION,
        generation=generation,
        steps=list(events.steps),
        columns={name: list(column.values) for name, column in events.columns.items()},
        values=list(events.values),
        has_session=events.session is not None,
        left_out=dict(events.left_out),
    )
    written = folder / f"{generation}.json"
    with written.open("wb") as file:
        file.write(msgspec.json.encode(index))
        os.fsync(file.fileno())
    written.replace(folder / _INDEX)
    _flush_folder(folder)
    for old in folder.glob("*-*.npy"):
        if not old.name.startswith(generation):
            old.unlink(missing_ok=True)


def open_events(folder: Path) -> Events:
    """Open what `save_events` kept; arrays are read from disk where they are touched.

    Raises:
        ConfigError: There are no encoded events of this version.
    """
    for _ in range(_MAX_TRIES):
        index = _index(folder)
        try:
            return _opened(index, _arrays(folder, index.generation))
        except FileNotFoundError:
            continue  # A newer generation has come between the index and its files.
    raise ConfigError(f"{folder}: files of its encoded events are missing; encode them again")


def _index(folder: Path) -> _Index:
    try:
        index = msgspec.json.decode((folder / _INDEX).read_bytes(), type=_Index)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        raise ConfigError(f"{folder}: holds no encoded events; keep some there first") from None
    if index.version != _VERSION:
        raise ConfigError(
            f"{folder}: its events are encoded as version {index.version}, not {_VERSION}; encode them again"
        )
    return index


def _arrays(folder: Path, generation: str) -> Iterator[NDArray[Any]]:
    i = 0
    while True:
        # A view as plain array: NumPy's own class for maps costs time in every small step.
        yield np.asarray(np.load(folder / f"{generation}-{i}.npy", mmap_mode="r", allow_pickle=False))
        i += 1


def _opened(index: _Index, arrays: Iterator[NDArray[Any]]) -> Events:
    starts, step, at, blob, offsets = (next(arrays) for _ in range(5))
    return Events(
        starts=starts,
        step=step,
        at=at,
        steps=index.steps,
        people=Names(blob, offsets),
        session=next(arrays) if index.has_session else None,
        columns={name: Column(next(arrays), values) for name, values in index.columns.items()},
        values={name: next(arrays) for name in index.values},
        left_out=index.left_out,
    )


def _packed(names: Sequence[str]) -> Names:
    return names if isinstance(names, Names) else Names.of(names)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
