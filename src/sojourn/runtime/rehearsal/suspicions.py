"""Suspicions: what looks wrong in a draft, judged by what became of people in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from sojourn.definitions.chart import Chart, State, Want
from sojourn.definitions.journey import Do, Journey
from sojourn.runtime.rehearsal.durations import quantiles
from sojourn.runtime.rehearsal.tally import Counts, Tally
from sojourn.runtime.rehearsal.watch import Asked

MIN_ASKED = 10  # A guard that was asked less often may only have had no luck.
SHOWN_CHARACTERS = 80  # of an expression in a message.


class Suspicion(Struct, frozen=True):
    """One thing that is probably not meant."""

    journey: str
    code: str
    """Kebab-case: `nobody-entered`, `never-entered`, `never-left`, `never-sent`, `never-true`, ..."""
    message: str


def suspect(journey: Journey, tally: Tally, asked: Mapping[str, Asked]) -> list[Suspicion]:
    """Return what looks wrong, the gravest first."""
    if not tally.entered:
        found = [("nobody-entered", _why_nobody(journey, tally, asked))]
    else:
        found = [
            *_errors(tally),
            *_unvisited(journey, tally),
            *_unleft(journey, tally),
            *_unsent(journey, tally),
        ]
        if journey.goal is not None and not tally.goals:
            names = " or ".join(sorted(journey.goal.names))
            found.append(("no-goal", f"nobody of {tally.entered:,} reached the goal: {names}"))
    found += _untrue(asked)
    return [Suspicion(journey.name, code, message) for code, message in found]


def _why_nobody(journey: Journey, tally: Tally, asked: Mapping[str, Asked]) -> str:
    if tally.not_entered:
        return f"nobody entered: {counted(tally.not_entered)}"
    for guard, answers in asked.items():
        if guard.startswith("entry: ") and answers.n and not answers.n_true:
            return f"nobody entered: the entry's guard was asked {answers.n:,} times and never true"
    names = " or ".join(sorted(journey.entry.names))
    return f"nobody entered: no event {names} came" if names else "nobody entered"


def _errors(tally: Tally) -> Iterator[tuple[str, str]]:
    if tally.errors:
        yield "errors", f"{tally.errors:,} expressions failed while running: {min(tally.error_details)}"


def _unvisited(journey: Journey, tally: Tally) -> Iterator[tuple[str, str]]:
    for state in journey.chart.states:
        if state.is_leaf and state.id not in tally.visits:
            yield "never-entered", f"nobody came to {state.id}"


def _unleft(journey: Journey, tally: Tally) -> Iterator[tuple[str, str]]:
    """Goals and exits take people out of any state; a way of its own is what a state is for."""
    left_by_a_way = {state for way in tally.ways for state in way.split(" > ")[0].split(", ")}
    for state in journey.chart.states:
        waiting = tally.waiting.get(state.id)
        if state.kind == "final" or not state.is_leaf or not waiting or state.id in left_by_a_way:
            continue
        n_came, n, half_ms = tally.visits.get(state.id, 0), sum(waiting.values()), quantiles(waiting).p50_ms
        taken = n_came - n
        told = f", {taken:,} were taken out by the goal or an exit" if taken else ""
        yield (
            "never-left",
            f"everybody waits in {state.id}: {n_came:,} came and nobody moved on{told}; {n:,} are in it at"
            f" the end, the longest for {lasting(max(waiting))}, half of them for {lasting(half_ms)} or more",
        )


def _unsent(journey: Journey, tally: Tally) -> Iterator[tuple[str, str]]:
    for state, do in _wanted(journey.chart):
        where = f"{do.sink} in {state.id}"
        if where in tally.actions:
            continue
        reasons = {**tally.withheld.get(where, {})}
        for reason, n in tally.deferred.get(where, {}).items():
            reasons[f"put off: {reason}"] = n
        if reasons:
            yield "never-sent", f"nothing went to {where}: {counted(reasons)}"
        elif _is_visited(journey.chart, state, tally):
            yield "never-sent", f"nothing went to {where}: it was never wanted"


def _untrue(asked: Mapping[str, Asked]) -> Iterator[tuple[str, str]]:
    for guard, answers in asked.items():
        if answers.n >= MIN_ASKED and not answers.n_true:
            yield "never-true", f"{guard[:SHOWN_CHARACTERS]}: asked {answers.n:,} times and never true"


def _wanted(chart: Chart) -> Iterator[tuple[State, Do]]:
    """Yield each action once for each state and sink."""
    seen: set[tuple[str, str]] = set()
    for state in chart.states:
        blocks = [state.entry, state.exit, *(transition.content for transition in state.transitions)]
        wanted = [content.body for block in blocks for content in block if isinstance(content, Want)]
        for do in wanted:
            if isinstance(do, Do) and (state.id, do.sink) not in seen:
                seen.add((state.id, do.sink))
                yield state, do


def _is_visited(chart: Chart, state: State, tally: Tally) -> bool:
    return any(inner.id in tally.visits for inner in chart.states[state.index : state.last + 1])


def counted(counts: Counts) -> str:
    """Say counts, the largest first.

    >>> counted({"cap": 2, "held-out": 31})
    'held-out 31, cap 2'
    """
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} {n:,}" for name, n in ordered)


_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def lasting(duration_ms: int) -> str:
    """Say how long something took, in the unit that shows two digits of it.

    >>> lasting(90_000), lasting(3_000_000), lasting(0), lasting(9 * 86_400_000)
    ('90 s', '50 min', '0 s', '9 d')
    """
    for unit_ms, name in _UNITS:
        if duration_ms >= 2 * unit_ms:
            return f"{round(duration_ms / unit_ms)} {name}"
    return f"{round(duration_ms / 1_000, 1):g} s"
