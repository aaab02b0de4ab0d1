"""Patterns: runs of steps that many people's paths have in common, next to one another or with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import ceil
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit, unit_means
from sojourn.analytics.events import Events
from sojourn.analytics.graph.sequences import Sequences, n_people, sequences
from sojourn.analytics.proportions import wilson
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

MAX_PATTERNS = 5_000
MAX_LENGTH = 20
_COUNTABLE = 1 << 22  # kinds that are numbered by a table, and not by sorting.

Steps = tuple[int, ...]
Places = NDArray[np.int64]


class Patterns(Struct, frozen=True, kw_only=True):
    """Which patterns are looked for.

    Raises:
        ConfigError: Nothing can be found so.
    """

    min_share: float = 0.05
    """Of the cases a pattern must occur in."""
    min_length: int = 2
    max_length: int = 5
    gaps: bool = False
    """Whether other steps may lie between."""
    unit: Unit = "person"
    collapse: bool = False
    """Take equal steps right after one another as one."""

    def __post_init__(self) -> None:
        """Refuse what finds nothing, or everything."""
        if not 0 < self.min_share <= 1:
            raise ConfigError(
                "a pattern occurs in more than none and at most all of the cases: a share of 0 to 1"
            )
        if not 1 <= self.min_length <= self.max_length <= MAX_LENGTH:
            raise ConfigError(f"the length of a pattern goes from at least 1 to at most {MAX_LENGTH}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern and where it occurs."""

    steps: Steps
    cases: int
    """In how many cases it occurs, once or often."""
    people: int
    occurrences: int | None
    """How often it occurs, overlaps included; None with gaps, where that is no number of any use."""


@dataclass(frozen=True, eq=False)
class PatternsAnswer:
    """All patterns found, the most widespread first; of those alike the longer first."""

    asked: Patterns
    events: Events
    n_cases: int
    least: int
    """In so many cases a pattern occurs at least."""
    patterns: list[Pattern]

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        return {
            "unit": self.asked.unit,
            "case": unit_means(self.events, self.asked.unit),
            "gaps": "other steps may lie between"
            if self.asked.gaps
            else "none: each step right after the other",
            "repeats": "equal steps right after one another are one" if self.asked.collapse else "kept",
            "length": [self.asked.min_length, self.asked.max_length],
            "min_share": self.asked.min_share,
            "min_cases": self.least,
            "maximal": "in no longer pattern found",
            "intervals": "Wilson, 95%"
            + ("" if self.asked.unit == "person" else "; too narrow where sessions of one person are alike"),
            "n_patterns": len(self.patterns),
            "n_cases": self.n_cases,
            "n_people": self.events.n_people,
        }

    @cached_property
    def maximal(self) -> list[bool]:
        """Tell of each pattern whether it is in no longer one."""
        inside: set[Steps] = set()
        for pattern in self.patterns:
            inside.update(_shorter(pattern.steps, gaps=self.asked.gaps))
        return [pattern.steps not in inside for pattern in self.patterns]

    def table(self, *, limit: int | None = None, only_maximal: bool = False) -> Table:
        """Lay out the patterns. They share cases, so they do not add up; `n_patterns` says how many there
        are."""
        both = zip(self.patterns, self.maximal, strict=True)
        shown = [(one, is_maximal) for one, is_maximal in both if is_maximal or not only_maximal][:limit]
        count = np.array([pattern.cases for pattern, _ in shown], dtype=np.int64)
        low, high = wilson(count, self.n_cases)
        return Table(
            {
                "pattern": [[self.events.steps[code] for code in one.steps] for one, _ in shown],
                "n_steps": [len(pattern.steps) for pattern, _ in shown],
                "count": count,
                "people": [pattern.people for pattern, _ in shown],
                "occurrences": [pattern.occurrences for pattern, _ in shown],
                "share": count / max(1, self.n_cases),
                "low": low,
                "high": high,
                "is_maximal": [is_maximal for _, is_maximal in shown],
            },
            self.definition,
        )


def patterns(events: Events, asked: Patterns) -> PatternsAnswer:
    """Find all patterns that occur in enough cases.

    Raises:
        ConfigError: There are more than MAX_PATTERNS.
    """
    lined_up = sequences(events, asked.unit, collapse=asked.collapse)
    # A product such as 0.1 * 30 may lie a rounding above its whole number.
    least = max(1, ceil(asked.min_share * len(lined_up) - 1e-9))
    found = (_with_gaps if asked.gaps else _runs)(lined_up, asked, least)
    some: list[Pattern] = []
    for pattern in found:
        some.append(pattern)
        if len(some) > MAX_PATTERNS:
            raise ConfigError(
                f"over {MAX_PATTERNS:,} patterns occur in {asked.min_share:.1%} of the cases: "
                "ask for a greater share or for shorter ones"
            )
    some.sort(key=lambda one: (-one.cases, -len(one.steps), one.steps))
    return PatternsAnswer(asked, events, len(lined_up), least, some)


def _shorter(steps: Steps, *, gaps: bool) -> set[Steps]:
    """Return the patterns that are one step shorter and inside this one."""
    if gaps:
        return set(combinations(steps, len(steps) - 1))
    return {steps[:-1], steps[1:]}


