"""Writing: a machine of XState v5 as the YAML of a journey.

A journey has fewer words than a chart: no actions on a transition, no transition that only acts, no `*`, no
raised event; and each of its transitions leaves its source. What cannot be said is refused, with what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sojourn.definitions.drafting import DONE
from sojourn.definitions.durations import write_duration
from sojourn.definitions.xstate.differences import refuse_differences
from sojourn.definitions.xstate.domains import domain_of, is_nothing
from sojourn.definitions.xstate.emitting import emit
from sojourn.definitions.xstate.machine import Action, Deed, Machine, Path, Way
from sojourn.definitions.xstate.names import Names
from sojourn.definitions.xstate.reading import Refusals, read_machine
from sojourn.definitions.xstate.wording import guard_text
from sojourn.definitions.yaml import load, plain

AROUND = "machine"
"""The state around all others, where the machine itself has transitions, actions or regions."""
OUTSIDE = -1
"""Stands for the root of the journey, where the machine is a state in it."""

_ORDER = ("on", "after", "branch")

_Body = dict[str, Any]


def convert(text: str, *, entry: Sequence[str], names: Names, name: str = "", file: str = "<machine>") -> str:
    """Write the journey that a machine's JSON becomes, entered by the events of `entry`.

    `name` is the journey's; by default the machine's id. Raises DefinitionError with every problem, each with
    its line and column, and its path in the JSON. That the journey is a good one is for `check` to say.
    """
    root = load(text.replace("\t", " "), file=file)  # a tab is a blank in JSON, and refused in YAML
    refusals = Refusals(file, root)
    machine = read_machine(plain(root), names, refusals)
    refuse_differences(machine, refusals)
    journey = _Writing(machine, names, refusals).journey(name, entry)
    refusals.settle()
    return f"# From the XState machine {_harmless(machine.id)}.\n{emit(journey)}"


class _Writing:
    def __init__(self, machine: Machine, names: Names, refusals: Refusals) -> None:
        self.machine = machine
        self.names = names
        self.refusals = refusals
        root = machine.vertices[0]
        self.is_around = bool(root.kind == "parallel" or root.entry or root.exit or root.ways)
        prefix = (AROUND,) if self.is_around else ()
        self.ids = [".".join((*prefix, *machine.keys(i))) for i in range(len(machine.vertices))]

    def journey(self, name: str, entry: Sequence[str]) -> _Body:
        """Write the whole journey."""
        root = self.machine.vertices[0]
        title = name or re.sub(r"[^A-Za-z0-9_-]+", "-", self.machine.id).strip("-_") or "journey"
        journey: _Body = {"journey": title, "entry": {"on": entry[0] if len(entry) == 1 else list(entry)}}
        body = self._body(0)
        if not self.is_around:
            return journey | body
        if root.kind == "compound" and any(self._is_final(each) for each in self.machine.regions(0)):
            if any(way.cause == "always" for way in root.ways):
                message = "it would be asked once more after the machine is over; ask it in the states"
                self.refusals.refuse(("always",), message, "not-supported")
            body.setdefault("on", {})[f"done.state.{AROUND}"] = DONE
        return journey | {"states": {AROUND: body}}

    def _is_final(self, index: int) -> bool:
        return self.machine.vertices[index].kind == "final"

    def _body(self, index: int) -> _Body:
        """Write one state."""
        vertex = self.machine.vertices[index]
        if vertex.key == DONE and not (self._is_final(index) and vertex.parent == 0):
            message = f"a journey's {DONE!r} is its end; rename the state"
            self.refusals.refuse(vertex.path, message, "bad-name")
        if vertex.kind == "history":
            return self._history(index)
        body: _Body = {"type": "final"} if vertex.kind == "final" else {}
        children = self.machine.regions(index)
        if vertex.initial_deeds:
            message = (
                "a journey's start does nothing; move the actions to the entry of the state it starts in"
            )
            self.refusals.refuse((*vertex.path, "initial", "actions"), message, "not-supported")
        if vertex.initial is not None and vertex.initial != children[0]:
            body["initial"] = self.machine.vertices[vertex.initial].key
        body |= self._named("do", vertex.entry, (*vertex.path, "entry")) | self._ways(index)
        body |= self._named("exit_do", vertex.exit, (*vertex.path, "exit"))
        if children:
            word = "regions" if vertex.kind == "parallel" else "states"
            body[word] = {self.machine.vertices[each].key: self._body(each) for each in vertex.children}
        return body or {"on": {}}  # with nothing at all in it, it would be final

    def _history(self, index: int) -> _Body:
        vertex = self.machine.vertices[index]
        body: _Body = {"type": "history"} | ({"deep": True} if vertex.is_deep else {})
        if not vertex.defaults:
            return body
        [target, *others] = vertex.defaults
        if others or self.machine.vertices[target].parent != vertex.parent:
            message = "a journey's history leads at first to one state directly beside it"
            self.refusals.refuse((*vertex.path, "target"), message, "not-supported")
        return body | {"to": self.machine.vertices[target].key}

    def _named(self, word: str, deeds: Sequence[Deed], path: Path) -> _Body:
        """Write actions: each goes to its sink, and says its name and what it was given."""
        actions: list[_Body] = []
        for deed in deeds:
            if isinstance(deed, Action):
                sink = self.names.actions.get(deed.name, self.names.sink)
                actions.append({"sink": sink, "body": {"action": deed.name, **deed.params}})
            else:
                message = "a journey raises no events; lead on to another state at once instead"
                self.refusals.refuse(path, message, "not-supported")
        return {word: actions} if actions else {}

    def _ways(self, index: int) -> _Body:
        found: dict[tuple[str, str], list[Way]] = {}
        for way in self.machine.vertices[index].ways:
            found.setdefault(self._place(way), []).append(way)
        body: _Body = {}
        for (word, key), ways in sorted(found.items(), key=lambda item: _ORDER.index(item[0][0])):
            several = self._several(ways)
            if word == "branch":
                body[word] = several
            else:
                body.setdefault(word, {})[key] = several[0] if len(several) == 1 else several
        return body

    def _place(self, way: Way) -> tuple[str, str]:
        """Say where a transition stands in a state of a journey."""
        if way.cause == "always":
            return "branch", ""
        if way.cause == "done":
            return "on", f"done.state.{self.ids[way.source]}"
        if way.cause == "time":
            if way.after_ms == 0:
                message = "a journey waits for longer than nothing; use always"
                self.refusals.refuse(way.path, message, "not-supported")
            return "after", write_duration(way.after_ms)
        if way.event == "*":
            self.refusals.refuse(way.path, "a journey names its events; name them", "not-supported")
        return "on", way.event

    def _several(self, ways: Sequence[Way]) -> list[Any]:
        """Write alternatives, and leave out what stands below one that is always taken."""
        written: list[Any] = []
        for way in ways:
            to = self._to(way)
            if way.guard is None:
                return [*written, {"to": to} if way.cause == "always" else to]
            written.append(
                {"when": guard_text(way.guard, self.names, self.ids.__getitem__, self.refusals), "to": to}
            )
        return written

    def _to(self, way: Way) -> str:
        """Write a target, where the way means the same in a journey."""
        if way.deeds:
            message = "a journey acts in its states; move the actions to the entry of the target"
            self.refusals.refuse((*way.path, "actions"), message, "not-supported")
        if not way.targets or len(way.targets) > 1 or is_nothing(self.machine, way):
            message = (
                "a journey's transition leads to one state and leaves its own; name one, or say reenter: true"
            )
            self.refusals.refuse(way.path, message, "not-supported")
            return DONE
        self._check_domain(way)
        target = self.ids[way.targets[0]]
        parts = target.split(".")
        for i in range(len(parts) - 1, -1, -1):
            name = ".".join(parts[i:])
            if self._found(way.source, name) == target:
                return name
        self.refusals.refuse(
            way.path, f"{target!r} cannot be told from another state; rename one", "ambiguous-state"
        )
        return DONE

    def _found(self, source: int, name: str) -> str:
        """Find what a journey understands by a name: inside an ancestor, nearest first; the only one."""
        above = self.ids[source]
        while above:
            above = above.rpartition(".")[0]
            nearby = f"{above}.{name}" if above else name
            if nearby in self.ids:
                return nearby
        named = [each for each in self.ids if each.rpartition(".")[2] == name]
        return named[0] if len(named) == 1 else ""

    def _check_domain(self, way: Way) -> None:
        """XState may keep a state that a journey leaves and enters again: let pass where nobody can tell."""
        kept, left_in = domain_of(self.machine, way), self._journeys_domain(way)
        if kept == left_in:
            return
        vertex = self.machine.vertices[kept]
        parent = vertex.parent if kept or not self.is_around else OUTSIDE
        has_history = len(self.machine.regions(kept)) < len(vertex.children)
        has_timers = any(each.cause == "time" for each in vertex.ways)
        if parent != left_in or vertex.entry or vertex.exit or has_timers or has_history:
            message = (
                f"XState keeps {vertex.key or 'the machine'!r} here; a journey would leave it and enter it "
                "again, with its actions, timers and regions; say reenter: true if that is meant"
            )
            self.refusals.refuse(way.path, message, "kept-state")

    def _journeys_domain(self, way: Way) -> int:
        for ancestor in self.machine.ancestors(way.source):
            is_scope = self.machine.vertices[ancestor].kind == "compound"
            if is_scope and all(self.machine.is_inside(target, ancestor) for target in way.targets or ()):
                return ancestor
        return OUTSIDE


def _harmless(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
