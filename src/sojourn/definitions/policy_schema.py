"""The schema of a policy: its part of what editors check, and the keywords its reader accepts.

As with journeys (`schema`), the keywords stand here once: the reader asks `POLICY_KEYWORDS` what may stand
where.
"""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.definitions.friction_schema import CHURN_SCHEMA, FRICTION_SCHEMA
from sojourn.definitions.policy import MAX_MOST
from sojourn.definitions.schema_parts import CHANNEL_PATTERN, HOLDOUT, Schema, object_of, ref

TIME_OF_DAY_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"


def _time_of_day(description: str) -> Schema:
    return {"type": "string", "pattern": TIME_OF_DAY_PATTERN, "description": description}


_QUIET = object_of(
    "Hours in which nobody is disturbed, by the person's own clock; they may span midnight.",
    {
        "from": _time_of_day("The first quiet minute, such as 22:00."),
        "to": _time_of_day("The first minute that is not quiet, such as 08:00."),
        "then": {
            "enum": ["later", "drop"],
            "default": "later",
            "description": "What becomes of a message: decided anew when they end, or not sent.",
        },
    },
    required=["from", "to"],
)

_CAP = object_of(
    "At most so many messages in a window.",
    {
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
    required=["most", "per"],
)

_CHANNEL: Schema = {
    **object_of(
        "One way to reach people.",
        {
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
            "caps": ref("caps", "Of this channel alone."),
            "quiet": ref("quiet_or_off", "Its own quiet hours, or off."),
            "holdout": {
                **HOLDOUT,
                "description": "The share of people who get nothing by it; off if left out.",
            },
        },
    ),
    "type": ["object", "null"],
}

POLICY_SCHEMA = object_of(
    "How people may be reached, by all journeys together.",
    {
        "holdout": {**HOLDOUT, "description": "The share of people who get nothing at all; 1% if left out."},
        "time_zone": {
            "type": "string",
            "default": "UTC",
            "description": "Of people whose own nobody knows; a name of the IANA database.",
            "examples": ["Europe/Berlin"],
        },
        "quiet": ref("quiet_or_off", "Of channels that say nothing of their own."),
        "caps": ref("caps", "Of all channels together."),
        "channels": {
            "type": "object",
            "propertyNames": {"pattern": CHANNEL_PATTERN},
            "additionalProperties": {"$ref": "#/$defs/channel"},
            "description": "The ways to reach people, by name.",
        },
        "friction": FRICTION_SCHEMA,
        "churn": CHURN_SCHEMA,
    },
)

POLICY_DEFINITIONS: Mapping[str, Schema] = {
    "cap": _CAP,
    "caps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/cap"}},
    "quiet": _QUIET,
    "quiet_or_off": {"anyOf": [{"enum": ["off"]}, {"$ref": "#/$defs/quiet"}]},
    "channel": _CHANNEL,
}
"""What the schema of a policy points to, beside `duration`."""

POLICY_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(schema["properties"])
    for name, schema in {"policy": POLICY_SCHEMA, "channel": _CHANNEL, "cap": _CAP, "quiet": _QUIET}.items()
}
"""What may stand in each kind of object."""
