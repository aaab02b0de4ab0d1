"""Rows: what the columns of a source say, encoded; what is no event is left out and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Codes, Column, Events
from sojourn.analytics.names import Names
from sojourn.analytics.reading.assembling import Mask, Rows, assemble, keep
from sojourn.analytics.reading.columns import Found
from sojourn.analytics.reading.encoding import Encoder, text_of
from sojourn.analytics.reading.instants import instant_sql, milliseconds
from sojourn.analytics.reading.sources import Source
from sojourn.analytics.reading.steps import PAGE_EVENTS, StepRules
from sojourn.analytics.sql.names import text_sql
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LEFT_OUT = MISSING - 1
"""The code of a step that the rules leave out."""
_PAGE = "\0"
"""Between an event's name, one of PAGE_EVENTS, and its page."""


def encode_source(connection: DuckDBPyConnection, source: Source, rules: StepRules) -> Events:
    """Read all rows of a source as events.

    Raises:
        ConfigError: A column holds what cannot be a text or a time.
        InputError: No row is an event.
    """
    encoder = Encoder(connection, source.schema.sql)
    mapping = source.mapping
    person, texts = encoder.encode(_text(source, mapping.person))
    people = Names.of(texts)
    del texts
    step, steps = _steps(encoder, source, rules)
    at, is_no_time, is_bad_time = _instants(encoder, source)
    rows = Rows(person=person, step=step, at=at)
    if mapping.sequence:
        rows.sequence = _sequence(encoder, source)
    if mapping.session:
        rows.session, rows.no_session = encoder.hashes(_text(source, (mapping.session,)))
    for name, column in mapping.attributes.items():
        rows.columns[name] = Column(*encoder.encode(_text(source, (column,))))
    for name, column in mapping.values.items():
        rows.values[name] = _amounts(encoder, source, column)
    reasons: dict[str, Mask | None] = {
        "excluded": _excluded(encoder, source),
        "no-person": person == MISSING,
        "no-step": step == MISSING,
        "left-out": step == _LEFT_OUT,
        "no-time": is_no_time,
        "bad-time": is_bad_time,
    }
    del person, step, at
    left_out = _leave_out(rows, reasons)
    left_out |= {reason: n for reason, n in source.left_out.items() if n}
    if not len(rows.person):
        said = ", ".join(f"{n:,} {reason}" for reason, n in left_out.items()) or "there are no rows"
        raise InputError(
            "no-events", f"holds no event with a person, a step and a time ({said})", path=source.schema.place
        )
    return assemble(rows, people=people, steps=steps, left_out=left_out)


def _leave_out(rows: Rows, reasons: dict[str, Mask | None]) -> dict[str, int]:
    """Drop what is no event; count it by its first reason."""
    left_out: dict[str, int] = {}
    kept: Mask | None = None
    for reason, is_out in reasons.items():
        if is_out is None or not is_out.any():
            continue
        kept = np.ones(len(is_out), dtype=bool) if kept is None else kept
        left_out[reason] = int((kept & is_out).sum())
        kept &= ~is_out
    if kept is not None:
        keep(rows, kept)
    return {reason: n for reason, n in left_out.items() if n}


def _text(source: Source, columns: Sequence[str]) -> str:
    found = _found(source, columns)
    text = text_of(found)
    if text is None:
        types = ", ".join(f"{name} is {one.type}" for name, one in zip(columns, found, strict=True))
        raise ConfigError(f"{source.schema.place}: expected a column of text or numbers; {types}")
    return text


def _found(source: Source, columns: Sequence[str]) -> list[Found]:
    found = [source.schema.find(column) for column in columns]
    return [one for one in found if one is not None]


def _steps(encoder: Encoder, source: Source, rules: StepRules) -> tuple[Codes, list[str]]:
    """Encode steps as the rules name them; _LEFT_OUT where they leave an event out."""
    text = _text(source, source.mapping.step)
    if rules.has_pages and source.mapping.page:
        page = f"({_text(source, (source.mapping.page,))})::varchar"
        names = ", ".join(map(text_sql, PAGE_EVENTS))
        text = (
            f"case when ({text})::varchar in ({names}) and {page} <> ''"
            f" then ({text})::varchar || chr({ord(_PAGE)}) || {page} else ({text})::varchar end"
        )
    codes, raw = encoder.encode(text)
    parts = [one.partition(_PAGE) for one in raw]
    named = rules.names([event for event, _, _ in parts], [page if mark else None for _, mark, page in parts])
    steps = sorted({name for name in named if name is not None})
    place = {name: i for i, name in enumerate(steps)}
    # The last entry is where MISSING points.
    table = np.array(
        [*(place.get(name, _LEFT_OUT) if name is not None else _LEFT_OUT for name in named), MISSING]
    )
    if raw == steps:
        return codes, steps
    return table.astype(np.int32)[codes], steps


def _excluded(encoder: Encoder, source: Source) -> Mask | None:
    """Tell which rows the mapping leaves out by what a column says; None: none."""
    told = [
        f"coalesce(({_text(source, (column,))})::varchar in ({', '.join(map(text_sql, values))}), false)"
        for column, values in source.mapping.without.items()
    ]
    return np.asarray(encoder.fetch(" or ".join(told)), dtype=np.bool_) if told else None


def _instants(encoder: Encoder, source: Source) -> tuple[NDArray[np.int64], Mask | None, Mask | None]:
    """Return (ms since 1970, which rows have no time, which have one that cannot be read)."""
    (column,) = _found(source, (source.mapping.time,))
    sql = instant_sql(*column)
    if sql is None:
        raise ConfigError(
            f"{source.schema.place}: expected a time in {source.mapping.time}, which is {column.type}; "
            "name another column"
        )
    at, is_out = milliseconds(encoder.fetch(sql))
    if is_out is None:
        return at, None, None
    says_nothing = np.asarray(encoder.fetch(f"coalesce(trim(({column.sql})::varchar), '') = ''"), dtype=bool)
    return at, is_out & says_nothing, is_out & ~says_nothing


def _sequence(encoder: Encoder, source: Source) -> NDArray[np.int64]:
    """Read what orders events of one instant; a row without it comes first."""
    (column,) = _found(source, (source.mapping.sequence,))
    fetched = encoder.fetch(f"try_cast({column.sql} as bigint)")
    if isinstance(fetched, np.ma.MaskedArray) and fetched.mask.all() and len(fetched):
        raise ConfigError(
            f"{source.schema.place}: expected whole numbers in {source.mapping.sequence}, which orders "
            "events of one instant; name another column"
        )
    return np.ma.filled(fetched, np.iinfo(np.int64).min).astype(np.int64)


def _amounts(encoder: Encoder, source: Source, column: str) -> NDArray[np.float64]:
    (found,) = _found(source, (column,))
    fetched = encoder.fetch(f"try_cast({found.sql} as double)")
    return np.ma.filled(fetched, np.nan).astype(np.float64)
