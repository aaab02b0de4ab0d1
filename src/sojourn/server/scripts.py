"""Scripts: the browser SDK, for pages of any origin, as `/sdk/sojourn.min.js` and `sojourn.full.min.js`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sojourn.server.built import Build, changed_at, plain, show
from sojourn.server.http import App, Scope, Send, send_answer
from sojourn.server.ingest.answers import Answer
from sojourn.server.ingest.door import Receive

PREFIX = "/sdk/"
FOLDER = Path(__file__).with_name("studio") / "sdk"
"""Where `make studio` puts what it builds; it is part of the wheel."""

_SUFFIX = ".min.js"
# A page asks an hour later whether there is a newer one, and shows the one it has meanwhile.
_CACHING = b"public, max-age=3600, stale-while-revalidate=86400"
_ANYWHERE = (
    (b"access-control-allow-origin", b"*"),  # for `integrity` and `crossorigin`
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)


class Scripts:
    """Answers everything under `/sdk/`, and hands on every other request to `rest`."""

    def __init__(self, rest: App, *, folder: Path = FOLDER) -> None:
        self._rest = rest
        self._build = Build(folder, _stamp)

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
            return plain(405, b"GET or HEAD", (b"allow", b"GET, HEAD"))
        files = await self._build.files()
        script = files.get(name) if name.endswith(_SUFFIX) else None
        if script is None:
            return plain(404, b"no such script" if files else b"the SDK is not built: make studio")
        return show(script, headers, caching=_CACHING)


def _stamp(folder: Path) -> tuple[int, ...] | None:
    """Return what changes with every build, at its end too: scripts are packed last; None without one."""
    found = sorted(folder.glob(f"*{_SUFFIX}"))
    return tuple(changed_at(each) for one in found for each in (one, one.with_name(f"{one.name}.gz"))) or None
