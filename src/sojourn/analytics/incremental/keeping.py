"""Keeping: the events of everybody, and views that follow each change of them.

A person's events are taken out of every view as they were, and put in as they are now. So a late event, or
two people who turn out to be one, cost what their own events cost, however many others there are.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Column, Events
from sojourn.analytics.incremental.views import Counts, View, exchanged


class New(Struct, frozen=True, kw_only=True):
    """One event as it arrives, once: whoever brings it has refused duplicates."""

    person: str
    step: str
    at: int
    """ms since 1970 UTC."""
    texts: Mapping[str, str] = {}
    """Attributes, of those that are kept."""
    amounts: Mapping[str, float] = {}


_Row = tuple[int, int, str, Mapping[str, str], Mapping[str, float]]
"""(at, in the order of arrival, step, texts, amounts); one order holds, as when all is read anew."""


class Kept:
    """Everybody's events, and the views over them.

    Args:
        base: What is known at the beginning; it may lie on disk, and is never changed.
        views: By name.
        texts: The attributes to keep; by default those of the base.
        amounts: The amounts to keep; by default those of the base.
        sequence: Where in the order of arrival each event of the base was, shape (n_events,): it orders
            events of one instant where two people become one. None: as they lie, person after person.
    """

    def __init__(
        self,
        base: Events,
        views: Mapping[str, View],
        *,
        texts: Sequence[str] | None = None,
        amounts: Sequence[str] | None = None,
        sequence: NDArray[np.int64] | None = None,
    ) -> None:
        self._base = base
        self._sequence = np.arange(len(base)) if sequence is None else sequence
        self._views = dict(views)
        self._texts = list(base.columns if texts is None else texts)
        self._amounts = list(base.values if amounts is None else amounts)
        asked = {name for view in self._views.values() for name in view.names()}
        self._steps = [*base.steps, *sorted(asked - set(base.steps))]
        self._code = {step: code for code, step in enumerate(self._steps)}
        self._place = {name: i for i, name in enumerate(base.people)}
        self._changed: dict[str, list[_Row]] = {}
        self._n_events = len(base)
        self._next = int(self._sequence.max(initial=-1)) + 1
        whole = self._whole()
        self.counts: dict[str, Counts] = {name: view.count(whole) for name, view in self._views.items()}
        """The answer of each view; whoever wants to change it, copies it."""

    @property
    def n_events(self) -> int:
        """How many events there are."""
        return self._n_events

    def add(self, events: Iterable[New]) -> None:
        """Take events in, early or late; those at one instant stay in the order they came."""
        arrived: dict[str, list[_Row]] = {}
        for event in events:
            if event.step not in self._code:
                self._code[event.step] = len(self._steps)
                self._steps.append(event.step)
            row = (event.at, self._next, event.step, event.texts, event.amounts)
            arrived.setdefault(event.person, []).append(row)
            self._next += 1
            self._n_events += 1
        before = {person: self._history(person) for person in arrived}
        after = {}
        for person, rows in arrived.items():
            after[person] = list(before[person])
            for row in rows:
                insort(after[person], row, key=_order)
        self._replace(before, after)

    def merge(self, source: str, target: str) -> None:
        """Let all that one person did be another's: they were one all along."""
        if source == target:
            return
        before = {person: self._history(person) for person in (source, target)}
        joined = sorted([*before[source], *before[target]], key=_order)
        self._replace(before, {source: [], target: joined})

    def events(self) -> Events:
        """Return everybody's events, as if read anew; the cost of all of them."""
        return self._encoded({person: self._history(person) for person in self._people()})

    def _replace(self, before: Mapping[str, list[_Row]], after: Mapping[str, list[_Row]]) -> None:
        gone, come = self._encoded(before), self._encoded(after)
        for name, view in self._views.items():
            exchanged(self.counts[name], gone=view.count(gone), come=view.count(come))
        self._changed.update(after)

    def _history(self, person: str) -> list[_Row]:
        changed = self._changed.get(person)
        if changed is not None:
            return changed
        place = self._place.get(person)
        return [] if place is None else self._read(place)

    def _read(self, place: int) -> list[_Row]:
        base = self._base
        first = int(base.starts[place])
        some = slice(first, int(base.starts[place + 1]))
        texts = {name: base.columns[name] for name in self._texts if name in base.columns}
        amounts = {name: base.values[name] for name in self._amounts if name in base.values}
        rows: list[_Row] = []
        plain = (column.tolist() for column in (self._sequence[some], base.at[some], base.step[some]))
        for i, (number, at, code) in enumerate(zip(*plain, strict=True), start=first):
            said = {name: one.values[one.codes[i]] for name, one in texts.items() if one.codes[i] != MISSING}
            worth = {name: float(one[i]) for name, one in amounts.items() if not np.isnan(one[i])}
            rows.append((at, number, base.steps[code], said, worth))
        return rows

    def _people(self) -> list[str]:
        return list(dict.fromkeys([*self._base.people, *self._changed]))

    def _whole(self) -> Events:
        """Return the base with all steps that are known."""
        base = self._base
        columns = {name: base.columns.get(name, _empty(len(base))) for name in self._texts}
        values = {name: base.values.get(name, np.full(len(base), np.nan)) for name in self._amounts}
        return Events(
            base.starts, base.step, base.at, self._steps, base.people, columns=columns, values=values
        )

    def _encoded(self, histories: Mapping[str, list[_Row]]) -> Events:
        some = {person: rows for person, rows in histories.items() if rows}
        rows = [row for each in some.values() for row in each]
        lengths = [len(each) for each in some.values()]
        return Events(
            starts=np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64),
            step=np.array([self._code[row[2]] for row in rows], dtype=np.int32),
            at=np.array([row[0] for row in rows], dtype=np.int64),
            steps=self._steps,
            people=list(some),
            columns={name: _column([row[3].get(name) for row in rows]) for name in self._texts},
            values={name: _numbers([row[4].get(name) for row in rows]) for name in self._amounts},
        )


def _order(row: _Row) -> tuple[int, int]:
    return row[0], row[1]


def _column(values: Sequence[str | None]) -> Column:
    codes: dict[Any, int] = {}
    numbers = [MISSING if value is None else codes.setdefault(value, len(codes)) for value in values]
    return Column(np.array(numbers, dtype=np.int32), list(codes))


def _empty(n: int) -> Column:
    return Column(np.full(n, MISSING, dtype=np.int32), [])


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
