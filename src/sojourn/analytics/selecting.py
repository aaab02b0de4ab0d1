"""Selecting: the events of a time and of some people, and what was selected in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.events import MISSING, Codes, Column, Events
from sojourn.analytics.names import Names
from sojourn.analytics.sessions import GAP_MS, with_sessions
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Mask = NDArray[np.bool_]


class Where(Struct, frozen=True, kw_only=True):
    """A condition on an attribute: who has an event with one of the values; `is_not`: who has none."""

    attribute: str
    values: tuple[str, ...]
    is_not: bool = False

    def words(self) -> str:
        """Say it plainly."""
        return f"{self.attribute} {'is not' if self.is_not else 'is'} {' or '.join(self.values)}"


class Did(Struct, frozen=True, kw_only=True):
    """A condition on a step: who took it; `is_not`: who did not."""

    step: str
    before: str = ""
    """Only where it was before the first of this step; who never took this one has all their time."""
    is_not: bool = False

    def words(self) -> str:
        """Say it plainly."""
        before = f" before {self.before}" if self.before else ""
        return f"{'never did' if self.is_not else 'did'} {self.step}{before}"


class Selection(Struct, frozen=True, kw_only=True):
    """Which events a question is about. Events outside the time are gone before anything else is asked."""

    since_ms: int | None = None
    """The first instant of it."""
    until_ms: int | None = None
    """The first instant after it."""
    where: tuple[Where, ...] = ()
    """All of them hold."""
    did: tuple[Did, ...] = ()
    """All of them hold."""
    of: Unit = "person"
    """Whose events are kept or dropped as a whole: people's, or sessions'."""
    gap_ms: int = GAP_MS
    """The silence that ends a session, where sessions are not recorded."""

    def words(self) -> str:
        """Say plainly what is selected."""
        parts = []
        if self.since_ms is not None:
            parts.append(f"from {_instant(self.since_ms)}")
        if self.until_ms is not None:
            parts.append(f"before {_instant(self.until_ms)}")
        conditions = [*(one.words() for one in self.where), *(one.words() for one in self.did)]
        if conditions:
            whose = "people" if self.of == "person" else "sessions"
            parts.append(f"{whose} with {' and '.join(conditions)}")
        return ", ".join(parts) or "all events"


def parse_where(text: str, option: str) -> Where:
    """Read `country=SE`, `country=SE|DE` or `country!=SE`; `option` is named in the error.

    Raises:
        ConfigError: It is no condition on an attribute.
    """
    attribute, equals, values = text.partition("=")
    is_not = attribute.endswith("!")
    attribute = attribute.removesuffix("!").strip()
    found = tuple(filter(None, (value.strip() for value in values.split("|"))))
    if not equals or not attribute or not found:
        raise ConfigError(f"{option} {text!r}: expected attribute=value, as country=SE or country!=SE|DE")
    return Where(attribute=attribute, values=found, is_not=is_not)


def select(events: Events, selection: Selection) -> Events:
    """Return the selected events. Codes of steps and values stay the same, so two selections can be compared.

    Raises:
        ConfigError: An attribute or a step is not there, or nothing is left.
    """
    chosen = events
    if selection.since_ms is not None or selection.until_ms is not None:
        chosen = subset(events, _in_time(events, selection))
    if selection.where or selection.did:
        if selection.of == "session" and chosen.session is None:
            chosen = with_sessions(chosen, gap_ms=selection.gap_ms)
        chosen = subset(chosen, _holds(chosen, selection))
    if not len(chosen) and len(events):
        raise ConfigError(f"nothing is selected: no event fits {selection.words()!r}; widen it")
    return chosen


def subset(events: Events, kept: Mask) -> Events:
    """Return some events, and the people who still have one."""
    counts = (
        np.add.reduceat(kept, events.starts[:-1], dtype=np.int64) if len(events) else np.empty(0, np.int64)
    )
    is_there = counts > 0
    people = np.flatnonzero(is_there)
    named = events.people
    columns = {name: Column(one.codes[kept], one.values) for name, one in events.columns.items()}
    return replace(
        events,
        starts=np.concatenate([[0], np.cumsum(counts[is_there])]).astype(np.int64),
        step=events.step[kept],
        at=events.at[kept],
        people=named.take(people) if isinstance(named, Names) else [named[i] for i in people.tolist()],
        session=None if events.session is None else events.session[kept],
        columns=columns,
        values={name: one[kept] for name, one in events.values.items()},
    )


def step_codes(events: Events, steps: Sequence[str]) -> NDArray[np.int64]:
    """Return the codes of some steps by name.

    Raises:
        ConfigError: There is no such step; the message names the nearest.
    """
    place = {name: code for code, name in enumerate(events.steps)}
    for step in steps:
        if step not in place:
            raise ConfigError(f"nobody took a step {step!r}{did_you_mean(step, place)}")
    return np.array([place[step] for step in steps], dtype=np.int64)


def known_steps(what: str, names: Iterable[str], steps: Sequence[str]) -> None:
    """Refuse names that are no step's: `what` says what they are, as "goal".

    Raises:
        ConfigError: There is no such step; the message names the nearest.
    """
    for name in names:
        if name not in steps:
            raise ConfigError(f"{what}: no step is called {name!r}{did_you_mean(name, steps)}")


def _in_time(events: Events, selection: Selection) -> Mask:
    kept = np.ones(len(events), dtype=bool)
    if selection.since_ms is not None:
        kept &= events.at >= selection.since_ms
    if selection.until_ms is not None:
        kept &= events.at < selection.until_ms
    return kept


def _holds(events: Events, selection: Selection) -> Mask:
    """Tell of each event whether the person or session it belongs to fits all conditions."""
    if selection.of == "person":
        case, is_outside = events.person().astype(np.int64), np.zeros(len(events), dtype=bool)
    else:
        assert events.session is not None
        is_outside = events.session == MISSING
        case = np.where(is_outside, 0, events.session).astype(np.int64)
    n_cases = int(case.max()) + 1 if len(case) else 0
    fits = np.ones(n_cases, dtype=bool)
    for one in selection.where:
        fits &= _any_of(_has_value(events, one) & ~is_outside, case, n_cases) != one.is_not
    for did in selection.did:
        fits &= _any_of(_did(events, did, case) & ~is_outside, case, n_cases) != did.is_not
    held: Mask = fits[case] & ~is_outside
    return held


def _any_of(mask: Mask, case: NDArray[np.int64], n_cases: int) -> Mask:
    found = np.zeros(n_cases, dtype=bool)
    found[case[mask]] = True
    return found


def _has_value(events: Events, where: Where) -> Mask:
    column = events.columns.get(where.attribute)
    if column is None:
        known = did_you_mean(where.attribute, events.columns)
        raise ConfigError(f"no attribute {where.attribute!r} was read{known}")
    place = {value: code for code, value in enumerate(column.values)}
    for value in where.values:
        if value not in place:
            hint = did_you_mean(value, place)
            raise ConfigError(f"nothing has {where.attribute} {value!r}{hint}")
    return _is_in(column.codes, np.array([place[value] for value in where.values]))


def _did(events: Events, did: Did, case: NDArray[np.int64]) -> Mask:
    (code,) = step_codes(events, [did.step])
    took: Mask = events.step == code
    if not did.before:
        return took
    (before,) = step_codes(events, [did.before])
    firsts = np.full(int(case.max()) + 1, len(events), dtype=np.int64)
    places = np.flatnonzero(events.step == before)
    np.minimum.at(firsts, case[places], places)
    # Events of a case lie in the order of time, so a smaller place is earlier.
    return took & (np.arange(len(events)) < firsts[case])


def _is_in(codes: Codes, wanted: NDArray[np.int64]) -> Mask:
    # One entry more: where MISSING points.
    table = np.zeros(max(int(codes.max(initial=0)), int(wanted.max())) + 2, dtype=bool)
    table[wanted] = True
    found: Mask = table[codes]
    return found


def _instant(at_ms: int) -> str:
    text = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return text.removesuffix(" 00:00:00")
