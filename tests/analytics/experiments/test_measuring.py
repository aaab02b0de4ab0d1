"""Measuring: what each kind of metric comes to, and in which window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.experiments.measuring import Measured, happened, measure
from sojourn.analytics.experiments.units import units_of
from sojourn.definitions.metrics import Comparison, Every, Metric, MetricKind, Negation, Some
from tests.analytics.experiments.making import exposures
from tests.analytics.making import DAY, events_of

MET = [("ada", "a", 100 * DAY), ("bob", "b", 101 * DAY)]


def row(person: str, day: float, **more: Any) -> tuple[Any, ...]:
    """Say that somebody bought something."""
    return person, "Buy", int(day * DAY), {"properties.total": 10.0, "properties.land": "SE"} | more


def measured(metric: Metric, rows: Sequence[tuple[Any, ...]], *more: Metric, until: float = 200) -> Measured:
    """Measure a metric of ada, assigned on day 100, and of bob, on day 101."""
    seen = happened(events_of(rows), None, units_of(exposures(MET), "banner"), until_ms=int(until * DAY))
    return measure(seen, metric, {one.name: one for one in (metric, *more)})


def metric(kind: MetricKind, **more: Any) -> Metric:
    """Make a metric over `Buy` within a week."""
    return Metric(**{"name": kind, "kind": kind, "on": ("Buy",), "within_ms": 7 * DAY, "before_ms": 0} | more)


ROWS = [
    row("ada", 90),
    row("ada", 100),
    row("ada", 102),
    row("ada", 107),
    row("ada", 107.1),
    row("bob", 100.5),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (metric("conversion"), [1, 0]),
        (metric("count"), [2, 0]),
        (metric("value", value="properties.total"), [20, 0]),
        (metric("value", value="properties.total", cap=15.0), [15, 0]),
        (metric("retention", after_ms=7 * DAY, within_ms=14 * DAY), [1, 0]),
        (metric("time_to"), [2 * DAY, 7 * DAY]),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_each_kind_counts_what_happens_in_the_window(asked: Metric, expected: list[float]) -> None:
    """It begins after the instant of the assignment, whose own event is no outcome, and its end is in it."""
    assert measured(asked, ROWS).values.tolist() == expected


def test_the_past_ends_before_the_assignment() -> None:
    """What happens at its instant is neither past nor outcome."""
    found = measured(metric("count", before_ms=30 * DAY), ROWS)
    assert found.covariate is not None
    assert found.covariate.tolist() == [1, 1]


def test_who_is_not_over_is_told() -> None:
    """Day 107 is the end of ada's window, and bob's lasts a day longer."""
    assert measured(metric("count"), ROWS, until=107).is_over.tolist() == [True, False]


def test_what_is_seen_later_than_the_report_does_not_count() -> None:
    """As if it were then."""
    assert measured(metric("count"), ROWS, until=103).values.tolist() == [1, 0]


def test_the_largest_sums_are_drawn_in() -> None:
    """To a quantile of those who have any: those with nothing are most, and would make it 0."""
    rows = [row("ada", 101, **{"properties.total": 90.0}), row("bob", 102, **{"properties.total": 10.0})]
    found = measured(metric("value", value="properties.total", winsorise=0.5), rows)
    assert found.values.tolist() == [50, 10]


def test_a_ratio_has_both_its_parts() -> None:
    """Each as the metric it names."""
    parts = metric("value", name="v", value="properties.total"), metric("count", name="n")
    ratio = Metric(name="r", kind="ratio", numerator="v", denominator="n")
    found = measured(ratio, ROWS, *parts)
    assert found.below is not None
    assert (found.values.tolist(), found.below.tolist()) == ([20, 0], [2, 0])


def test_a_name_that_nothing_has_is_said() -> None:
    """It is 0 for everybody, and perhaps a slip."""
    found = measured(metric("count", on=("Buyy",)), ROWS)
    assert found.values.tolist() == [0, 0]
    assert found.notes == ("nothing called 'Buyy' is in the data; did you mean 'Buy'?",)


def test_a_goal_that_nobody_reached_yet_is_nothing_for_everybody() -> None:
    """As an event that nobody did."""
    assert measured(metric("conversion", on=(), goal="welcome"), ROWS).values.tolist() == [0, 0]


def test_goals_count_with_what_they_were_worth() -> None:
    """Of the journey that is named."""
    goals = events_of(
        [("ada", "welcome", 101 * DAY, {"value": 7.0}), ("bob", "other", 102 * DAY, {"value": 1.0})]
    )
    seen = happened(None, goals, units_of(exposures(MET), "banner"), until_ms=200 * DAY)
    for asked, expected in (
        (metric("conversion", on=(), goal="welcome"), [1, 0]),
        (metric("value", on=(), goal="welcome"), [7, 0]),
    ):
        assert measure(seen, asked, {}).values.tolist() == expected


LAND, TOTAL = "properties.land", "properties.total"
LANDS = st.sampled_from([("SE",), ("SE", "DE"), ("FI",)])
PARTS = st.one_of(
    st.builds(Comparison, st.just(LAND), st.sampled_from(["==", "!="]), LANDS),
    st.builds(
        Comparison,
        st.just(TOTAL),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        st.sampled_from([(10.0,), (20.0,)]),
    ),
)
CONDITIONS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds(Every, st.tuples(inner, inner)),
        st.builds(Some, st.tuples(inner, inner)),
        st.builds(Negation, inner),
    ),
    max_leaves=5,
)


def holds(condition: Any, said: dict[str, Any]) -> bool:
    """Say whether a condition holds, by its definition: the oracle."""
    match condition:
        case Negation():
            return not holds(condition.part, said)
        case Every():
            return all(holds(part, said) for part in condition.parts)
        case Some():
            return any(holds(part, said) for part in condition.parts)
    value = said.get(condition.path)
    if condition.operator in ("==", "!="):
        return (value in condition.values) is (condition.operator == "==")
    compare = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    return value is not None and compare[condition.operator](value, condition.values[0])


SAID = {TOTAL: st.sampled_from([10.0, 20.0, 30.0]), LAND: st.sampled_from(["SE", "DE"])}
DID = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob", "cid"]),
        st.sampled_from(["Buy", "Look"]),
        st.integers(95, 112),
        st.fixed_dictionaries({}, optional=SAID),
    ),
    min_size=1,
    max_size=20,
)


@given(DID, CONDITIONS, st.integers(0, 3), st.integers(4, 9))
def test_metrics_are_what_going_over_events_one_by_one_gives(
    did: list[tuple[str, str, int, dict[str, Any]]], condition: Any, after: int, within: int
) -> None:
    """Whatever happened, for whichever condition: the oracle goes person by person."""
    rows = [
        ("zoe", "Buy", 0, {TOTAL: 1.0, LAND: "NO"}),
        *((who, step, day * DAY, said) for who, step, day, said in did),
    ]
    window = {"after_ms": after * DAY, "within_ms": within * DAY}
    for kind in ("count", "conversion", "value", "time_to"):
        asked = metric(
            kind, when=condition, before_ms=4 * DAY, value=TOTAL if kind == "value" else "", **window
        )  # type: ignore[arg-type]
        found = measured(asked, rows)
        for i, (who, _, at) in enumerate(MET):
            mine = [
                (day * DAY - at, said)
                for person, step, day, said in did
                if person == who and step == "Buy" and holds(condition, said)
            ]
            inside = [(apart, said) for apart, said in mine if after * DAY < apart <= within * DAY]
            expected = {
                "count": len(inside),
                "conversion": min(1, len(inside)),
                "value": sum(said.get(TOTAL, 0.0) for _, said in inside),
                "time_to": min((apart for apart, _ in inside), default=within * DAY),
            }[kind]
            assert found.values[i] == expected
            assert found.covariate is not None
            if kind == "count":
                assert found.covariate[i] == sum(-4 * DAY <= apart < 0 for apart, _ in mine)


def test_measures_have_one_number_for_each_unit() -> None:
    """Those who did nothing, too."""
    assert measured(metric("count"), [row("zoe", 100)]).values.tolist() == np.zeros(2).tolist()
