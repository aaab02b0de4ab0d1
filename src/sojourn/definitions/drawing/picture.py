"""Pictures: what a drawing of a journey says, before anybody decides where it stands on the page.

A picture is made from the compiled journey alone, so it shows what runs: steps that were lowered to states
are drawn as the states they became.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sojourn.definitions.chart import Chart, State, StateKind, Transition
from sojourn.definitions.drawing.wording import arrow_words, content_words, itself_words, rules_of
from sojourn.definitions.journey import Journey
from sojourn.definitions.way_ids import event_of


class Box(Struct, frozen=True, kw_only=True):
    """One state, with the states inside it."""

    index: int
    """Of the state in its chart; 0 is the root, which is drawn as the page."""
    title: str
    kind: StateKind
    is_deep: bool = False
    """Of a history state."""
    is_choice: bool = False
    """Left at once by the first way that is open, with nothing done on the way."""
    is_region: bool = False
    """One of several that are all active together."""
    lines: tuple[str, ...] = ()
    """What it does when it is entered and left, and what it answers without being left."""
    n_people: int | None = None
    """How many are in it now; None: nobody counted."""
    inside: tuple[Box, ...] = ()
    """In document order."""
    starts_in: tuple[int, ...] = ()
    """The states a compound state starts in, which need not be its children."""


class Arrow(Struct, frozen=True, kw_only=True):
    """One way from a state to another one."""

    source: int
    target: int
    label: str = ""
    event: str = ""
    """What takes it, as a fact of it says: see `event_of`."""


class Picture(Struct, frozen=True, kw_only=True):
    """All that is drawn of one journey."""

    title: str
    version: str
    rules: tuple[str, ...]
    """Who enters, the goal, what ends it, who is held out: a line each."""
    entry: str
    """What lets people in, for the arrow into the first state."""
    root: Box
    arrows: tuple[Arrow, ...]
    loops: tuple[Arrow, ...] = ()
    """Ways from a state to itself, which a drawing says in the state's lines."""


def picture_of(journey: Journey, *, people: Mapping[str, int] | None = None) -> Picture:
    """Say what a drawing of a journey shows; `people` are how many are in each atomic state now."""
    chart = journey.chart
    return Picture(
        title=journey.name,
        version=journey.version,
        rules=rules_of(journey),
        entry=" or ".join(sorted(journey.entry.names)),
        root=_box(chart, 0, people),
        arrows=tuple(arrow for state in chart.states for arrow in _arrows(chart, state)),
        loops=tuple(
            Arrow(source=state.index, target=state.index, label=arrow_words(state, way), event=event_of(way))
            for state in chart.states
            for way in state.transitions
            if way.targets == (state.index,)
        ),
    )


def is_own(transition: Transition, state: State) -> bool:
    """Tell whether a transition stays with its state: it acts, or leaves the state and enters it again."""
    return not transition.targets or transition.targets == (state.index,)


def _box(chart: Chart, index: int, people: Mapping[str, int] | None) -> Box:
    state = chart.states[index]
    inside = tuple(_box(chart, each, people) for each in sorted((*state.children, *state.histories)))
    own = [itself_words(state, way) for way in state.transitions if is_own(way, state)]
    parent = chart.states[state.parent] if state.parent >= 0 else None
    is_counted = people is not None and state.kind not in ("root", "history")
    return Box(
        index=index,
        title=state.id.rpartition(".")[2],
        kind=state.kind,
        is_deep=state.is_deep,
        is_choice=_is_choice(state),
        is_region=parent is not None and parent.kind == "parallel" and state.kind != "history",
        lines=(*content_words(state), *own),
        n_people=_n_people(state, inside, people) if is_counted and people is not None else None,
        inside=inside,
        starts_in=state.initial.targets if state.initial and state.kind in ("root", "compound") else (),
    )


def _n_people(state: State, inside: tuple[Box, ...], people: Mapping[str, int]) -> int:
    """Count those inside; whoever is in a parallel state is in all of its regions."""
    if state.is_leaf:
        return people.get(state.id, 0)
    counts = [box.n_people or 0 for box in inside]
    return max(counts, default=0) if state.kind == "parallel" else sum(counts)


def _is_choice(state: State) -> bool:
    ways = state.transitions
    return state.kind == "atomic" and len(ways) > 1 and not (state.entry or state.exit or _waits(ways))


def _waits(ways: tuple[Transition, ...]) -> bool:
    return any(way.names or way.prefixes or way.is_any for way in ways)


def _arrows(chart: Chart, state: State) -> list[Arrow]:
    """List the ways out of a state; of a history state, where it leads first, where that is said."""
    if state.kind == "history":
        return _first_time(chart, state)
    return [
        Arrow(source=state.index, target=target, label=arrow_words(state, way), event=event_of(way))
        for way in state.transitions
        if not is_own(way, state)
        for target in way.targets
    ]


def _first_time(chart: Chart, history: State) -> list[Arrow]:
    parent = chart.states[history.parent]
    targets = history.initial.targets if history.initial else ()
    usual = parent.initial.targets if parent.initial else parent.children
    if targets == usual:
        return []
    return [Arrow(source=history.index, target=target, label="the first time") for target in targets]
