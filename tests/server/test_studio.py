"""The studio's pages: what the build left, and nothing else of the disk."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from sojourn.server.built import read_files
from sojourn.server.http import App
from sojourn.server.studio import Studio
from tests.server.serving import served

PAGE = (
    b"<!doctype html><title>Sojourn</title><script type=module src=/studio/assets/index-Ab3_dE-9.js></script>"
)
SCRIPT = b"export const answer = 42;\n" * 40
SCRIPT_NAME = "assets/index-Ab3_dE-9.js"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


async def rest(scope: Any, receive: Any, send: Any) -> None:
    """Stand for the API."""
    if scope["type"] == "lifespan":
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})
        return
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make what a build leaves, beside a file that is nobody's business."""
    (tmp_path / "secret.txt").write_text("secret")
    build = tmp_path / "studio"
    (build / "assets").mkdir(parents=True)
    (build / "index.html").write_bytes(PAGE)
    (build / "favicon.svg").write_text("<svg/>")
    (build / SCRIPT_NAME).write_bytes(SCRIPT)
    (build / (SCRIPT_NAME + ".gz")).write_bytes(gzip.compress(SCRIPT))
    (build / (SCRIPT_NAME + ".br")).write_bytes(b"packed by brotli")
    (build / "link.txt").symlink_to(tmp_path / "secret.txt")
    (build / "links").symlink_to(tmp_path)
    return build


def ask(app: App, path: str, *, method: str = "GET", scheme: str = "http", **headers: str) -> httpx.Response:
    """Make one request as a browser, which asks for nothing packed by itself."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        base = f"{scheme}://house"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            given = {"accept-encoding": "identity", **{k.replace("_", "-"): v for k, v in headers.items()}}
            return await client.request(method, path, headers=given)

    return asyncio.run(request())


# Which page


@pytest.mark.parametrize(
    "path", ["", "index.html", "journeys", "people/ann%40example.com", "a.b/c.d", "api/v1"]
)
def test_the_page_is_at_every_path_below(folder: Path, path: str) -> None:
    """It finds its own way, and what it asks next it asks itself."""
    answer = ask(Studio(rest, folder=folder), f"/studio/{path}")
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind"),
    [(SCRIPT_NAME, "text/javascript; charset=utf-8"), ("favicon.svg", "image/svg+xml")],
)
def test_a_file_has_the_type_of_its_name(folder: Path, path: str, kind: str) -> None:
    """Browsers guess nothing here: they are told not to."""
    assert ask(Studio(rest, folder=folder), f"/studio/{path}").headers["content-type"] == kind


def test_the_root_leads_to_the_studio_whoever_looks_with_a_browser(folder: Path) -> None:
    """And nobody else: programs ask there for other things."""
    app = Studio(rest, folder=folder)
    for path in ("/", "/studio"):
        answer = ask(app, path, accept="text/html,*/*")
        assert (answer.status_code, answer.headers["location"]) == (302, "/studio/")
    assert ask(app, "/", accept="application/json").status_code == 418
    assert ask(app, "/", method="POST", accept="text/html").status_code == 418


@pytest.mark.parametrize("path", ["/studios", "/api/v1/status", "/v1/batch", "//studio/", "/Studio/"])
def test_every_other_path_is_somebody_elses(folder: Path, path: str) -> None:
    """This stands before the API."""
    asked = httpx.URL(scheme="http", host="house", path=path)
    assert ask(Studio(rest, folder=folder), str(asked)).status_code == 418


def test_a_file_of_an_older_build_is_not_the_page(folder: Path) -> None:
    """A page in the place of a script is a riddle in the browser's console."""
    answer = ask(Studio(rest, folder=folder), "/studio/assets/index-older123.js")
    assert answer.status_code == 404
    assert "no-store" in answer.headers["cache-control"]


def test_it_takes_no_other_method(folder: Path) -> None:
    """There is nothing to send it."""
    answer = ask(Studio(rest, folder=folder), "/studio/", method="POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_tells_all_but_the_content(folder: Path) -> None:
    """As HTTP has it."""
    answer = ask(Studio(rest, folder=folder), "/studio/", method="HEAD")
    assert (answer.content, answer.headers["content-length"]) == (b"", str(len(PAGE)))


# Nothing else of the disk


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "assets/../../secret.txt",
        "assets/%2e%2e/%2e%2e/secret.txt",
        "..\\secret.txt",
        "..%5csecret.txt",
        "assets%5c..%5c..%5csecret.txt",
        "secret.txt%00.html",
        "%00",
        "./index.html",
        "assets/./x",
        "assets/..",
        "%0d%0aset-cookie:%20x=1",
        "link.txt",
        "links/secret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "assets//etc/passwd",
        "%252e%252e%252fsecret.txt",
    ],
)
def test_no_path_leads_out_of_the_build(folder: Path, path: str) -> None:
    """Over a real line, where nobody tidies the path up before it is sent."""
    request = f"GET /studio/{path} HTTP/1.1\r\nhost: house\r\nconnection: close\r\n\r\n"
    with served(Studio(rest, folder=folder)) as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(request.encode())
        said = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"secret" not in body
    assert b"root:" not in body
    assert b"set-cookie" not in head.lower()
    assert head.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")) or body == PAGE


