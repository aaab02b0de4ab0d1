"""The file sink: each action appended to one file as a line of JSON, in the order of delivery."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.adapters.options import read_options
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError

REMEMBERED_IDS = 10_000
"""How many of the latest action ids are known, so that a repetition adds no line."""


class _Options(Struct, forbid_unknown_fields=True):
    path: str
    fsync: bool = False
    """Wait for the disk at each line; without, a power cut may lose the last seconds."""


class FileSink:
    """Appends each action as the outbox keeps it.

    At least once: an action is written once by one process, and may be written again after a crash between
    the line and the outbox hearing of it. Whoever reads the file drops the repetition by `id`.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        chosen = read_options(name, options, _Options)
        self._path = Path(chosen.path)
        self._is_synced = chosen.fsync
        self._written: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise ConfigError(
                f"sink {name!r}: cannot write {self._path}: {error.strerror}; "
                "name a file in a folder that exists and may be written [bad-path]"
            ) from error
        _end_torn_line(self._handle)

    def __repr__(self) -> str:
        return f"FileSink({str(self._path)!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Append the action's line; raise SinkError where the disk says no."""
        try:
            await asyncio.to_thread(self._append, action)
        except OSError as error:
            raise SinkError(f"cannot write {self._path}: {error.strerror}", retry=True) from error
        return Delivery(outcome="delivered", attempts=1)

    async def close(self) -> None:
        """Close the file; what is delivered afterwards is refused."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def _append(self, action: Action) -> None:
        line = msgspec.json.encode(action) + b"\n"
        with self._lock:
            if action.id in self._written:
                return
            _end_torn_line(self._handle)  # one that a full disk left
            _write_whole(self._handle, line)
            if self._is_synced:
                os.fsync(self._handle)
            self._written[action.id] = None
            if len(self._written) > REMEMBERED_IDS:
                self._written.popitem(last=False)


def _write_whole(handle: int, line: bytes) -> None:
    n_written = os.write(handle, line)
    if n_written < len(line):  # A full disk took a part.
        raise OSError(28, "no space left for the whole line")


def _end_torn_line(handle: int) -> None:
    """Close the last line where somebody died, or the disk was full, while it was written."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end and os.pread(handle, 1, end - 1) != b"\n":
        os.write(handle, b"\n")
