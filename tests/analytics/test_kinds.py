"""Kinds: how events are picked by words, and what cannot be picked."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.analytics.kinds import Condition, Kind, bits_of, parse_kind, where_is
from sojourn.model.errors import ConfigError
from tests.analytics.making import events_of

EVENTS = events_of(
    [
        ("ada", "View", 0, {"country": "SE", "total": 1.0}),
        ("ada", "Cart", 1, {"total": 60.0}),
        ("bob", "Cart | Basket", 0, {"country": "DE"}),
    ]
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("View", Kind(("View",))),
        ("View | Cart", Kind(("View", "Cart"))),
        ("*", Kind()),
        ("* [country=SE]", Kind((), (Condition("country", "=", ("SE",)),))),
        ("A [b!=c|d, e<=2]", Kind(("A",), (Condition("b", "!=", ("c", "d")), Condition("e", "<=", ("2",))))),
    ],
)
def test_a_kind_is_written_as_it_is_read(text: str, kind: Kind) -> None:
    """What a definition prints can be asked again."""
    assert parse_kind(text) == kind
    assert str(kind) == text


def test_a_text_that_is_a_name_is_that_name() -> None:
    """Events are named by anybody, also with bars and brackets."""
    assert parse_kind("Cart | Basket", EVENTS.steps) == Kind(("Cart | Basket",))


@pytest.mark.parametrize("text", ["", "A | ", " | B", "A [country]", "A [=SE]", "A [country=]"])
def test_what_is_no_kind_is_refused(text: str) -> None:
    """Half a condition is a slip of the keyboard."""
    with pytest.raises(ConfigError, match="expected"):
        parse_kind(text)


def test_an_event_without_the_attribute_is_not_equal_to_any_value() -> None:
    """So that = and != together are all events."""
    assert where_is(EVENTS, parse_kind("* [country=SE]")).tolist() == [0]
    assert where_is(EVENTS, parse_kind("* [country!=SE]")).tolist() == [1, 2]
    assert where_is(EVENTS, parse_kind("* [total!=60]")).tolist() == [0, 2]
    assert where_is(EVENTS, parse_kind("* [total<100]")).tolist() == [0, 1]


def test_many_kinds_have_a_bit_each() -> None:
    """The integer is as wide as it must be."""
    for n, dtype in ((8, np.uint8), (9, np.uint16), (33, np.uint64), (64, np.uint64)):
        bits = bits_of(EVENTS, [Kind(("View",))] * (n - 1) + [Kind(("Cart",))])
        assert bits.dtype == dtype
        assert bits.tolist() == [2 ** (n - 1) - 1, 2 ** (n - 1), 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Vew", "no event is called 'Vew'; did you mean 'View'"),
        ("* [contry=SE]", "no attribute is called 'contry'; did you mean 'country'"),
        ("* [country=SW]", "no event has the country 'SW'"),
        ("* [country<SE]", "country is text"),
        ("* [total=much]", "total is a number"),
        ("* [total<1|2]", "takes one number"),
    ],
)
def test_what_no_event_has_is_refused(text: str, message: str) -> None:
    """A misspelt word must not become a silent zero."""
    with pytest.raises(ConfigError, match=message):
        where_is(EVENTS, parse_kind(text))