def test_links_are_not_files_of_the_build(folder: Path) -> None:
    """They may lead anywhere; and packed files are no files of their own."""
    assert set(read_files(folder)) == {"index.html", "favicon.svg", SCRIPT_NAME}


# How it is kept and packed


def test_what_has_its_content_in_its_name_is_kept_for_ever(folder: Path) -> None:
    """And everything else is asked for again."""
    app = Studio(rest, folder=folder)
    fixed = ask(app, f"/studio/{SCRIPT_NAME}").headers["cache-control"]
    assert fixed == "public, max-age=31536000, immutable"
    assert ask(app, "/studio/favicon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["", SCRIPT_NAME])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_what_the_browser_has_is_not_sent_again(folder: Path, path: str, form: str) -> None:
    """It says so by the tag it was given."""
    app = Studio(rest, folder=folder)
    tag = ask(app, f"/studio/{path}").headers["etag"]
    again = ask(app, f"/studio/{path}", if_none_match=form.format(tag))
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["content-security-policy"] == CSP


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000", None),
        ("deflate", None),
        ("", None),
        ("xbr, brx", None),
    ],
)
def test_it_is_sent_packed_as_the_browser_takes_it(folder: Path, accepted: str, encoding: str | None) -> None:
    """The smallest first, packed once by the build."""
    app = Studio(rest, folder=folder)

    async def raw() -> tuple[dict[bytes, bytes], bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"accept-encoding", accepted.encode())]
        scope = {"type": "http", "method": "GET", "path": f"/studio/{SCRIPT_NAME}", "headers": headers}
        await app(scope, None, send)  # type: ignore[arg-type]
        return dict(sent[0]["headers"]), sent[1]["body"]

    headers, body = asyncio.run(raw())
    expected = {"br": b"packed by brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[encoding]
    assert headers.get(b"content-encoding", b"").decode() == (encoding or "")
    assert body[10:] == expected[10:]  # a gzip's head has the instant it was packed
    assert headers[b"vary"] == b"accept-encoding"
    assert headers[b"content-length"] == b"%d" % len(body)


def test_each_packing_has_its_own_tag(folder: Path) -> None:
    """A cache in between must not take one for the other."""
    app = Studio(rest, folder=folder)
    tags = {
        ask(app, f"/studio/{SCRIPT_NAME}", accept_encoding=each).headers["etag"] for each in ("gzip", "x")
    }
    assert len(tags) == 2


# What a browser may do there


@pytest.mark.parametrize(
    "path", ["/", "/studio", "/studio/", f"/studio/{SCRIPT_NAME}", "/studio/..%5c", "/studio/assets/x"]
)
def test_every_answer_says_what_a_browser_may_do(folder: Path, path: str) -> None:
    """Refusals and redirections too."""
    headers = ask(Studio(rest, folder=folder), path, accept="text/html").headers
    assert headers["content-security-policy"] == CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


def test_over_https_the_browser_is_told_to_stay_there(folder: Path) -> None:
    """Its own, or that of a proxy of ours."""
    name, expected = "strict-transport-security", "max-age=31536000"
    assert ask(Studio(rest, folder=folder), "/studio/", scheme="https").headers[name] == expected
    behind = Studio(rest, folder=folder, n_proxies=1)
    assert ask(behind, "/studio/", x_forwarded_proto="https").headers[name] == expected
    assert name not in ask(Studio(rest, folder=folder), "/studio/", x_forwarded_proto="https").headers


# Building


def test_where_it_is_not_built_a_page_says_how(tmp_path: Path) -> None:
    """In a clone of the project."""
    answer = ask(Studio(rest, folder=tmp_path / "none"), "/studio/anything")
    assert "make studio" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"] == CSP


def test_what_is_built_while_the_server_runs_is_served_without_a_new_start(folder: Path) -> None:
    """First there is nothing, then a build, then another."""
    page, away = folder / "index.html", folder / "away.html"
    page.rename(away)
    app = Studio(rest, folder=folder)
    assert "make studio" in ask(app, "/studio/").text
    away.rename(page)
    first = ask(app, "/studio/")
    page.write_bytes(b"another build")
    os.utime(page, ns=(1, 1))
    second = ask(app, "/studio/")
    assert [first.content, second.content] == [PAGE, b"another build"]
    assert first.headers["etag"] != second.headers["etag"]
