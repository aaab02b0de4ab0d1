"""Mending: what real clients send that JSON forbids, made readable, so that one value does not cost a batch.

- Python's `json` writes NaN and Infinity: null.
- JavaScript cuts an emoji in two and sends half a surrogate pair: U+FFFD.
- Bytes that are not UTF-8: U+FFFD. A byte order mark: gone.
- Nesting that no parser survives: cut below `CUT_DEPTH`; the event it is in is still too deep, and refused
  alone.
"""

from __future__ import annotations

import re

MAX_MENDED_BYTES = 1 << 20  # Twice an SDK's largest batch. It bounds the work, 0.3 us for a token.
CUT_DEPTH = 200  # Parsers take about 1,000; an event may have 64 (objects.py).

STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
NO_NUMBER = re.compile(STRING + rb"|-?(?:NaN|Infinity)\b", re.DOTALL)
ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
ESCAPE_BYTES = 6
BRACKET = re.compile(STRING + rb"|[\[\]{}]", re.DOTALL)


def mended(body: bytes) -> bytes:
    """Return the body with what can be mended mended; bytes that are not JSON at all stay as they are."""
    if len(body) > MAX_MENDED_BYTES:
        return body
    body = body.decode("utf-8", "replace").removeprefix("\ufeff").encode()
    if b"NaN" in body or b"Infinity" in body:
        body = NO_NUMBER.sub(lambda found: found[0] if found[0][:1] == b'"' else b"null", body)
    if b"\\ud" in body or b"\\uD" in body:
        body = ESCAPE.sub(lambda found: rb"\ufffd" if len(found[0]) == ESCAPE_BYTES else found[0], body)
    if body.count(b"[") + body.count(b"{") > CUT_DEPTH:
        body = _cut(body)
    return body


def _cut(body: bytes) -> bytes:
    """Put 0 in the place of every object and array that lies deeper than CUT_DEPTH."""
    kept: list[bytes] = []
    depth = start = 0
    for found in BRACKET.finditer(body):
        byte = body[found.start()]
        if byte in b"[{":
            depth += 1
            if depth == CUT_DEPTH + 1:
                kept += body[start : found.start()], b"0"
        elif byte in b"]}":
            if depth == CUT_DEPTH + 1:
                start = found.end()
            depth -= 1
    return b"".join([*kept, body[start:]]) if kept else body
