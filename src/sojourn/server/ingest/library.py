"""Libraries: which SDK sent an event, as it says in its context, or as its request's user agent shows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

MAX_NAME_CHARS, MAX_VERSION_CHARS = 100, 50
MAX_REMEMBERED = 1_024  # contexts: a server's is always the same, a browser's is that of a page.
MAX_REMEMBERED_BYTES = 2_048  # of one: a browser's has 500 to 1,500.


class Library(Struct, frozen=True, gc=False):
    """Who sent it."""

    name: str
    """Empty where nothing says it."""
    version: str = ""

    @property
    def text(self) -> str:
        """Both as one text."""
        return f"{self.name} {self.version}".strip()


NOBODY = Library("")


class _Context(Struct):
    library: Any = None


_context = msgspec.json.Decoder(_Context)


def library_of(context: Raw) -> Library:
    """Read `context.library`; what is no object of texts says nothing."""
    text = bytes(context)
    if b'"library"' not in text:
        return NOBODY
    return _remembered(text) if len(text) <= MAX_REMEMBERED_BYTES else _read(text)


def library_of_agent(user_agent: str) -> Library:
    """Read the first word of a user agent, as `python-requests/2.31`; every browser is `browser`.

    >>> library_of_agent("python-requests/2.31.0"), library_of_agent("Mozilla/5.0 (X11)").name
    (Library(name='python-requests', version='2.31.0'), 'browser')
    """
    name, _, version = user_agent.split(" ", 1)[0].partition("/")
    if name == "Mozilla":
        return Library("browser")
    return Library(name[:MAX_NAME_CHARS], version[:MAX_VERSION_CHARS])


def _read(text: bytes) -> Library:
    try:
        library = _context.decode(text).library
    except (msgspec.DecodeError, RecursionError):
        return NOBODY
    if not isinstance(library, dict):
        return NOBODY
    name, version = (library.get(each) for each in ("name", "version"))
    return Library(
        name[:MAX_NAME_CHARS] if isinstance(name, str) else "",
        version[:MAX_VERSION_CHARS] if isinstance(version, str) else "",
    )


_remembered = lru_cache(MAX_REMEMBERED)(_read)
