"""Scripts: the browser SDK, for pages of any origin, as `/sdk/sojourn.min.js` and `sojourn.full.min.js`."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from sojourn.server.http import App, Scope, Send, send_answer
from sojourn.server.ingest.answers import Answer
from sojourn.server.ingest.door import Receive

PREFIX = "/sdk/"
FOLDER = Path(__file__).with_name("studio") / "sdk"
"""Where `make studio` puts what it builds; it is part of the wheel."""

# A page asks an hour later whether there is a newer one, and shows the one it has meanwhile.
_CACHING = (b"cache-control", b"public, max-age=3600, stale-while-revalidate=86400")
_ANYWHERE = (
    (b"access-control-allow-origin", b"*"),  # for `integrity` and `crossorigin`
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_KIND = (b"content-type", b"text/javascript; charset=utf-8")


class Script(Struct, frozen=True):
    """One file, in memory."""

    body: bytes
    packed: bytes
    """The same, as gzip."""
    etag: bytes


class Scripts:
    """Answers everything under `/sdk/`, and hands on every other request to `rest`."""

    def __init__(self, rest: App, *, folder: Path = FOLDER) -> None:
        self._rest = rest
        self._folder = folder
        self._scripts: dict[str, Script] = {}
        self._stamp: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._rest(scope, receive, send)
            return
        answer = await self._answer(
            scope["method"], scope["path"].removeprefix(PREFIX), dict(scope["headers"])
        )
        await send_answer(answer, _ANYWHERE, scope, send)

    async def _answer(self, method: str, name: str, headers: Mapping[bytes, bytes]) -> Answer:
        if method not in ("GET", "HEAD"):
            return _plain(405, b"GET or HEAD", (b"allow", b"GET, HEAD"))
        stamp = _stamp(self._folder)
        if stamp != self._stamp:
            self._scripts, self._stamp = await asyncio.to_thread(read_scripts, self._folder), stamp
        script = self._scripts.get(name)
        if script is None:
            told = b"no such script" if self._scripts else b"the SDK is not built: make studio"
            return _plain(404, told)
        return _show(script, headers)


def read_scripts(folder: Path) -> dict[str, Script]:
    """Read the scripts of a build, by their names."""
    found = {}
    for path in sorted(folder.glob("*.min.js")):
        body = path.read_bytes()
        etag = hashlib.sha256(body).hexdigest()[:32].encode()
        found[path.name] = Script(body=body, packed=gzip.compress(body, mtime=0), etag=etag)
    return found


def _stamp(folder: Path) -> dict[str, int]:
    """Return what changes with every build."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.min.js")}


def _show(script: Script, headers: Mapping[bytes, bytes]) -> Answer:
    is_packed = b"gzip" in headers.get(b"accept-encoding", b"")
    etag = b'"' + script.etag + (b"-gzip" if is_packed else b"") + b'"'
    said = (_CACHING, (b"etag", etag), (b"vary", b"accept-encoding"))
    if etag in headers.get(b"if-none-match", b""):
        return Answer(304, b"", said)
    if is_packed:
        return Answer(200, script.packed, (*said, _KIND, (b"content-encoding", b"gzip")))
    return Answer(200, script.body, (*said, _KIND))


def _plain(status: int, text: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Answer(status, text + b"\n", (kind, (b"cache-control", b"no-store"), *headers))
