"""Scripts: the browser SDK is for pages of any origin, small, and as new as its build."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from sojourn.server.scripts import Scripts

SCRIPT = b"/* the SDK */" * 50


async def rest(scope: Any, receive: Any, send: Any) -> None:
    """Serve every other path."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    """Make a build with one script, and a file beside it that is none."""
    (tmp_path / "sojourn.min.js").write_bytes(SCRIPT)
    (tmp_path / "sojourn.min.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "made-of.txt").write_text("secret")
    return Scripts(rest, folder=tmp_path)


def ask(
    scripts: Scripts, path: str, *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return what a request is answered: status, headers, body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asked = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": asked}
    asyncio.run(scripts(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, sent[1]["body"]


def test_a_page_of_any_origin_may_load_it(scripts: Scripts) -> None:
    """Also where that page, or this server's others, isolate themselves."""
    status, headers, body = ask(scripts, "/sdk/sojourn.min.js")
    assert (status, body) == (200, SCRIPT)
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"].startswith("text/javascript")


def test_it_goes_packed_to_whoever_takes_it(scripts: Scripts) -> None:
    """Its size is a promise."""
    _, headers, body = ask(scripts, "/sdk/sojourn.min.js", accept_encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == SCRIPT
    _, headers, body = ask(scripts, "/sdk/sojourn.min.js", accept_encoding="gzip;q=0")
    assert ("content-encoding" in headers, body) == (False, SCRIPT)


def test_a_page_that_has_it_is_told_so(scripts: Scripts, tmp_path: Path) -> None:
    """And gets the new one after a build."""
    _, headers, _ = ask(scripts, "/sdk/sojourn.min.js")
    assert ask(scripts, "/sdk/sojourn.min.js", if_none_match=headers["etag"])[0] == 304
    (tmp_path / "sojourn.min.js").write_bytes(b"newer")
    assert ask(scripts, "/sdk/sojourn.min.js", if_none_match=headers["etag"])[2] == b"newer"


@pytest.mark.parametrize("path", ["/sdk/", "/sdk/made-of.txt", "/sdk/../made-of.txt", "/sdk/x.min.js"])
def test_nothing_else_is_there(scripts: Scripts, path: str) -> None:
    """What a folder holds is no reason to hand it out."""
    assert ask(scripts, path)[0] == 404


def test_where_it_is_not_built_it_says_how(tmp_path: Path) -> None:
    """A clone has no build at first."""
    assert b"make studio" in ask(Scripts(rest, folder=tmp_path / "none"), "/sdk/sojourn.min.js")[2]


def test_it_is_only_read(scripts: Scripts) -> None:
    """And every other path is somebody else's."""
    assert ask(scripts, "/sdk/sojourn.min.js", method="POST")[0] == 405
    assert ask(scripts, "/sdk/sojourn.min.js", method="HEAD")[2] == b""
    assert ask(scripts, "/health")[0] == 204
