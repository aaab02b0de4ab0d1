"""Questions in a query: which parameters are taken, and how the others are refused, by name."""

from __future__ import annotations

import pytest

from sojourn.analytics.questions import QUESTIONS, Graph
from sojourn.model.errors import InputError
from sojourn.server.analytics import MAX_PARAMETERS, PATHS, read_inquiry
from tests.server.houses import House, refusal


@pytest.mark.parametrize("name", QUESTIONS)
def test_without_the_token_no_question_is_answered(name: str) -> None:
    """Counts of people are the operator's."""
    assert refusal(House().ask(PATHS + name, token=None)) == (401, "no-token")


def test_a_question_is_read_from_its_parameters() -> None:
    """Numbers, flags, texts, and those that may be repeated, in their order."""
    query = b"by=session&limit=3&collapse=true&where=a%3Db&where=c%21%3Dd%7Ce&since=2026&map=plan=traits.plan"
    inquiry = read_inquiry("graph", query)
    assert inquiry.columns == "plan=traits.plan"
    assert inquiry.question == Graph(
        by="session", limit=3, collapse=True, where=("a=b", "c!=d|e"), since="2026"
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("graph?limt=3", "limt: there is no such parameter; did you mean 'limit'?"),
        ("graph?limit=many", "limit: expected a whole number from 0 to 2,000, got 'many'"),
        ("graph?limit=2001", "limit: expected a whole number from 0 to 2,000, got '2001'"),
        ("graph?limit=1&limit=2", "limit: is given more than once; give it once"),
        ("graph?map=a=b&map=c=d", "map: is given more than once; give it once"),
        ("graph?collapse=yes", "collapse: expected true or false, got 'yes'"),
        ("graph?by=people", "by: expected one of person, session, got 'people'"),
        ("paths?min-share=2", "min-share: expected a number from 0 to 1, got '2'"),
        ("paths?min-share=nan", "min-share: expected a number from 0 to 1, got 'nan'"),
        ("retention?active-days=year", "active-days: expected one of week, month, got 'year'"),
        ("funnel", "step: is needed, and was not given"),
        ("attribution?level=1", "level: expected a number from 0.5 to 0.999, got '1'"),
    ],
)
def test_a_parameter_that_is_not_what_it_must_be_is_named(path: str, message: str) -> None:
    """With what was expected and what came."""
    answer = House().ask(PATHS + path)
    assert refusal(answer) == (422, "bad-parameter")
    assert answer.json()["message"] == message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("graph?since=soon", "since: expected a time, got 'soon'; write it as 2026-03-01"),
        ("graph?where=land", "where 'land': expected attribute=value"),
        ("graph?where=lnd=SE", "no event has 'lnd'"),
        ("graph?goal=Byu", "goal: no step is called 'Byu'; did you mean 'Buy'?"),
        ("friction?goal=Byu", "goal: no step is called 'Byu'; did you mean 'Buy'?"),
        ("people", "say step, or from and to"),
        ("people?step=View&from=View&to=Buy", "say step, or from and to"),
        ("people?from=View", "say step, or from and to"),
        ("people?step=Veiw", "the graph has no step 'Veiw'; did you mean 'View'?"),
        ("paths?from=View&to=Buy", "from, to and patterns are three questions"),
        ("funnel?step=Veiw", "no event is called 'Veiw'; did you mean 'View'"),
        ("retention?zone=Sweden", "no time zone is called 'Sweden'"),
        ("attribution", 'say what a conversion is: conversion "Order Completed"'),
        ("graph?steps=steps:%20[a]", "steps:1:8: expected steps by name"),
        ("graph?map=plan", "map: expected what=column, got 'plan'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_as_a_caller_can_mend_it(path: str, message: str) -> None:
    """In the words of the command line, whose options are parameters here."""
    answer = House().ask(PATHS + path)
    assert refusal(answer) == (422, "bad-question")
    assert message in answer.json()["message"]


def test_no_more_parameters_are_read_than_a_question_has() -> None:
    """A bound like every other."""
    with pytest.raises(InputError, match="at most 500 parameters"):
        read_inquiry("graph", b"&".join([b"where=a%3Db"] * (MAX_PARAMETERS + 1)))


def test_a_question_is_asked_with_get() -> None:
    """It changes nothing."""
    assert refusal(House().ask(f"{PATHS}graph", method="POST")) == (405, "bad-method")
