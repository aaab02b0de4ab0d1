"""Reading: typed access to the nodes of a definition, with every problem noted at its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.experiment_schema import FLAG_KEYWORDS
from sojourn.definitions.expression import Expression, Needs
from sojourn.definitions.guards import Compiled, analyse
from sojourn.definitions.journey import Do
from sojourn.definitions.metrics_schema import METRIC_KEYWORDS
from sojourn.definitions.policy import Policy
from sojourn.definitions.policy_schema import POLICY_KEYWORDS
from sojourn.definitions.schema import KEYWORDS
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, Node, ScalarNode, SequenceNode
from sojourn.model.errors import DefinitionError, Problem

MAX_PROBLEMS = 100  # of one file: nobody reads more of them at once.
MAX_SHOWN = 40  # characters of what came: enough to find it again.
_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)%", re.ASCII)
_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    **KEYWORDS,
    **POLICY_KEYWORDS,
    **FLAG_KEYWORDS,
    **METRIC_KEYWORDS,
}

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

    def __init__(
        self,
        file: str,
        *,
        sinks: Collection[str] | None = None,
        segments: Collection[str] | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.file = file
        self._sinks = sinks
        self._segments = segments
        self._policy = policy
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.needs: list[Needs] = []
        self.journey = ""
        """The journey's name, once it is read."""
        self.goal_within_ms: int | None = None
        """The window of the journey's goal, ms, once it is read; 0: it has none; None: there is no goal."""
        self.states: Mapping[str, str] = {}
        """What `In` may be asked for: name -> id."""

    def refuse(self, place: Node | tuple[int, int], message: str, code: str) -> None:
        """Note a problem."""
        self.problems.append(self._problem(place, message, code))

    def warn(self, place: Node | tuple[int, int], message: str, code: str) -> None:
        """Note something that is allowed and probably not meant."""
        self.warnings.append(self._problem(place, message, code))

    def told(self) -> tuple[list[Problem], list[Problem]]:
        """Return the problems and the warnings, each once, in the order of the file; of each at most 100."""
        return sorted(set(self.problems))[:MAX_PROBLEMS], sorted(set(self.warnings))[:MAX_PROBLEMS]

    def mapping(self, node: AnyNode, kind: str, required: Iterable[str] = ()) -> dict[str, AnyNode]:
        """Return an object's entries; its keys must be those of `kind` in _KEYWORDS."""
        if not isinstance(node, MappingNode):
            message = f"expected {kind} as an object, with {', '.join(_KEYWORDS[kind])}; got {_got(node)}"
            self.refuse(node, message, "bad-type")
            return {}
        for key, place in node.keys.items():
            if key not in _KEYWORDS[kind]:
                hint = did_you_mean(key, _KEYWORDS[kind])
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

    def share(self, node: AnyNode) -> float:
        """Return a share of people, 0 to 1: `10%`, a number, or `off`; 0 where it is none."""
        share = 0.0 if isinstance(node, ScalarNode) and node.text == "off" else said_share(node)
        if 0 <= share < 1:
            return share
        message = f"expected a share from 0% to below 100%, such as 10% or 0.1, or off; got {_got(node)}"
        self.refuse(node, message, "bad-value")
        return 0.0

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

    def pace(self, place: Node, do: Do) -> None:
        """Warn of an action that the policy in force does not pace as its author will have meant it."""
        if self._policy is None:
            return
        channel = self._policy.channel_of(do.sink, named=do.channel)
        if channel and channel not in self._policy.channels:
            hint = did_you_mean(channel, self._policy.channels)
            self.warn(place, f"the policy knows no channel {channel!r}{hint}", "unknown-channel")
        if do.topic and not channel:
            message = f"nobody can refuse the topic {do.topic!r} without a channel; name the action's channel"
            self.warn(place, message, "topic-without-channel")

    def segment(self, node: AnyNode) -> str:
        """Return a segment's name, one that is defined where it is known which are."""
        name = self.text(node, "the name of a segment")
        if name and self._segments is not None and name not in self._segments:
            hint = did_you_mean(name, self._segments)
            self.refuse(node, f"no segment is named {name!r}{hint}", "unknown-segment")
        return name

    def _compiled(self, node: AnyNode | None, hidden: Mapping[str, str]) -> Compiled | None:
        if node is None:
            return None
        text = self.text(node, "an expression")
        if not text or not isinstance(node, ScalarNode):
            return None
        try:
            compiled = analyse(text, states=self.states, hidden=hidden, segments=self._segments)
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


class Placed(Protocol):
    """Something that was read, and where it stands."""

    @property
    def reading(self) -> Reading:
        """The file."""
        ...

    @property
    def place(self) -> AnyNode:
        """In it."""
        ...


Draft = TypeVar("Draft", bound=Placed)


def first_of_each(
    drafts: Sequence[Draft], name_of: Callable[[Draft], str], *, what: str, most: int
) -> dict[str, Draft]:
    """Return drafts by name; notes those whose name stands before, and more than `most` of them."""
    by_name: dict[str, Draft] = {}
    for draft in drafts:
        name = name_of(draft)
        first = by_name.setdefault(name, draft)
        if first is not draft:
            message = f"the {what} {name!r} is defined in {first.reading.file} too; rename one"
            draft.reading.refuse(draft.place, message, f"duplicate-{what}")
    if len(by_name) > most:
        message = f"expected at most {most} {what}s, got {len(by_name)}"
        drafts[most].reading.refuse(drafts[most].place, message, "too-many")
    return by_name


def said_share(node: AnyNode) -> float:
    """Return a share as it is said, `10%` or a number; -1 where it is neither."""
    if not isinstance(node, ScalarNode) or isinstance(node.value, bool):
        return -1.0
    percentage = _PERCENTAGE.fullmatch(node.text)
    if percentage:
        return float(percentage.group(1)) / 100
    return float(node.value) if isinstance(node.value, int | float) else -1.0


def _got(node: AnyNode) -> str:
    """Say what stands where something else was expected."""
    if isinstance(node, ScalarNode):
        return "nothing" if node.value is None or not node.text else repr(node.text[:MAX_SHOWN])
    return "a list" if isinstance(node, SequenceNode) else "an object"
