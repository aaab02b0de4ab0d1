"""Mounted: the folders of definitions: their files may be listed, read and replaced, and nothing outside.

A file is named by its folder's name and its own: `journeys/welcome.yaml`. What leads out of its folder (a
link, `..`) is as if it were not there.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from sojourn.model.errors import InputError

MAX_FILE_BYTES = 1 << 20  # a definition has at most 200,000 characters.
ETAG_BYTES = 12  # 96 bits: two texts of one file never share one.

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,119}", re.ASCII)


class MountedFile(Struct, frozen=True, kw_only=True):
    """One file, as it is on disk."""

    file: str
    text: str
    etag: str
    updated_at: int
    """ms."""
    is_writable: bool
    path: Path


class ChangedError(Exception):
    """The file is not the one that was to be replaced."""


class Mounted:
    """Some folders, and single files, that hold definitions of one sort."""

    def __init__(self, paths: Sequence[Path], suffixes: Collection[str]) -> None:
        self._suffixes = frozenset(suffixes)
        self._folders: dict[str, Path] = {}
        self._only: dict[str, set[str]] = {}
        """Of a folder in which single files are named: those."""
        for path in paths:
            is_single = path.suffix in self._suffixes and not path.is_dir()
            folder = path.parent if is_single else path
            name = self._name_of(folder)
            if is_single:
                self._only.setdefault(name, set()).add(path.name)
            else:
                self._only.pop(name, None)

    def all(self) -> list[MountedFile]:
        """Return every file that can be read as text, by name."""
        names = [f"{folder}/{name}" for folder in self._folders for name in self._listed(folder)]
        found = (self.find(name) for name in sorted(names))
        return [file for file in found if file is not None]

    def find(self, file: str) -> MountedFile | None:
        """Return a file; None where there is none. Raises InputError where there can be none of that name."""
        path = self.path_of(file)
        try:
            with path.open("rb") as opened:
                raw = opened.read(MAX_FILE_BYTES + 1)
                told = os.fstat(opened.fileno())
            text = raw.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        if len(raw) > MAX_FILE_BYTES:
            return None
        return MountedFile(
            file=file,
            text=text,
            etag=etag_of(text),
            updated_at=told.st_mtime_ns // 1_000_000,
            is_writable=os.access(path.parent, os.W_OK),
            path=path,
        )

    def holds(self, file: str) -> bool:
        """Tell whether a file is, or would be, one of these."""
        folder, _, name = file.partition("/")
        return folder in self._folders and (folder not in self._only or name in self._only[folder])

    def path_of(self, file: str) -> Path:
        """Return where a file is, or would be; raises InputError where it can be nowhere."""
        folder, _, name = file.partition("/")
        if not self.holds(file) or not self._is_name(name):
            kinds = ", ".join(sorted(self._suffixes))
            folders = ", ".join(self._folders) or "none"
            reason = f"expected a plain name in {folders} that ends in {kinds}; got {file[:100]!r}"
            raise InputError("unknown-file", reason, status=404)
        root = self._folders[folder].resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root) or (path.exists() and not path.is_file()):
            raise InputError(
                "unknown-file", f"{file[:100]!r} leads out of its folder, or is no file", status=404
            )
        return path

    def is_writable(self, file: str) -> bool:
        """Tell whether a file can be replaced."""
        return os.access(self.path_of(file).parent, os.W_OK)

    def replace(self, file: str, text: str, *, base_etag: str | None) -> None:
        """Put a text in the place of a file that has this etag (None: of none), durably, whole or not at all.

        Raises ChangedError where the file is another by now, and OSError.
        """
        path = self.path_of(file)
        found = self.find(file)
        if (found.etag if found else None) != base_etag or (found is None and path.exists()):
            raise ChangedError
        mode = path.stat().st_mode & 0o777 if found else 0o644
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(6)}.unfinished")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(text.encode())
                opened.flush()
                os.fsync(opened.fileno())
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _name_of(self, folder: Path) -> str:
        """Name a folder by its own name; a second one of that name gets a number."""
        wanted = re.sub(r"[^A-Za-z0-9._-]", "-", folder.name) or "files"
        name, n = wanted, 1
        while self._folders.get(name, folder) != folder:
            n += 1
            name = f"{wanted}-{n}"
        self._folders[name] = folder
        return name

    def _listed(self, folder: str) -> Iterator[str]:
        try:
            names = sorted(path.name for path in self._folders[folder].iterdir())
        except OSError:
            return
        for name in names:
            if self._is_name(name) and self.holds(f"{folder}/{name}"):
                try:
                    self.path_of(f"{folder}/{name}")
                except InputError:
                    continue
                yield name

    def _is_name(self, name: str) -> bool:
        return _NAME.fullmatch(name) is not None and Path(name).suffix in self._suffixes


def etag_of(text: str) -> str:
    """Name a text: the same text, the same etag."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ETAG_BYTES).hexdigest()
