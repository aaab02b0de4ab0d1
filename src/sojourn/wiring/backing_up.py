"""Backing up: a copy of a data folder, whole under its name or not there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from sojourn.adapters.sqlite.backup import copy_folder, size_of
from sojourn.config import Config
from sojourn.model.errors import ConfigError
from sojourn.wiring.house import has_data, now_ms

UNFINISHED = ".unfinished"


class BackupView(Struct, frozen=True):
    """A copy that was made."""

    folder: str
    at: int
    """When it began, ms: what was acknowledged before is in it."""
    position: int
    log_end: int
    clock: int
    n_bytes: int
    seconds: float


def size_to_copy(config: Config) -> int:
    """Return how many bytes there are to copy, at most; raises ConfigError where there is no data."""
    if not has_data(config):
        raise ConfigError(
            f"{config.data}: no data is there yet; `sojourn serve` and `sojourn import` make it, or name "
            "another folder with --data [no-data]"
        )
    return size_of(config.data)


def back_up(config: Config, to: Path, *, tell: Callable[[int], None] = lambda _: None) -> BackupView:
    """Copy the data folder to a new folder; a server may be at work in it.

    Raises ConfigError where there is nothing to copy, or nowhere to copy it to.
    """
    n_bytes = size_to_copy(config)
    began, at = time.monotonic(), now_ms()
    unfinished = to.with_name(to.name + UNFINISHED)
    try:
        _check_place(config, to, n_bytes)
        shutil.rmtree(unfinished, ignore_errors=True)  # of a copy that was cut short
        copied = copy_folder(config.data, unfinished, tell=tell)
        unfinished.rename(to)
    except OSError as error:
        raise ConfigError(
            f"{to}: cannot be written ({error.strerror or error}); name another folder [backup-folder]"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return BackupView(
        folder=str(to),
        at=at,
        position=copied.position,
        log_end=copied.log_end,
        clock=copied.clock,
        n_bytes=copied.n_bytes,
        seconds=round(time.monotonic() - began, 3),
    )


def _check_place(config: Config, to: Path, n_bytes: int) -> None:
    if to.exists():
        raise ConfigError(
            f"{to}: is there already; a copy has a folder of its own: name another [backup-folder]"
        )
    if to.resolve().is_relative_to(config.data.resolve()):
        raise ConfigError(
            f"{to}: lies in the data folder; name one elsewhere, on another disk [backup-folder]"
        )
    to.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(to.parent).free
    if free < n_bytes:
        raise ConfigError(
            f"{to}: there is room for {free:,} bytes, and the copy may take {n_bytes:,}; make room, or name "
            "another folder [backup-room]"
        )
