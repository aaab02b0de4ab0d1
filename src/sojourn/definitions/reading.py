"""Reading: typed access to the nodes of a definition, with every problem noted at its line and column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.expression import Expression, Needs
from sojourn.definitions.guards import Compiled, analyse
from sojourn.definitions.schema import KEYWORDS
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, Node, ScalarNode, SequenceNode
from sojourn.model.errors import DefinitionError, Problem

MAX_PROBLEMS = 100  # nobody reads more of them at once.
MAX_SHOWN = 40  # characters of what came: enough to find it again.
MAX_NAME_CHARACTERS = 200  # of an event: as ingest allows.

_NO_STATE_HERE = "In(..) can be asked only in a state"
_NO_VARIABLES = "a journey has no variables of its own; use properties, traits or entry"

IN_A_STATE: Mapping[str, str] = {"data": _NO_VARIABLES}
IN_A_RULE: Mapping[str, str] = {"data": _NO_VARIABLES, "In": _NO_STATE_HERE}
AT_THE_ENTRY: Mapping[str, str] = {
    **IN_A_RULE,
    "entry": "nobody has entered yet here; use event or properties",
}
"""Names that expressions cannot use in each place, with the reason."""


class Reading:
    """One file being read: what was found wrong, and what its expressions ask of a profile."""

    def __init__(self, file: str, *, sinks: Collection[str] | None = None) -> None:
        self.file = file
        self._sinks = sinks
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.needs: list[Needs] = []
        self.journey = ""
        """The journey's name, once it is read."""
        self.states: Mapping[str, str] = {}
        """What `In` may be asked for: name -> id."""

    def refuse(self, place: Node | tuple[int, int], message: str, code: str) -> None:
        """Note a problem."""
        self.problems.append(self._problem(place, message, code))

    def warn(self, place: Node | tuple[int, int], message: str, code: str) -> None:
        """Note something that is allowed and probably not meant."""
        self.warnings.append(self._problem(place, message, code))

    def mapping(self, node: AnyNode, kind: str, required: Iterable[str] = ()) -> dict[str, AnyNode]:
        """Return an object's entries; its keys must be those of `kind` in KEYWORDS."""
        if not isinstance(node, MappingNode):
            message = f"expected {kind} as an object, with {', '.join(KEYWORDS[kind])}; got {_got(node)}"
            self.refuse(node, message, "bad-type")
            return {}
        for key, place in node.keys.items():
            if key not in KEYWORDS[kind]:
                hint = did_you_mean(key, KEYWORDS[kind])
                self.refuse(place, f"{kind} knows no {key!r}{hint}", "unknown-keyword")
        for key in required:
            if key not in node.entries:
                self.refuse(node, f"{kind} needs {key!r}", "missing")
        return node.entries

    def any_mapping(self, node: AnyNode, expected: str) -> list[tuple[ScalarNode, AnyNode]]:
        """Return an object's keys and values, whatever the keys are."""
        if not isinstance(node, MappingNode):
            self.refuse(node, f"expected {expected}; got {_got(node)}", "bad-type")
            return []
        return [(node.keys[key], value) for key, value in node.entries.items()]

    def items(self, node: AnyNode, expected: str) -> tuple[AnyNode, ...]:
        """Return a list's items."""
        if not isinstance(node, SequenceNode):
            self.refuse(node, f"expected {expected}; got {_got(node)}", "bad-type")
            return ()
        if not node.items:
            self.refuse(node, f"expected {expected}, got none", "missing")
        return node.items

    def text(self, node: AnyNode, expected: str) -> str:
        """Return a scalar's text; empty where it is none."""
        if not isinstance(node, ScalarNode) or node.value is None or not node.text:
            self.refuse(node, f"expected {expected}; got {_got(node)}", "bad-type")
            return ""
        return node.text

    def flag(self, node: AnyNode) -> bool:
        """Return true or false; false where it is neither."""
        if not isinstance(node, ScalarNode) or not isinstance(node.value, bool):
            self.refuse(node, "expected true or false", "bad-type")
            return False
        return node.value

    def names(self, node: AnyNode | None) -> frozenset[str]:
        """Return the names of one event or of a list of them."""
        if node is None:
            return frozenset()
        each = self.items(node, "one or more events") if isinstance(node, SequenceNode) else (node,)
        return frozenset(self.event_name(item) for item in each)

    def event_name(self, node: AnyNode) -> str:
        """Return an event's name."""
        name = self.text(node, "the name of an event")
        if len(name) > MAX_NAME_CHARACTERS:
            self.refuse(node, f"expected at most {MAX_NAME_CHARACTERS} characters", "too-long")
        if name == "*":
            self.refuse(node, "every event is too many; name them", "not-allowed")
        return name

    def duration(self, node: AnyNode) -> int:
        """Return milliseconds; 1 where it is no duration."""
        try:
            return parse_duration(self.text(node, "a duration such as 30m") or "1ms")
        except ValueError as error:
            self.refuse(node, str(error), "bad-duration")
            return 1

    def expression(self, node: AnyNode | None, *, hidden: Mapping[str, str]) -> Expression | None:
        """Compile a key or a value; None where there is none."""
        compiled = self._compiled(node, hidden)
        return compiled.expression if compiled else None

    def condition(self, node: AnyNode | None, *, hidden: Mapping[str, str]) -> Compiled | None:
        """Compile a `when`; None where there is none. One that can never be true is a problem."""
        compiled = self._compiled(node, hidden)
        if compiled is not None and compiled.is_never_true and node is not None:
            self.refuse(node, "this can never be true; correct it or leave the way out", "never-true")
        return compiled

    def derived(self, text: str) -> Expression:
        """Compile an expression that the author did not write but meant."""
        expression = analyse(text, states=self.states).expression
        self.needs.append(expression.needs)
        return expression

    def sink(self, place: Node, name: str) -> str:
        """Return a sink's name; one that the configuration does not have is probably not meant."""
        if name and self._sinks is not None and name not in self._sinks:
            hint = did_you_mean(name, self._sinks)
            message = f"what goes to {name[:40]!r} is given up: the configuration has no such sink{hint}"
            self.warn(place, message, "unknown-sink")
        return name

    def _compiled(self, node: AnyNode | None, hidden: Mapping[str, str]) -> Compiled | None:
        if node is None:
            return None
        text = self.text(node, "an expression")
        if not text or not isinstance(node, ScalarNode):
            return None
        try:
            compiled = analyse(text, states=self.states, hidden=hidden)
        except DefinitionError as error:
            for problem in error.problems:
                self.refuse(node.place(problem.line, problem.column), problem.message, problem.code)
            return None
        self.needs.append(compiled.expression.needs)
        return compiled

    def _problem(self, place: Node | tuple[int, int], message: str, code: str) -> Problem:
        line, column = (place.line, place.column) if isinstance(place, Node) else place
        return Problem(file=self.file, line=line, column=column, message=message, code=code)


def follow(node: AnyNode, path: Iterable[Any]) -> AnyNode:
    """Return the node at a path of keys and indexes, or the last one on the way that exists."""
    for step in path:
        if isinstance(node, MappingNode) and step in node.entries:
            node = node.entries[step]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def _got(node: AnyNode) -> str:
    """Say what stands where something else was expected."""
    if isinstance(node, ScalarNode):
        return "nothing" if node.value is None or not node.text else repr(node.text[:MAX_SHOWN])
    return "a list" if isinstance(node, SequenceNode) else "an object"
