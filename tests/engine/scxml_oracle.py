"""The naive oracle of the kernel: SCXML's procedure (appendix D), written down with sets, on the tree itself.

It knows nothing of charts, routes and indexes, and keeps the whole configuration at all times. Names are the
Recommendation's own.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Tree = dict[str, Any]


class Oracle:
    """One instance of a chart, changed in place."""

    def __init__(self, tree: Tree) -> None:
        tree = deepcopy(tree)
        self.node: dict[str, Tree] = {}
        self.parent: dict[str, str | None] = {}
        self._index(tree, None)
        self.order = {name: i for i, name in enumerate(self.node)}
        self.configuration: set[str] = set()
        self.history_value: dict[str, set[str]] = {}
        self.data = dict(tree.get("data", {}))
        self.timers: list[tuple[int, int, str, str]] = []
        self.n_sent = 0
        self.internal: list[str] = []
        self.external: list[str] = []
        self.running = True
        self.now = 0
        self.trace: list[Any] = []

    # Entry points.

    def start(self) -> None:
        self._move([{"source": "", "target": self._initial("")}], "", at_start=True)
        self._macrostep()
        self._main_loop()

    def send(self, event: str, at: int) -> None:
        if self.running:
            self.now = at
            self.external.append(event)
            self._main_loop()

    def fire(self) -> None:
        due, _, event, _ = self.timers.pop(0)
        self.send(event, due)

    def leave(self) -> None:
        if self.running:
            self.running = False
            self._exit_interpreter()
            self.configuration.clear()

    def active(self) -> list[str]:
        return self._sorted(name for name in self.configuration if self._is_leaf(name))

    # The main loop.

    def _main_loop(self) -> None:
        while self.running and self.external:
            event = self.external.pop(0)
            enabled = self._select(event)
            if enabled:
                self._move(enabled, event)
            self._macrostep()
        if not self.running:
            kept = set(self.configuration)
            self._exit_interpreter()
            self.configuration = kept

    def _macrostep(self) -> None:
        while self.running:
            enabled, event = self._select(""), ""
            if not enabled:
                if not self.internal:
                    return
                event = self.internal.pop(0)
                enabled = self._select(event)
            if enabled:
                self._move(enabled, event)

    def _exit_interpreter(self) -> None:
        for state in reversed(self._sorted(self.configuration)):
            self._execute(self.node[state].get("exit", []), state)
            self.configuration.discard(state)
        self.timers = []
        self.external = []

    # Selection.

    def _select(self, event: str) -> list[Tree]:
        enabled: list[Tree] = []
        for atomic in self.active():
            transition = self._first_match(atomic, event)
            if transition is not None and not any(transition is other for other in enabled):
                enabled.append(transition)
        filtered: list[Tree] = []
        for one in enabled:
            preempted, remove = False, []
            for other in filtered:
                if self._exit_set([one]) & self._exit_set([other]):
                    if self._is_descendant(one["source"], other["source"]):
                        remove.append(other)
                    else:
                        preempted = True
                        break
            if not preempted:
                filtered = [other for other in filtered if not any(other is gone for gone in remove)] + [one]
        return filtered

    def _first_match(self, atomic: str, event: str) -> Tree | None:
        for state in [atomic, *self._ancestors(atomic)]:
            for transition in self.node[state].get("transitions", []):
                names = transition.get("event", [])
                is_match = (event in names or "*" in names) if event else not names
                if is_match and self._evaluate(transition.get("when", "True")):
                    return transition
        return None

    def _evaluate(self, text: str) -> Any:
        return eval(text, {"In": self.configuration.__contains__, **self.data})

    # Sets.

    def _exit_set(self, transitions: list[Tree]) -> set[str]:
        left: set[str] = set()
        for transition in transitions:
            if transition.get("target"):
                domain = self._domain(transition)
                left |= {state for state in self.configuration if self._is_descendant(state, domain)}
        return left

    def _domain(self, transition: Tree) -> str:
        reached, source = transition["target"], transition["source"]  # a history state counts as itself
        is_inside = all(self._is_descendant(state, source) for state in reached)
        if source == "" or (transition.get("internal") and self._kind(source) == "compound" and is_inside):
            return source
        for ancestor in self._ancestors(source):
            is_scope = self._kind(ancestor) in ("compound", "root")
            if is_scope and all(self._is_descendant(state, ancestor) for state in reached):
                return ancestor
        raise AssertionError("no domain")

    def _effective_targets(self, targets: list[str]) -> set[str]:
        reached: set[str] = set()
        for target in targets:
            if self._kind(target) != "history":
                reached.add(target)
            elif target in self.history_value:
                reached |= self.history_value[target]
            else:
                reached |= self._effective_targets(self._default(target)["target"])
        return reached

    def _entry_set(self, transitions: list[Tree]) -> tuple[set[str], dict[str, list[Any]]]:
        enter: set[str] = set()
        contents: dict[str, list[Any]] = {}
        for transition in transitions:
            for target in transition["target"]:
                self._add_descendants(target, enter, contents)
            domain = self._domain(transition)
            for state in self._effective_targets(transition["target"]):
                self._add_ancestors(state, domain, enter, contents)
        return enter, contents

    def _add_descendants(self, state: str, enter: set[str], contents: dict[str, list[Any]]) -> None:
        if self._kind(state) == "history":
            if state in self.history_value:
                inside = self.history_value[state]
            else:
                default = self._default(state)
                contents[self.parent[state]] = default.get("actions", [])
                inside = default["target"]
            self._add_all(inside, self.parent[state], enter, contents)
            return
        enter.add(state)
        if self._kind(state) == "compound":
            self._add_all(self._initial(state), state, enter, contents)
        elif self._kind(state) == "parallel":
            self._add_regions(state, enter, contents)

    def _add_all(self, states: Any, below: Any, enter: set[str], contents: dict[str, list[Any]]) -> None:
        for state in states:
            self._add_descendants(state, enter, contents)
        for state in states:
            self._add_ancestors(state, below, enter, contents)

    def _add_ancestors(self, state: str, below: str, enter: set[str], contents: dict[str, list[Any]]) -> None:
        for ancestor in self._ancestors(state):
            if ancestor == below:
                return
            enter.add(ancestor)
            if self._kind(ancestor) == "parallel":
                self._add_regions(ancestor, enter, contents)

    def _add_regions(self, parallel: str, enter: set[str], contents: dict[str, list[Any]]) -> None:
        for child in self._children(parallel):
            if not any(state == child or self._is_descendant(state, child) for state in enter):
                self._add_descendants(child, enter, contents)

    # One microstep.

    def _move(self, enabled: list[Tree], event: str, at_start: bool = False) -> None:
        left = self._exit_set(enabled)
        self._record_history(left)
        enter, contents = self._entry_set([transition for transition in enabled if transition.get("target")])
        if at_start:
            enter.add("")
        if left or enter:
            source = self._sorted(state for state in left if self._is_leaf(state))
            target = self._sorted(state for state in enter if self._is_leaf(state))
            self.trace.append((source, target, event))
        for state in reversed(self._sorted(left)):
            self._execute(self.node[state].get("exit", []), state)
            self.configuration.discard(state)
        for transition in enabled:
            self._execute(transition.get("actions", []), transition["source"])
        for state in self._sorted(enter):
            self.configuration.add(state)
            self._execute(self.node[state].get("entry", []), state)
            self._execute(contents.get(state, []), state)
            if self._kind(state) == "final":
                self._enter_final(state)

    def _record_history(self, left: set[str]) -> None:
        for state in left:
            for child in self.node[state].get("states", []):
                if child["kind"] == "history":
                    self.history_value[child["id"]] = {
                        active
                        for active in self.configuration
                        if (
                            self._is_leaf(active) and self._is_descendant(active, state)
                            if child.get("deep")
                            else self.parent[active] == state
                        )
                    }

    def _enter_final(self, state: str) -> None:
        parent = self.parent[state]
        if parent == "":
            self.running = False
            return
        self.internal.append(f"done.state.{parent}")
        parallel = self.parent[parent]
        while self._kind(parallel) == "parallel" and self._is_in_final_state(parallel):
            self.internal.append(f"done.state.{parallel}")
            parallel = self.parent[parallel]

    def _is_in_final_state(self, state: str) -> bool:
        if self._kind(state) == "compound":
            return any(
                self._kind(child) == "final" and child in self.configuration
                for child in self._children(state)
            )
        if self._kind(state) == "parallel":
            return all(self._is_in_final_state(child) for child in self._children(state))
        return False

    def _execute(self, actions: list[Any], owner: str) -> None:
        for action in actions:
            if "raise" in action:
                self.internal.append(action["raise"])
            elif "send" in action:
                self._send(action)
            elif "cancel" in action:
                self.timers = [timer for timer in self.timers if timer[3] != action["cancel"]]
            elif "want" in action:
                self.trace.append((owner, action["want"]))
            else:
                for name, text in action["assign"].items():
                    self.data[name] = self._evaluate(text)

    def _send(self, action: Any) -> None:
        if not action.get("after_ms"):
            self.external.append(action["send"])
            return
        self.timers.append((self.now + action["after_ms"], self.n_sent, action["send"], action.get("id", "")))
        self.timers.sort()
        self.n_sent += 1

    # The tree.

    def _index(self, tree: Tree, parent: str | None) -> None:
        name = tree.get("id", "")
        self.node[name], self.parent[name] = tree, parent
        for transition in tree.get("transitions", []):
            transition["source"] = name
        for child in tree.get("states", []):
            self._index(child, name)

    def _kind(self, state: str | None) -> str:
        return "root" if state == "" else self.node[state]["kind"]

    def _is_leaf(self, state: str) -> bool:
        return self._kind(state) in ("atomic", "final")

    def _children(self, state: str) -> list[str]:
        return [child["id"] for child in self.node[state].get("states", []) if child["kind"] != "history"]

    def _initial(self, state: str) -> list[str]:
        return self.node[state].get("initial") or self._children(state)[:1]

    def _default(self, history: str) -> Tree:
        return self.node[history]["transitions"][0]

    def _ancestors(self, state: str) -> list[str]:
        found: list[str] = []
        above = self.parent[state]
        while above is not None:
            found.append(above)
            above = self.parent[above]
        return found

    def _is_descendant(self, state: str, ancestor: str) -> bool:
        return ancestor in self._ancestors(state)

    def _sorted(self, states: Any) -> list[str]:
        return sorted(states, key=self.order.__getitem__)
