"""Conformance: the public SCION statechart cases, lowered to the kernel's own charts and run in virtual time.

The files are JSON lists of `{name, chart, initial, steps: [{after_ms, event, expect}]}`, named in the
environment variable SOJOURN_STATECHART_CASES (colon-separated); without it,
`shared/conformance/statecharts.json` in a folder that holds this repository.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from sojourn.definitions.chart import Chart
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.guards import compile_expression
from sojourn.engine.statechart import Machine, fire, next_due, send, start

compile_guard = partial(compile_expression, bare_names=True)


class ChartOnly:
    """A scope of a chart that asks nothing of a profile."""

    active: frozenset[str] = frozenset()
    data: Mapping[str, Any] = MappingProxyType({})


def case_files() -> list[Path]:
    """Name the files to run."""
    named = os.environ.get("SOJOURN_STATECHART_CASES")
    if named:
        return [Path(name) for name in named.split(os.pathsep) if name]
    places = [folder / "shared/conformance/statecharts.json" for folder in Path(__file__).resolve().parents]
    return [place for place in places if place.is_file()][:1]


def cases() -> list[Any]:
    """Read every case; where there are none, one that is skipped with the reason."""
    found = [case for path in case_files() for case in json.loads(path.read_text(encoding="utf-8"))]
    if not found:
        reason = "no shared/conformance/statecharts.json here; name files in SOJOURN_STATECHART_CASES"
        return [pytest.param({}, id="no-cases", marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(case, id=case["name"]) for case in found]


def lower(tree: dict[str, Any]) -> Chart:
    """Build the chart of a case; its initial data are expressions, ours are values."""
    texts = tree.get("data", {})
    data = {
        name: compile_guard(text).call(ChartOnly()) if isinstance(text, str) else text
        for name, text in texts.items()
    }
    return build_chart({**tree, "data": data}, compile_guard=compile_guard, exact=False)


def advance(chart: Chart, machine: Machine, until: int) -> Machine:
    """Fire every timer due by then, each at its instant."""
    while (due := next_due(machine)) is not None and due <= until:
        machine = fire(chart, machine, ChartOnly(), at=due).machine
    return machine


@pytest.mark.parametrize("case", cases())
def test_every_public_case_goes_through_the_states_it_names(case: dict[str, Any]) -> None:
    """Others wrote these: they hold us to SCXML where our own tests share our misreadings."""
    chart = lower(case["chart"])
    machine = start(chart, ChartOnly(), at=0).machine
    seen, now = [sorted(machine.active)], 0
    for step in case["steps"]:
        now += int(step.get("after_ms") or 0)
        machine = advance(chart, machine, now)
        machine = send(chart, machine, step["event"], ChartOnly(), at=now).machine
        seen.append(sorted(machine.active))
    assert seen == [sorted(case["initial"]), *(sorted(step["expect"]) for step in case["steps"])]
