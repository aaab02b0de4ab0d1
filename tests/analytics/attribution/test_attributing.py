"""Attributing: every model shares out all there is, nothing more, and says what it means."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.attribution import MODELS, Paths, attribute, read_paths
from sojourn.analytics.attribution.results import KIND
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import NO_INTERVALS, ask, paths_from, row_lists, table_of
from tests.analytics.attribution.oracles import Row
from tests.soak import tries

WITHOUT_TIMES = [name for name in MODELS if name != "time-decay"]


@settings(max_examples=tries(60), deadline=None)
@given(rows=row_lists(), model=st.sampled_from(WITHOUT_TIMES), order=st.integers(1, 3))
def test_credit_adds_up_to_all_conversions_and_value(rows: list[Row], model: str, order: int) -> None:
    """With `(none)` for those nobody was met before; whatever the model, to 1e-9."""
    answer = ask(paths_from(rows), model, order=order)
    assert sum(one.conversions for one in answer.channels) == pytest.approx(
        answer.totals.conversions, abs=1e-9
    )
    assert sum(one.value for one in answer.channels) == pytest.approx(answer.totals.value, abs=1e-9)


@settings(max_examples=tries(60), deadline=None)
@given(
    rows=row_lists(), model=st.sampled_from(WITHOUT_TIMES), order=st.integers(1, 3), seed=st.integers(0, 99)
)
def test_credit_does_not_depend_on_names_or_the_order_of_rows(
    rows: list[Row], model: str, order: int, seed: int
) -> None:
    """Renamed and shuffled, each channel has what it had."""
    random = np.random.default_rng(seed)
    names = dict(zip("abcd", random.permutation(list("pqrs")).tolist(), strict=True))
    other = [
        rows[i]._replace(path=tuple(names[c] for c in rows[i].path)) for i in random.permutation(len(rows))
    ]
    before, after = ask(paths_from(rows), model, order=order), ask(paths_from(other), model, order=order)
    expected = {names.get(one.channel, one.channel): (one.conversions, one.value) for one in before.channels}
    for one in after.channels:
        assert (one.conversions, one.value) == pytest.approx(expected[one.channel], abs=1e-9)


@pytest.mark.parametrize("model", WITHOUT_TIMES)
def test_paths_without_a_touch_are_all_nobodys(model: str) -> None:
    """There is no channel at all."""
    answer = ask(paths_from([Row((), 3, 6, 2)]), model)
    assert [(one.channel, one.conversions, one.value) for one in answer.channels] == [("(none)", 3.0, 6.0)]


@pytest.mark.parametrize("model", WITHOUT_TIMES)
def test_nothing_at_all_is_credited_to_nobody(model: str) -> None:
    """An empty file is an answer, and no error."""
    empty = read_paths(
        Table({"path": np.array([], dtype=str), "total_conversions": np.array([], dtype=float)})
    )
    answer = attribute(empty, [model])[0]
    assert (answer.channels, answer.totals.conversions, answer.totals.conversion_rate) == ([], 0.0, None)


def test_a_channel_that_is_called_none_is_not_taken_for_nobody() -> None:
    """Then nobody has another name."""
    answer = ask(paths_from([Row((), 3), Row(("(none)",), 2)]), "last")
    assert {one.channel: one.conversions for one in answer.channels} == {"(none)": 2.0, "(no touch)": 3.0}


@pytest.fixture
def answer_paths() -> Paths:
    """A small file."""
    rows = [Row(("ads", "email"), 40, 80, 60), Row(("email",), 30, 60, 10), Row(("ads",), 5, 5, 95)]
    return read_paths(table_of(rows))


@pytest.mark.parametrize("model", WITHOUT_TIMES)
def test_an_answer_says_what_it_is(model: str, answer_paths: Paths) -> None:
    """Path credit and no cause, its formula, the rules of its paths, its interval and its support."""
    (answer,) = attribute(answer_paths, [model])
    told = answer.definition
    assert told.kind == KIND
    assert "not causal" in told.kind
    assert told.formula
    assert told.rules["direct"].startswith("keep")
    assert (told.interval.unit, told.interval.units, told.interval.replicates) == ("journey", 240, 200)
    ads = next(one for one in answer.channels if one.channel == "ads")
    assert (ads.journeys, ads.converting, ads.people, ads.is_rare) == (200.0, 45.0, None, False)
    assert ads.low is not None
    assert ads.high is not None
    assert ads.low <= ads.conversions <= ads.high


def test_the_answer_as_json_has_the_shape_programs_expect(answer_paths: Paths) -> None:
    """Model, definition, totals, and channels with their bounds."""
    (answer,) = attribute(answer_paths, ["markov"])
    told = msgspec.to_builtins(answer)
    assert list(told) == ["model", "definition", "totals", "channels"]
    assert {"channel", "conversions", "value", "removal_effect", "low", "high"} <= told["channels"][0].keys()


def test_the_answer_is_a_table_too(answer_paths: Paths) -> None:
    """For whoever speaks Arrow."""
    (answer,) = attribute(answer_paths, ["markov"])
    rows = answer.table().relation().fetchall()
    assert [row[0] for row in rows] == [one.channel for one in answer.channels]
    assert [row[1] for row in rows] == [one.conversions for one in answer.channels]


def test_most_conversions_come_first(answer_paths: Paths) -> None:
    """And equals by their names."""
    answer = ask(answer_paths, "last")
    assert [one.channel for one in answer.channels] == ["email", "ads"]


def test_models_are_asked_once_each_in_the_order_they_are_named(answer_paths: Paths) -> None:
    """And somebody who waits is told which it is."""
    heard: list[str] = []
    answers = attribute(answer_paths, ["last", "first", "last"], bootstrap=NO_INTERVALS, tell=heard.append)
    assert [answer.model for answer in answers] == heard == ["last", "first"]


def test_a_model_that_is_none_is_refused(answer_paths: Paths) -> None:
    """With the one that was meant."""
    with pytest.raises(ConfigError, match="no model is called 'markow'; did you mean 'markov'"):
        attribute(answer_paths, ["markow"])
