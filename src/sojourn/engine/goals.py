"""Goals: whether what a journey is for has happened, while a person is inside and for a while after.

A goal with a window outlives the run: who went through to the end and reaches it in time has reached it. Who
left otherwise has not: an exit rule says that the journey does not concern the person any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from sojourn.definitions.journey import Goal
from sojourn.engine import exposures
from sojourn.engine.inside import journey_of, tell
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.statechart import Machine
from sojourn.engine.view import View
from sojourn.model.event import Event
from sojourn.model.fact import GoalReached

MAX_FINISHED = 100  # runs whose goal can still be reached, per person; the oldest are forgotten first.
MAX_FINISHED_BYTES = 1 << 18  # of the events that began them: two of the largest.


def reaches(goal: Goal, enrolment: Enrolment, event: Event, view: View) -> bool:
    """Tell whether an event reaches an enrolment's goal, in time."""
    if event.name not in goal.names or not (goal.when is None or goal.when.call(view)):
        return False
    return _is_open(goal, enrolment, view.at)


def value_of(goal: Goal, view: View) -> float | None:
    """Return what reaching it is worth; JSON may hold integers that no float can."""
    value: Any = goal.value.call(view) if goal.value else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def linger(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
    """Keep an enrolment that came to its end, where its goal can still be reached."""
    goal = _late_goal(enrolment, ledger)
    if goal is not None and _is_open(goal, enrolment, ledger.at):
        kept = replace(enrolment, machine=Machine(), wake=0)
        life.finished = _bounded([*_open(life.finished, ledger), kept])


def reach_late(life: Life, event: Event, view: View, ledger: Ledger, *, sparing: str = "") -> None:
    """Let an event reach the goals of runs that are over, each once.

    `sparing` is a journey that the event does not speak of, but for one enrolment: that of another's outcome.
    """
    left = []
    for enrolment in _open(life.finished, ledger):
        goal = _late_goal(enrolment, ledger)
        view.enrolment = enrolment
        if goal is None or enrolment.journey == sparing or not reaches(goal, enrolment, event, view):
            left.append(enrolment)
            continue
        tell(enrolment, ledger, GoalReached, value=value_of(goal, view), after_exit=True)
        reward(life, enrolment.journey, ledger)
    life.finished = left


def reward(life: Life, journey: str, ledger: Ledger) -> None:
    """Reward what the person met of a journey's experiments, now that its goal is reached."""
    experiments = ledger.catalogue.goal_rewards.get(journey)
    if experiments and life.met:
        exposures.reward(life, experiments, None, ledger)


def begin_anew(life: Life, journey: str, key: str) -> None:
    """Forget the runs before, where a person enters again: one conversion is not counted for each of them."""
    if life.finished:
        life.finished = [run for run in life.finished if (run.journey, run.key) != (journey, key)]


def adopt(life: Life, others: list[Enrolment], ledger: Ledger) -> None:
    """Bring in the runs that an unnamed life had finished, as if all had been one life's.

    Who is inside again has begun anew, and so has whoever entered again after a run of the other life.
    """
    if not (life.finished or others):
        return
    active = {(enrolment.journey, enrolment.key) for enrolment in life.enrolments}
    runs = [*_not_begun_anew(life.finished, others), *_not_begun_anew(others, life.finished)]
    runs = [run for run in runs if (run.journey, run.key) not in active]
    runs.sort(key=_order)
    life.finished = _bounded(_open(runs, ledger))


def _not_begun_anew(runs: list[Enrolment], others: list[Enrolment]) -> list[Enrolment]:
    """Return the runs after which no other of the same journey and key began."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for other in others:
        pair = other.journey, other.key
        newest[pair] = max(_order(other), newest.get(pair, (0, "")))
    return [run for run in runs if _order(run) >= newest.get((run.journey, run.key), (0, ""))]


def _order(run: Enrolment) -> tuple[int, str]:
    return run.entered_at, run.id


def _late_goal(enrolment: Enrolment, ledger: Ledger) -> Goal | None:
    journey = journey_of(enrolment, ledger)
    goal = journey.goal if journey is not None else None
    return goal if goal is not None and goal.outlives else None


def _is_open(goal: Goal, enrolment: Enrolment, at: int) -> bool:
    return goal.within_ms is None or at - enrolment.entered_at <= goal.within_ms


def _open(runs: Iterable[Enrolment], ledger: Ledger) -> list[Enrolment]:
    """Return the runs whose window is not over."""
    each = [(run, _late_goal(run, ledger)) for run in runs]
    return [run for run, goal in each if goal is not None and _is_open(goal, run, ledger.at)]


def _bounded(runs: list[Enrolment]) -> list[Enrolment]:
    kept = runs[-MAX_FINISHED:]
    n_bytes = sum(len(run.entry.properties) for run in kept)
    while n_bytes > MAX_FINISHED_BYTES:
        n_bytes -= len(kept.pop(0).entry.properties)
    return kept
