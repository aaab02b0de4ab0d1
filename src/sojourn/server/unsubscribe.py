"""Unsubscribing: the page behind a mail's link, and the one click of RFC 8058.

    GET  /u/{token}    a page with a button; it changes nothing, for scanners of mail open every link
    POST /u/{token}    the person forbids the channel, or the topic: `Consent Updated` is in the log

A token that was not signed here is answered 404 and nothing else: nobody learns who has one.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable

import msgspec
from msgspec import Raw

from sojourn.model.errors import UnavailableError
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.ids import derive
from sojourn.model.optout import OptOut, read
from sojourn.server.http import App, Scope, Send
from sojourn.server.ingest.answers import Answer
from sojourn.server.ingest.door import Accept, Observe, Receive

PREFIX = "/u/"
CONSENT_UPDATED = "Consent Updated"

ONCE_IN_MS = 60_000
"""Clicks in one minute are one: mail providers send theirs again. A later one counts, for the person may have
allowed the channel in between."""

_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),  # the address is the token
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
)

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{content}
</body>
</html>
"""
_FORM = """\
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>Unsubscribe</button>
</form>"""


class Unsubscribing:
    """Answers `/u/{token}`, and hands on every other request to `rest`."""

    def __init__(
        self,
        secret: str,
        accept: Accept,
        *,
        rest: App,
        observe: Observe | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._secret = secret
        self._accept = accept
        self._rest = rest
        self._observe = observe
        self._now_ms = now_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._rest(scope, receive, send)
            return
        answer = await self._answer(scope["method"], scope["path"].removeprefix(PREFIX))
        if self._observe is not None:
            self._observe(f"requests.{answer.status}", 1)
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, method: str, token: str) -> Answer:
        wish = read(token, self._secret)
        if wish is None:
            return _page(404, "Not found", "")
        what = html.escape(wish.topic or wish.channel)
        if method in ("GET", "HEAD"):
            return _page(200, "Unsubscribe", f"<p>You will get no more of this: {what}.</p>\n{_FORM}")
        if method != "POST":
            page = _page(405, "Not so", "")
            return Answer(405, page.body, (*page.headers, (b"allow", b"GET, HEAD, POST")))
        try:
            await self._accept([consent_event(wish, now=self._now_ms())], ())
        except UnavailableError as error:
            page = _page(503, "Please try again", "<p>This did not work just now.</p>")
            return Answer(503, page.body, (*page.headers, (b"retry-after", b"%d" % error.retry_after_s)))
        return _page(200, "Unsubscribed", f"<p>You get no more of this: {what}.</p>")


def consent_event(wish: OptOut, *, now: int) -> Event:
    """Say that a person forbids a channel or a topic, as an event for the log."""
    properties = {"channel": wish.channel, "granted": False}
    if wish.topic:
        properties["topic"] = wish.topic
    parts = (wish.user_id or "", wish.anonymous_id or "", wish.channel, wish.topic, str(now // ONCE_IN_MS))
    return Event(
        source=OUR_SOURCE,
        message_id=derive("opt-out", *parts),
        kind="track",
        name=CONSENT_UPDATED,
        occurred_at=now,
        received_at=now,
        user_id=wish.user_id,
        anonymous_id=wish.anonymous_id,
        properties=Raw(msgspec.json.encode(properties)),
    )


def _page(status: int, title: str, content: str) -> Answer:
    """Return a page; `content` is HTML, with whatever came from outside escaped in it."""
    return Answer(status, _PAGE.format(title=title, content=content).encode(), _HEADERS)
