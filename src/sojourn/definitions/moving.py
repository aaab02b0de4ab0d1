"""Moving: where in a journey's new version the people inside an older one stand.

What somebody stands in keeps its name, or a map names what it is called now. The preview before a publishing
and the engine after it ask the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sojourn.definitions.chart import Chart, Route, State, Transition
from sojourn.definitions.route import find_route, is_inside

DONE = "done"
"""A map may always say it: where the new version has no state of the name, the enrolment ends."""


def counterpart(old: Chart, new: Chart, state: str, states: Mapping[str, str]) -> str | None:
    """Name what an active leaf of the old chart is in the new one; None: nothing is said, and nothing fits.

    A state that the map names goes where it says; else the state of its own name is meant; else what the map
    says of the nearest state around it.
    """
    named = states.get(state)
    if named is None and state in new.by_id:
        named = state
    if named is None:
        around = (states.get(old.states[one].id) for one in old.states[old.by_id[state]].ancestors)
        named = next((one for one in around if one is not None), None)
    return named if named is not None and is_place(new, named) else None


def is_place(chart: Chart, state: str) -> bool:
    """Tell whether somebody may be put into a state of a chart: not into a memory of where one was."""
    index = chart.by_id.get(state)
    if index is None:
        return state == DONE
    return index > 0 and chart.states[index].kind != "history"


def together(chart: Chart, targets: Iterable[int]) -> list[int]:
    """Choose states that may be active at once, the innermost of those that hold one another.

    Where two exclude each other, the first given stays: where regions became one after the other, nobody can
    be in both.
    """
    chosen: list[int] = []
    for target in targets:
        if any(target == other or is_inside(chart.states, other, target) for other in chosen):
            continue
        outer = [other for other in chosen if is_inside(chart.states, target, other)]
        others = [other for other in chosen if other not in outer]
        if all(_are_parallel(chart, target, other) for other in others):
            chosen = [*others, target]
    return chosen


def route_to(chart: Chart, targets: Sequence[int], remembered: Mapping[int, Sequence[int]]) -> Route:
    """Return what is entered, in document order, where these states become active from outside."""
    return find_route(chart.states, Transition(targets=tuple(targets)), remembered)


def start_of(chart: Chart, state: str) -> list[str]:
    """Name the leaves that somebody put into a state stands in."""
    if state not in chart.by_id:
        return [DONE]
    index = chart.by_id[state]
    entered = [chart.states[one] for one, _ in route_to(chart, [index], {}).entering]
    inside = [one.id for one in entered if one.is_leaf and index <= one.index <= chart.states[index].last]
    return list(dict.fromkeys(inside))


def _are_parallel(chart: Chart, one: int, other: int) -> bool:
    """Tell whether two states, none inside the other, lie in different regions of a parallel state."""
    around: State = chart.states[0]
    for ancestor in chart.states[one].ancestors:
        if is_inside(chart.states, other, ancestor):
            around = chart.states[ancestor]
            break
    return around.kind == "parallel"
