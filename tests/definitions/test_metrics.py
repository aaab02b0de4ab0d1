"""Metrics in files: what they say, and what is refused where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.metrics import Comparison, Every, Metric, Negation, Some, paths_of
from sojourn.definitions.metrics_reading import check_metrics, is_metrics_file, load_metrics
from sojourn.definitions.metrics_schema import metrics_schema_text
from sojourn.model.errors import DefinitionError

ROOT = Path(__file__).parents[2]
DAY = 86_400_000


def problems(text: str) -> list[str]:
    """Return `line:column code` of each problem of one metric's body."""
    found = check_metrics([("m.yaml", f"metrics:\n  m: {text}\n")]).problems
    return [f"{each.line}:{each.column} {each.code}" for each in found]


def only(text: str) -> Metric:
    """Read one metric's body."""
    (metric,) = load_metrics([("m.yaml", f"metrics:\n  m: {text}\n")])
    return metric


def test_a_metric_is_read_with_its_defaults() -> None:
    """Four weeks of the past are taken out, and more is better."""
    assert only("{ kind: conversion, on: Bought, within: 7d }") == Metric(
        name="m", kind="conversion", on=("Bought",), within_ms=7 * DAY, before_ms=28 * DAY, is_up_good=True
    )


def test_all_a_metric_can_say_is_read() -> None:
    """As the reference has it."""
    found = only(
        "{ kind: value, on: [B, A], value: properties.cart.total, after: 1h, within: 14d, winsorise: 99.5%, "
        "before: off, good: down, description: money, when: \"properties.country == 'SE'\" }"
    )
    assert found == Metric(
        name="m",
        kind="value",
        on=("A", "B"),
        value="properties.cart.total",
        when=Comparison("properties.country", "==", ("SE",)),
        after_ms=3_600_000,
        within_ms=14 * DAY,
        winsorise=0.995,
        before_ms=0,
        is_up_good=False,
        description="money",
    )


def test_of_a_time_less_is_better() -> None:
    """Unless its author says otherwise."""
    assert not only("{ kind: time_to, on: Bought, within: 7d }").is_up_good
    assert only("{ kind: time_to, on: Churned, within: 7d, good: up }").is_up_good


def test_a_condition_becomes_a_tree() -> None:
    """Either side may be the constant; `in` is any of some; true is as events have it."""
    text = (
        "properties.total >= 50 and (properties.plan in ['a', 'b'] or not 3 < properties['x y']) "
        "and properties.vip == true and properties.age != -1"
    )
    found = only(f'{{ kind: count, on: B, within: 1d, when: "{text}" }}').when
    assert found == Every(
        (
            Comparison("properties.total", ">=", (50.0,)),
            Some(
                (
                    Comparison("properties.plan", "==", ("a", "b")),
                    Negation(Comparison("properties.x y", ">", (3.0,))),
                )
            ),
            Comparison("properties.vip", "==", ("true",)),
            Comparison("properties.age", "!=", (-1.0,)),
        )
    )
    assert ("properties.total", True) in paths_of(found)
    assert ("properties.plan", False) in paths_of(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ on: A, within: 7d }", ["2:6 missing"]),
        ("{ kind: conversio, on: A, within: 7d }", ["2:14 bad-value"]),
        ("{ kind: conversion, within: 7d }", ["2:6 missing"]),
        ("{ kind: conversion, on: A, goal: j, within: 7d }", ["2:6 missing"]),
        ("{ kind: conversion, on: A }", ["2:6 missing"]),
        ("{ kind: value, on: A, within: 7d }", ["2:6 missing"]),
        ("{ kind: value, on: A, value: revenue, within: 7d }", ["2:35 bad-value"]),
        ("{ kind: conversion, on: A, within: 7d, cap: 3 }", ["2:45 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, cap: -3 }", ["2:45 bad-value"]),
        ("{ kind: count, on: A, within: 7d, cap: 3, winsorise: 99% }", ["2:48 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, winsorise: 40% }", ["2:51 bad-value"]),
        ("{ kind: count, on: A, after: 8d, within: 7d }", ["2:47 bad-value"]),
        ("{ kind: retention, on: A, within: 7d }", ["2:6 missing"]),
        ("{ kind: count, on: A, within: 7d, good: left }", ["2:46 bad-value"]),
        ("{ kind: count, on: A, within: 7d, befor: 1d }", ["2:40 unknown-keyword"]),
        ("{ kind: count, goal: j, within: 7d, when: 'properties.a == 1' }", ["2:42 not-allowed"]),
        ("{ kind: ratio, of: a, per: b }", ["2:25 unknown-metric", "2:33 unknown-metric"]),
        ("{ kind: ratio, of: a }", ["2:6 missing", "2:25 unknown-metric"]),
        ("{ kind: count, on: A, within: 7d, when: 'count(1) > 1' }", ["2:47 unknown-name"]),
        ("{ kind: count, on: A, within: 7d, when: 'trait.a == 1' }", ["2:47 unknown-name"]),
        ("{ kind: count, on: A, within: 7d, when: 'properties.a' }", ["2:47 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, when: 'properties.a == properties.b' }", ["2:63 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, when: 'properties.a + 1 == 2' }", ["2:47 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, when: '1 < properties.a < 3' }", ["2:47 not-allowed"]),
        ("{ kind: count, on: A, within: 7d, when: \"properties.a < 'x'\" }", ["2:62 bad-argument"]),
        ("{ kind: count, on: A, within: 7d, when: 'properties.a ==' }", ["2:62 syntax"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, expected: list[str]) -> None:
    """As in journeys."""
    assert problems(text) == expected


def test_a_ratio_needs_one_window() -> None:
    """Else one half of it would be counted longer than the other."""
    text = """metrics:
  a: { kind: count, on: A, within: 7d }
  b: { kind: count, on: B, within: 8d }
  r: { kind: ratio, of: a, per: b }
"""
    (problem,) = check_metrics([("m.yaml", text)]).problems
    assert (problem.line, problem.code) == (4, "bad-value")
    assert "a and b have other windows" in problem.message


def test_one_name_is_one_metric() -> None:
    """In all files together."""
    text = "metrics: { a: { kind: count, on: A, within: 7d } }"
    with pytest.raises(DefinitionError, match=r"n\.yaml:1:12: the metric 'a' is in m\.yaml too"):
        load_metrics([("m.yaml", text), ("n.yaml", text)])


def test_files_of_metrics_are_told_from_journeys() -> None:
    """By what stands at their top."""
    assert is_metrics_file("metrics: {}", file="a")
    assert not is_metrics_file("journey: x", file="a")
    assert not is_metrics_file("metrics: [", file="a")


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """What is wrong in a file is told, whatever it is."""
    check_metrics(
        [("m.yaml", text), ("n.yaml", f"metrics:\n  m: {{ kind: count, on: A, when: {json.dumps(text)} }}")]
    )


def test_the_schema_is_the_one_in_the_docs() -> None:
    """Editors read that file."""
    assert (ROOT / "docs/reference/metrics.schema.json").read_text() == metrics_schema_text()


def test_the_longest_window_is_read() -> None:
    """Bounds are those of durations."""
    assert only("{ kind: count, on: A, within: 52w }").within_ms == parse_duration("52w")
