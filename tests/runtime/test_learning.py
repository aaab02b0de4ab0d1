"""Learning: what the live journey graph forecasts, against a naive chain and against what then happens."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.controls import LEARNT, Learnt, control_event
from sojourn.definitions.expression import EXIT
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.publishing import InForce, apply_control
from sojourn.model.event import Entry
from sojourn.model.fact import StepTaken
from sojourn.model.ids import user_profile
from sojourn.model.ports import Commit
from sojourn.runtime import learning
from sojourn.runtime.driver import Driver
from sojourn.runtime.learning import EVERY_MS, HALF_LIFE_MS, KEEP_MS, Graph, Learner, reaching
from tests.engine.makers import T0, catalogue, event

GOAL = "Order Completed"
Visit = list[str]

# Four states that move among themselves, convert and leave: where a chain is solved by hand.
Q = [[0, 0.7, 0, 0], [0.2, 0.3, 0.25, 0], [0, 0.3, 0.1, 0.4], [0, 0, 0.15, 0.05]]
R = [0, 0, 0, 0.6]
CONVERTING = [0.112314, 0.160449, 0.359406, 0.688327]


def step(name: str, previous: str = "", *, at: int = 0) -> StepTaken:
    """Make the fact of one step, `at` ms after the start."""
    return StepTaken(
        profile_id=user_profile("ann"), at=T0 + at, position=1, source="web", message_id="m", name=name,
        occurred_at=T0 + at, previous=previous,
    )  # fmt: skip


def visits(several: list[Visit], *, at: int = 0) -> list[StepTaken]:
    """Make the facts of whole visits."""
    return [step(name, before, at=at) for visit in several for before, name in pairwise(["", *visit])]


def learnt(several: list[Visit], *goals: str) -> dict[str, dict[str, float]]:
    """Learn visits that all happened just now."""
    learner = Learner(MemoryStore())
    learner.take(visits(several))
    return learner.forecasts(T0, goals)


def test_the_chain_is_solved_as_the_textbook_does() -> None:
    """The oracle of four states, to the nine digits its numbers are good for."""
    chain = np.zeros((5, 5))
    chain[:4, :4], chain[:4, 4] = Q, R
    found = reaching(chain, 4)
    assert found[:4] == pytest.approx(naive_reaching(Q, R), abs=1e-9)
    assert found[:4] == pytest.approx(CONVERTING, abs=1e-6)
    assert found[4] == 1


def naive_reaching(inner: list[list[float]], goal: list[float]) -> list[float]:
    """Sum over all walks by length, until nothing is left."""
    n = len(inner)
    found, mass = [0.0] * n, [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(2_000):
        for i in range(n):
            found[i] += sum(mass[i][j] * goal[j] for j in range(n))
        mass = [[sum(mass[i][k] * inner[k][j] for k in range(n)) for j in range(n)] for i in range(n)]
    return found


def test_people_who_leave_are_known_by_the_step_that_nothing_follows() -> None:
    """A visit's end is said when the next one begins, which may be never: so what is missing is counted."""
    forecasts = learnt([["a", "b", GOAL]] * 300 + [["a"]] * 100 + [["a", "b"]] * 100, GOAL, EXIT)
    assert forecasts[GOAL]["a"] == pytest.approx(0.6, abs=0.01)
    assert forecasts[GOAL]["b"] == pytest.approx(0.75, abs=0.01)
    assert forecasts[GOAL][GOAL] == 1
    assert forecasts[EXIT]["a"] == pytest.approx((100 + 1) / (500 + 10), abs=1e-6)
    assert forecasts[EXIT]["b"] == pytest.approx((100 + 1) / (400 + 10), abs=1e-6)


def test_a_step_seen_once_is_like_any_other_until_it_is_known_better() -> None:
    """One visit that bought does not make its step a certain one."""
    forecasts = learnt([["a", "b"]] * 99 + [["rare", GOAL]], GOAL)
    assert 0.4 < forecasts[GOAL]["rare"] < 0.6


def test_a_goal_nobody_reached_is_forecast_for_nobody() -> None:
    """And it is a number: what is known is that it does not happen."""
    assert learnt([["a", "b"]], GOAL)[GOAL] == {OTHER: 0.0, "a": 0.0, "b": 0.0}


