"""Small makers: a lake's actions and events out of lists of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
from msgspec import Struct

from sojourn.adapters.lake import columns
from sojourn.analytics.causal.reading import read_trials
from sojourn.analytics.causal.trials import Trials, Unit
from sojourn.analytics.events import Events
from sojourn.model.lake import TABLES


class Act(Struct, frozen=True):
    """One row of a lake's actions; by default an email that went out."""

    who: str
    at: int
    """ms."""
    ghost_of: str = ""
    """The hold-outs that keep the person back, as the lake has them: `channel`, `journey,channel`, ..."""
    channel: str | None = "email"
    journey: str = "welcome"
    state: str = "greeted"
    version: str = "v1"
    reason: str | None = None
    """Why it was withheld, where no hold-out did it."""
    is_owed: bool = False
    """It went out whatever hold-out keeps the person back."""
    profile: str = ""
    """The profile it is about, as it was then; by default `u:` and who it is."""
    is_old: bool = False
    """Written before the lake had `holdouts`: only its detail says who kept it back."""


def trials_from(
    acts: Iterable[Act],
    people: list[str],
    *,
    bots: Iterable[str] = (),
    first_ids: dict[str, str] | None = None,
) -> Trials:
    """Read trials out of a lake's tables with these actions."""
    connection = duckdb.connect()
    for name in ("actions", "enrolment_changes", "events"):
        columns.empty(connection, TABLES[name], schema="main")
        connection.execute(f"ALTER TABLE {name} ADD COLUMN person_id VARCHAR")
    for n, act in enumerate(acts, start=1):
        row = _row(n, act)
        marks = ", ".join("?" if name != "logged_at" else "make_timestamp_ms(?)" for name in row)
        connection.execute(f"INSERT INTO actions ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    for position, who in enumerate(people):
        connection.execute(
            "INSERT INTO events (position, profile_id, person_id, is_bot) VALUES (?, ?, ?, ?)",
            [position, f"a:{(first_ids or {}).get(who, who)}", who, who in set(bots)],
        )
    return read_trials(connection, people)


def _row(n: int, act: Act) -> dict[str, Any]:
    is_ghost = bool(act.ghost_of) and not act.is_owed
    is_withheld = is_ghost or act.reason is not None
    first = act.ghost_of.partition(",")[0]
    return {
        "fact_group": n,
        "fact_n": 0,
        "logged_at": act.at,
        "decision": "withheld" if is_withheld else "decided",
        "journey": act.journey,
        "version": act.version,
        "state": act.state,
        "channel": act.channel,
        "reason": "held-out" if is_ghost else act.reason,
        "detail": (f"channel {act.channel}" if first == "channel" else first) if is_ghost else None,
        "holdouts": None if act.is_old else act.ghost_of or None,
        "person_id": act.who,
        "profile_id": act.profile or f"u:{act.who}",
    }


def plain_trials(is_held: np.ndarray, at: np.ndarray, **changes: Any) -> Trials:
    """Make one channel's trial of people 0, 1, ... in this order."""
    n = len(is_held)
    return Trials(**{
        "units": [Unit("channel", "email")],
        "unit": np.zeros(n, dtype=np.int32),
        "person": np.arange(n, dtype=np.int32),
        "at": at.astype(np.int64),
        "is_held": is_held,
        "is_mixed": np.zeros(n, dtype=bool),
        "version": np.zeros(n, dtype=np.int32),
        "versions": ["v1"],
        **changes,
    })  # fmt: skip


def rows_of(trials: Trials, events: Events | list[str]) -> list[tuple[str, str, int, bool]]:
    """List (unit, person, first at, whether held) of every row."""
    people = events if isinstance(events, list) else events.people
    return [
        (str(trials.units[unit]), people[person], at, held)
        for unit, person, at, held in zip(
            trials.unit.tolist(),
            trials.person.tolist(),
            trials.at.tolist(),
            trials.is_held.tolist(),
            strict=True,
        )
    ]
