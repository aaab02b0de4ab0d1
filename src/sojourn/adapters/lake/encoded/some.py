"""Some: the events of a few people, as views count them; only what these people did is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import (
    AT,
    NAME,
    NO_TIME,
    Block,
    number_key,
    offsets,
    taken,
    text_key,
)
from sojourn.analytics.events import MISSING, Column, Events
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.analytics.reading.steps import PAGE_EVENTS


class Reader:
    """Turns blocks of what is known into events."""

    def __init__(self, known: Known, mapping: Mapping, rules: StepRules, *, steps: Iterable[str]) -> None:
        """Take how they are read, and the steps that are known before anybody takes them."""
        self._known = known
        self._mapping = mapping
        self._rules = rules
        self._asked = list(dict.fromkeys(steps))
        self._page = text_key(mapping.page) if rules.has_pages and mapping.page else None
        self._named: dict[tuple[int, int], str | None] = {}
        """Names of steps by the codes of an event's name and page; None: left out."""

    def events(self, block: Block, people: Sequence[str]) -> Events:
        """Return the events of the people of a block."""
        step, steps = self._steps(block)
        kept = np.flatnonzero((step != MISSING) & (block.rows[AT] != NO_TIME))
        starts = np.searchsorted(kept, block.starts)
        who = np.flatnonzero(np.diff(starts))
        rows = taken(block.rows, kept)
        mapping, words = self._mapping, self._known.words
        texts = {name: text_key(column) for name, column in mapping.attributes.items()}
        return Events(
            starts=offsets(np.diff(starts)[who]),
            step=step[kept],
            at=rows[AT],
            steps=steps,
            people=[people[i] for i in who.tolist()],
            session=block.session[kept],
            columns={name: _column(rows[key], words[key]) for name, key in texts.items()},
            values={name: rows[number_key(column)] for name, column in mapping.values.items()},
        )

    def whole(self, events: Events | None) -> Events:
        """Return all events with the steps that are known beforehand; no events are of nobody."""
        if events is None:
            return self.events(self._known.block([]), [])
        return replace(events, steps=[*events.steps, *sorted(set(self._asked) - set(events.steps))])

    def _steps(self, block: Block) -> tuple[NDArray[np.int32], list[str]]:
        """Return (each row's step, MISSING where it is no event; the names of steps)."""
        name = block.rows[NAME].astype(np.int64)
        page = block.rows[self._page].astype(np.int64) if self._page else np.full(len(name), MISSING)
        pairs, place = np.unique((name << 32) | (page + 1), return_inverse=True)
        numbers = {step: i for i, step in enumerate(self._asked)}
        table = [
            MISSING if step is None else numbers.setdefault(step, len(numbers))
            for step in (self._step(pair >> 32, (pair & 0xFFFFFFFF) - 1) for pair in pairs.tolist())
        ]
        return np.array(table, dtype=np.int32)[place], list(numbers)

    def _step(self, name: int, page: int) -> str | None:
        """Return the step of an event's name and its page, as codes."""
        if name == MISSING:
            return None
        if (name, page) not in self._named:
            event = self._known.words[NAME][name]
            seen = None
            if self._page and page != MISSING and event in PAGE_EVENTS:
                seen = self._known.words[self._page][page]
            (self._named[name, page],) = self._rules.names([event], [seen])
        return self._named[name, page]


def _column(codes: NDArray[np.int32], words: Any) -> Column:
    """Return a column with the texts that occur in it."""
    distinct, place = np.unique(codes, return_inverse=True)
    is_missing = bool(len(distinct)) and distinct[0] == MISSING
    texts = [words[code] for code in distinct[int(is_missing) :].tolist()]
    return Column((place - is_missing).astype(np.int32), texts)
