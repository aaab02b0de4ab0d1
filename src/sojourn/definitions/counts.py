"""Counts: so many of something, as people write it."""

from __future__ import annotations


def counted(n: int, one: str, many: str = "") -> str:
    """Write a number of things; of several, `many`, or `one` with an s.

    >>> counted(1, "row"), counted(2_000, "row"), counted(0, "person", "people")
    ('1 row', '2,000 rows', '0 people')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