def _runs(lined_up: Sequences, asked: Patterns, least: int) -> Iterator[Pattern]:
    """Find runs without gaps, length by length: a run is in enough cases only if its two ends are."""
    case, place = lined_up.case(), np.arange(len(lined_up.step))
    run, names = (
        lined_up.step.astype(np.int64),
        [(code,) for code in range(int(lined_up.step.max(initial=-1)) + 1)],
    )
    for length in range(1, asked.max_length + 1):
        occurrences = np.bincount(run, minlength=len(names))
        cases = n_people(run, case, len(names))
        frequent = np.flatnonzero(cases >= least)
        if length >= asked.min_length:
            people = n_people(run, lined_up.person[case], len(names)) if asked.unit == "session" else cases
            for i in frequent.tolist():
                yield Pattern(names[i], int(cases[i]), int(people[i]), int(occurrences[i]))
        number = np.full(len(names), -1)
        number[frequent] = np.arange(len(frequent))
        kept = np.flatnonzero(number[run] >= 0)
        run, case, place = number[run[kept]], case[kept], place[kept]
        goes_on = np.flatnonzero((place[1:] == place[:-1] + 1) & (case[1:] == case[:-1]))
        pairs = run[goes_on] * len(frequent) + run[goes_on + 1]
        kinds, run = _numbered(pairs, len(frequent) ** 2)
        case, place = case[goes_on], place[goes_on]
        names = [
            (*names[frequent[pair // len(frequent)]], names[frequent[pair % len(frequent)]][-1])
            for pair in kinds.tolist()
        ]


def _numbered(keys: Places, n_possible: int) -> tuple[Places, Places]:
    """Return the distinct keys, and each key's number among them."""
    if n_possible > _COUNTABLE:
        return np.unique(keys, return_inverse=True)
    is_there = np.zeros(n_possible, dtype=np.bool_)
    is_there[keys] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[keys]


@dataclass(frozen=True, slots=True, eq=False)
class _Prefix:
    """The first steps of patterns: where they end first, and what may come after. All by case, ascending."""

    steps: Steps
    case: Places
    """Those it occurs in."""
    place: Places
    """Of each of them: where it ends first."""
    n_later: Places
    """Shape (n_codes,): in how many cases each step comes later."""
    later: NDArray[np.int32]
    """Those cases, step by step ..."""
    last: Places
    """... and where in them the step comes last."""


def _with_gaps(lined_up: Sequences, asked: Patterns, least: int) -> Iterator[Pattern]:
    """Find subsequences by growing prefixes (PrefixSpan: J. Pei and others, 2001).

    Of each prefix it is kept where it ends first in each case; a step may go on from there if its last
    occurrence in the case is later.
    """
    places = _places_by_step(lined_up)
    case = lined_up.case()
    lasts = [some[np.append(case[some[1:]] != case[some[:-1]], True)[: len(some)]] for some in places]
    waiting = []
    if lasts:
        n_later, last = np.array([len(some) for some in lasts]), np.concatenate(lasts)
        before = lined_up.starts[:-1] - 1
        root = _Prefix((), np.arange(len(lined_up)), before, n_later, case[last], last)
        waiting = [(root, code) for code in np.flatnonzero(n_later >= least).tolist()]
    while waiting:
        shorter, code = waiting.pop()
        steps = (*shorter.steps, code)
        after = np.append(places[code], len(case))[np.searchsorted(places[code], shorter.place, side="right")]
        goes_on = np.flatnonzero(after < lined_up.starts[shorter.case + 1])
        inside, after = shorter.case[goes_on], after[goes_on]
        if len(steps) >= asked.min_length:
            yield Pattern(steps, len(inside), _distinct(lined_up.person[inside]), None)
        if len(steps) < asked.max_length:
            prefix = _grow(shorter, steps, inside, after, least=least, n_cases=len(lined_up))
            waiting += [(prefix, code) for code in np.flatnonzero(prefix.n_later).tolist()]


def _places_by_step(lined_up: Sequences) -> list[Places]:
    """Return where each step is taken, ascending."""
    n_steps = int(lined_up.step.max(initial=-1)) + 1
    # NumPy sorts 16 bits by radix, in linear time.
    keys = lined_up.step.astype(np.uint16) if n_steps <= 1 << 16 else lined_up.step
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.cumsum(np.bincount(lined_up.step, minlength=n_steps))[:-1])


def _grow(
    shorter: _Prefix, steps: Steps, case: Places, place: Places, *, least: int, n_cases: int
) -> _Prefix:
    """Keep of what came later what is still later, in cases enough."""
    reached = np.full(n_cases, np.iinfo(np.int64).max)
    reached[case] = place
    is_later = shorter.last > reached[shorter.later]
    passed = np.append(0, np.cumsum(is_later))
    n_later = np.diff(passed[np.append(0, np.cumsum(shorter.n_later))])
    n_later[n_later < least] = 0
    kept = np.flatnonzero(is_later & np.repeat(n_later > 0, shorter.n_later))
    return _Prefix(steps, case, place, n_later, shorter.later[kept], shorter.last[kept])


def _distinct(ascending: NDArray[np.int32]) -> int:
    return int(np.count_nonzero(np.diff(ascending, prepend=-1)))
