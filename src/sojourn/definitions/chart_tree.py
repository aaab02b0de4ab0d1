"""Chart trees: the neutral form of a statechart, laid out flat in document order.

The tree is made of plain mappings and lists, as JSON gives them:

    state       {"id", "kind", "initial": [id], "states": [state], "transitions": [transition],
                 "entry": [action], "exit": [action]}, "deep": bool (history), "data": {name: value} (root)
    kind        root | compound | atomic | parallel | final | history; without: compound or atomic
    transition  {"event": [name], "after_ms": n, "due": expression, "when": expression, "target": [id],
                 "internal": bool, "actions": [action]}
    action      {"raise": name} | {"send": name, "after_ms": n, "id": id} | {"cancel": id}
                | {"assign": {name: expression}} | {"want": anything}

A compound state without `initial` starts in its first state; a history state without a transition leads where
its parent would start. One name may stand for a list of one. `initial` may be a transition, for its actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct

from sojourn.definitions.chart import StateKind

MAX_DEPTH = 64  # Nobody reads a chart nested deeper, and walking one must not exhaust Python's stack.

Tree = Mapping[str, Any]
Path = tuple[str | int, ...]
"""Keys and positions from the root of the tree down, as `("states", 2, "transitions", 0)`."""


class Flaw(Struct, frozen=True):
    """One thing wrong in a tree of states, and where."""

    path: Path
    state: str
    """The id of the state it is in."""
    message: str
    """What was expected, what came, what to do."""
    code: str
    """Kebab-case: `unknown-target`, ..."""


class ChartError(ValueError):
    """A tree of states is no chart; all that is wrong with it, in document order."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.message} [{flaw.code}]" for flaw in flaws))
        self.flaws = flaws


class Node(Struct):
    """One state of the tree, in its place."""

    tree: Tree
    id: str
    kind: StateKind
    parent: int
    """-1 for the root."""
    path: Path
    children: list[int]
    """Without history states."""
    histories: list[int]
    last: int = 0
    """The index of its last descendant."""


def flatten(tree: Tree) -> list[Node]:
    """List the states in document order, the root first; raises ChartError where they are nested too deep."""
    nodes: list[Node] = []
    _walk(tree, -1, (), nodes)
    return nodes


def listed(value: Any) -> list[Any]:
    """Read what may be left out, one name, or several."""
    return [value] if isinstance(value, str) else list(value or ())


def initial_of(tree: Tree) -> Tree:
    """Read where a compound state starts as a transition; without target where nothing is said."""
    initial = tree.get("initial") or ()
    return initial if isinstance(initial, Mapping) else {"target": initial}


def ancestors_of(nodes: list[Node], index: int) -> tuple[int, ...]:
    """Return the ancestors of a state, from its parent up to the root."""
    ancestors: list[int] = []
    while (index := nodes[index].parent) >= 0:
        ancestors.append(index)
    return tuple(ancestors)


def _walk(tree: Tree, parent: int, path: Path, nodes: list[Node]) -> None:
    identity = str(tree.get("id") or "")
    if len(path) > 2 * MAX_DEPTH:
        message = f"states are nested more than {MAX_DEPTH} deep; make the chart flatter"
        raise ChartError([Flaw(path, identity, message, "too-deep")])
    inner = tree.get("states") or ()
    kind = "root" if parent < 0 else tree.get("kind") or ("compound" if inner else "atomic")
    index = len(nodes)
    node = Node(tree, identity, cast(StateKind, kind), parent, path, [], [])
    nodes.append(node)
    for i, child in enumerate(inner):
        (node.histories if child.get("kind") == "history" else node.children).append(len(nodes))
        _walk(child, index, (*path, "states", i), nodes)
    node.last = len(nodes) - 1
