"""Populations: how invented people behave, with what is usual where nothing is said, read from YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode, load
from sojourn.definitions.zones import zone_named
from sojourn.model.errors import DefinitionError, Problem
from sojourn.runtime.rehearsal.listening import Constant, Listening, Role

DAY_MS = 86_400_000

ELSEWHERE = "$page"
"""What people do besides what journeys listen to: they look at a page."""

# How likely each kind of event is, beside the others: people begin often, and reach a goal seldom.
ROLE_WEIGHTS: Mapping[Role, float] = {"entry": 30, "on": 20, "asked": 25, "exit": 2, "goal": 3}
ELSEWHERE_WEIGHT = 40.0

MAX_EVENTS_PER_VISIT = 1_000  # on average; a visit has ten times as many at most.

Choices = dict[Constant, float]
"""Value -> its weight."""

ZONES: Choices = {"Europe/Berlin": 4, "America/New_York": 3, "America/Los_Angeles": 2, "Asia/Tokyo": 1}


class Response(Struct, frozen=True):
    """What an action does to a person it reaches."""

    goal: float = 1.0
    """Goals become so many times as likely; 1: messages change nobody, until somebody knows better."""
    within_ms: int = DAY_MS


class Population(Struct, frozen=True, kw_only=True):
    """How people behave."""

    visits_per_day: float = 0.2
    """On average; one person comes four times as often as that, another a quarter."""
    events_per_visit: float = 4.0
    time_zones: Choices = field(default_factory=lambda: dict(ZONES))
    events: dict[str, float] = {}
    """Event name -> its weight among all that a person may do next."""
    after: dict[str, dict[str, float]] = {}
    """Event name -> the weights that are others right after it."""
    traits: dict[str, Choices] = {}
    properties: dict[str, Choices] = {}
    response: Response = Response()


def usual(listening: Listening, said: Population) -> Population:
    """Fill a population with what is usual, where it says nothing of something that journeys listen to."""
    events = {ELSEWHERE: ELSEWHERE_WEIGHT} | {name: 0.0 for each in said.after.values() for name in each}
    events |= {name: ROLE_WEIGHTS[role] for name, role in listening.roles.items()}
    return replace(
        said,
        events=dict(sorted((events | said.events).items())),
        traits={name: _usual_choices(found) for name, found in listening.traits.items()} | said.traits,
        properties={
            name: choices
            for name, found in listening.properties.items()
            if (choices := _usual_property(name, found, listening))
        }
        | said.properties,
    )


def _usual_property(name: str, found: Sequence[Constant], listening: Listening) -> Choices:
    if not found and name in listening.values:
        return {10: 1, 20: 1, 50: 1, 100: 1}
    return _usual_choices(found) if found else {}


def _usual_choices(found: Sequence[Constant]) -> Choices:
    """Return values on both sides of every comparison, all alike."""
    choices: list[Constant] = []
    for value in found:
        if isinstance(value, bool):
            choices += [True, False]
        elif isinstance(value, str):
            choices += [value, "other"]
        else:
            choices += [value, value - 1, value + 1, value * 2]
    return dict.fromkeys(choices or ["some", "other"], 1.0)


def read_population(text: str, *, file: str) -> Population:
    """Read a population, or raise DefinitionError with every problem, each with its line and column."""
    reading = _Reading(file)
    population = reading.population(load(text, file=file))
    if reading.problems:
        raise DefinitionError(reading.problems)
    return population


class _Reading:
    """One file being read, and what is wrong in it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def population(self, node: AnyNode) -> Population:
        names = Population.__struct_fields__
        entries = self._mapping(node, "a population", known=names)
        fields: dict[str, Any] = {}
        for name, value in entries.items():
            match name:
                case "visits_per_day":
                    fields[name] = self._number(value, least=0, most=1)
                case "events_per_visit":
                    fields[name] = self._number(value, least=1, most=MAX_EVENTS_PER_VISIT)
                case "time_zones":
                    fields[name] = self._zones(value)
                case "events":
                    fields[name] = self._weights(value)
                case "after":
                    followed = self._mapping(value, "event -> what follows it")
                    fields[name] = {event: self._weights(inner) for event, inner in followed.items()}
                case "traits" | "properties":
                    named = self._mapping(value, "name -> its values")
                    fields[name] = {each: self._choices(inner) for each, inner in named.items()}
                case "response":
                    fields[name] = self._response(value)
        return Population(**fields)

    def _response(self, node: AnyNode) -> Response:
        entries = self._mapping(node, "a response", known=("goal", "within"))
        goal = self._number(entries["goal"], least=0, most=1_000) if "goal" in entries else 1.0
        within_ms = DAY_MS
        if "within" in entries:
            within = entries["within"]
            try:
                within_ms = parse_duration(within.text if isinstance(within, ScalarNode) else "")
            except ValueError as error:
                self._refuse(within, str(error), "bad-duration")
        return Response(goal, within_ms)

    def _zones(self, node: AnyNode) -> Choices:
        choices = self._choices(node)
        for zone in choices:
            if zone_named(str(zone)) is None:
                self._refuse(node, f"unknown time zone {zone!r}; write one as Europe/Berlin", "bad-zone")
        return choices

    def _weights(self, node: AnyNode) -> dict[str, float]:
        entries = self._mapping(node, "event -> its weight")
        return {name: self._number(value, least=0, most=1e9) for name, value in entries.items()}

    def _choices(self, node: AnyNode) -> Choices:
        """Read `[a, b]`, all alike, or `{ a: 3, b: 1 }`."""
        if isinstance(node, SequenceNode):
            values = [item.value for item in node.items if isinstance(item, ScalarNode)]
            choices: Choices = {value: 1.0 for value in values if value is not None}
        else:
            entries = self._mapping(node, "a list of values, or value -> its weight")
            choices = {
                _value(name): self._number(value, least=0, most=1e9) for name, value in entries.items()
            }
        if not any(choices.values()):
            self._refuse(node, "expected at least one value with a weight above 0", "missing")
        return choices

    def _number(self, node: AnyNode, *, least: float, most: float) -> float:
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            got = repr(node.text[:40]) if isinstance(node, ScalarNode) else "something else"
            self._refuse(node, f"expected a number from {least:g} to {most:g}, got {got}", "bad-value")
            return most
        return float(value)

    def _mapping(self, node: AnyNode, expected: str, *, known: Sequence[str] = ()) -> dict[str, AnyNode]:
        if not isinstance(node, MappingNode):
            self._refuse(node, f"expected {expected} as an object", "bad-type")
            return {}
        for name, place in node.keys.items():
            if known and name not in known:
                hint = did_you_mean(name, known) or f"; it knows {', '.join(known)}"
                self._refuse(place, f"{expected} knows no {name!r}{hint}", "unknown-keyword")
        return {name: value for name, value in node.entries.items() if not known or name in known}

    def _refuse(self, node: AnyNode, message: str, code: str) -> None:
        problem = Problem(file=self._file, line=node.line, column=node.column, message=message, code=code)
        self.problems.append(problem)


def _value(text: str) -> Constant:
    """Read a key as the value it was meant to be: keys of YAML here are always text."""
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
