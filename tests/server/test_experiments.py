"""Experiments over HTTP: which paths there are, what they take, and how they refuse."""

from __future__ import annotations

import pytest

from sojourn.analytics.experiments.asked import Experiment
from sojourn.server.experiments import PATH
from tests.server.houses import House, refusal


@pytest.mark.parametrize("path", [PATH, f"{PATH}/banner"])
def test_without_the_token_nothing_is_told(path: str) -> None:
    """What experiments did is the operator's."""
    assert refusal(House().ask(path, token=None)) == (401, "no-token")


@pytest.mark.parametrize("path", [PATH, f"{PATH}/banner"])
def test_before_anybody_met_an_experiment_that_is_said(path: str) -> None:
    """It is no mistake of the caller's question, and no empty answer either."""
    assert refusal(House().ask(path)) == (404, "no-exposures")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("metrc=a", "metrc: there is no such parameter; did you mean 'metric'?"),
        ("method=bayes", "method: expected one of always-valid, fixed, planned-looks, got 'bayes'"),
        ("level=2", "level: expected a number from 0.5 to 0.9999, got '2'"),
        ("looks=51", "looks: expected a whole number from 1 to 50, got '51'"),
        ("control=a&control=b", "control: is given more than once; give it once"),
    ],
)
def test_a_parameter_that_is_not_what_it_must_be_is_named(query: str, message: str) -> None:
    """With what was expected and what came."""
    answer = House().ask(f"{PATH}/banner?{query}")
    assert refusal(answer) == (422, "bad-parameter")
    assert answer.json()["message"].startswith(message)


def test_every_parameter_is_described() -> None:
    """In the document that clients are made from."""
    document = House().ask("/api/openapi.json").json()
    described = document["paths"][PATH + "/{experiment}"]["get"]["parameters"]
    assert [each["name"] for each in described] == ["experiment", *Experiment.__struct_encode_fields__]
    assert document["paths"][PATH]["get"]["operationId"] == "listExperiments"
