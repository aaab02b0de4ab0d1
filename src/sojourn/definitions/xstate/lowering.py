"""Lowering: a machine of XState v5 as a chart of ours, state by state.

Two of XState's constructs have no counterpart in SCXML and are written in others: a transition of a state to
itself that does not re-enter leads to where the state starts, and a parallel state that a transition keeps
while its regions are left becomes a compound state around them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.definitions.chart import Chart
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.chart_tree import ChartError, Tree
from sojourn.definitions.expression import Expression
from sojourn.definitions.xstate.differences import refuse_differences
from sojourn.definitions.xstate.domains import domain_of, is_internal, is_nothing
from sojourn.definitions.xstate.machine import Deed, Machine, Raised, Way
from sojourn.definitions.xstate.names import Names
from sojourn.definitions.xstate.reading import Refusals, read_machine
from sojourn.definitions.xstate.wording import guard_text
from sojourn.definitions.yaml import AnyNode

ROOT = "(machine)"
"""The state that holds the regions of a machine that is parallel itself."""
REGIONS = ".(regions)"
"""What the regions are called that lie in a compound state of their own."""


def chart_of(
    value: Any,
    *,
    names: Names,
    compile_guard: Callable[[str], Expression],
    file: str = "<machine>",
    root: AnyNode | None = None,
) -> Chart:
    """Make a chart of a machine's JSON value; its states are called by their keys, as in `outer.inner`.

    An action is wanted as `{"action": name}` with its parameters. Raises DefinitionError with all that is
    outside the subset, or means something else here; `root` tells the places in the file.
    """
    refusals = Refusals(file, root)
    machine = read_machine(value, names, refusals)
    refuse_differences(machine, refusals)
    tree = _Lowering(machine, names, refusals).tree()
    refusals.settle()
    try:
        return build_chart(tree, compile_guard=compile_guard, exact=True)
    except ChartError as error:
        for flaw in error.flaws:
            refusals.refuse((), f"{flaw.state}: {flaw.message}", flaw.code)
        refusals.settle()
        raise


class _Lowering:
    def __init__(self, machine: Machine, names: Names, refusals: Refusals) -> None:
        self.machine = machine
        self.names = names
        self.refusals = refusals
        self.around = {
            domain
            for way in machine.ways()
            if way.targets and machine.vertices[domain := domain_of(machine, way)].kind == "parallel"
        }
        """The parallel states that some transition keeps."""

    def tree(self) -> Tree:
        """Write the whole machine."""
        self._check_around()
        root = self._state(0)
        if self.machine.vertices[0].kind == "parallel":
            return {"kind": "root", "states": [root]}
        return {**root, "kind": "root", "id": ""}

    def state_id(self, index: int) -> str:
        """Name a state by its keys."""
        keys = self.machine.keys(index)
        return ".".join(keys) if keys else ROOT

    def _check_around(self) -> None:
        """A compound state between two parallel ones would never be done; history would remember too much."""
        for index in sorted(self.around):
            vertex = self.machine.vertices[index]
            is_region = vertex.parent >= 0 and self.machine.vertices[vertex.parent].kind == "parallel"
            has_history = len(self.machine.regions(index)) < len(vertex.children)
            if is_region or has_history:
                what = "is itself a region" if is_region else "has a history state"
                message = (
                    f"this parallel state {what}, and a transition leads from region to region or restarts "
                    "them; put a state around it, or let the transition re-enter that"
                )
                self.refusals.refuse(vertex.path, message, "parallel-domain")

    def _state(self, index: int) -> dict[str, Any]:
        vertex = self.machine.vertices[index]
        name = self.state_id(index)
        tree: dict[str, Any] = {"id": name, "kind": vertex.kind}
        inside = [self._state(each) for each in vertex.children]
        if index in self.around:
            regions = {"id": name + REGIONS, "kind": "parallel", "states": inside}
            tree |= {"kind": "compound", "states": [regions]}
        elif inside:
            tree["states"] = inside
        if vertex.kind == "history":
            return {**tree, "deep": vertex.is_deep, **self._default(index)}
        if vertex.initial is not None:
            tree["initial"] = {
                "target": [self.state_id(vertex.initial)],
                "actions": self._actions(vertex.initial_deeds),
            }
        ways = [self._transition(way) for way in vertex.ways]
        content = {
            "entry": self._actions(vertex.entry),
            "exit": self._actions(vertex.exit),
            "transitions": ways,
        }
        return tree | {key: value for key, value in content.items() if value}

    def _default(self, index: int) -> Mapping[str, Any]:
        """Say where a history state leads at first: where it says, or as its parent starts."""
        vertex = self.machine.vertices[index]
        parent = self.machine.vertices[vertex.parent]
        targets: tuple[int, ...] = vertex.defaults
        deeds: tuple[Deed, ...] = ()
        if not targets and parent.initial is not None:
            targets, deeds = (parent.initial,), parent.initial_deeds
        targets = targets or tuple(self.machine.regions(vertex.parent))
        ids = [self.state_id(each) for each in targets]
        return {"transitions": [{"target": ids, "actions": self._actions(deeds)}]}

    def _transition(self, way: Way) -> dict[str, Any]:
        tree: dict[str, Any] = {"actions": self._actions(way.deeds)}
        if way.cause == "event":
            tree["event"] = [way.event]
        elif way.cause == "time":
            tree["after_ms"] = way.after_ms
        elif way.cause == "done":
            inner = REGIONS if way.source in self.around else ""
            tree["event"] = [f"done.state.{self.state_id(way.source)}{inner}"]
        if way.guard is not None:
            tree["when"] = guard_text(way.guard, self.names, self.state_id, self.refusals)
        if way.targets and not is_nothing(self.machine, way):
            tree["target"] = [self._target(way, target) for target in way.targets]
            tree["internal"] = is_internal(self.machine, way)
        return tree

    def _target(self, way: Way, target: int) -> str:
        if target != way.source or not is_internal(self.machine, way):
            return self.state_id(target)
        initial = self.machine.vertices[target].initial
        return self.state_id(target) + REGIONS if initial is None else self.state_id(initial)

    def _actions(self, deeds: tuple[Deed, ...]) -> list[dict[str, Any]]:
        return [
            {"raise": deed.event}
            if isinstance(deed, Raised)
            else {"want": {**deed.params, "action": deed.name}}
            for deed in deeds
        ]
