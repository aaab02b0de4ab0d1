"""The data folder: one process at a time writes in it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from sojourn.model.errors import ConfigError, FolderInUseError

LOCK_NAME = "lock"
MOVED_NAME = "moved.json"


class Moving(Struct, frozen=True, kw_only=True):
    """Where an installation went, or is going."""

    brokers: str
    prefix: str
    move: str
    """The name of the move."""
    is_done: bool = False


class FolderLock:
    """A held data folder; the lock goes when this is closed, or when the process dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Let go; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def lock_folder(path: Path) -> FolderLock:
    """Make the data folder if need be, and take it for this process.

    Raises FolderInUseError where another process holds it (naming its id), and ConfigError where the folder
    cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        message = f"{path}: cannot be used as data folder ({error.strerror}); name another [data-folder]"
        raise ConfigError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        message = (
            f"{path}: in use by process {holder}; stop it, or name another data folder [data-folder-locked]"
        )
        raise FolderInUseError(message) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return FolderLock(descriptor)


def moved_to(path: Path) -> Moving | None:
    """Return where a folder's installation was moved, or is being moved; None: nowhere."""
    try:
        return msgspec.json.decode((path / MOVED_NAME).read_bytes(), type=Moving)
    except FileNotFoundError:
        return None


def mark_moved(path: Path, moving: Moving) -> None:
    """Say durably in a folder where its installation goes: nobody but who moves it works in it any more."""
    unfinished = path / f"{MOVED_NAME}.unfinished"
    with unfinished.open("wb") as file:
        file.write(msgspec.json.encode(moving))
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path / MOVED_NAME)
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def refuse_moved(path: Path) -> None:
    """Refuse to work in a folder whose installation is elsewhere by now; raises ConfigError."""
    moving = moved_to(path)
    if moving is None:
        return
    where = f"{moving.prefix} at {moving.brokers}"
    if moving.is_done:
        raise ConfigError(
            f"{path}: was moved to the cluster {where}: what is here is from before that, and would be done "
            f"twice; `sojourn migrate to-folder` brings it back into another folder. Only where nothing ever "
            f"ran on that cluster remove {path / MOVED_NAME} [moved]"
        )
    raise ConfigError(
        f"{path}: is being moved to the cluster {where}; run `sojourn migrate to-cluster` again, and it goes "
        f"on. To stay here, delete that cluster's topics and {path / MOVED_NAME} [moving]"
    )
