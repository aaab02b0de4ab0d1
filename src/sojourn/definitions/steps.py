"""Steps: a list of things to do one after the other, as sugar for states that fall through to the next.

Each step becomes a state of its name. What it leads to (`then`, the cases of a branch, ..) becomes a state
beside it, with the inner steps inside; a repeat and a parallel step hold theirs themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.definitions.drafting import Drafting
from sojourn.definitions.drafts import Draft
from sojourn.definitions.step_context import Context, Place, step_name
from sojourn.definitions.step_kinds import KINDS
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode

MAX_STEPS = 400  # in one journey: three times the largest canvas of a peer, and far from the kernel's bounds.

_BARE = ("exit",)
"""Steps that may be written as a word alone."""
_BESIDE = {"name": "", "join": "parallel"}
"""What may stand beside the kind of a step, and beside which kind only."""


@dataclass(slots=True, eq=False)
class _Item:
    """One step of a list, before it is a state."""

    kind: str
    node: AnyNode
    """What stands after the kind."""
    place: AnyNode
    """The whole step."""
    name: str = ""
    name_place: AnyNode | None = None
    join: AnyNode | None = None


class Steps:
    """Turns lists of steps into drafts."""

    def __init__(self, drafting: Drafting) -> None:
        self._drafting = drafting
        self._reading = drafting.reading
        self._n_steps = 0

    def add(self, parent: Draft, node: AnyNode, *, after: Place) -> Place:
        """Add the steps of a list inside a state; return where it begins. The last one leads to `after`."""
        items = self._items(node)
        names = self._names(items)
        heads: list[Place] = []
        for i, (item, name) in enumerate(zip(items, names, strict=True)):
            heads.append(self._add_step(parent, item, name, _following(heads, i, after)))
        return heads[0] if heads else after

    def add_path(self, step: Context, node: AnyNode | None, label: str) -> Place:
        """Add steps that a step leads to, in a state beside it; return where they begin.

        Without any it is the next step; a single `exit` or `goto` needs no state of its own.
        """
        if node is None:
            return step.following
        only = self._only_jump(node)
        if only is not None:
            return lambda: KINDS[only.kind].target(step, only.node) or step.following()
        group = self._drafting.add(step.parent, f"{step.draft.name}-{label}", node)
        group.kind = "compound"
        return self.add(group, node, after=step.following)

    def _only_jump(self, node: AnyNode) -> _Item | None:
        """Return the one step of a path, where it only leads elsewhere."""
        nodes = node.items if isinstance(node, SequenceNode) else (node,)
        if len(nodes) != 1:
            return None
        step = nodes[0]
        if isinstance(step, ScalarNode) and step.text in _BARE:
            return _Item(step.text, step, step)
        if isinstance(step, MappingNode) and len(step.entries) == 1:
            kind, inner = next(iter(step.entries.items()))
            if kind in KINDS and KINDS[kind].is_jump:
                return _Item(kind, inner, step)
        return None

    def _add_step(self, parent: Draft, item: _Item, name: str, following: Place) -> Place:
        self._n_steps += 1
        if self._n_steps == MAX_STEPS + 1:
            self._reading.refuse(item.place, f"expected at most {MAX_STEPS} steps; split it", "too-long")
        draft = self._drafting.add(parent, name, item.place)
        step = Context(self._drafting, self, parent, draft, item.node, following, item.join)
        KINDS[item.kind].add(step)
        return lambda: draft

    def _items(self, node: AnyNode) -> list[_Item]:
        several = isinstance(node, SequenceNode)
        expected = "a list of steps, such as [{ wait: 1d }, { exit: }]"
        nodes = self._reading.items(node, expected) if several else (node,)
        items = [self._item(each) for each in nodes]
        return [item for item in items if item is not None]

    def _item(self, node: AnyNode) -> _Item | None:
        """Read one step: its kind, and its name."""
        if isinstance(node, ScalarNode) and node.text in _BARE:
            return _Item(node.text, node, node)
        if not isinstance(node, MappingNode):
            message = f"expected a step, such as {{ wait: 1d }}; it is one of {', '.join(KINDS)}"
            self._reading.refuse(node, message, "bad-type")
            return None
        entries = self._reading.mapping(node, "step")
        kinds = [key for key in entries if key in KINDS]
        if len(kinds) != 1:
            if len(kinds) > 1 or entries.keys() <= _BESIDE.keys():
                got = " and ".join(kinds) or "none of them"
                message = f"a step is one of {', '.join(KINDS)}; got {got}"
                self._reading.refuse(node, message, "bad-value" if kinds else "missing")
            return None
        if "join" in entries and kinds[0] != _BESIDE["join"]:
            self._reading.refuse(entries["join"], "only parallel steps are joined", "bad-value")
        item = _Item(kinds[0], entries[kinds[0]], node, join=entries.get("join"))
        if "name" in entries:
            name = self._reading.text(entries["name"], "the name of the step")
            item.name, item.name_place = step_name(entries["name"], name, self._reading), entries["name"]
        return item

    def _names(self, items: list[_Item]) -> list[str]:
        """Name the steps of a list: as their author did, or `wait-2`, the second wait of the list."""
        taken: set[str] = set()
        for item in items:
            if item.name in taken and item.name_place is not None:
                message = f"another step of this list is called {item.name!r}; choose another name"
                self._reading.refuse(item.name_place, message, "duplicate-name")
                item.name = ""
            taken.add(item.name)
        counts: dict[str, int] = {}
        names: list[str] = []
        for item in items:
            name, kind = item.name, item.kind.replace("_", "-")
            while not name or (not item.name and name in taken):
                counts[kind] = counts.get(kind, 0) + 1
                name = f"{kind}-{counts[kind]}"
            names.append(name)
        return names


def _following(heads: list[Place], i: int, after: Place) -> Place:
    """Tell, once all are there, which state comes after the step at `i`."""

    def following() -> Draft:
        return heads[i + 1]() if i + 1 < len(heads) else after()

    return following
