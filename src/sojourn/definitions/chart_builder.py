"""Building charts: from a neutral tree of states (see `chart_tree`) to the table the kernel runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from sojourn.definitions.chart import (
    Assign,
    Block,
    Cancel,
    Chart,
    Content,
    Raise,
    Send,
    State,
    Transition,
    Want,
)
from sojourn.definitions.chart_check import flaws_of
from sojourn.definitions.chart_tree import ChartError, Node, Tree, ancestors_of, flatten, initial_of, listed
from sojourn.definitions.expression import Expression
from sojourn.definitions.route import find_route

Compile = Callable[[str], Expression]

UNTIL = "until"
"""Stands for the length of a timer whose instant is computed on entry."""


def build_chart(tree: Tree, *, compile_guard: Compile, exact: bool) -> Chart:
    """Turn a tree of states into a chart.

    With `exact`, a transition answers to full event names only (`*`: to every one); without, by SCXML's rule:
    `a.b`, `a.b.` and `a.b.*` answer to `a.b` and to whatever begins with `a.b.`. Where an expression stands
    in the tree, a compiled one may stand too; in `assign`, a value that is not text stands for itself. A
    transition with `after_ms` becomes a delayed event `after(<state>,<ms>)`, which the state sends on entry
    and cancels on exit; one with `due`, whose expression gives an instant, `after(<state>,until)`.

    Raises ChartError where the tree is no legal chart. What `compile_guard` raises passes through.
    """
    nodes = flatten(tree)
    flaws = flaws_of(nodes)
    if flaws:
        raise ChartError(flaws)
    reader = _Reader(nodes, compile_guard, exact=exact)
    states = [reader.state(index) for index in range(len(nodes))]
    states = [_with_routes(state, states) for state in states]
    states = [_with_answers(state, states) for state in states]
    transitions = [transition for state in states for transition in state.transitions]
    return Chart(
        states=tuple(states),
        by_id=reader.by_id,
        data=dict(tree.get("data") or {}),
        names=frozenset(name for transition in transitions for name in transition.names),
        is_listening_to_any=any(transition.prefixes or transition.is_any for transition in transitions)
        or any(_rests_on_a_guard(state) for state in states),
    )


def timer_name(state: str, length: int | str) -> str:
    """Name the event of a state's timer: by its ms, or UNTIL."""
    return f"after({state},{length})"


