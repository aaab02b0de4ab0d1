"""Built: what `make studio` built, read into memory once, and again where it was built anew."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from sojourn.server.ingest.answers import Answer

MAX_BYTES = 64 << 20
"""Of all files together: many times what the build has."""

_HASHED = re.compile(r"assets/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+", re.ASCII)
"""Names that the build derives from what is in the file: such a file never changes."""
_PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings, the smallest first, and how such a file is called beside the plain one."""
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}


class File(Struct, frozen=True):
    """One file of the build."""

    body: bytes
    packed: Mapping[str, bytes]
    """Encoding -> the same, packed."""
    kind: bytes
    etag: bytes
    is_fixed: bool
    """Its name says what is in it."""


class Build:
    """The files of a folder, by name; `stamp` returns what changes with every build, None without one."""

    def __init__(self, folder: Path, stamp: Callable[[Path], tuple[int, ...] | None]) -> None:
        self._folder = folder
        self._stamp_of = stamp
        self._stamp: tuple[int, ...] | None = None
        self._files: Mapping[str, File] = {}
        self._reading = asyncio.Lock()

    async def files(self) -> Mapping[str, File]:
        """Return them, as they are by now."""
        if self._stamp_of(self._folder) != self._stamp:
            async with self._reading:
                stamp = self._stamp_of(self._folder)
                if stamp != self._stamp:
                    self._files = {} if stamp is None else await asyncio.to_thread(read_files, self._folder)
                    self._stamp = stamp
        return self._files


def read_files(folder: Path) -> dict[str, File]:
    """Read a build; links are left out, for they may lead out of it."""
    found = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    n_bytes = sum(path.stat().st_size for path in found.values())
    assert n_bytes <= MAX_BYTES, f"{folder} holds {n_bytes} bytes: that is no build of the studio"
    bodies = {name: path.read_bytes() for name, path in found.items()}
    return {
        name: File(
            body=body,
            packed={
                encoding: bodies[name + suffix]
                for encoding, suffix in _PACKED.items()
                if name + suffix in bodies
            },
            kind=_kind(name).encode(),
            etag=b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"',
            is_fixed=_HASHED.fullmatch(name) is not None,
        )
        for name, body in bodies.items()
        if not name.endswith(tuple(_PACKED.values()))
    }


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def changed_at(path: Path) -> int:
    """Return when a file was written, ns; 0 where there is none."""
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def show(file: File, headers: Mapping[bytes, bytes], *, caching: bytes) -> Answer:
    """Answer with a file, packed as the browser takes it, or say that it has it."""
    encoding = next(
        (each for each in file.packed if _takes(headers.get(b"accept-encoding", b""), each)), None
    )
    etag = file.etag if encoding is None else file.etag[:-1] + b"-" + encoding.encode() + b'"'
    said = [(b"cache-control", caching), (b"etag", etag), (b"vary", b"accept-encoding")]
    if etag in (each.strip() for each in headers.get(b"if-none-match", b"").replace(b"W/", b"").split(b",")):
        return Answer(304, b"", tuple(said))
    said.append((b"content-type", file.kind))
    if encoding is None:
        return Answer(200, file.body, tuple(said))
    return Answer(200, file.packed[encoding], (*said, (b"content-encoding", encoding.encode())))


def _takes(accepted: bytes, encoding: str) -> bool:
    """Tell whether a browser takes an encoding (RFC 9110, 12.5.3)."""
    for part in accepted.decode("latin-1").lower().split(","):
        name, _, quality = part.replace(" ", "").partition(";q=")
        if name == encoding:
            return quality.strip("0.") != "" if quality else True
    return False


def plain(status: int, text: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    """Answer in words, which nobody keeps."""
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Answer(status, text + b"\n", (kind, (b"cache-control", b"no-store"), *headers))


def _kind(name: str) -> str:
    suffix = Path(name).suffix
    return TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
