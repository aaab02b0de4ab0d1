"""Segments over HTTP: the list, and how a question that names one is refused."""

from __future__ import annotations

import pytest

from sojourn.server.analytics import PATHS
from sojourn.server.belonging import PATH
from tests.server.houses import House, refusal


def test_without_the_token_no_segment_is_told() -> None:
    """Counts of people are the operator's."""
    assert refusal(House().ask(PATH, token=None)) == (401, "no-token")


def test_where_nobody_was_ever_in_one_the_list_is_empty() -> None:
    """It is no mistake of the caller's."""
    assert House().ask(PATH).json()["segments"] == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("graph?segment=fond", "nobody was ever in a segment named 'fond'"),
        ("funnel?step=View&variant=offer=gift", "nobody met an experiment named 'offer'"),
        ("retention?variant=offer", "variant 'offer': expected experiment=variant"),
        ("graph?compare=variant:offer=a:b", "nobody met an experiment named 'offer'"),
    ],
)
def test_a_name_that_no_fact_has_is_told_as_a_caller_can_mend_it(query: str, message: str) -> None:
    """With what was expected."""
    answer = House().ask(PATHS + query)
    assert refusal(answer) == (422, "bad-question")
    assert answer.json()["message"].startswith(message)
