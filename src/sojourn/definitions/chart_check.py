"""Checking charts: what makes a tree of states a legal statechart.

What a journey must not do on top of that (dead ends, loops without a wait) is the journey's own check.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from sojourn.definitions.chart_tree import Flaw, Node, Path, Tree, ancestors_of, initial_of, listed

KINDS = ("compound", "atomic", "parallel", "final", "history")
ACTIONS = ("raise", "send", "cancel", "want", "assign")


def flaws_of(nodes: list[Node]) -> list[Flaw]:
    """Find all that is wrong with a chart, in document order."""
    check = _Check(nodes)
    return [flaw for index in range(len(nodes)) for flaw in check.state(index)]


class _Check:
    """One chart under examination."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.by_id = {node.id: index for index, node in reversed(list(enumerate(nodes)))}

    def state(self, index: int) -> Iterator[Flaw]:
        """Yield what is wrong with one state."""
        node = self.nodes[index]
        if node.parent >= 0 and not node.id:
            yield _flaw(node, (), "a state needs an id", "missing-id")
        elif self.by_id[node.id] != index:
            yield _flaw(node, ("id",), f"another state is called {node.id!r}; rename one", "duplicate-id")
        yield from self._shape(node)
        yield from self._initial(index)
        for key in ("entry", "exit"):
            yield from _actions(node, (key,), node.tree.get(key))
        ways = node.tree.get("transitions") or ()
        for i, way in enumerate(ways):
            yield from self._transition(index, ("transitions", i), way)
        if sum(way.get("due") is not None for way in ways) > 1:
            message = f"{_name(node)} waits until two instants; make it two states"
            yield _flaw(node, ("transitions",), message, "event-and-time")

    def _shape(self, node: Node) -> Iterator[Flaw]:
        kind, name = node.kind, _name(node)
        if kind not in (*KINDS, "root") or (kind == "root" and node.parent >= 0):
            yield _flaw(node, ("kind",), f"a state is one of {', '.join(KINDS)}, not {kind!r}", "bad-kind")
        elif kind in ("root", "compound", "parallel") and not node.children:
            yield _flaw(node, (), f"{name} needs states inside", "no-children")
        elif kind in ("atomic", "final", "history") and (node.children or node.histories):
            yield _flaw(node, ("states",), f"{name} is {kind} and cannot hold states", "unexpected-children")
        if kind in ("final", "history"):
            for key in ("transitions",) if kind == "final" else ("entry", "exit"):
                if node.tree.get(key):
                    yield _flaw(node, (key,), f"{name} is {kind} and cannot have {key}", "unexpected-content")
        if node.parent >= 0:
            yield from self._place(node)

    def _place(self, node: Node) -> Iterator[Flaw]:
        around = self.nodes[node.parent].kind
        if node.kind == "history" and around not in ("compound", "parallel"):
            message = f"history {node.id!r} needs a compound or parallel state around it"
            yield _flaw(node, (), message, "history-parent")
        elif node.kind == "final" and around == "parallel":
            message = f"final {node.id!r} cannot be a region of a parallel state; put it inside a region"
            yield _flaw(node, (), message, "final-region")

    def _initial(self, index: int) -> Iterator[Flaw]:
        node = self.nodes[index]
        initial = initial_of(node.tree)
        targets = initial.get("target")
        yield from _actions(node, ("initial", "actions"), initial.get("actions"))
        if targets and node.kind not in ("root", "compound"):
            message = f"{_name(node)} is {node.kind}: only a compound state has an initial state"
            yield _flaw(node, ("initial",), message, "unexpected-initial")
        elif targets:
            yield from self._targets(node, ("initial",), targets)
            for target in self._known(targets):
                if not index < target <= node.last:
                    message = f"{self.nodes[target].id!r} is not inside {_name(node)}, which starts in it"
                    yield _flaw(node, ("initial",), message, "initial-outside")

    def _transition(self, index: int, path: Path, way: Tree) -> Iterator[Flaw]:
        node = self.nodes[index]
        targets = way.get("target")
        if targets:
            yield from self._targets(node, (*path, "target"), targets)
        if way.get("due") is not None and (way.get("event") or way.get("after_ms") is not None):
            message = "a transition waits for an event, for a time, or until an instant; make it several"
            yield _flaw(node, (*path, "due"), message, "event-and-time")
        if way.get("after_ms") is not None:
            if way.get("event"):
                message = "a transition waits for an event or for a time, not for both; make it two"
                yield _flaw(node, (*path, "after_ms"), message, "event-and-time")
            if way["after_ms"] < 0:
                yield _flaw(node, (*path, "after_ms"), "a time to wait cannot be negative", "negative-time")
        yield from _actions(node, (*path, "actions"), way.get("actions"))
        if node.kind == "history":
            yield from self._default(node, path, way)

    def _default(self, node: Node, path: Path, way: Tree) -> Iterator[Flaw]:
        is_plain = not (way.get("event") or way.get("when") or way.get("after_ms") is not None)
        if path[-1] != 0 or not is_plain or not way.get("target"):
            message = (
                f"history {node.id!r} takes one transition, with a target and without event, time or guard"
            )
            yield _flaw(node, path, message, "history-default")
        parent = self.nodes[node.parent]
        for target in self._known(way.get("target")):
            inside = node.parent < target <= parent.last
            if not inside or target in parent.histories:
                message = f"history {node.id!r} must lead to a state inside {_name(parent)}"
                yield _flaw(node, (*path, "target"), message, "history-default")

    def _targets(self, node: Node, path: Path, targets: Any) -> Iterator[Flaw]:
        for target in listed(targets):
            if not target or target not in self.by_id:
                message = f"there is no state {target!r}; name one of this chart"
                yield _flaw(node, path, message, "unknown-target")
            elif self.by_id[target] == 0:
                yield _flaw(node, path, "the root is never left: no transition can enter it", "root-target")
        for one, other in combinations(self._known(targets), 2):
            if not self._fit(one, other):
                pair = f"{self.nodes[one].id!r} and {self.nodes[other].id!r}"
                message = f"{pair} cannot be active together; name states of different parallel regions"
                yield _flaw(node, path, message, "conflicting-targets")

    def _known(self, targets: Any) -> list[int]:
        return [self.by_id[target] for target in listed(targets) if self.by_id.get(target)]

    def _fit(self, one: int, other: int) -> bool:
        """Tell whether two states lie in different regions of one parallel state."""
        lines = []
        for index in (one, other):
            # A history state stands for all that is inside its parent.
            place = self.nodes[index].parent if self.nodes[index].kind == "history" else index
            lines.append((place, *ancestors_of(self.nodes, place)))
        shared = next(index for index in lines[0] if index in lines[1])
        return self.nodes[shared].kind == "parallel" and shared not in (lines[0][0], lines[1][0])


def _actions(node: Node, path: Path, actions: Any) -> Iterator[Flaw]:
    for i, action in enumerate(actions or ()):
        verbs = [verb for verb in ACTIONS if verb in action]
        if len(verbs) != 1:
            keys = ", ".join(map(str, action)) or "nothing"
            message = f"an action is one of {', '.join(ACTIONS)}; this one has {keys}"
            yield _flaw(node, (*path, i), message, "bad-action")
        elif verbs[0] in ("raise", "send", "cancel") and not action[verbs[0]]:
            yield _flaw(node, (*path, i), f"`{verbs[0]}` needs a name", "bad-action")
        elif (action.get("after_ms") or 0) < 0:
            yield _flaw(node, (*path, i), "a time to wait cannot be negative", "negative-time")


def _name(node: Node) -> str:
    return f"state {node.id!r}" if node.parent >= 0 else "the root"


def _flaw(node: Node, path: Path, message: str, code: str) -> Flaw:
    return Flaw((*node.path, *path), node.id, message, code)
