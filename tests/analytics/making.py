"""Small makers: encoded events from a list of rows, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojourn.analytics.events import MISSING, Column, Events

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Row = tuple[Any, ...]
"""(person, step, at in ms), and attributes after them: text is a column, a number a value; or `session`."""


def events_of(rows: Iterable[Row]) -> Events:
    """Encode rows plainly; what happens at one instant keeps the order of the list.

    >>> events_of([("ada", "View", 0, {"session": "s1", "country": "SE", "revenue": 5.0})]).steps
    ['View']
    """
    full = [(str(row[0]), str(row[1]), int(row[2]), row[3] if len(row) > 3 else {}) for row in rows]
    people = list(dict.fromkeys(person for person, *_ in full))
    rank = {person: i for i, person in enumerate(people)}
    full.sort(key=lambda row: (rank[row[0]], row[2]))
    steps = sorted({step for _, step, *_ in full})
    places = np.array([rank[row[0]] for row in full], dtype=np.int64)
    counts = np.bincount(places, minlength=len(people))
    extras = [extra for *_, extra in full]
    named = {name: value for extra in reversed(extras) for name, value in extra.items() if name != "session"}
    texts = sorted(name for name, value in named.items() if isinstance(value, str))
    return Events(
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        step=np.array([steps.index(step) for _, step, *_ in full], dtype=np.int32),
        at=np.array([at for _, _, at, _ in full], dtype=np.int64),
        steps=steps,
        people=people,
        session=_column([_session(row) for row in full]).codes
        if any("session" in extra for extra in extras)
        else None,
        columns={name: _column([extra.get(name) for extra in extras]) for name in texts},
        values={
            name: np.array([extra.get(name, np.nan) for extra in extras], dtype=np.float64)
            for name in sorted(named.keys() - set(texts))
        },
    )


def rows_of(events: Events) -> list[Row]:
    """List what events say, in their order: the same rows that `events_of` takes."""
    rows = []
    for i, person in enumerate(events.person().tolist()):
        extra: dict[str, Any] = {}
        if events.session is not None and events.session[i] != MISSING:
            extra["session"] = int(events.session[i])
        for name, column in events.columns.items():
            if column.codes[i] != MISSING:
                extra[name] = column.values[column.codes[i]]
        for name, values in events.values.items():
            if not np.isnan(values[i]):
                extra[name] = float(values[i])
        rows.append((events.people[person], events.steps[events.step[i]], int(events.at[i]), extra))
    return rows


def walks_of(text: str) -> Events:
    """Encode walks written in one line each, a minute between steps: `ada: View > Cart > Buy`."""
    rows = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        person, _, walk = line.partition(":")
        rows += [(person.strip(), step.strip(), i * MINUTE) for i, step in enumerate(walk.split(">"))]
    return events_of(rows)


def shared(name: str) -> Path:
    """Find a shared data set (in SOJOURN_SHARED, or `shared` beside the project), or skip the test."""
    given = os.environ.get("SOJOURN_SHARED")
    roots = [Path(given)] if given else [folder / "shared" for folder in Path(__file__).resolve().parents[2:]]
    for root in roots:
        if (path := root / "data" / name).exists():
            return path
    return pytest.skip(f"the shared data set {name} is not beside this clone")


def _session(row: tuple[str, str, int, dict[str, Any]]) -> str | None:
    session = row[3].get("session")
    return None if session is None else f"{row[0]}\0{session}"


def _column(values: Sequence[str | None]) -> Column:
    names = sorted({value for value in values if value is not None})
    codes = [MISSING if value is None else names.index(value) for value in values]
    return Column(np.array(codes, dtype=np.int32), names)
