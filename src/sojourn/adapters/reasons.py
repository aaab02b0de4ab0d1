"""Reasons: what a stranger answered, as much of it as is worth keeping, and without our own secrets."""

from __future__ import annotations

from collections.abc import Iterable

REASON_CHARS = 300
"""How much of an answer is kept in a reason."""


def clean(text: str, hidden: Iterable[str]) -> str:
    """Cut a stranger's text to a bound, in one line, without our own secrets where it echoes them."""
    for secret in hidden:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:REASON_CHARS]
