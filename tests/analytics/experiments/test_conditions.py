"""Conditions of metrics: over columns of events they hold where a guard of the same text holds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.experiments.conditions import holds
from sojourn.definitions.guards import analyse
from sojourn.definitions.metrics_reading import check_metrics
from tests.analytics.making import events_of

TOTAL, LAND, VIP = "properties.total", "properties.land", "properties.vip"
SAID = st.fixed_dictionaries(
    {},
    optional={
        "total": st.sampled_from([0.0, 10.0, 20.5, -3.0]),
        "land": st.sampled_from(["SE", "DE", ""]),
        "vip": st.booleans(),
    },
)
ORDERS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
PARTS = st.one_of(
    st.tuples(st.just(TOTAL), ORDERS, st.sampled_from(["10", "20.5", "-3"])),
    st.tuples(st.sampled_from(["10", "0"]), ORDERS, st.just(TOTAL)),
    st.tuples(st.just(TOTAL), st.sampled_from(["in", "not in"]), st.just("[10, 20.5]")),
    st.tuples(st.just(LAND), st.sampled_from(["==", "!="]), st.sampled_from(["'SE'", "'FI'"])),
    st.tuples(st.just(LAND), st.sampled_from(["in", "not in"]), st.just("['SE', 'DE']")),
    st.tuples(st.just(VIP), st.sampled_from(["==", "!="]), st.sampled_from(["true", "false"])),
).map(" ".join)
TEXTS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda each: f"({''.join(each)})"),
        inner.map(lambda each: f"(not {each})"),
    ),
    max_leaves=5,
)


def row(said: dict[str, Any]) -> tuple[Any, ...]:
    """Write an event as it is read: numbers as values, texts as columns, true and false as JSON's words."""
    texts = {"land": said.get("land"), "vip": None if "vip" not in said else str(said["vip"]).lower()}
    columns = {f"properties.{name}": text for name, text in texts.items() if text is not None}
    return "ada", "Buy", 0, columns | ({TOTAL: said["total"]} if "total" in said else {})


@given(TEXTS, st.lists(SAID, min_size=1, max_size=8))
def test_a_metrics_condition_is_the_guard_of_the_same_text(text: str, several: list[dict[str, Any]]) -> None:
    """Missing properties, too: nobody should have to learn a second language."""
    body = f'metrics: {{ m: {{ kind: count, on: Buy, within: 1d, when: "{text}" }} }}'
    checked = check_metrics([("m.yaml", body)])
    if checked.problems:
        assert [each.code for each in checked.problems] == [
            "never-true"
        ]  # as a guard is refused, and no other way
        return
    (metric,) = checked.metrics
    guard = analyse(text).expression.call
    wanted = [bool(guard(SimpleNamespace(properties=said))) for said in several]
    # Every column is there, whoever has a value in it.
    full = ("zoe", "Buy", 0, {TOTAL: 1.0, LAND: "NO", VIP: "maybe"})
    events = events_of([*map(row, several), full])
    assert metric.when is not None
    found = holds(events, metric.when, np.arange(len(several)))
    assert found.tolist() == wanted
