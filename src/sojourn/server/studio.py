"""Studio: the pages people look at, served as the build left them.

What may be asked for is what a walk over the folder found, read into memory once: a path is a key, and never
becomes a path of the disk. Every other path below `/studio/` is the one page, which finds its own way.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from sojourn.server.access.callers import is_https
from sojourn.server.http import App, Scope, Send, send_answer
from sojourn.server.ingest.answers import Answer
from sojourn.server.ingest.door import Receive

PREFIX = "/studio/"
FOLDER = Path(__file__).with_name("studio")
"""Where `make studio` puts what it builds; it is part of the wheel."""
MAX_BYTES = 64 << 20
"""Of all files together: many times what the build has."""

_INDEX = "index.html"
_TOLD_BY = (_INDEX, "assets", "made-of.txt")
"""What a build writes first, on its way, and last."""
_HASHED = re.compile(r"assets/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+", re.ASCII)
"""Names that the build derives from what is in the file: such a file never changes."""
_PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings, the smallest first, and how such a file is called beside the plain one."""
_STRANGE = re.compile(r"[\x00-\x1f\\]|(^|/)\.\.?(/|$)")
_TYPES = {
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
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_OFF = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "web-share", "xr-spatial-tracking",
)  # fmt: skip
SAFETY: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _OFF).encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")

_NOT_BUILT = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn</title>
</head>
<body>
<h1>The studio is not built yet</h1>
<p>In the project's folder, run</p>
<pre>make studio</pre>
<p>and load this page again. A released wheel has it built in.</p>
</body>
</html>
"""


class File(Struct, frozen=True):
    """One file of the build."""

    body: bytes
    packed: Mapping[str, bytes]
    """Encoding -> the same, packed."""
    kind: bytes
    etag: bytes
    is_fixed: bool
    """Its name says what is in it."""


class Studio:
    """Answers `/` and `/studio/`, and hands on every other request to `rest`."""

    def __init__(self, rest: App, *, n_proxies: int = 0, folder: Path = FOLDER) -> None:
        self._rest = rest
        self._n_proxies = n_proxies
        self._folder = folder
        self._files: dict[str, File] = {}
        self._stamp: tuple[int, ...] | None = None
        self._reading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        path = scope["path"] if scope["type"] == "http" else ""
        if not path.startswith(PREFIX) and path not in ("/", PREFIX.rstrip("/")):
            await self._rest(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if path == "/" and (
            scope["method"] not in ("GET", "HEAD") or b"html" not in headers.get(b"accept", b"")
        ):
            await self._rest(scope, receive, send)
            return
        answer = await self._answer(scope["method"], path, headers)
        is_secret = is_https(scope, headers, n_proxies=self._n_proxies)
        await send_answer(answer, (*SAFETY, _HTTPS_ONLY) if is_secret else SAFETY, scope, send)

    async def _answer(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        if method not in ("GET", "HEAD"):
            return _plain(405, b"GET or HEAD", (b"allow", b"GET, HEAD"))
        if not path.startswith(PREFIX):
            return Answer(302, b"", ((b"location", PREFIX.encode()), (b"cache-control", b"no-cache")))
        name = path.removeprefix(PREFIX)
        if _STRANGE.search(name):
            return _plain(404, b"no such page")
        await self._refresh()
        if _INDEX not in self._files:
            kind = _TYPES[".html"].encode()
            return Answer(200, _NOT_BUILT, ((b"content-type", kind), (b"cache-control", b"no-store")))
        found = self._files.get(name)
        if found is None and name.startswith(
            "assets/"
        ):  # of an older build: a page in its place is no script
            return _plain(404, b"no such file")
        return _show(found or self._files[_INDEX], headers)

    async def _refresh(self) -> None:
        """Read the files where that was not done yet, or where they were built anew."""
        if _stamp(self._folder) == self._stamp:
            return
        async with self._reading:
            stamp = _stamp(self._folder)
            if stamp != self._stamp:
                self._files = {} if stamp is None else await asyncio.to_thread(read_files, self._folder)
                self._stamp = stamp


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


def _stamp(folder: Path) -> tuple[int, ...] | None:
    """Return what changes with every build, at its end too; None where there is no page."""
    if not (folder / _INDEX).is_file():
        return None
    return tuple(_changed_at(folder / each) for each in _TOLD_BY)


def _changed_at(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _kind(name: str) -> str:
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _show(file: File, headers: Mapping[bytes, bytes]) -> Answer:
    """Answer with a file, packed as the browser takes it, or say that it has it."""
    encoding = next(
        (each for each in file.packed if _takes(headers.get(b"accept-encoding", b""), each)), None
    )
    etag = file.etag if encoding is None else file.etag[:-1] + b"-" + encoding.encode() + b'"'
    caching = b"public, max-age=31536000, immutable" if file.is_fixed else b"no-cache"
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


def _plain(status: int, text: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Answer(status, text + b"\n", (kind, (b"cache-control", b"no-store"), *headers))