class _Reader:
    """Reads the states of one checked tree."""

    def __init__(self, nodes: list[Node], compile_guard: Compile, *, exact: bool) -> None:
        self.nodes = nodes
        self.by_id = {node.id: index for index, node in enumerate(nodes)}
        self.compile_guard = compile_guard
        self.exact = exact

    def state(self, index: int) -> State:
        """Read one state, without what is derived from its neighbours."""
        node = self.nodes[index]
        ways = node.tree.get("transitions") or () if node.kind != "history" else ()
        timers = [*_timers(node.id, ways), *self._alarms(node.id, ways)]
        ancestors = ancestors_of(self.nodes, index)
        return State(
            id=node.id,
            index=index,
            kind=node.kind,
            parent=node.parent,
            children=tuple(node.children),
            histories=tuple(node.histories),
            ancestors=ancestors,
            last=node.last,
            initial=self._initial(index),
            is_deep=bool(node.tree.get("deep")),
            # Timers first: an error in the author's own content must not leave a person without a way out.
            entry=(*timers, *self._block(node.tree.get("entry"))),
            exit=(*[Cancel(timer.id) for timer in timers], *self._block(node.tree.get("exit"))),
            transitions=tuple(self._transition(index, way) for way in ways),
            line=(index, *ancestors),
            is_leaf=node.kind in ("atomic", "final"),
        )

    def _alarms(self, state: str, ways: Sequence[Tree]) -> list[Send]:
        """Make the event that comes at an instant which is computed when the state is entered."""
        name = timer_name(state, UNTIL)
        instants = [way["due"] for way in ways if way.get("due") is not None]
        return [Send(event=name, id=name, due=self._expression(instant)) for instant in instants]

    def _initial(self, index: int) -> Transition | None:
        """Return where a compound state starts, or where a history state leads while it remembers nothing."""
        node = self.nodes[index]
        if node.kind == "history":
            ways = node.tree.get("transitions")
            if ways:
                return self._transition(index, ways[0])
            return Transition(targets=self._start_beside(index), source=index)
        if node.kind not in ("root", "compound"):
            return None
        initial = self._transition(index, initial_of(node.tree))
        return initial if initial.targets else replace(initial, targets=tuple(node.children[:1]))

    def _start_beside(self, history: int) -> tuple[int, ...]:
        """Return where the parent of a history state would start, were there no history."""
        parent = self.nodes[self.nodes[history].parent]
        if parent.kind == "parallel":
            return tuple(parent.children)
        targets = self._targets(initial_of(parent.tree).get("target"))
        is_free = targets and not set(targets) & set(parent.histories)
        return targets if is_free else tuple(parent.children[:1])

    def _transition(self, source: int, way: Tree) -> Transition:
        names, is_exact = listed(way.get("event")), self.exact
        if way.get("after_ms") is not None:
            names, is_exact = [timer_name(self.nodes[source].id, int(way["after_ms"]))], True
        elif way.get("due") is not None:
            names, is_exact = [timer_name(self.nodes[source].id, UNTIL)], True
        full = [name for name in names if name != "*"]
        return Transition(
            names=frozenset(full if is_exact else ()),
            prefixes=() if is_exact else tuple(name.removesuffix("*").removesuffix(".") for name in full),
            is_any="*" in names,
            when=None if way.get("when") is None else self._expression(way["when"]),
            targets=self._targets(way.get("target")),
            is_internal=bool(way.get("internal")),
            content=self._block(way.get("actions")),
            source=source,
        )

    def _targets(self, ids: Any) -> tuple[int, ...]:
        return tuple(self.by_id[target] for target in listed(ids))

    def _block(self, actions: Any) -> Block:
        return tuple(content for action in actions or () for content in self._contents(action))

    def _contents(self, action: Tree) -> Iterator[Content]:
        if "raise" in action:
            yield Raise(action["raise"])
        elif "send" in action:
            yield Send(
                action["send"], after_ms=int(action.get("after_ms") or 0), id=str(action.get("id") or "")
            )
        elif "cancel" in action:
            yield Cancel(action["cancel"])
        elif "want" in action:
            yield Want(action["want"])
        else:
            for name, value in action["assign"].items():
                yield Assign(name, self._expression(value))

    def _expression(self, value: Any) -> Expression:
        if isinstance(value, Expression):
            return value
        if isinstance(value, str):
            return self.compile_guard(value)
        return Expression(source=repr(value), call=lambda _scope: value)


def _timers(state: str, ways: Sequence[Tree]) -> list[Send]:
    """Make the delayed events a state's transitions wait for: one for each length."""
    lengths = sorted({int(way["after_ms"]) for way in ways if way.get("after_ms") is not None})
    names = {after_ms: timer_name(state, after_ms) for after_ms in lengths}
    return [Send(event=name, after_ms=after_ms, id=name) for after_ms, name in names.items()]


def _with_routes(state: State, states: list[State]) -> State:
    """Add where the transitions of a state lead."""

    def routed(transition: Transition) -> Transition:
        route = find_route(states, transition, {}) if transition.targets else None
        return replace(transition, route=route)

    # Only the root's initial transition is ever taken by itself; the others are part of some entry.
    initial = routed(state.initial) if state.initial is not None and state.kind == "root" else state.initial
    return replace(state, initial=initial, transitions=tuple(map(routed, state.transitions)))


def _with_answers(state: State, states: list[State]) -> State:
    """Add to a leaf what may answer an event while it is active."""
    if not state.is_leaf:
        return state
    ways = [transition for index in state.line for transition in states[index].transitions]
    heard = tuple(way for way in ways if not _is_eventless(way))
    answers: dict[str, list[Transition]] = {}
    for way in ways:
        for name in ("",) if _is_eventless(way) else way.names:
            answers.setdefault(name, []).append(way)
    return replace(
        state,
        answers={name: tuple(answering) for name, answering in answers.items()},
        wild=heard if any(way.prefixes or way.is_any for way in heard) else (),
    )


def _is_eventless(transition: Transition) -> bool:
    return not (transition.names or transition.prefixes or transition.is_any)


def _rests_on_a_guard(state: State) -> bool:
    """Tell whether one can rest in a state until an eventless guard turns true: any event may turn it."""
    guards = [transition.when for transition in state.transitions if _is_eventless(transition)]
    return bool(guards) and None not in guards