def test_what_is_long_past_counts_less() -> None:
    """After two half-lives four old visits weigh as much as one of now."""
    learner = Learner(MemoryStore())
    learner.take(visits([["a", GOAL]] * 4_000))
    learner.take(visits([["a"]] * 1_000, at=2 * HALF_LIFE_MS))
    found = learner.forecasts(T0 + 2 * HALF_LIFE_MS, [GOAL])
    assert found[GOAL]["a"] == pytest.approx(0.5, abs=0.01)


def test_years_of_forgetting_end_in_no_overflow() -> None:
    """Weights grow with the log's clock, and are scaled down before floats cannot hold them."""
    learner = Learner(MemoryStore())
    for year in range(12):
        learner.take(visits([["a", GOAL], ["a"]] * 500, at=year * 52 * HALF_LIFE_MS))
    found = learner.forecasts(T0 + 11 * 52 * HALF_LIFE_MS, [GOAL])
    assert found[GOAL]["a"] == pytest.approx(0.5, abs=0.01)


def test_rare_steps_are_counted_as_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph has a bound; a goal that somebody asks for stays, however rare."""
    monkeypatch.setattr(learning, "MAX_STEPS", 3)
    learner = Learner(MemoryStore())
    learner.due(T0, [GOAL])
    learner.take(visits([["a", "b", "c"]] * 50 + [[f"page {i}", GOAL] for i in range(30)]))
    found = learner.forecasts(T0, [GOAL])[GOAL]
    assert set(found) == {OTHER, "a", "b", "c", GOAL}
    assert found[OTHER] > 0.9
    assert found["a"] < 0.05


def test_a_forecast_is_made_now_and_then_and_only_of_something_new() -> None:
    """Every quarter of an hour of the log's clock, where somebody asks and somebody moved."""
    learner = Learner(MemoryStore())
    assert not learner.due(T0, [GOAL])
    learner.take(visits([["a", GOAL]]))
    assert not learner.due(T0, [])
    assert learner.due(T0, [GOAL])
    learner.forecasts(T0, [GOAL])
    assert not learner.due(T0 + EVERY_MS, [GOAL])
    learner.take(visits([["a"]]))
    assert not learner.due(T0 + EVERY_MS - 1, [GOAL])
    assert learner.due(T0 + EVERY_MS, [GOAL])


def test_what_was_counted_outlives_the_process() -> None:
    """It is kept in commits, at most once a minute: a crash forgets a minute."""
    store = MemoryStore()
    learner = Learner(store)
    learner.take(visits([["a", GOAL]] * 30))
    store.commit(Commit(1, T0, [], [], learner.document(T0)))
    assert learner.document(T0 + KEEP_MS - 1) == {}
    assert Learner(store).forecasts(T0, [GOAL]) == learner.forecasts(T0, [GOAL])


ASKING = f"""
journey: asking
entry: {{ on: Shipping, when: "propensity('{GOAL}') > 0.3" }}
states: {{ a: {{}} }}
"""


def after_learning(in_force: InForce, payload: Learnt) -> InForce:
    """Bring into force what was learnt, as the log does."""
    told = control_event(LEARNT, payload, after=0, now=T0)
    return apply_control(in_force, Entry(position=1, at=T0, event=told))


def test_the_driver_learns_where_somebody_asks() -> None:
    """From the facts of its own commits; who asks for nothing pays nothing."""
    silent, asking = (Driver(MemoryLog(), MemoryStore(), each) for each in (catalogue(), catalogue(ASKING)))
    for driver in (silent, asking):
        for at, name in enumerate(("Viewed", "Shipping", GOAL)):
            entries = driver.log.append([event(name, at=at, user_id="ann")], now=T0 + at).entries
            driver.take(entries)
    assert silent.learn() is None
    payload = asking.learn()
    assert payload is not None
    assert payload.forecasts[GOAL]["Viewed"] > 0.5
    in_force = after_learning(InForce(), payload)
    assert in_force.forecasts == payload.forecasts


# Calibration: of those who were told 20 %, a fifth has to come.


