"""Suggestions: the name an author probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_LISTED = 12  # names: more do not help a reader.
_MAX_COMPARED = 60  # characters: difflib's cost grows with the square.


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """End a message about an unknown name: the nearest known one, or all of them where they are few.

    >>> did_you_mean("propertys", ["properties", "profile"])
    "; did you mean 'properties'?"
    """
    names = sorted(set(known))
    nearest = get_close_matches(name[:_MAX_COMPARED], names, n=1)
    if nearest:
        return f"; did you mean {nearest[0]!r}?"
    if names and len(names) <= _MAX_LISTED:
        return "; known: " + ", ".join(names)
    return ""
