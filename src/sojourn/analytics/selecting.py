"""Selecting: the events of a time and of some people, and what was selected in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.belonging.known import ALWAYS, NEVER, Belonging
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


class Within(Struct, frozen=True, kw_only=True):
    """A condition on segments: who was in one of them at some instant of the selected time.

    Of sessions: at some instant of the session. `is_not`: who was in none.
    """

    segments: tuple[str, ...]
    is_not: bool = False

    def words(self) -> str:
        """Say it plainly."""
        return f"{'no' if self.is_not else 'some'} time in the segment {' or '.join(self.segments)}"


class Met(Struct, frozen=True, kw_only=True):
    """A condition on an experiment: who met one of its variants first; what they did from then on.

    `is_not`: who met another one first. Who never met the experiment is in neither.
    """

    experiment: str
    variants: tuple[str, ...]
    is_not: bool = False

    def words(self) -> str:
        """Say it plainly."""
        other = "another variant than " if self.is_not else ""
        return f"from when they met {self.experiment} with {other}{' or '.join(self.variants)}"


class Selection(Struct, frozen=True, kw_only=True):
    """Which events a question is about. Events outside the time are gone before anything else is asked.

    Conditions look at all that people did in that time. Last goes what they did before they met a variant.
    """

    since_ms: int | None = None
    """The first instant of it."""
    until_ms: int | None = None
    """The first instant after it."""
    where: tuple[Where, ...] = ()
    """All of them hold."""
    did: tuple[Did, ...] = ()
    """All of them hold."""
    within: tuple[Within, ...] = ()
    """All of them hold."""
    met: tuple[Met, ...] = ()
    """All of them hold; events count from when they do."""
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
        said: tuple[Where | Did | Within, ...] = (*self.where, *self.did, *self.within)
        conditions = [one.words() for one in said]
        if conditions:
            whose = "people" if self.of == "person" else "sessions"
            parts.append(f"{whose} with {' and '.join(conditions)}")
        parts += [one.words() for one in self.met]
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


def parse_within(text: str, option: str) -> Within:
    """Read `buyers`, `buyers|lapsed` or `!buyers`; `option` is named in the error.

    Raises:
        ConfigError: It names no segment.
    """
    is_not = text.strip().startswith("!")
    found = tuple(filter(None, (name.strip() for name in text.strip().removeprefix("!").split("|"))))
    if not found:
        raise ConfigError(
            f"{option} {text!r}: expected a segment's name, as buyers, buyers|lapsed or !buyers"
        )
    return Within(segments=found, is_not=is_not)


def parse_met(text: str, option: str) -> Met:
    """Read `checkout=treatment`, `checkout=a|b` or `checkout!=control`; `option` is named in the error.

    Raises:
        ConfigError: It names no experiment, or no variant.
    """
    try:
        one = parse_where(text, option)
    except ConfigError:
        raise ConfigError(
            f"{option} {text!r}: expected experiment=variant, as checkout=treatment or checkout!=control"
        ) from None
    return Met(experiment=one.attribute, variants=one.values, is_not=one.is_not)


def select(events: Events, selection: Selection) -> Events:
    """Return the selected events. Codes of steps and values stay the same, so two selections can be compared.

    Raises:
        ConfigError: An attribute, a step, a segment or a variant is not there, or nothing is left.
    """
    chosen = events
    if selection.since_ms is not None or selection.until_ms is not None:
        chosen = subset(events, _in_time(events, selection))
    if selection.where or selection.did or selection.within:
        if selection.of == "session" and chosen.session is None:
            chosen = with_sessions(chosen, gap_ms=selection.gap_ms)
        chosen = subset(chosen, _holds(chosen, selection))
    for met in selection.met:
        chosen = subset(chosen, _since_met(chosen, met))
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
        belonging=None if events.belonging is None else events.belonging.of_some(is_there),
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
    if selection.within:
        times = _times(events, selection, case, is_outside=is_outside, n_cases=n_cases)
        for within in selection.within:
            fits &= _were_within(events, within, times) != within.is_not
    held: Mask = fits[case] & ~is_outside
    return held


def _times(
    events: Events, selection: Selection, case: NDArray[np.int64], *, is_outside: Mask, n_cases: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return of each case whose it is, and its first and last instant: a person's are the selected time's."""
    if selection.of == "person":
        since = ALWAYS if selection.since_ms is None else selection.since_ms
        until = NEVER if selection.until_ms is None else selection.until_ms - 1
        return np.arange(n_cases), np.full(n_cases, since), np.full(n_cases, until)
    inside = np.flatnonzero(~is_outside)
    person = np.zeros(n_cases, dtype=np.int64)
    person[case[inside]] = events.person()[inside]
    first, last = np.full(n_cases, NEVER), np.full(n_cases, ALWAYS)
    np.minimum.at(first, case[inside], events.at[inside])
    np.maximum.at(last, case[inside], events.at[inside])
    return person, first, last


def _were_within(
    events: Events, within: Within, times: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
) -> Mask:
    found = np.zeros(len(times[0]), dtype=bool)
    for name in within.segments:
        found |= _known(events, "segment").segments[name].meet(*times)
    return found


def silent(events: Events, chosen: Events, selection: Selection) -> list[str]:
    """Name who met the variants of a selection in time, and has no event in what was chosen by it."""
    at = np.full(events.n_people, ALWAYS)
    for met in selection.met:
        at = np.maximum(at, _met_at(events, met))
    until = NEVER if selection.until_ms is None else selection.until_ms
    heard = set(chosen.people)
    names = (events.people[i] for i in np.flatnonzero(at < until).tolist())
    return [name for name in names if name not in heard]


def _since_met(events: Events, met: Met) -> Mask:
    """Tell of each event whether the person had met one of the variants by then, and no other first."""
    since: Mask = events.at >= np.repeat(_met_at(events, met), np.diff(events.starts))
    return since


def _met_at(events: Events, met: Met) -> NDArray[np.int64]:
    """Return when each person met one of the variants; NEVER where they met another one first, or none."""
    encounter = _known(events, "experiment").experiments[met.experiment]
    place = {name: code for code, name in enumerate(encounter.arms)}
    for variant in met.variants:
        if variant not in place:
            known = did_you_mean(variant, place)
            raise ConfigError(f"nobody met {met.experiment!r} with the variant {variant!r}{known}")
    is_one = np.isin(encounter.arm, [place[variant] for variant in met.variants])
    return np.where((is_one != met.is_not) & (encounter.arm != MISSING), encounter.at, NEVER)


def _known(events: Events, what: str) -> Belonging:
    if events.belonging is None:
        raise ConfigError(no_facts(what))
    return events.belonging


def no_facts(what: str) -> str:
    """Say why events of files cannot be selected by a segment, or by an experiment."""
    return (
        f"events of files do not tell who was in which {what} when; name the data folder of an engine with "
        "--data, or select by an attribute that they have, with --where [no-facts]"
    )


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
