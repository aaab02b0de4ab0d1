"""The JSON Schema of a journey: what editors complete and check, and the keywords the compiler accepts.

The keywords stand here once: `compile.py` asks `KEYWORDS` what may stand where, so that the two cannot part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sojourn.definitions.durations import DURATION_PATTERN
from sojourn.definitions.experiment_schema import (
    FLAG,
    FLAG_DEFINITIONS,
    SPLIT_DEFINITIONS,
    SPLIT_KEYWORDS,
    VARIANTS,
)
from sojourn.definitions.friction_schema import CHURN_SCHEMA, FRICTION_SCHEMA
from sojourn.definitions.policy_schema import POLICY_DEFINITIONS, POLICY_SCHEMA
from sojourn.definitions.schema_parts import (
    CHANNEL_PATTERN,
    HOLDOUT,
    JOURNEY_NAME_PATTERN,
    STATE_NAME_PATTERN,
)
from sojourn.definitions.schema_parts import Schema as _Schema
from sojourn.definitions.schema_parts import object_of as _object
from sojourn.definitions.schema_parts import ref as _ref
from sojourn.definitions.step_schema import STEP_DEFINITIONS, STEP_OBJECTS

SCHEMA_ID = "urn:sojourn:journey"  # a name, not an address: the file travels with the repository
SINK_KIND_PATTERN = r"^[a-z][a-z0-9_-]{0,49}$"

_ENTRY = _object(
    "Who enters, and how often.",
    {
        "on": _ref("events", "The event that enters a person, or a list of events."),
        "when": _ref("expression", "Enter only where this is true of the event and the person."),
        "key": _ref("expression", "One enrolment at a time for each value of this, e.g. properties.cart_id."),
        "reentry": {
            "default": "after_exit",
            "description": "Whether a person may enter again.",
            "anyOf": [{"enum": ["never", "after_exit", "always"]}, {"$ref": "#/$defs/reentry"}],
        },
        "segment": {
            "type": "string",
            "pattern": JOURNEY_NAME_PATTERN,
            "description": "Becoming a member enters; with `on` or `schedule`, only members enter by these.",
        },
        "schedule": {
            "description": "When everybody enters, as a recurrence rule of RFC 5545, by each person's clock.",
            "anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/schedule"}],
        },
        "api": {"type": "boolean", "default": False, "description": "May be entered by a call of the API."},
    },
)
_ENTRY["anyOf"] = [{"required": [way]} for way in ("on", "segment", "schedule", "api")]

_REENTRY = _object(
    "Again, and not too soon.",
    {"cooldown": _ref("duration", "So long after leaving nobody enters again (for the same key).")},
    required=["cooldown"],
)

_SCHEDULE = _object(
    "A recurrence rule, and whose clock it goes by.",
    {
        "rule": {
            "type": "string",
            "description": "FREQ (HOURLY to YEARLY), INTERVAL, BYMONTH, BYMONTHDAY, BYDAY, BYHOUR, BYMINUTE, "
            "BYSETPOS, WKST.",
            "examples": ["FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"],
        },
        "zone": {
            "type": "string",
            "description": "A time zone of the IANA, such as Europe/Berlin; left out: the person's own.",
        },
    },
    required=["rule"],
)

_GOAL = _object(
    "What the journey is for; reaching it ends the enrolment at once.",
    {
        "on": _ref("events", "The event that reaches the goal, or a list of events."),
        "when": _ref("expression", "Only where this is true."),
        "within": _ref("duration", "Counted from the entry; left out: as long as the person is inside."),
        "outlives": {
            "type": "boolean",
            "description": "Reached also after the run, while `within` lasts; true where left out.",
        },
        "value": _ref("expression", "What reaching it is worth, e.g. properties.revenue."),
    },
    required=["on"],
)

_EXIT = _object(
    "What ends the enrolment at once, from any state.",
    {
        "on": _ref("events", "The event that ends it, or a list of events; left out: any."),
        "when": _ref("expression", "Only where this is true."),
    },
)
_EXIT["anyOf"] = [{"required": ["on"]}, {"required": ["when"]}]

_WAY = _object(
    "One way out.",
    {
        "to": _ref("target", "Where it leads."),
        "resume": _ref("target", "Back to where one was inside that state; the first time, to its start."),
        "when": _ref("expression", "Taken only where this is true."),
    },
)
_WAY["anyOf"] = [{"required": ["to"]}, {"required": ["resume"]}]

_EXPERIMENT = _object(
    "A random split: everybody who comes here is exposed and moves on with their variant.",
    {
        "id": {"type": "string", "pattern": JOURNEY_NAME_PATTERN, "description": "Its name in all facts."},
        "variants": VARIANTS,
        **SPLIT_KEYWORDS,
        "to": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/target"},
            "description": "Variant -> the state it leads to.",
        },
    },
    required=["id", "variants", "to"],
)

_DO = {
    "type": "object",
    "description": "An action: `webhook: support` names a kind of sink and the sink; or `sink: support`.",
    "properties": {
        "sink": {"type": "string", "description": "The sink's name in the configuration."},
        "body": {"type": "object", "description": "What to send; its strings may hold Liquid templates."},
        "expires": _ref("duration", "Not worth doing after so long; a day where left out."),
        "channel": {
            "type": "string",
            "pattern": CHANNEL_PATTERN,
            "description": "Whose consent, caps and quiet hours hold; that of the sink if left out.",
        },
        "topic": {
            "type": "string",
            "pattern": CHANNEL_PATTERN,
            "description": "What it is about, for consent: newsletter.",
        },
        "holdout": {
            **HOLDOUT,
            "description": "The share of people who do not get what this state does; off if left out.",
        },
        "transactional": {
            "type": "boolean",
            "default": False,
            "description": "Owed to the person, as a receipt is: no consent to marketing, cap, quiet hour or "
            "hold-out stops it.",
        },
    },
    "patternProperties": {
        SINK_KIND_PATTERN: {
            "description": "A kind of sink; its value is the sink's name (left out: the kind)."
        }
    },
    "additionalProperties": False,
}

_STATE = {
    **_object(
        "A state a person can be in. One without anything in it is final.",
        {
            "on": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/ways"},
                "description": "Event -> where it leads. `done.state.x` happens when the state x is done.",
            },
            "after": {
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/duration"},
                "additionalProperties": {"$ref": "#/$defs/ways"},
                "description": "Time spent in the state -> where it leads.",
            },
            "branch": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/$defs/way"},
                "description": "Left at once by the first way whose `when` is true.",
            },
            "experiment": {"$ref": "#/$defs/experiment"},
            "do": _ref("actions", "What to do when the state is entered."),
            "exit_do": _ref("actions", "What to do when the state is left."),
            "states": _ref("states", "States inside this one; the first is where it starts."),
            "initial": _ref("target", "Where it starts, if not in its first state."),
            "regions": _ref("states", "States inside this one that are all active together."),
            "steps": _ref("steps", "Steps inside this one; after the last one it is done."),
            "type": {
                "enum": ["final", "history"],
                "description": "final: the end. history: back to where one was.",
            },
            "deep": {"type": "boolean", "description": "Of a history: all levels, not only the first."},
            "to": _ref("target", "Of a history: where it leads the first time."),
        },
    ),
    "type": ["object", "null"],
}

_DEFINITIONS: _Schema = {
    "duration": {
        "type": "string",
        "pattern": DURATION_PATTERN,
        "description": "Such as 30s, 5m, 1h30m, 7d or 2w.",
        "examples": ["30m", "1h30m", "7d"],
    },
    "expression": {
        "type": ["string", "number", "boolean"],
        "description": "An expression, such as: properties.total > 100 and trait.plan == 'pro'",
    },
    "target": {
        "type": "string",
        "description": "A state: a sibling, an ancestor's sibling, or any unique name.",
    },
    "events": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        ]
    },
    "way": _WAY,
    "ways": {
        "description": "A state, a way with a condition, or several: the first that is true wins.",
        "anyOf": [
            {"$ref": "#/$defs/target"},
            {"$ref": "#/$defs/way"},
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"$ref": "#/$defs/target"}, {"$ref": "#/$defs/way"}]},
            },
        ],
    },
    "action": _DO,
    "actions": {"type": "array", "items": {"$ref": "#/$defs/action"}},
    "experiment": _EXPERIMENT,
    "state": _STATE,
    "states": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": STATE_NAME_PATTERN},
        "additionalProperties": {"$ref": "#/$defs/state"},
    },
    "exit": _EXIT,
    "reentry": _REENTRY,
    "schedule": _SCHEDULE,
    **SPLIT_DEFINITIONS,
    **STEP_DEFINITIONS,
}

_JOURNEY: _Schema = _object(
    "One journey.",
    {
        "journey": {"type": "string", "pattern": JOURNEY_NAME_PATTERN, "description": "Its name."},
        "description": {"type": "string", "description": "What it is for, in the author's words."},
        "entry": _ENTRY,
        "goal": _GOAL,
        "exit": {
            "description": "What ends it at once.",
            "anyOf": [{"$ref": "#/$defs/exit"}, {"type": "array", "items": {"$ref": "#/$defs/exit"}}],
        },
        "holdout": HOLDOUT,
        "priority": {
            "type": "integer",
            "minimum": -1_000,
            "exclusiveMaximum": 1_001,
            "default": 0,
            "description": "Of journeys that want a person at once, the higher one goes first.",
        },
        "group": {
            "type": "string",
            "pattern": JOURNEY_NAME_PATTERN,
            "description": "A person is in at most one journey of a group: the one of the higher priority.",
        },
        "states": _ref("states", "Its states; a person starts in the first one."),
        "initial": _ref("target", "Where a person starts, if not in the first state."),
        "steps": _ref("steps", "Instead of states: what happens, one step after the other."),
    },
    required=["journey", "entry"],
)
_JOURNEY["anyOf"] = [{"required": ["states"]}, {"required": ["steps"]}]

_SEGMENT = _object(
    "A named condition about a person.",
    {
        "when": _ref("expression", "Who is in it."),
        "description": {"type": "string", "description": "What it is for, in the author's words."},
    },
    required=["when"],
)

_DEFINITION_FILE: _Schema = _object(
    "What holds for all journeys together.",
    {
        "segments": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": JOURNEY_NAME_PATTERN},
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/expression"}, {"$ref": "#/$defs/segment"}]},
            "description": "Segments: name -> condition over traits, profile, count, since and in_segment.",
        },
        "policy": POLICY_SCHEMA,
    },
)

_OBJECTS: Mapping[str, _Schema] = {
    "definitions": _DEFINITION_FILE,
    "segment": _SEGMENT,
    "reentry": _REENTRY,
    "schedule": _SCHEDULE,
    "journey": _JOURNEY,
    "entry": _ENTRY,
    "goal": _GOAL,
    "exit": _EXIT,
    "state": _STATE,
    "way": _WAY,
    "experiment": _EXPERIMENT,
    "action": _DO,
    "friction": FRICTION_SCHEMA,
    "churn": CHURN_SCHEMA,
    **STEP_OBJECTS,
}

KEYWORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(schema["properties"]) for name, schema in _OBJECTS.items()
}
"""What may stand in each kind of object."""


def journey_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a journey file."""
    return _published(SCHEMA_ID, "A Sojourn journey", {**_JOURNEY, "$defs": _DEFINITIONS})


def definition_file_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file of segments and policy."""
    shared = {name: _DEFINITIONS[name] for name in ("expression", "duration")}
    named = {**shared, "segment": _SEGMENT, **POLICY_DEFINITIONS}
    return _published(
        SCHEMA_ID + "-definitions", "What Sojourn's journeys share", {**_DEFINITION_FILE, "$defs": named}
    )


def flag_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file of one flag."""
    shared = {name: _DEFINITIONS[name] for name in ("expression", "duration", "events")}
    return _published(
        SCHEMA_ID + "-flag", "A Sojourn feature flag", {**FLAG, "$defs": {**shared, **FLAG_DEFINITIONS}}
    )


def journey_schema_text() -> str:
    """Return the schema as the file docs/reference/journey.schema.json holds it."""
    return _text(journey_schema())


def definition_file_schema_text() -> str:
    """Return the schema as the file docs/reference/definitions.schema.json holds it."""
    return _text(definition_file_schema())


def flag_schema_text() -> str:
    """Return the schema as the file docs/reference/flag.schema.json holds it."""
    return _text(flag_schema())


def _published(name: str, title: str, body: _Schema) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, "title": title}
    schema: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({**head, **body}))
    return schema


def _text(schema: _Schema) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
