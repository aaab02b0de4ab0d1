"""Routes: which states a transition spares, which it enters, and in what order.

Terms and procedure are SCXML's (W3C Recommendation 2015, appendix D: transition domain, entry set). The
builder finds every route once; where a history state lies on the way, the kernel finds it again, with what is
remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sojourn.definitions.chart import Block, Route, State, Transition

Remembered = Mapping[int, Sequence[int]]
"""History state -> the states that were active when its parent was last left."""


def find_route(states: Sequence[State], transition: Transition, remembered: Remembered) -> Route:
    """Find where a transition that has targets leads."""
    walk = _Walk(states, remembered)
    for target in transition.targets:
        walk.enter(target)
    reached = [state for target in transition.targets for state in walk.resolve(target)]
    domain = _domain(states, transition)
    for state in reached:
        walk.climb(state, domain)
    return Route(domain=domain, entering=tuple(walk.blocks()), is_fixed=not walk.has_met_history)


def is_inside(states: Sequence[State], inner: int, outer: int) -> bool:
    """Tell whether one state is a descendant of another (never of itself)."""
    return outer < inner <= states[outer].last


def _domain(states: Sequence[State], transition: Transition) -> int:
    """Find the innermost state that holds source and targets.

    A history state counts as itself, and not as what it leads to: else what it enters, up to its parent,
    could be more than what was left.
    """
    source = states[transition.source]
    candidates = source.ancestors
    if transition.is_internal or not candidates:  # a transition of the root cannot leave the root
        candidates = (source.index, *candidates)
    for candidate in candidates:
        is_scope = states[candidate].kind in ("compound", "root")
        if is_scope and all(is_inside(states, target, candidate) for target in transition.targets):
            return candidate
    raise AssertionError(f"state {source.id!r}: the root holds every target")


class _Walk:
    """One computation of an entry set."""

    __slots__ = ("by_default", "entered", "has_met_history", "of_history", "remembered", "states")

    def __init__(self, states: Sequence[State], remembered: Remembered) -> None:
        self.states = states
        self.remembered = remembered
        self.entered: set[int] = set()
        self.by_default: set[int] = set()
        self.of_history: dict[int, Block] = {}
        self.has_met_history = False

    def enter(self, index: int) -> None:
        """Enter a state and what must be active inside it."""
        state = self.states[index]
        if state.kind == "history":
            self._enter_history(state)
            return
        self.entered.add(index)
        if state.kind == "compound":
            self.by_default.add(index)
            assert state.initial is not None
            self._enter_all(state.initial.targets, below=index)
        elif state.kind == "parallel":
            self._enter_regions(state)

    def climb(self, index: int, domain: int) -> None:
        """Enter the ancestors of a state below the domain, and the regions beside the way."""
        for ancestor in self.states[index].ancestors:
            if ancestor == domain:
                return
            self.entered.add(ancestor)
            if self.states[ancestor].kind == "parallel":
                self._enter_regions(self.states[ancestor])

    def resolve(self, index: int) -> Iterator[int]:
        """Yield the states a target stands for: itself, or what its history says."""
        state = self.states[index]
        if state.kind != "history":
            yield index
        elif index in self.remembered:
            yield from self.remembered[index]
        else:
            assert state.initial is not None
            for target in state.initial.targets:
                yield from self.resolve(target)

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """Yield (state, block) in document order, each state at least once."""
        for index in sorted(self.entered):
            state = self.states[index]
            yield index, state.entry
            if index in self.by_default and state.initial is not None and state.initial.content:
                yield index, state.initial.content
            if self.of_history.get(index):
                yield index, self.of_history[index]

    def _enter_all(self, targets: Sequence[int], *, below: int) -> None:
        for target in targets:
            self.enter(target)
        for target in targets:
            self.climb(target, below)

    def _enter_regions(self, parallel: State) -> None:
        for child in parallel.children:
            region = self.states[child]
            if not any(child <= state <= region.last for state in self.entered):
                self.enter(child)

    def _enter_history(self, history: State) -> None:
        self.has_met_history = True
        if history.index in self.remembered:
            self._enter_all(self.remembered[history.index], below=history.parent)
            return
        assert history.initial is not None
        self.of_history[history.parent] = history.initial.content
        self._enter_all(history.initial.targets, below=history.parent)
