"""Names: what the names of a machine stand for here: guards, actions, delays and events.

A machine in JSON has names where XState has functions. One small YAML file says what each is in a journey:

    guards:  { isPro: "trait.plan == 'pro'", isOver: "entry.properties.total > {limit}" }
    actions: { sendWelcome: crm }
    delays:  { trialLength: 14d }
    events:  { SIGN_UP: Signed Up }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import MappingNode, ScalarNode, load
from sojourn.model.errors import DefinitionError, Problem

_SECTIONS = ("guards", "actions", "delays", "events")
_PLACE = re.compile(r"\{(\w+)\}")


class Names(Struct, frozen=True, kw_only=True):
    """What names stand for."""

    guards: Mapping[str, str] = {}
    """Guard -> an expression; `{limit}` in it is the guard's parameter of that name, as a literal."""
    actions: Mapping[str, str] = {}
    """Action -> the sink it goes to."""
    delays: Mapping[str, int] = {}
    """Delay -> ms."""
    events: Mapping[str, str] = {}
    """Event -> what it is called here."""
    sink: str = "console"
    """Where an action goes that has no name of its own here."""


def read_names(text: str, *, file: str, sink: str = "console") -> Names:
    """Read a file of names; raise DefinitionError with every problem."""
    root = load(text, file=file)
    problems: list[Problem] = []

    def refuse(node: Any, message: str, code: str) -> None:
        place = {"line": node.line, "column": node.column}
        problems.append(Problem(file=file, message=message, code=code, **place))

    delays: dict[str, int] = {}
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    if not isinstance(root, MappingNode):
        refuse(root, f"expected an object with {', '.join(_SECTIONS)}", "bad-type")
        raise DefinitionError(problems)
    for section, node in root.entries.items():
        if section not in _SECTIONS:
            hint = did_you_mean(section, _SECTIONS)
            refuse(root.keys[section], f"no section is named {section!r}{hint}", "unknown-keyword")
        elif not isinstance(node, MappingNode):
            refuse(node, "expected an object: name in the machine -> what it is here", "bad-type")
        else:
            for name, value in node.entries.items():
                if not isinstance(value, ScalarNode) or not value.text:
                    refuse(value, f"expected text for {name!r}", "bad-type")
                elif section == "delays":
                    delays[name] = _duration(value, refuse)
                else:
                    found[section][name] = value.text
    if problems:
        raise DefinitionError(sorted(problems))
    return Names(
        guards=found["guards"], actions=found["actions"], delays=delays, events=found["events"], sink=sink
    )


def _duration(node: ScalarNode, refuse: Callable[[Any, str, str], None]) -> int:
    try:
        return parse_duration(node.text)
    except ValueError as error:
        refuse(node, str(error), "bad-duration")
        return 1


def with_parameters(expression: str, parameters: Mapping[str, Any]) -> str:
    """Put a guard's parameters into its expression, as literals.

    Raises KeyError with the name of one that is not there.

    >>> with_parameters("entry.properties.total > {limit}", {"limit": 100})
    'entry.properties.total > 100'
    """
    return _PLACE.sub(lambda found: _literal(parameters[found[1]]), expression)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)
