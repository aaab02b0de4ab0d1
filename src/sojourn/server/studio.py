"""Studio: the pages people look at, served as the build left them.

What may be asked for is what a walk over the folder found, read into memory once: a path is a key, and never
becomes a path of the disk. Every other path below `/studio/` is the one page, which finds its own way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sojourn.server.access.callers import is_https
from sojourn.server.built import TYPES, Build, changed_at, plain, show
from sojourn.server.http import App, Scope, Send, send_answer
from sojourn.server.ingest.answers import Answer
from sojourn.server.ingest.door import Receive

PREFIX = "/studio/"
FOLDER = Path(__file__).with_name("studio")
"""Where `make studio` puts what it builds; it is part of the wheel."""
_INDEX = "index.html"
_TOLD_BY = (_INDEX, "assets", "made-of.txt")
"""What a build writes first, on its way, and last."""
_FOREVER = b"public, max-age=31536000, immutable"
_STRANGE = re.compile(r"[\x00-\x1f\\]|(^|/)\.\.?(/|$)")
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


class Studio:
    """Answers `/` and `/studio/`, and hands on every other request to `rest`."""

    def __init__(self, rest: App, *, n_proxies: int = 0, folder: Path = FOLDER) -> None:
        self._rest = rest
        self._n_proxies = n_proxies
        self._build = Build(folder, _stamp)

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
            return plain(405, b"GET or HEAD", (b"allow", b"GET, HEAD"))
        if not path.startswith(PREFIX):
            return Answer(302, b"", ((b"location", PREFIX.encode()), (b"cache-control", b"no-cache")))
        name = path.removeprefix(PREFIX)
        if _STRANGE.search(name):
            return plain(404, b"no such page")
        files = await self._build.files()
        if _INDEX not in files:
            kind = TYPES[".html"].encode()
            return Answer(200, _NOT_BUILT, ((b"content-type", kind), (b"cache-control", b"no-store")))
        found = files.get(name)
        if found is None and name.startswith(
            "assets/"
        ):  # of an older build: a page in its place is no script
            return plain(404, b"no such file")
        file = found or files[_INDEX]
        return show(file, headers, caching=_FOREVER if file.is_fixed else b"no-cache")


def _stamp(folder: Path) -> tuple[int, ...] | None:
    """Return what changes with every build, at its end too; None where there is no page."""
    if not (folder / _INDEX).is_file():
        return None
    return tuple(changed_at(folder / each) for each in _TOLD_BY)
