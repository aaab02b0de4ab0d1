"""Questions: their fields as options and parameters know them, what is read for each, and their answers."""

from __future__ import annotations

import msgspec
import pytest

from sojourn.analytics.questions import (
    QUESTIONS,
    Attribution,
    Friction,
    Funnel,
    Graph,
    Paths,
    People,
    Question,
    Retention,
    as_parameters,
    ask,
)
from sojourn.analytics.questions.fields import Field, fields_of
from sojourn.analytics.questions.needs import mapping_of
from sojourn.analytics.reading import Mapping
from sojourn.model.errors import ConfigError
from tests.analytics.making import MINUTE, events_of

EVENTS = events_of([("ann", "View", 0), ("ann", "Buy", MINUTE), ("bob", "View", 0)])


def field(kind: type[Question], option: str) -> Field:
    """Return a field by what it is called."""
    return next(each for each in fields_of(kind) if each.option == option)


@pytest.mark.parametrize(
    ("kind", "option", "expected"),
    [
        (Graph, "limit", "a whole number from 0 to 2,000"),
        (Graph, "by", "one of person, session"),
        (Graph, "collapse", "true or false"),
        (Graph, "since", "a text"),
        (Paths, "min-share", "a number from 0 to 1"),
        (Paths, "from", "a text"),
        (Funnel, "after", "a whole number from 1"),
        (Retention, "active-days", "one of week, month"),
    ],
)
def test_a_field_says_what_a_value_of_it_must_be(kind: type[Question], option: str, expected: str) -> None:
    """As the error says it over HTTP."""
    assert field(kind, option).expected() == expected


def test_a_field_says_whether_it_is_needed_and_may_be_repeated() -> None:
    """Only a funnel cannot be asked without saying anything."""
    needed = {
        (name, each.option) for name, kind in QUESTIONS.items() for each in fields_of(kind) if each.is_needed
    }
    several = {each.option for each in fields_of(Graph) if each.is_several}
    assert needed == {("funnel", "step")}
    assert several == {"segment", "variant", "where", "did", "never", "goal"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_field_is_said_to_mean_something(name: str) -> None:
    """Help and document are made of it."""
    assert [each.option for each in fields_of(QUESTIONS[name]) if not each.about] == []


@pytest.mark.parametrize(
    ("question", "attributes", "values"),
    [
        (Graph(where=("land=SE", "device!=phone")), {"land", "device"}, set()),
        (Graph(compare="land=SE:DE"), {"land"}, set()),
        (Graph(compare="2026-03-01"), set(), set()),
        (People(step="View", where=("land=SE",)), {"land"}, set()),
        (Paths(from_="View [land=SE, total>=5]"), {"land"}, {"total"}),
        (Paths(to="Buy [total<5]"), set(), {"total"}),
        (Funnel(step=("View", "Buy [total>1]"), without=("Help [land=SE] @1-2",), by="device"),
         {"land", "device"}, {"total"}),
        (Retention(first="View [land=SE]", by="plan"), {"land", "plan"}, set()),
        (Friction(attribute=("land",)), {"land"}, set()),
        (Attribution(conversion="Buy [total>1]", value="revenue"), {"channel"}, {"total", "revenue"}),
        (Attribution(conversion="Buy", touch="View"), set(), set()),
        (Attribution(conversion="Buy", touch="View", channel="source"), {"source"}, set()),
    ],
)  # fmt: skip
def test_what_a_question_looks_at_is_read(question: Question, attributes: set[str], values: set[str]) -> None:
    """And nothing else: columns are what reading costs."""
    found = mapping_of(question, Mapping())
    assert (set(found.attributes), set(found.values)) == (attributes, values)


def test_what_is_mapped_is_read_as_it_is_mapped() -> None:
    """The question calls it by its short name."""
    found = mapping_of(Graph(where=("plan=pro",)), Mapping(attributes={"plan": "traits.plan", "x": "y"}))
    assert found.attributes == {"plan": "traits.plan", "x": "y"}


@pytest.mark.parametrize(
    "question",
    [
        Graph(), Graph(matrix=3), Graph(compare="1970-01-01T00:00:30"), Paths(), Paths(patterns=True),
        Paths(from_="View"), Funnel(step=("View", "Buy"), time_to_convert=True), Retention(),
        Retention(active_days="week"), Friction(), Attribution(conversion="Buy", touch="*", replicates=0),
    ],
)  # fmt: skip
def test_every_answer_can_be_written_as_json(question: Question) -> None:
    """With what its numbers mean."""
    told = msgspec.json.decode(msgspec.json.encode(ask(question, EVENTS, {}).told()))
    assert told["definition"]


def test_instants_are_read_with_and_without_a_zone_and_as_numbers() -> None:
    """UTC where there is none."""
    moves = [
        ask(Graph(until=text), EVENTS, {}).told()["definition"]["n_events"]
        for text in ("1970-01-01T00:00:30", "1970-01-01T01:00:30+01:00", "30", "100000000000")
    ]
    assert moves == [2, 2, 2, 3]


def test_one_question_is_asked_at_a_time() -> None:
    """Else one of them would be ignored."""
    with pytest.raises(ConfigError, match="three questions"):
        ask(Paths(from_="View", patterns=True), EVENTS, {})


def test_an_option_is_a_parameter_without_its_dashes() -> None:
    """And nothing else in a message is one."""
    said = "--since 'a': a well-known -- as --min-share"
    assert as_parameters(said) == "since 'a': a well-known -- as min-share"
