"""States: from the nodes under `states:` to drafts, with targets found and expressions compiled.

`_READERS` is the table of the keywords that say how a state is left: a new one (a step that is sugar) is one
more row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sojourn.definitions.actions import read_actions, read_experiment
from sojourn.definitions.chart import StateKind
from sojourn.definitions.drafts import Cause, Draft, Way
from sojourn.definitions.journey import Experiment
from sojourn.definitions.reading import IN_A_STATE, Reading
from sojourn.definitions.schema import STATE_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, Node, ScalarNode, SequenceNode

DONE = "done"
"""The state that needs no definition: the end."""

_DONE_EVENT = "done.state."
_NAME = re.compile(STATE_NAME_PATTERN)
_FINAL_KEYWORDS = {"type", "do", "exit_do"}
_HISTORY_KEYWORDS = {"type", "deep", "to"}


def read_states(states: AnyNode, initial: AnyNode | None, reading: Reading) -> tuple[Draft, list[Experiment]]:
    """Read all states of a journey; return the root, and the experiments in document order.

    Problems are noted in `reading`, which also learns the names of the states.
    """
    root = Draft("", "", states, kind="root")
    reader = _Reader(reading, root)
    reader.read_tree(root, states)
    if initial is not None:
        root.initial = reader.child(root, initial)
    return root, reader.experiments


class _Reader:
    """Reads in two rounds: first which states there are, then how they are left."""

    def __init__(self, reading: Reading, root: Draft) -> None:
        self._reading = reading
        self._root = root
        self._bodies: list[tuple[Draft, Mapping[str, AnyNode]]] = []
        self._by_name: dict[str, list[Draft]] = {}
        self._by_id: dict[str, Draft] = {}
        self.experiments: list[Experiment] = []

    def read_tree(self, root: Draft, states: AnyNode) -> None:
        self._add_children(root, states)
        self._reading.states = {
            **{name: drafts[0].id for name, drafts in self._by_name.items() if len(drafts) == 1},
            **{draft_id: draft_id for draft_id in self._by_id},
        }
        for draft, entries in self._bodies:
            self._read_body(draft, entries)

    def _add_children(self, parent: Draft, node: AnyNode) -> None:
        for key, body in self._reading.any_mapping(node, "states as an object: name -> state"):
            name = key.text
            if not _NAME.fullmatch(name):
                message = f"a state's name is a letter, then letters, digits, - and _; got {name[:40]!r}"
                self._reading.refuse(key, message, "bad-name")
                continue
            draft = Draft(name, f"{parent.id}.{name}" if parent.id else name, key, parent=parent)
            parent.children.append(draft)
            self._by_name.setdefault(name, []).append(draft)
            self._by_id[draft.id] = draft
            self._add_body(draft, body)
        if parent.children and all(child.kind == "history" for child in parent.children):
            self._reading.refuse(node, "expected a state that is no history", "missing")

    def _add_body(self, draft: Draft, body: AnyNode) -> None:
        is_empty = isinstance(body, ScalarNode) and body.value is None
        entries = {} if is_empty else self._reading.mapping(body, "state")
        draft.kind = self._kind(draft, entries)
        self._bodies.append((draft, entries))
        for keyword in ("states", "regions"):
            if keyword in entries and draft.kind in ("compound", "parallel"):
                self._add_children(draft, entries[keyword])
        if draft.kind in ("compound", "parallel") and not draft.children:
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
        if "states" in entries and "regions" in entries:
            self._reading.refuse(draft.place, "expected states or regions, got both", "bad-value")
        if "initial" in entries and "states" not in entries:
            self._reading.refuse(
                entries["initial"], "only a state with states inside has an initial one", "bad-value"
            )
        if "regions" in entries:
            return "parallel"
        return "compound" if "states" in entries else "atomic"

    def _only(self, entries: Mapping[str, AnyNode], allowed: Any, what: str) -> None:
        for key, node in entries.items():
            if key not in allowed:
                self._reading.refuse(node, f"{what} knows no {key!r}", "unknown-keyword")

    def _read_body(self, draft: Draft, entries: Mapping[str, AnyNode]) -> None:
        if draft.kind == "history":
            self._read_history(draft, entries)
            return
        if draft.kind == "compound" and "initial" in entries:
            draft.initial = self.child(draft, entries["initial"])
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
            if not isinstance(deep, ScalarNode) or not isinstance(deep.value, bool):
                self._reading.refuse(deep, "expected true or false", "bad-type")
            draft.is_deep = isinstance(deep, ScalarNode) and deep.value is True
        if "to" in entries and draft.parent is not None:
            target = self.child(draft.parent, entries["to"])
            if target is not None:
                draft.ways.append(Way("nothing", target, entries["to"]))

    def _read_on(self, draft: Draft, node: AnyNode) -> None:
        for key, ways in self._reading.any_mapping(node, "an object: event -> where it leads"):
            event = self._event(key)
            draft.ways += self._ways(draft, "event", ways, event=event)

    def _event(self, key: ScalarNode) -> str:
        name = self._reading.event_name(key)
        if not name.startswith(_DONE_EVENT):
            return name
        state = name.removeprefix(_DONE_EVENT)
        if state not in self._reading.states:
            hint = did_you_mean(state, self._reading.states)
            self._reading.refuse(key, f"no state is named {state!r}{hint}", "unknown-state")
        return _DONE_EVENT + self._reading.states.get(state, state)

    def _read_after(self, draft: Draft, node: AnyNode) -> None:
        seen: dict[int, str] = {}
        for key, ways in self._reading.any_mapping(node, "an object: duration -> where it leads"):
            after_ms = self._reading.duration(key)
            if after_ms in seen:
                message = f"{key.text} is as long as {seen[after_ms]}; write both ways as one list"
                self._reading.refuse(key, message, "duplicate-key")
            seen[after_ms] = key.text
            draft.ways += self._ways(draft, "time", ways, after_ms=after_ms)

    def _read_branch(self, draft: Draft, node: AnyNode) -> None:
        if not isinstance(node, SequenceNode):
            self._reading.refuse(node, "expected a list of ways: [{ when, to }, .., { to }]", "bad-type")
            return
        draft.ways += self._ways(draft, "nothing", node)

    def _ways(
        self, draft: Draft, cause: Cause, node: AnyNode, *, event: str = "", after_ms: int = 0
    ) -> list[Way]:
        """Read alternatives, of which the first that is true wins."""
        several = isinstance(node, SequenceNode)
        alternatives = self._reading.items(node, "one or more ways") if several else (node,)
        ways: list[Way] = []
        is_decided = False
        for alternative in alternatives:
            if is_decided:
                message = "this is never reached: a way above it has no condition; put that one last"
                self._reading.refuse(alternative, message, "shadowed")
                break
            way, is_decided = self._way(draft, cause, alternative)
            if way is not None:
                way.event, way.after_ms = event, after_ms
                ways.append(way)
        return ways

    def _way(self, draft: Draft, cause: Cause, node: AnyNode) -> tuple[Way | None, bool]:
        """Read one way; also whether it is always taken, so that none below it can be."""
        if isinstance(node, MappingNode):
            entries = self._reading.mapping(node, "way", required=("to",))
            target_node = entries.get("to")
            compiled = self._reading.condition(entries.get("when"), hidden=IN_A_STATE)
            has_condition = "when" in entries
        else:
            target_node, compiled, has_condition = node, None, False
        if target_node is None:
            return None, False
        is_always = not has_condition or (compiled is not None and compiled.is_always_true)
        target = self.target(draft, target_node)
        if target is None:
            return None, is_always
        when = None if compiled is None or is_always else compiled.expression
        return Way(cause, target, target_node, when=when), is_always

    def _read_experiment(self, draft: Draft, entries: Mapping[str, AnyNode]) -> None:
        node = entries["experiment"]
        if "branch" in entries:
            message = "a state has a branch or an experiment, not both; put the branch in a state after it"
            self._reading.refuse(entries["branch"], message, "bad-value")
        experiment, targets = read_experiment(node, self._reading)
        if experiment is None:
            return
        if any(other.id == experiment.id for other in self.experiments):
            message = f"the experiment {experiment.id!r} is defined twice"
            self._reading.refuse(node, message, "duplicate-experiment")
        self.experiments.append(experiment)
        draft.entry.append(experiment)
        for variant in (*experiment.variants[1:], experiment.variants[0]):
            target = self.target(draft, targets[variant]) if variant in targets else None
            if target is not None:
                # The control comes last and unconditionally: a variant of an older version leads there too.
                is_control = variant == experiment.variants[0]
                when = None if is_control else self._has_variant(experiment, variant)
                draft.ways.append(Way("nothing", target, targets[variant], when=when))

    def _has_variant(self, experiment: Experiment, variant: str) -> Any:
        return self._reading.derived(f"variant({experiment.id!r}) == {variant!r}")

    def child(self, parent: Draft, node: AnyNode) -> Draft | None:
        """Find a state among those directly inside another."""
        name = self._reading.text(node, "the name of a state")
        found = {child.name: child for child in parent.children}
        if name and name not in found:
            self._unknown(node, name, [*found])
        return found.get(name)

    def target(self, source: Draft, node: AnyNode) -> Draft | None:
        """Find a state by its name: a sibling, an ancestor's sibling, or else the only one of that name."""
        name = self._reading.text(node, "the name of a state")
        if not name:
            return None
        found = self._nearby(source, name) or self._by_id.get(name)
        if found is not None:
            return found
        named = self._by_name.get(name, [])
        if len(named) == 1:
            return named[0]
        if named:
            message = f"there are several states {name!r}; write {' or '.join(each.id for each in named)}"
            self._reading.refuse(node, message, "ambiguous-state")
            return None
        if name == DONE:
            return self._make_done(node)
        self._unknown(node, name, [*self._by_name, *self._by_id, DONE])
        return None

    def _nearby(self, source: Draft, name: str) -> Draft | None:
        first, *rest = name.split(".")
        for above in source.ancestors():
            found = next((child for child in above.children if child.name == first), None)
            inside = self._by_id.get(".".join([found.id, *rest])) if found else None
            if inside is not None:
                return inside
        return None

    def _make_done(self, node: Node) -> Draft:
        done = Draft(DONE, DONE, node, kind="final", parent=self._root)
        self._root.children.append(done)
        self._by_name[DONE] = [done]
        self._by_id[DONE] = done
        return done

    def _unknown(self, node: Node, name: str, known: list[str]) -> None:
        self._reading.refuse(node, f"no state is named {name!r}{did_you_mean(name, known)}", "unknown-state")


_READERS: Mapping[str, Callable[[_Reader, Draft, AnyNode], None]] = {
    "on": _Reader._read_on,
    "after": _Reader._read_after,
    "branch": _Reader._read_branch,
}
