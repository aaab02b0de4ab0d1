"""Conformance: random machines do here what they do under npm's XState, action for action.

The seed of the first machine is printed with every failure, and can be chosen: SOJOURN_XSTATE_SEED.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sojourn.definitions.chart import Chart
from sojourn.definitions.compile import check_journey
from sojourn.definitions.xstate import chart_of, convert
from sojourn.model.errors import DefinitionError
from tests.clients.installing import node_modules
from tests.conformance.machine_lives import NAMES, compile_guard, live
from tests.conformance.random_machines import Json, random_case
from tests.soak import tries

XSTATE = Path(__file__).parents[1] / "clients" / "xstate"
RUN_S = 120
N_MACHINES = 250  # a batch; each with up to ten events and waits
N_BATCHES = 8  # all but the first are slow
N_JOURNEYS = tries(100)
FIRST_SEED = int(os.environ.get("SOJOURN_XSTATE_SEED") or 1)
SEEDS_OF_A_BATCH = 1_000_000


def accepted(seed: int) -> Iterator[tuple[int, Json, Chart]]:
    """Yield (seed, case, chart) of the machines that are inside the subset."""
    while True:
        case = random_case(seed)
        try:
            yield seed, case, chart_of(case["machine"], names=NAMES, compile_guard=compile_guard)
        except DefinitionError as error:
            refused = {problem.code for problem in error.problems}
        else:
            refused = set()
        assert refused <= REFUSED_ON_PURPOSE, f"seed {seed}: {refused}"
        seed += 1


REFUSED_ON_PURPOSE = {
    "history-inside",
    "loop-without-wait",
    "parallel-answer",
    "parallel-domain",
    "parallel-end",
}
"""What random machines do that means something else here; each has its test in tests/definitions/xstate."""


def xstate_lives(cases: list[Json]) -> list[list[Json]]:
    """Run cases under the unmodified package, all in one process."""
    modules = node_modules(XSTATE)
    done = subprocess.run(
        ["node", str(XSTATE / "run.cjs")],
        input="".join(json.dumps(case) + "\n" for case in cases),
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "batch", [pytest.param(batch, marks=[pytest.mark.slow] if batch else []) for batch in range(N_BATCHES)]
)
def test_a_random_machine_does_here_what_it_does_under_xstate(batch: int) -> None:
    """Whoever imports a machine has seen it run elsewhere: what they saw must be what they get.

    One thing is let pass: eventless transitions that go round in a circle. XState breaks off where a round
    leaves everything as it was; here it is a loop without a wait, which no journey may have.
    """
    found = accepted(FIRST_SEED + batch * SEEDS_OF_A_BATCH)
    machines = [next(found) for _ in range(N_MACHINES)]
    theirs = xstate_lives([case for _, case, _ in machines])
    seen: Counter[str] = Counter()
    for (seed, case, chart), told in zip(machines, theirs, strict=True):
        ours = live(chart, case["acts"])
        if "loop" in ours[-1]:
            ours.pop()
            told = told[: len(ours)]  # noqa: PLW2901 - what came before the loop
            seen["loops"] += 1
        assert ours == told, f"seed {seed}: SOJOURN_XSTATE_SEED={seed}"
        seen["steps"] += len(ours)
        seen["actions"] += sum(len(step["did"]) for step in ours)
        seen["moves"] += sum(one["active"] != other["active"] for one, other in pairwise(ours))
    print(f"first seed {FIRST_SEED + batch * SEEDS_OF_A_BATCH}: {dict(seen)}")
    assert seen["loops"] < N_MACHINES / 4
    assert seen["steps"] > 5 * N_MACHINES
    assert seen["actions"] > 10 * N_MACHINES
    assert seen["moves"] > N_MACHINES


def converted(seed: int) -> Iterator[tuple[int, Json, Chart, Chart]]:
    """Yield (seed, case, chart, the journey's chart) of the machines that make a good journey."""
    while True:
        case = random_case(seed, is_journey=True)
        text = json.dumps(case["machine"])
        try:
            chart = chart_of(case["machine"], names=NAMES, compile_guard=compile_guard)
            journey = check_journey(convert(text, entry=["Signed Up"], names=NAMES)).journey
        except DefinitionError:
            journey = None  # refused, as most random machines are: the yield is counted where it is used
        if journey is not None:
            yield seed, case, chart, journey.chart
        seed += 1


def without_names(told: list[Json]) -> list[Json]:
    """Take off what a journey calls otherwise: the state around all, and the end."""
    return [
        {
            **step,
            "active": [] if step["done"] else sorted(one.removeprefix("machine.") for one in step["active"]),
        }
        for step in told
        if "loop" not in step
    ]


def test_a_journey_that_a_machine_became_does_what_its_chart_does() -> None:
    """The chart is held to XState above; the YAML is another road to the same behaviour."""
    found = converted(FIRST_SEED)
    n_acting = 0
    for _ in range(N_JOURNEYS):
        seed, case, chart, journeys_chart = next(found)
        ours, journeys = live(chart, case["acts"]), live(journeys_chart, case["acts"])
        assert without_names(journeys) == without_names(ours), f"seed {seed}"
        n_acting += any(step.get("did") for step in ours)
    assert n_acting > N_JOURNEYS / 2
