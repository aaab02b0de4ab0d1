"""Kinds: which events a question is about: some names, with conditions on attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Operator = Literal["=", "!=", "<", "<=", ">", ">="]

MAX_KINDS = 64  # of one question: one bit each.
ANY = "*"
"""How any event is written."""

_CONDITIONS = re.compile(r"^(?P<names>.*?)\s*\[(?P<conditions>[^\[\]]+)\]\s*$", re.S)
_CONDITION = re.compile(
    r"^\s*(?P<attribute>[^<>=!]+?)\s*(?P<operator>!=|<=|>=|=|<|>)\s*(?P<value>.*?)\s*$", re.S
)


class Condition(Struct, frozen=True):
    """What an attribute of an event must be.

    An event that lacks the attribute fulfils `!=` and nothing else, so that `=` and `!=` are all there is.
    """

    attribute: str
    operator: Operator
    values: tuple[str, ...]
    """Any of them will do (`!=`: none of them may be). An order (`<`, ...) takes one number."""

    def __str__(self) -> str:
        """Write it as `parse_kind` reads it."""
        return f"{self.attribute}{self.operator}{'|'.join(self.values)}"


class Kind(Struct, frozen=True):
    """A kind of event: one of some names, and all conditions hold."""

    names: tuple[str, ...] = ()
    """None: every name."""
    where: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        """Write it as `parse_kind` reads it.

        >>> str(Kind(("Cart", "Basket"), (Condition("country", "=", ("SE",)),)))
        'Cart | Basket [country=SE]'
        """
        conditions = f" [{', '.join(map(str, self.where))}]" if self.where else ""
        return (" | ".join(self.names) or ANY) + conditions


ANYTHING = Kind()
"""Every event."""


def parse_kind(text: str, known: Sequence[str] = ()) -> Kind:
    """Read a kind: `Cart`, `Cart | Basket`, `Order Completed [country=SE|DE, revenue>=50]`, or `*`.

    A text that is itself one of the `known` names is that name, whatever is in it.

    Raises:
        ConfigError: A name or a condition is missing or cannot be read.
    """
    if text in known:
        return Kind((text,))
    found = _CONDITIONS.match(text)
    names_text = found["names"] if found else text
    names = tuple(name.strip() for name in names_text.split(" | "))
    if not all(names):
        raise ConfigError(f'{text!r}: expected the name of an event, as in "Cart | Basket [country=SE]"')
    where = tuple(map(_parse_condition, found["conditions"].split(","))) if found else ()
    return Kind(() if names == (ANY,) else names, where)


def _parse_condition(text: str) -> Condition:
    found = _CONDITION.match(text)
    if found is None or not found["value"]:
        raise ConfigError(
            f"{text.strip()!r}: expected a condition, as in country=SE, plan!=free or revenue>=50"
        )
    values = tuple(value.strip() for value in found["value"].split("|"))
    return Condition(found["attribute"], found["operator"], values)  # type: ignore[arg-type]  # the pattern's


def bits_of(events: Events, kinds: Sequence[Kind]) -> NDArray[Any]:
    """Tell of every event which kinds it is of.

    Returns unsigned integers, shape (n_events,): bit `k` says that the event is of `kinds[k]`.

    Raises:
        ConfigError: A name, an attribute or a value occurs in no event, or there are over MAX_KINDS kinds.
    """
    if len(kinds) > MAX_KINDS:
        raise ConfigError(f"{len(kinds)} kinds of event are asked about at once; at most {MAX_KINDS} can be")
    dtype = np.dtype(f"u{next(size for size in (1, 2, 4, 8) if len(kinds) <= 8 * size)}")
    table = np.zeros(len(events.steps), dtype)
    for k, kind in enumerate(kinds):
        table[codes_of(events, kind)] |= dtype.type(1 << k)
    # Codes are never out of bounds: "clip" only spares NumPy the check.
    bits: NDArray[Any] = table.take(events.step, mode="clip")
    for k, kind in enumerate(kinds):
        bit = dtype.type(1 << k)
        if kind.where:
            about = np.flatnonzero(bits & bit)
            failed = about[~_hold(events, kind.where, about)]
            bits[failed] &= ~bit
    return bits


def where_is(events: Events, kind: Kind) -> NDArray[np.int64]:
    """Return the indices of the events of a kind, ascending."""
    if kind == ANYTHING:
        return np.arange(len(events), dtype=np.int64)
    return np.flatnonzero(bits_of(events, [kind]))


def first_of(events: Events, some: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first of some events of each person, shape (n_people,); the number of events where none is.

    Args:
        events: The events.
        some: Indices, ascending.
    """
    if len(some) == len(events):
        return events.starts[:-1]
    first = np.append(some, len(events))[np.searchsorted(some, events.starts[:-1])]
    return np.where(first < events.starts[1:], first, len(events))


def codes_of(events: Events, kind: Kind) -> list[int]:
    """Return the codes of the steps a kind names.

    Raises:
        ConfigError: No event has one of the names.
    """
    if not kind.names:
        return list(range(len(events.steps)))
    codes = {name: i for i, name in enumerate(events.steps)}
    for name in kind.names:
        if name not in codes:
            raise ConfigError(f"no event is called {name!r}{did_you_mean(name, events.steps)}")
    return [codes[name] for name in kind.names]


def _hold(events: Events, conditions: Sequence[Condition], about: NDArray[np.int64]) -> NDArray[np.bool_]:
    holds = np.ones(len(about), dtype=np.bool_)
    for condition in conditions:
        if condition.attribute in events.columns:
            holds &= _text_holds(events, condition, about)
        elif condition.attribute in events.values:
            holds &= _number_holds(events, condition, about)
        else:
            known = [*events.columns, *events.values]
            raise ConfigError(
                f"no attribute is called {condition.attribute!r}{did_you_mean(condition.attribute, known)}"
            )
    return holds


def _text_holds(events: Events, condition: Condition, about: NDArray[np.int64]) -> NDArray[np.bool_]:
    column = events.columns[condition.attribute]
    if condition.operator not in ("=", "!="):
        raise ConfigError(f"{condition}: {condition.attribute} is text; it can be = or != a value")
    wanted = np.zeros(len(column.values) + 1, dtype=np.bool_)  # the last: MISSING
    codes = {value: i for i, value in enumerate(column.values)}
    for value in condition.values:
        if value not in codes:
            raise ConfigError(
                f"{condition}: no event has the {condition.attribute} {value!r}{did_you_mean(value, codes)}"
            )
        wanted[codes[value]] = True
    found: NDArray[np.bool_] = wanted[column.codes[about]]
    return ~found if condition.operator == "!=" else found


def _number_holds(events: Events, condition: Condition, about: NDArray[np.int64]) -> NDArray[np.bool_]:
    numbers = events.values[condition.attribute][about]
    try:
        wanted = [float(value) for value in condition.values]
    except ValueError:
        raise ConfigError(f"{condition}: {condition.attribute} is a number") from None
    if condition.operator in ("=", "!="):
        found: NDArray[np.bool_] = np.isin(numbers, wanted)
        return ~found if condition.operator == "!=" else found
    if len(wanted) != 1:
        raise ConfigError(f"{condition}: {condition.operator} takes one number")
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    holds: NDArray[np.bool_] = compare[condition.operator](numbers, wanted[0])
    return holds
