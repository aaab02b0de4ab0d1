"""The data folder: one process at a time writes in it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sojourn.model.errors import ConfigError, FolderInUseError

LOCK_NAME = "lock"


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
