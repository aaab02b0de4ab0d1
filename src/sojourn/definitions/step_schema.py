"""The part of a journey's JSON Schema that is about steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.definitions.durations import DURATION_PATTERN
from sojourn.definitions.experiment_schema import SPLIT_KEYWORDS, VARIANTS
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN, STATE_NAME_PATTERN, Schema, object_of, ref

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_PATTERN = r"^([01]?\d|2[0-3]):[0-5]\d$"
SPAN_PATTERN = r"^([01]?\d|2[0-3]):[0-5]\d *- *([01]?\d|2[0-3]):[0-5]\d$"

_STEP_KINDS = (
    "send", "do", "wait", "wait_for", "branch", "split", "repeat", "parallel", "call",
    "goto", "resume", "exit",
)  # fmt: skip

_WAIT = object_of(
    "Wait until an instant, inside hours of the day, or for a random time.",
    {
        "until": {
            "type": ["string", "number"],
            "description": "A date (`trait.trial_ends_at`, 2026-12-24), or the next time of day (09:00).",
        },
        "offset": {
            "type": "string",
            "pattern": DURATION_PATTERN.replace("^", "^[-+]?", 1),
            "description": "So long after the date, or before it: -3d.",
        },
        "at": {
            "type": "string",
            "pattern": TIME_PATTERN,
            "description": "The time of day, where the date has none: 09:00. Midnight, where left out.",
        },
        "days": {
            "description": "Only on these days of the week.",
            "anyOf": [
                {"enum": list(DAY_NAMES)},
                {"type": "array", "minItems": 1, "items": {"enum": list(DAY_NAMES)}},
            ],
        },
        "zone": {
            "type": "string",
            "description": "A time zone such as Europe/Berlin; left out: the person's own.",
        },
        "window": {
            "type": "string",
            "pattern": SPAN_PATTERN,
            "description": "Hours of the day, 09:00-18:00: go on at once inside them, else when they begin.",
        },
        "between": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"$ref": "#/$defs/duration"},
            "description": "The shortest and the longest time; each person gets one in between.",
        },
    },
)
_WAIT["anyOf"] = [{"required": ["until"]}, {"required": ["window"]}, {"required": ["between"]}]

_WAIT_FOR = object_of(
    "Wait for an event or a condition, and for so long at most.",
    {
        "on": ref("events", "The event that is awaited, or a list of events."),
        "when": ref("expression", "Only where this is true; without `on`: until it is true."),
        "match": {
            "description": "Properties that must be those of the event that let the person in.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ],
        },
        "within": ref("duration", "How long to wait at most."),
        "then": ref("path", "What follows when it happened; left out: the next step."),
        "timeout": ref("path", "What follows when it did not; left out: the next step."),
    },
)

_CASE = object_of(
    "One case of a branch; without `steps` and `to` it goes on with the next step.",
    {
        "when": ref("expression", "Taken only where this is true."),
        "steps": ref("path", "What follows then, before it goes on with the next step."),
        "to": ref("target", "The step or state it leads to, or exit."),
    },
)

_SPLIT = object_of(
    "A random split that stays: everybody who comes here is exposed and moves on with their variant.",
    {
        "id": {
            "type": "string",
            "pattern": JOURNEY_NAME_PATTERN,
            "description": "The experiment's name in all facts; left out: journey and step.",
        },
        "variants": VARIANTS,
        **SPLIT_KEYWORDS,
        "steps": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/path"},
            "description": "Variant -> what follows, before it goes on with the next step.",
        },
        "to": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/target"},
            "description": "Variant -> the step or state it leads to, or exit.",
        },
    },
    required=["variants"],
)

_REPEAT = object_of(
    "The same steps several times; on every way round there must be a wait.",
    {
        "times": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "description": "How many times at most, 1 to 100.",
        },
        "until": ref("expression", "Asked before each round: where it is true, go on with the next step."),
        "steps": ref("path", "What is repeated."),
    },
    required=["times", "steps"],
)

_CALL = object_of(
    "Another journey for the same person.",
    {
        "journey": {"type": "string", "pattern": JOURNEY_NAME_PATTERN, "description": "Its name."},
        "key": ref("expression", "The key it is entered with, e.g. entry.key."),
        "wait": {
            "type": "boolean",
            "default": True,
            "description": "Whether to go on only when it is over; false: at once.",
        },
    },
    required=["journey"],
)

_STEP = object_of(
    "One step.",
    {
        "name": {
            "type": "string",
            "pattern": STATE_NAME_PATTERN,
            "description": "The state's name. Naming a step keeps people in it when steps around it change.",
        },
        "send": ref("action", "Do one thing: an action."),
        "do": ref("actions", "Do several things: a list of actions."),
        "wait": {
            "description": "Wait for a time (1d), until an instant, or for hours of the day.",
            "anyOf": [{"$ref": "#/$defs/duration"}, {"$ref": "#/$defs/wait"}],
        },
        "wait_for": {
            "description": "Wait for an event or a condition; of several, for the first.",
            "anyOf": [
                {"$ref": "#/$defs/wait_for"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/wait_for"}},
            ],
        },
        "branch": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/case"},
            "description": "The first case whose `when` is true; where none is, the next step.",
        },
        "split": ref("split", "A random split that stays: an experiment."),
        "repeat": ref("repeat", "The same steps several times."),
        "parallel": {
            "description": "Steps side by side: lists of steps, or lists by name.",
            "anyOf": [
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/path"}},
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": STATE_NAME_PATTERN},
                    "additionalProperties": {"$ref": "#/$defs/path"},
                },
            ],
        },
        "join": {
            "enum": ["all", "any"],
            "default": "all",
            "description": "Beside `parallel`: go on when all of them are done, or any.",
        },
        "call": {
            "description": "Another journey for the same person.",
            "anyOf": [{"type": "string", "pattern": JOURNEY_NAME_PATTERN}, {"$ref": "#/$defs/call"}],
        },
        "goto": ref("target", "On to a step or state by its name."),
        "resume": ref("target", "Back to where one was inside that state."),
        "exit": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "description": "End the journey.",
        },
    },
)
_STEP["anyOf"] = [{"required": [kind]} for kind in _STEP_KINDS]

_ONE_STEP: Schema = {"anyOf": [{"$ref": "#/$defs/step"}, {"enum": ["exit"]}]}

STEP_DEFINITIONS: Schema = {
    "wait": _WAIT,
    "wait_for": _WAIT_FOR,
    "case": _CASE,
    "split": _SPLIT,
    "repeat": _REPEAT,
    "call": _CALL,
    "step": _STEP,
    "steps": {
        "type": "array",
        "minItems": 1,
        "items": _ONE_STEP,
        "description": "Steps, one after the other.",
    },
    "path": {
        "description": "Steps, or one of them.",
        "anyOf": [{"$ref": "#/$defs/steps"}, *_ONE_STEP["anyOf"]],
    },
}

STEP_OBJECTS: Mapping[str, dict[str, Any]] = {
    "wait": _WAIT,
    "wait_for": _WAIT_FOR,
    "case": _CASE,
    "split": _SPLIT,
    "repeat": _REPEAT,
    "call": _CALL,
    "step": _STEP,
}
"""The objects of steps, whose properties are the keywords that the compiler takes."""