def chain_of_a_shop(random: Random, n_visits: int) -> list[Visit]:
    """Draw visits from a chain whose probabilities are known."""
    ways = {
        "Home": [("Viewed", 0.6), (EXIT, 0.4)],
        "Viewed": [("Viewed", 0.3), ("Home", 0.1), ("Cart", 0.25), (EXIT, 0.35)],
        "Cart": [("Viewed", 0.3), ("Shipping", 0.4), (EXIT, 0.3)],
        "Shipping": [("Cart", 0.2), ("Payment", 0.6), (EXIT, 0.2)],
        "Payment": [(GOAL, 0.7), ("Shipping", 0.1), (EXIT, 0.2)],
        GOAL: [("Home", 0.3), (EXIT, 0.7)],
    }
    found = []
    for _ in range(n_visits):
        visit = ["Home"]
        while True:
            names, weights = zip(*ways[visit[-1]], strict=True)
            following = random.choices(names, weights)[0]
            if following == EXIT:
                break
            visit.append(following)
        found.append(visit)
    return found


def judged(forecast: dict[str, float], several: list[Visit]) -> list[tuple[float, bool]]:
    """Pair each forecast along the visits with whether the goal was then reached."""
    pairs = []
    for visit in several:
        for i, name in enumerate(visit):
            if name != GOAL:
                pairs.append((forecast.get(name, forecast[OTHER]), GOAL in visit[i + 1 :]))
    return pairs


def calibration(pairs: list[tuple[float, bool]]) -> tuple[float, float]:
    """Return the expected calibration error over ten equal bins, and the Brier score."""
    brier = sum((told - came) ** 2 for told, came in pairs) / len(pairs)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for told, came in pairs:
        bins.setdefault(min(9, int(told * 10)), []).append((told, came))
    error = sum(abs(sum(told for told, _ in each) - sum(came for _, came in each)) for each in bins.values())
    return error / len(pairs), brier


def test_forecasts_of_a_known_chain_come_true_as_often_as_they_say() -> None:
    """Learnt from 2,000 visits, told to 2,000 others."""
    random = Random(7)
    forecast = learnt(chain_of_a_shop(random, 2_000), GOAL)[GOAL]
    error, brier = calibration(judged(forecast, chain_of_a_shop(random, 2_000)))
    print(f"known chain: ECE {error:.4f}, Brier {brier:.4f}", file=sys.stderr)
    assert error <= 0.05


ECOM = [folder / "shared/data/ecom_events/ecom_events.csv.gz" for folder in Path(__file__).resolve().parents]


def ecom_visits(path: Path) -> Iterator[tuple[datetime, Visit]]:
    """Read the visits of the data set, each with its start, in the order of their starts."""
    found: dict[str, tuple[datetime, Visit]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            name = GOAL if row["event"] == "purchase" else row["event"]
            found.setdefault(row["session_id"], (at, []))[1].append(name)
    return iter(sorted(found.values(), key=lambda visit: visit[0]))


def test_forecasts_of_a_shop_come_true_as_often_as_they_say() -> None:
    """Learnt from the first half of a shop's half year with its forgetting, told to the second half."""
    path = next((place for place in ECOM if place.exists()), None)
    if path is None:
        pytest.skip("the shared data set ecom_events is not beside this clone")
    several = list(ecom_visits(path))
    early, late = several[: len(several) // 2], several[len(several) // 2 :]
    start = early[0][0]
    learner = Learner(MemoryStore())
    for at, visit in early:
        learner.take(visits([visit], at=int((at - start).total_seconds() * 1_000)))
    clock = T0 + int((early[-1][0] - start).total_seconds() * 1_000)
    forecast = learner.forecasts(clock, [GOAL])[GOAL]
    error, brier = calibration(judged(forecast, [visit for _, visit in late]))
    print(f"ecom_events: ECE {error:.4f}, Brier {brier:.4f}", file=sys.stderr)
    assert error <= 0.05


def test_an_empty_graph_has_no_forecast_of_anything() -> None:
    """The edge where there is no step: OTHER alone, from where nothing is reached."""
    assert learning.solve_graph(Graph(), [GOAL], at=T0) == {GOAL: {OTHER: 0.0}}


def test_forecasts_replace_those_of_the_same_goals() -> None:
    """Of other goals, what was learnt stays."""
    before = after_learning(InForce(), {"forecasts": {"a": {"x": 0.1}, "b": {"x": 0.2}}})
    after = after_learning(before, {"forecasts": {"b": {"x": 0.3}}})
    assert after.forecasts == {"a": {"x": 0.1}, "b": {"x": 0.3}}
