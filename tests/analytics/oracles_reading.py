"""Oracles: reading as a person would do it, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.analytics.making import Row


def ordered(rows: Sequence[dict[str, Any]]) -> list[Row]:
    """Sort rows of (person, step, at in ms, sequence, session) as events lie; people by their ids."""
    placed = [(row["person"], row["at"], row.get("sequence", 0), i) for i, row in enumerate(rows)]
    return [
        (rows[i]["person"], rows[i]["step"], rows[i]["at"])
        for _, _, _, i in sorted(placed, key=lambda key: (key[0].encode(), *key[1:]))
    ]


def session_numbers(rows: Sequence[tuple[str, str | None]]) -> list[int]:
    """Number (person, session) pairs, in the order of events, by where they are first met; none is -1."""
    met: dict[tuple[str, str], int] = {}
    return [
        -1 if session is None else met.setdefault((person, session), len(met)) for person, session in rows
    ]
