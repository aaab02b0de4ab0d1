"""Reading: from the JSON of a machine to its states and transitions, or to all that is outside the subset.

Every problem names its place twice: the line and column of the file, and the path in the JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sojourn.definitions.durations import MAX_DURATION_MS
from sojourn.definitions.reading import follow
from sojourn.definitions.schema_parts import STATE_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.xstate.machine import (
    Action,
    Cause,
    Combined,
    Deed,
    Guard,
    Kind,
    Machine,
    Named,
    Path,
    Raised,
    StateIn,
    Vertex,
    Way,
)
from sojourn.definitions.xstate.names import Names
from sojourn.definitions.yaml import AnyNode
from sojourn.model.errors import DefinitionError, Problem

MAX_DEPTH = 18  # of states in states: each takes two levels of the JSON, and the reader takes 40.

_KEY = re.compile(STATE_NAME_PATTERN)
_IGNORED = frozenset({"description", "meta", "tags", "version", "$schema"})
_STATE_KEYS = _IGNORED | {
    *("id", "type", "initial", "states", "history", "target"),
    *("entry", "exit", "on", "after", "always", "onDone"),
}
_WAY_KEYS = frozenset(["target", "guard", "actions", "reenter"]) | _IGNORED
_HINTS: Mapping[str, str] = {
    "invoke": "a journey calls nothing and waits; send an action, and wait for the event it leads to",
    "context": "a journey has no variables; guards ask for properties, traits and what happened",
    "output": "nothing reads it; remove it",
    "input": "nobody gives it; remove it",
    "route": "a route is an event like any other; write it under `on`",
    "cond": "that is XState v4; in v5 it is `guard`",
    "internal": "that is XState v4; in v5 every transition is internal unless it says `reenter: true`",
    "in": "that is XState v4; in v5 it is a guard of the type `stateIn`",
    "activities": "that is XState v4; use `entry` and `exit`",
    "delay": "that is for a send; write the transition under `after`",
    "systemId": "a journey is alone in its system; remove it",
    "onError": "nothing is invoked here; an action's failure is an event, `$delivery_failed`",
}
_KINDS = ("atomic", "compound", "parallel", "final", "history")


class Refusals:
    """What was found wrong in one machine, and where."""

    def __init__(self, file: str, root: AnyNode | None) -> None:
        self._file = file
        self._root = root
        self.problems: list[Problem] = []

    def refuse(self, path: Path, message: str, code: str) -> None:
        """Note a problem."""
        node = follow(self._root, path) if self._root is not None else None
        place = {"line": node.line, "column": node.column} if node is not None else {"line": 1, "column": 1}
        text = f"{path_text(path)}: {message}"
        self.problems.append(Problem(file=self._file, message=text, code=code, **place))

    def settle(self) -> None:
        """Raise DefinitionError where there are problems."""
        if self.problems:
            raise DefinitionError(sorted(set(self.problems)))


def path_text(path: Path) -> str:
    """Write a path as JSONPath does.

    >>> path_text(("states", "a b", "on", "X", 0))
    "$.states['a b'].on.X[0]"
    """
    parts = [f"[{step}]" if isinstance(step, int) else _member(step) for step in path]
    return "$" + "".join(parts)


def read_machine(value: Any, names: Names, refusals: Refusals) -> Machine:
    """Read a machine; raise DefinitionError with all that is outside the subset."""
    reader = _Reader(value, names, refusals)
    machine = reader.machine()
    refusals.settle()
    return machine


def _member(step: str) -> str:
    return f".{step}" if re.fullmatch(r"\w+", step) else f"[{step!r}]"


class _Reader:
    """Reads in two rounds: first which states there are, then their transitions, whose targets they are."""

    def __init__(self, value: Any, names: Names, refusals: Refusals) -> None:
        self.names = names
        self.refuse = refusals.refuse
        self.refusals = refusals
        self.value = value
        self.vertices: list[Vertex] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.by_id: dict[str, int] = {}
        self.made = Machine("machine", self.vertices)

    def machine(self) -> Machine:
        """Read everything."""
        if isinstance(self.value, Mapping):
            self.made.id = str(self.value.get("id") or "(machine)")
        self._add("", self.value, -1, ())
        self.refusals.settle()
        for index in range(len(self.vertices)):
            self._read(index)
        return self.made

    def _add(self, key: str, body: Any, parent: int, path: Path) -> None:
        if not isinstance(body, Mapping):
            self.refuse(path, "expected a state as an object", "bad-type")
            return
        index = len(self.vertices)
        named = [self.made.id, *self._keys(parent), key] if parent >= 0 else [self.made.id]
        identity = str(body.get("id") or ".".join(named))
        vertex = Vertex(key, self._kind(body, path), parent, path, identity)
        if identity in self.by_id:
            self.refuse(path, f"another state has the id {identity!r} too; rename one", "duplicate-id")
        self.by_id[identity] = index
        self.vertices.append(vertex)
        self.bodies.append(body)
        if parent >= 0:
            self.vertices[parent].children.append(index)
        known = _STATE_KEYS | ({"context"} if not body.get("context") else set())
        self._known(body, known, path, "a state")
        states = body.get("states") or {}
        if len(path) >= 2 * MAX_DEPTH or not isinstance(states, Mapping):
            message = f"expected states as an object, at most {MAX_DEPTH} levels of them"
            self.refuse((*path, "states"), message, "bad-type")
            states = {}
        for name, inner in states.items():
            if not _KEY.fullmatch(name):
                message = f"a state's name is a letter, then letters, digits, - and _; got {name[:40]!r}"
                self.refuse((*path, "states", name), message, "bad-name")
            self._add(name, inner, index, (*path, "states", name))
        vertex.last = len(self.vertices) - 1
        self._check_shape(index)

    def _keys(self, index: int) -> list[str]:
        return list(self.made.keys(index))

    def _kind(self, body: Mapping[str, Any], path: Path) -> Kind:
        kind = body.get("type") or (
            "compound" if body.get("states") else "history" if body.get("history") else "atomic"
        )
        if kind not in _KINDS:
            message = f"a state is one of {', '.join(_KINDS)}, not {kind!r}"
            self.refuse((*path, "type"), message, "bad-value")
            return "atomic"
        return cast(Kind, kind)

    def _check_shape(self, index: int) -> None:
        vertex, around = self.vertices[index], self.vertices[self.vertices[index].parent]
        regions = self.made.regions(index)
        if vertex.kind in ("compound", "parallel") and not regions:
            self.refuse(vertex.path, "expected states inside", "missing")
        if vertex.kind in ("atomic", "final", "history") and vertex.children:
            self.refuse(vertex.path, f"a state that is {vertex.kind} holds no states", "bad-value")
        if index == 0 and vertex.kind not in ("compound", "parallel"):
            self.refuse(vertex.path, "expected a machine with states", "missing")
        if index and vertex.kind == "final" and around.kind == "parallel":
            message = "a region cannot be final itself; put the final state inside the region"
            self.refuse(vertex.path, message, "final-region")

    def _read(self, index: int) -> None:
        vertex, body = self.vertices[index], self.bodies[index]
        path = vertex.path
        allowed = {"final": {"entry", "exit"}, "history": {"history", "target"}}.get(vertex.kind)
        if allowed is not None:
            self._known(body, allowed | {"id", "type"} | _IGNORED, path, f"a state that is {vertex.kind}")
        vertex.entry = self._deeds(body.get("entry"), (*path, "entry"))
        vertex.exit = self._deeds(body.get("exit"), (*path, "exit"))
        if vertex.kind == "compound":
            self._read_initial(index, body.get("initial"), (*path, "initial"))
        if vertex.kind == "history":
            vertex.is_deep = body.get("history") == "deep"
            target = body.get("target")
            vertex.defaults = self._defaults(index, target, (*path, "target")) if target else ()
        if "onDone" in body and index == 0:
            message = "the machine is over when it is done, and nothing follows; remove it"
            self.refuse((*path, "onDone"), message, "not-supported")
        for cause, key in (("always", "always"), ("done", "onDone")):
            if key in body and allowed is None:
                vertex.ways += self._ways(cause, index, body[key], (*path, key))  # type: ignore[arg-type]
        self._read_after(index, body.get("after") or {})
        self._read_on(index, body.get("on") or {})

    def _read_initial(self, index: int, initial: Any, path: Path) -> None:
        key, vertex = initial, self.vertices[index]
        if isinstance(initial, Mapping):
            self._known(initial, {"target", "actions"} | _IGNORED, path, "an initial state")
            key = initial.get("target")
            vertex.initial_deeds = self._deeds(initial.get("actions"), (*path, "actions"))
        found = [each for each in self.made.regions(index) if self.vertices[each].key == key]
        if found:
            vertex.initial = found[0]
            return
        known = [self.vertices[each].key for each in self.made.regions(index)]
        message = f"expected the name of a state directly inside{did_you_mean(str(key), known)}"
        self.refuse(path, message, "unknown-state")

    def _defaults(self, index: int, target: Any, path: Path) -> tuple[int, ...]:
        found = tuple(
            each
            for one in _listed(target)
            if (each := self._by_path(self.vertices[index].parent, str(one), path)) is not None
        )
        if any(not self.made.is_inside(each, self.vertices[index].parent) for each in found):
            self.refuse(path, "expected a state beside the history state, or inside one", "bad-value")
        return found

    def _read_on(self, index: int, on: Any) -> None:
        path = (*self.vertices[index].path, "on")
        if not isinstance(on, Mapping):
            self.refuse(path, "expected an object: event -> transition", "bad-type")
            return
        for event, ways in sorted(on.items(), key=lambda item: item[0] == "*"):  # `*` answers what is left
            here = (*path, event)
            if event != "*" and "*" in event:
                message = "only a whole `*` is known; name the events"
                self.refuse(here, message, "not-supported")
            elif event == "" or event.startswith("xstate."):
                message = "expected the name of an event; use always, after or onDone for XState's own"
                self.refuse(here, message, "not-supported")
            else:
                name = self.names.events.get(event, event)
                self.vertices[index].ways += self._ways("event", index, ways, here, event=name)

    def _read_after(self, index: int, after: Any) -> None:
        path = (*self.vertices[index].path, "after")
        if not isinstance(after, Mapping):
            self.refuse(path, "expected an object: delay -> transition", "bad-type")
            return
        timed: list[tuple[int, str]] = []
        for delay in after:
            is_number = delay.isascii() and delay.isdigit()
            after_ms = int(delay) if is_number and len(delay) < 16 else self.names.delays.get(delay, -1)
            if 0 <= after_ms <= MAX_DURATION_MS:
                timed.append((after_ms, delay))
            else:
                message = f"expected ms, or a delay of the names file: delays: {{ {delay}: 1h }}"
                self.refuse((*path, delay), message, "unknown-name")
        for after_ms, delay in timed:
            self.vertices[index].ways += self._ways(
                "time", index, after[delay], (*path, delay), after_ms=after_ms
            )

    def _ways(
        self, cause: Cause, index: int, value: Any, path: Path, *, event: str = "", after_ms: int = 0
    ) -> list[Way]:
        several = isinstance(value, list)
        found = [
            self._way(cause, index, each, (*path, i) if several else path)
            for i, each in enumerate(_listed(value))
        ]
        return [_timed(way, event, after_ms) for way in found if way is not None]

    def _way(self, cause: Cause, index: int, value: Any, path: Path) -> Way | None:
        body = {"target": value} if isinstance(value, str) else value
        if not isinstance(body, Mapping):
            self.refuse(path, "expected a target, or an object with target, guard, actions", "bad-type")
            return None
        self._known(body, _WAY_KEYS, path, "a transition")
        guard = self._guard(body["guard"], (*path, "guard"), 0) if body.get("guard") is not None else None
        targets = None
        if body.get("target") not in (None, []):
            place = (*path, "target") if isinstance(value, Mapping) else path
            found = [self._target(index, str(each), place) for each in _listed(body["target"])]
            targets = tuple(each for each in found if each is not None)
            if not targets:
                return None
        if cause == "always" and targets is None:
            message = "a transition that is always open and leads nowhere never comes to rest; add a target"
            self.refuse(path, message, "loop-without-wait")
        return Way(
            cause=cause,
            source=index,
            guard=guard,
            targets=targets,
            is_reentering=body.get("reenter") is True,
            deeds=self._deeds(body.get("actions"), (*path, "actions")),
            path=path,
        )

    def _target(self, source: int, target: str, path: Path) -> int | None:
        """Find a target: `#id`, `#id.inner`, `.child`, or a sibling and what is inside it."""
        if target.startswith("#"):
            return self._by_id(target, path)
        if target.startswith("."):
            return self._by_path(source, target[1:], path)
        if source == 0:
            message = f"from the root a target begins with a dot; write {'.' + target!r}"
            self.refuse(path, message, "unknown-state")
            return None
        return self._by_path(self.vertices[source].parent, target, path)

    def _by_id(self, target: str, path: Path) -> int | None:
        identity, _, rest = target[1:].partition(".")
        found = self.by_id.get(identity)
        if found is None:
            self.refuse(
                path, f"no state has the id {identity!r}{did_you_mean(identity, self.by_id)}", "unknown-state"
            )
            return None
        return self._by_path(found, rest, path) if rest else found

    def _by_path(self, start: int, keys: str, path: Path) -> int | None:
        index = start
        for key in keys.split("."):
            inner = {self.vertices[each].key: each for each in self.vertices[index].children}
            if key not in inner:
                where = self.vertices[index].key or "the machine"
                message = f"{where} holds no state {key!r}{did_you_mean(key, inner)}"
                self.refuse(path, message, "unknown-state")
                return None
            index = inner[key]
        return index

    def _guard(self, value: Any, path: Path, depth: int) -> Guard | None:
        body = {"type": value} if isinstance(value, str) else value
        if not isinstance(body, Mapping) or not isinstance(body.get("type"), str) or depth > MAX_DEPTH:
            message = "expected a guard's name, or { type, params }; a function is not JSON: give it a name"
            self.refuse(path, message, "bad-type")
            return None
        word = body["type"].removeprefix("xstate.")
        if word in ("not", "and", "or"):
            return self._combined(word, body, path, depth)
        params = body.get("params") or {}
        if not isinstance(params, Mapping):
            self.refuse((*path, "params"), "expected an object: name -> value", "bad-type")
            return None
        if word == "stateIn":
            state = params.get("state", params.get("stateValue", body.get("state")))
            return self._state_in(state, path)
        self._known(body, {"type", "params"}, path, "a guard")
        return Named(body["type"], dict(params), path)

    def _combined(self, word: str, body: Mapping[str, Any], path: Path, depth: int) -> Guard | None:
        key = next((key for key in ("guards", "guard", "params") if key in body), "guards")
        value = body.get(key)
        if isinstance(value, Mapping) and "type" not in value:
            value = value.get("guards", value.get("guard"))
        parts = [self._guard(each, (*path, key, i), depth + 1) for i, each in enumerate(_listed(value or []))]
        if not parts or (word == "not" and len(parts) != 1):
            self.refuse(path, f"expected {'a guard' if word == 'not' else 'guards'} to combine", "missing")
            return None
        found = tuple(part for part in parts if part is not None)
        return Combined(word, found)  # type: ignore[arg-type]

    def _state_in(self, state: Any, path: Path) -> Guard | None:
        if not isinstance(state, str) or not state:
            self.refuse(path, "expected a state by #id or by its path from the root", "bad-value")
            return None
        found = self._by_id(state, path) if state.startswith("#") else self._by_path(0, state, path)
        return None if found is None else StateIn(found)

    def _deeds(self, value: Any, path: Path) -> tuple[Deed, ...]:
        several = isinstance(value, list)
        each_path: Callable[[int], Path] = lambda i: (*path, i) if several else path  # noqa: E731
        items = _listed(value) if value is not None else ()
        found = [self._deed(each, each_path(i)) for i, each in enumerate(items)]
        return tuple(deed for deed in found if deed is not None)

    def _deed(self, value: Any, path: Path) -> Deed | None:
        body = {"type": value} if isinstance(value, str) else value
        if not isinstance(body, Mapping) or not isinstance(body.get("type"), str) or not body["type"]:
            message = "expected an action's name, or { type, params }; a function is not JSON: give it a name"
            self.refuse(path, message, "bad-type")
            return None
        name, params = body["type"], body.get("params") or {}
        if name == "xstate.raise":
            event = body.get("event") or (params.get("event") if isinstance(params, Mapping) else None)
            event_name = event.get("type") if isinstance(event, Mapping) else event
            if isinstance(event_name, str) and event_name and "delay" not in body:
                return Raised(self.names.events.get(event_name, event_name))
            self.refuse(path, "expected an event to raise at once; for a delay, use `after`", "not-supported")
            return None
        if name.startswith("xstate.") or not isinstance(params, Mapping):
            message = f"{name} has no meaning here; name an action, and say in the names file where it goes"
            self.refuse(path, message, "not-supported")
            return None
        self._known(body, {"type", "params"}, path, "an action")
        return Action(name, dict(params))

    def _known(self, body: Mapping[str, Any], known: Iterable[str], path: Path, what: str) -> None:
        for key in body:
            if key not in known:
                hint = f": {_HINTS[key]}" if key in _HINTS else did_you_mean(key, known)
                self.refuse((*path, key), f"{what} knows no {key!r} here{hint}", "not-supported")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _timed(way: Way, event: str, after_ms: int) -> Way:
    return Way(
        cause=way.cause,
        source=way.source,
        event=event,
        after_ms=after_ms,
        guard=way.guard,
        targets=way.targets,
        is_reentering=way.is_reentering,
        deeds=way.deeds,
        path=way.path,
    )
