"""States: from the nodes under `states:` or `steps:` to drafts, with targets found and expressions compiled.

`_READERS` is the table of the keywords that say how a state is left: a new one is one more row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sojourn.definitions.actions import read_actions, read_experiment
from sojourn.definitions.chart import StateKind
from sojourn.definitions.drafting import DONE, Drafting
from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.internal_events import DONE_STATE
from sojourn.definitions.reading import Reading
from sojourn.definitions.schema_parts import STATE_NAME_PATTERN
from sojourn.definitions.steps import Steps
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.ways import add_variants, read_ways
from sojourn.definitions.yaml import AnyNode, ScalarNode, SequenceNode

_NAME = re.compile(STATE_NAME_PATTERN)
_FINAL_KEYWORDS = {"type", "do", "exit_do"}
_HISTORY_KEYWORDS = {"type", "deep", "to"}
_INSIDE = ("states", "regions", "steps")
"""What may be inside a state: one of these."""


def read_states(states: AnyNode, initial: AnyNode | None, reading: Reading) -> tuple[Draft, list[Experiment]]:
    """Read all states of a journey; return the root, and the experiments in document order.

    Problems are noted in `reading`, which also learns the names of the states.
    """
    root = Draft("", "", states, kind="root")
    drafting = Drafting(reading, root)
    _Reader(drafting).add_children(root, states)
    drafting.finish()
    if initial is not None:
        root.initial = drafting.child(root, initial)
    return root, drafting.experiments


def read_steps(steps: AnyNode, reading: Reading) -> tuple[Draft, list[Experiment]]:
    """Read the steps of a journey, as `read_states` reads states; after the last one it ends."""
    root = Draft("", "", steps, kind="root")
    drafting = Drafting(reading, root)
    Steps(drafting).add(root, steps, after=lambda: drafting.done(steps))
    drafting.finish()
    return root, drafting.experiments


class _Reader:
    """Reads the states under `states:` and `regions:`, whatever is inside them."""

    def __init__(self, drafting: Drafting) -> None:
        self._drafting = drafting
        self._reading = drafting.reading
        self._steps = Steps(drafting)

    def add_children(self, parent: Draft, node: AnyNode) -> None:
        """Add the states inside another."""
        for key, body in self._reading.any_mapping(node, "states as an object: name -> state"):
            name = key.text
            if not _NAME.fullmatch(name):
                message = f"a state's name is a letter, then letters, digits, - and _; got {name[:40]!r}"
                self._reading.refuse(key, message, "bad-name")
                continue
            self._add_body(self._drafting.add(parent, name, key), body)
        if parent.children and all(child.kind == "history" for child in parent.children):
            self._reading.refuse(node, "expected a state that is no history", "missing")

    def _add_body(self, draft: Draft, body: AnyNode) -> None:
        is_empty = isinstance(body, ScalarNode) and body.value is None
        entries = {} if is_empty else self._reading.mapping(body, "state")
        draft.kind = self._kind(draft, entries)
        self._drafting.later(lambda: self._read_body(draft, entries))
        if draft.kind not in ("compound", "parallel"):
            return
        for keyword in ("states", "regions"):
            if keyword in entries:
                self.add_children(draft, entries[keyword])
        if "steps" in entries:
            self._steps.add(draft, entries["steps"], after=lambda: self._drafting.finished(draft))
        if not draft.children:
            self._reading.refuse(draft.place, "expected at least one state inside", "missing")

    def _kind(self, draft: Draft, entries: Mapping[str, AnyNode]) -> StateKind:
        type_node = entries.get("type")
        type_name = self._reading.text(type_node, "final or history") if type_node is not None else ""
        if type_node is not None and type_name not in ("final", "history", ""):
            self._reading.refuse(type_node, f"expected final or history, got {type_name!r}", "bad-value")
        if type_name == "history":
            self._only(entries, _HISTORY_KEYWORDS, "a history state")
            return "history"
        if type_name == "final" or draft.name == DONE or not entries:
            self._only(entries, _FINAL_KEYWORDS, "a final state")
            return "final"
        self._only(entries, entries.keys() - {"deep", "to"}, "a state that is no history")
        inside = [keyword for keyword in _INSIDE if keyword in entries]
        if len(inside) > 1:
            message = f"expected states or regions, got both; got {' and '.join(inside)}"
            self._reading.refuse(draft.place, message, "bad-value")
        if "initial" in entries and "states" not in entries:
            self._reading.refuse(
                entries["initial"], "only a state with states inside has an initial one", "bad-value"
            )
        if "regions" in entries:
            return "parallel"
        return "compound" if inside else "atomic"

    def _only(self, entries: Mapping[str, AnyNode], allowed: Any, what: str) -> None:
        for key, node in entries.items():
            if key not in allowed:
                self._reading.refuse(node, f"{what} knows no {key!r}", "unknown-keyword")

    def _read_body(self, draft: Draft, entries: Mapping[str, AnyNode]) -> None:
        if draft.kind == "history":
            self._read_history(draft, entries)
            return
        if draft.kind == "compound" and "initial" in entries:
            draft.initial = self._drafting.child(draft, entries["initial"])
        if "experiment" in entries:
            self._read_experiment(draft, entries)
        if draft.kind != "final":
            for keyword, read in _READERS.items():
                if keyword in entries:
                    read(self, draft, entries[keyword])
        if "do" in entries:
            draft.entry += read_actions(entries["do"], self._reading)
        if "exit_do" in entries:
            draft.exit += read_actions(entries["exit_do"], self._reading)

    def _read_history(self, draft: Draft, entries: Mapping[str, AnyNode]) -> None:
        deep = entries.get("deep")
        if deep is not None:
            draft.is_deep = self._reading.flag(deep)
        if "to" in entries and draft.parent is not None:
            target = self._drafting.child(draft.parent, entries["to"])
            if target is not None:
                draft.ways.append(Way("nothing", target, entries["to"]))

    def _read_on(self, draft: Draft, node: AnyNode) -> None:
        for key, ways in self._reading.any_mapping(node, "an object: event -> where it leads"):
            event = self._event(key)
            draft.ways += read_ways(self._drafting, draft, "event", ways, event=event)

    def _event(self, key: ScalarNode) -> str:
        name = self._reading.event_name(key)
        if not name.startswith(DONE_STATE):
            return name
        state = name.removeprefix(DONE_STATE)
        if state not in self._reading.states:
            hint = did_you_mean(state, self._reading.states)
            self._reading.refuse(key, f"no state is named {state!r}{hint}", "unknown-state")
        return DONE_STATE + self._reading.states.get(state, state)

    def _read_after(self, draft: Draft, node: AnyNode) -> None:
        seen: dict[int, str] = {}
        for key, ways in self._reading.any_mapping(node, "an object: duration -> where it leads"):
            after_ms = self._reading.duration(key)
            if after_ms in seen:
                message = f"{key.text} is as long as {seen[after_ms]}; write both ways as one list"
                self._reading.refuse(key, message, "duplicate-key")
            seen[after_ms] = key.text
            draft.ways += read_ways(self._drafting, draft, "time", ways, after_ms=after_ms)

    def _read_branch(self, draft: Draft, node: AnyNode) -> None:
        if not isinstance(node, SequenceNode):
            self._reading.refuse(node, "expected a list of ways: [{ when, to }, .., { to }]", "bad-type")
            return
        draft.ways += read_ways(self._drafting, draft, "nothing", node)

    def _read_experiment(self, draft: Draft, entries: Mapping[str, AnyNode]) -> None:
        node = entries["experiment"]
        if "branch" in entries:
            message = "a state has a branch or an experiment, not both; put the branch in a state after it"
            self._reading.refuse(entries["branch"], message, "bad-value")
        experiment, nodes = read_experiment(node, self._reading)
        if experiment is None:
            return
        targets: dict[str, tuple[Draft, AnyNode]] = {}
        for variant, place in nodes.items():
            target = self._drafting.target(draft, place)
            if target is not None:
                targets[variant] = (target, place)
        add_variants(self._drafting, draft, experiment, targets)


_READERS: Mapping[str, Callable[[_Reader, Draft, AnyNode], None]] = {
    "on": _Reader._read_on,
    "after": _Reader._read_after,
    "branch": _Reader._read_branch,
}
