"""The JSON Schema of a file that holds for all journeys, and the keywords its reader accepts.

As with journeys (`schema`), the keywords stand here once: the reader asks `POLICY_KEYWORDS` what may stand
where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sojourn.definitions.durations import DURATION_PATTERN
from sojourn.definitions.policy import MAX_MOST
from sojourn.definitions.schema import CHANNEL_PATTERN, HOLDOUT
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN

POLICY_SCHEMA_ID = "urn:sojourn:policy"
TIME_OF_DAY_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"

_Schema = dict[str, Any]

_OFF: _Schema = {"enum": ["off"]}
_TIME_OF_DAY: _Schema = {
    "type": "string",
    "pattern": TIME_OF_DAY_PATTERN,
    "description": 'By the person\'s own clock, in quotes: "22:00".',
    "examples": ["22:00", "08:00"],
}

_QUIET: _Schema = {
    "type": "object",
    "description": "Hours in which nobody is disturbed; they may span midnight.",
    "properties": {
        "from": {**_TIME_OF_DAY, "description": 'The first quiet minute, in quotes: "22:00".'},
        "to": {**_TIME_OF_DAY, "description": 'The first minute that is not quiet, in quotes: "08:00".'},
        "then": {
            "enum": ["later", "drop"],
            "default": "later",
            "description": "What becomes of a message: decided anew when they end, or not sent.",
        },
    },
    "required": ["from", "to"],
    "additionalProperties": False,
}

_CAP: _Schema = {
    "type": "object",
    "description": "At most so many messages in a window.",
    "properties": {
        "most": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": MAX_MOST + 1,
            "description": "So many, and no more.",
        },
        "per": {
            "description": "A duration slides along; day, week and month are the person's own calendar's.",
            "anyOf": [{"enum": ["day", "week", "month"]}, {"$ref": "#/$defs/duration"}],
        },
    },
    "required": ["most", "per"],
    "additionalProperties": False,
}

_CHANNEL: _Schema = {
    "type": ["object", "null"],
    "description": "One way to reach people.",
    "properties": {
        "sinks": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "description": "What goes to one of these goes by this channel.",
        },
        "consent": {
            "enum": ["opt_out", "opt_in"],
            "default": "opt_out",
            "description": "opt_out: allowed until forbidden. opt_in: forbidden until allowed.",
        },
        "caps": {"$ref": "#/$defs/caps", "description": "Of this channel alone."},
        "quiet": {"$ref": "#/$defs/quiet_or_off", "description": "Its own quiet hours, or off."},
        "holdout": {**HOLDOUT, "description": "The share of people who get nothing by it; off if left out."},
    },
    "additionalProperties": False,
}

_POLICY: _Schema = {
    "type": "object",
    "description": "What holds for all journeys together.",
    "properties": {
        "holdout": {**HOLDOUT, "description": "The share of people who get nothing at all; 1% if left out."},
        "time_zone": {
            "type": "string",
            "default": "UTC",
            "description": "Of people whose own nobody knows; a name of the IANA database.",
            "examples": ["Europe/Berlin"],
        },
        "quiet": {
            "$ref": "#/$defs/quiet_or_off",
            "description": "Of channels that say nothing of their own.",
        },
        "caps": {"$ref": "#/$defs/caps", "description": "Of all channels together."},
        "channels": {
            "type": "object",
            "propertyNames": {"pattern": CHANNEL_PATTERN},
            "additionalProperties": {"$ref": "#/$defs/channel"},
            "description": "The ways to reach people, by name.",
        },
    },
    "additionalProperties": False,
}

_SEGMENTS: _Schema = {
    "type": "object",
    "description": "Named conditions: who is in one is kept up to date.",
    "propertyNames": {"pattern": JOURNEY_NAME_PATTERN},
    "additionalProperties": {
        "type": ["string", "object"],
        "description": "When somebody is in it, such as: count('Order Completed', within='90d') >= 3",
    },
}

_DEFINITIONS: _Schema = {
    "duration": {"type": "string", "pattern": DURATION_PATTERN, "description": "Such as 24h or 7d."},
    "cap": _CAP,
    "caps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/cap"}},
    "quiet": _QUIET,
    "quiet_or_off": {"anyOf": [_OFF, {"$ref": "#/$defs/quiet"}]},
    "channel": _CHANNEL,
}

POLICY_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(schema["properties"])
    for name, schema in {"policy": _POLICY, "channel": _CHANNEL, "cap": _CAP, "quiet": _QUIET}.items()
}
"""What may stand in each kind of object."""


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file with a policy or segments."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": POLICY_SCHEMA_ID,
        "title": "A Sojourn policy, or segments",
        "type": "object",
        "description": "What holds for all journeys, in a file of its own beside them.",
        "properties": {"policy": _POLICY, "segments": _SEGMENTS},
        "additionalProperties": False,
        "minProperties": 1,
        "$defs": _DEFINITIONS,
    }
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return copy


def policy_schema_text() -> str:
    """Return the schema as the file docs/reference/policy.schema.json holds it."""
    return msgspec.json.format(msgspec.json.encode(policy_schema()), indent=2).decode() + "\n"
