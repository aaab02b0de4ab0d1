"""Answering: what is known as the events that questions are asked of, as if it had been read anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.delta import PLACE, Columns
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import AT, NAME, NO_TIME, Rows, number_key, text_key
from sojourn.adapters.lake.encoded.splicing import Whole, whole
from sojourn.adapters.lake.encoded.words import Words
from sojourn.analytics.events import MISSING, Column, Events
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.analytics.reading.assembling import Rows as Read
from sojourn.analytics.reading.assembling import assemble
from sojourn.analytics.reading.rows import LEFT_OUT, PAGE, leave_out, name_steps, no_events
from sojourn.analytics.reading.steps import PAGE_EVENTS

_NONE = np.uint64(np.iinfo(np.uint64).max)
_KNOWN = Mapping(
    person=("person_id",), step=("name",), time="occurred_at", session="session_id", sequence="position"
)
_RESOLVED = ("person_id", "session_id")


def columns_for(mapping: Mapping, rules: StepRules) -> Columns | None:
    """Return the attributes that a question needs; None where it asks for what is not kept like that."""
    kept = ("person", "step", "time", "session", "sequence")
    if mapping.without or any(getattr(mapping, field) != getattr(_KNOWN, field) for field in kept):
        return None
    pages = (mapping.page,) if rules.has_pages and mapping.page else ()
    texts, numbers = {*mapping.attributes.values(), *pages}, set(mapping.values.values())
    if any(name.partition(".")[0] in _RESOLVED for name in texts | numbers):
        return None
    return Columns(tuple(sorted(texts)), tuple(sorted(numbers)))


def events_of(known: Known, mapping: Mapping, rules: StepRules) -> Events:
    """Return everybody's events; raises InputError where there is none.

    The mapping is one that `columns_for` knows the columns of, and these are kept.
    """
    texts = {name: text_key(column) for name, column in mapping.attributes.items()}
    numbers = {name: number_key(column) for name, column in mapping.values.items()}
    pages = [text_key(mapping.page)] if rules.has_pages and mapping.page else []
    found = whole(known, list(dict.fromkeys([NAME, AT, *texts.values(), *numbers.values(), *pages])))
    codes, raw = in_order(known.words[NAME], found.rows[NAME])
    if pages:
        codes, raw = _with_pages(codes, raw, *in_order(known.words[pages[0]], found.rows[pages[0]]))
    step, steps = name_steps(codes, raw, rules)
    columns = {name: Column(*in_order(known.words[key], found.rows[key])) for name, key in texts.items()}
    values = {name: found.rows[key] for name, key in numbers.items()}
    is_plain = not pages and len(step) and step.min() >= 0 and found.rows[AT].min() != NO_TIME
    if not is_plain:
        return _some(found, step, steps, columns=columns, values=values)
    return Events(
        starts=found.starts,
        step=step,
        at=found.rows[AT],
        steps=steps,
        people=found.people,
        session=found.session,
        columns=columns,
        values=values,
    )


def in_order(words: Words, codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], list[str]]:
    """Return (codes in the order of their texts, all texts, sorted)."""
    texts, table = words.in_order()
    return codes if table is None else table[codes], list(texts)


def _some(
    found: Whole, step: NDArray[np.int32], steps: list[str], *, columns: dict[str, Column], values: Rows
) -> Events:
    """Return those rows that are events."""
    rows = Read(
        person=np.repeat(np.arange(len(found.people), dtype=np.int32), np.diff(found.starts)),
        step=step,
        at=found.rows[AT],
        session=np.where(found.session == MISSING, _NONE, found.session.astype(np.uint64)),
        no_session=np.array([_NONE]),
        columns=columns,
        values=values,
    )
    reasons = {"no-step": step == MISSING, "left-out": step == LEFT_OUT, "no-time": rows.at == NO_TIME}
    left_out = leave_out(rows, dict(reasons))
    if not len(rows.person):
        raise no_events(left_out, place=PLACE)
    return assemble(rows, people=found.people, steps=steps, left_out=left_out)


def _with_pages(
    codes: NDArray[np.int32], raw: list[str], page: NDArray[np.int32], pages: list[str]
) -> tuple[NDArray[np.int32], list[str]]:
    """Put its page behind the name of each event that says only that a page was seen."""
    is_page = np.isin(codes, [i for i, name in enumerate(raw) if name in PAGE_EVENTS]) & (page != MISSING)
    pairs, place = np.unique(
        codes[is_page].astype(np.int64) * len(pages) + page[is_page], return_inverse=True
    )
    texts = [f"{raw[pair // len(pages)]}{PAGE}{pages[pair % len(pages)]}" for pair in pairs.tolist()]
    paged = codes.copy()
    paged[is_page] = len(raw) + place
    return paged, [*raw, *texts]
