"""Views: answers that are sums over people, so that what one person adds can be taken out and put in again.

Every count is a whole number (amounts in millionths), because sums of those do not depend on the order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.journeys import JourneyRules, paths_of
from sojourn.analytics.events import Events
from sojourn.analytics.funnel import Funnel, funnel
from sojourn.analytics.graph.sequences import n_people, sequences

Counts = Counter[tuple[str, ...]]
"""What is counted, by what it is called."""

MICRO = 1_000_000
START, CONVERSION, NULL = "(start)", "(conversion)", "(null)"


def exchanged(counts: Counts, *, gone: Counts, come: Counts) -> Counts:
    """Take out of a view's counts what some people added, and put in what they add now; changes `counts`."""
    counts.update(come)
    counts.subtract(gone)
    for key in gone:
        if not counts[key]:
            del counts[key]
    return counts


class View(Protocol):
    """An answer that is a sum over people."""

    def count(self, events: Events) -> Counts:
        """Count what these people add."""
        ...

    def names(self) -> set[str]:
        """Return the steps it asks for: they are known before anybody takes them."""
        ...


@dataclass(frozen=True, slots=True)
class GraphView:
    """The journey graph by person: ("times", step), ("people", step), ("start", step), ("end", step) and
    ("edge", source, target)."""

    def count(self, events: Events) -> Counts:
        """Count steps and transitions."""
        found: Counts = Counter()
        lined_up = sequences(events, "person")
        if not len(lined_up):
            return found
        n, step, case = len(events.steps), lined_up.step.astype(np.int64), lined_up.case()
        inside = np.flatnonzero(case[1:] == case[:-1])
        edges = np.bincount(step[inside] * n + step[inside + 1], minlength=n * n)
        for at in np.flatnonzero(edges).tolist():
            found["edge", events.steps[at // n], events.steps[at % n]] = int(edges[at])
        for name, counts in (
            ("times", np.bincount(step, minlength=n)),
            ("people", n_people(step, case, n)),
            ("start", np.bincount(step[lined_up.starts[:-1]], minlength=n)),
            ("end", np.bincount(step[lined_up.starts[1:] - 1], minlength=n)),
        ):
            for code in np.flatnonzero(counts).tolist():
                found[name, events.steps[code]] = int(counts[code])
        return found

    def names(self) -> set[str]:
        """Return none: it takes steps as they come."""
        return set()


@dataclass(frozen=True, slots=True)
class FunnelView:
    """A funnel: ("reached", number of the step from 1)."""

    asked: Funnel

    def count(self, events: Events) -> Counts:
        """Count who got how far."""
        steps = funnel(events, self.asked).steps if len(events) else ()
        return Counter(
            {("reached", str(i)): step.count for i, step in enumerate(steps, start=1) if step.count}
        )

    def names(self) -> set[str]:
        """Return the steps it asks for."""
        kinds = [*self.asked.steps, *(one.kind for one in self.asked.without)]
        return {name for kind in kinds for name in kind.names}


@dataclass(frozen=True, slots=True)
class MarkovView:
    """What attribution by a chain of order 1 is computed from: ("move", source, target), how often, and
    ("value", last channel), in millionths."""

    rules: JourneyRules

    def count(self, events: Events) -> Counts:
        """Count moves between channels, from the start to a conversion or to none."""
        found: Counts = Counter()
        if not len(events):
            return found
        paths = paths_of(events, self.rules)
        n, lengths = len(paths.channels), np.diff(paths.offsets)
        names = [*paths.channels, START, CONVERSION, NULL]
        path = np.repeat(np.arange(len(lengths)), lengths)
        won, lost = (np.rint(count).astype(np.int64) for count in (paths.conversions, paths.nulls))
        # A path without a touch goes from the start to its end.
        codes = np.append(paths.codes.astype(np.int64), n)
        first = np.where(lengths > 0, codes[paths.offsets[:-1]], n)
        last = np.where(lengths > 0, codes[paths.offsets[1:] - 1], n)
        inside = np.flatnonzero(path[1:] == path[:-1])
        some = lengths > 0
        for source, target, counts in (
            (codes[inside], codes[inside + 1], (won + lost)[path[inside]]),
            (np.full(int(some.sum()), n), first[some], (won + lost)[some]),
            (last, np.full(len(last), n + 1), won),
            (last, np.full(len(last), n + 2), lost),
        ):
            _add(found, names, source * len(names) + target, counts)
        for code, value in zip(last.tolist(), paths.value.tolist(), strict=True):
            if value:
                found["value", names[code]] += round(value * MICRO)
        return found

    def names(self) -> set[str]:
        """Return the steps that are touches or conversions."""
        touch = self.rules.touch.names if self.rules.touch is not None else ()
        return {*self.rules.conversion.names, *touch}


def _add(found: Counts, names: list[str], keys: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    distinct, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, weights=counts, minlength=len(distinct))
    for key, count in zip(distinct.tolist(), sums.tolist(), strict=True):
        if count:
            found["move", names[key // len(names)], names[key % len(names)]] += int(count)
