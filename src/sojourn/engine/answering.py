"""Answering: which state a machine means, which transitions an event may move, and what is done."""

from __future__ import annotations

from collections.abc import Container, Sequence

from sojourn.definitions.chart import Chart, State, Transition


def state_of(chart: Chart, name: str) -> State:
    """Find a state that a machine names."""
    index = chart.by_id.get(name)
    if index is None:
        raise AssertionError(f"a machine names the state {name!r}; its chart has none of that id")
    return chart.states[index]


def leaf_of(chart: Chart, name: str) -> State:
    """Find a state that a machine says it is in."""
    state = state_of(chart, name)
    if not state.is_leaf:
        raise AssertionError(f"a machine says it is in {name!r}, which is {state.kind}; name a state inside")
    return state


def candidates(state: State, event: str) -> Sequence[Transition]:
    """Return what may answer an event in a leaf and its ancestors, innermost first."""
    if state.wild and event:
        return [transition for transition in state.wild if answers(transition, event)]
    return state.answers.get(event, ())


def answers(transition: Transition, event: str) -> bool:
    """Tell whether a transition answers to the name of an event."""
    if transition.is_any or event in transition.names:
        return True
    return any(event == prefix or event.startswith(prefix + ".") for prefix in transition.prefixes)


def is_final(states: Sequence[State], config: Container[int], state: State) -> bool:
    """Tell whether a state is done: a final state inside is active, of a parallel state in each region."""
    children = [states[child] for child in state.children]
    if state.kind == "parallel":
        return all(is_final(states, config, child) for child in children)
    return any(child.kind == "final" and child.index in config for child in children)
