"""Ways: what a way of a chart is called, so that whoever counts and whoever draws mean the same one.

The kernel tells of each move what was left, what was entered and what moved it; that is all a way's id has.
Two ways between the same states that the same event takes, under different conditions, are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sojourn.definitions.chart import Chart, State, Transition

ENTRY, GOAL, EXIT = ">>entry", ">>goal", ">>exit"
"""The ways into a journey and out of it from wherever one stands; no state's name begins so."""


def way_id(source: str, target: str, event: str) -> str:
    """Name a way by its states and what takes it.

    >>> way_id("waiting", "reminded", "after(waiting,1800000)")
    'waiting>reminded>after(waiting,1800000)'
    """
    return f"{source}>{target}>{event}"


def event_of(way: Transition) -> str:
    """Say what takes a way: `*` for any event, empty for none; several names stand beside one another."""
    if way.is_any:
        return "*"
    return "|".join([*sorted(way.names), *(f"{prefix}.*" for prefix in way.prefixes)])


def ways_taken(chart: Chart, source: Sequence[str], target: Sequence[str], event: str) -> list[str]:
    """Return the ids of the ways that one move took: of each state left, the innermost that fits.

    `source` and `target` are the atomic states left and entered, as a fact of the move has them. Of a move
    that a chart of another version made, none.
    """
    entered = [chart.states[chart.by_id[name]] for name in target if name in chart.by_id]
    found: dict[str, None] = {}
    for name in source:
        if name not in chart.by_id:
            continue
        leaf = chart.states[chart.by_id[name]]
        found.update(dict.fromkeys(_taken_from(chart, leaf, entered, event)))
    return list(found)


def _taken_from(chart: Chart, leaf: State, entered: Sequence[State], event: str) -> list[str]:
    for index in leaf.line:
        state = chart.states[index]
        for way in state.transitions:
            if way.targets and _answers(way, event) and _leads(chart, way, entered):
                return [way_id(state.id, chart.states[one].id, event_of(way)) for one in way.targets]
    return []


def _answers(way: Transition, event: str) -> bool:
    if not event:
        return not (way.names or way.prefixes or way.is_any)
    return (
        way.is_any
        or event in way.names
        or any(event == prefix or event.startswith(prefix + ".") for prefix in way.prefixes)
    )


def _leads(chart: Chart, way: Transition, entered: Iterable[State]) -> bool:
    """Tell whether all that a way leads to is among what was entered, or holds some of it."""
    inside = {index for state in entered for index in state.line}
    return all(_holder(chart, index) in inside for index in way.targets)


def _holder(chart: Chart, index: int) -> int:
    """Return the state itself; of a history state, the one whose inside it remembers."""
    state = chart.states[index]
    return state.parent if state.kind == "history" else index
