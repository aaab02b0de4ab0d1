"""The JSON Schema of the policy's `friction:` and `churn:`, and the keywords their reader accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.definitions.durations import DURATION_PATTERN
from sojourn.definitions.friction_rules import RAGE_PRESETS, SIGNALS

_Schema = dict[str, Any]


def _names(description: str) -> _Schema:
    one = {"type": "string", "minLength": 1}
    many = {"type": "array", "minItems": 1, "items": one}
    return {"anyOf": [one, many], "description": description}


def _duration(description: str) -> _Schema:
    return {"type": "string", "pattern": DURATION_PATTERN, "description": description}


def _object(description: str, properties: Mapping[str, _Schema]) -> _Schema:
    return {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "additionalProperties": False,
    }


FRICTION_SCHEMA = _object(
    "What goes against a person, and how much each of it weighs.",
    {
        "rage": {"enum": list(RAGE_PRESETS), "description": "Whose rule of rage clicks holds."},
        "tau": _duration("After so long a signal counts for 37 %; 10m where left out."),
        "weights": {
            "type": "object",
            "propertyNames": {"enum": list(SIGNALS)},
            "additionalProperties": {"type": "number", "minimum": 0},
            "description": "Signal -> its part in the score; 0: not looked for.",
        },
        "clicks": _names("Events that are clicks."),
        "effects": _names("Events that show that a click worked; without them no click is called dead."),
        "errors": _names("Events that are errors."),
        "steps": _names("Events that are steps, beside those with a rank."),
        "form_starts": _names("Events that begin a form."),
        "form_submits": _names("Events that end it well."),
        "carts": _names("Events that put something into a cart."),
        "purchases": _names("Events that buy it."),
        "rages": _names("Events by which a client says that it found rage clicks."),
        "dead_clicks": _names("Events by which a client says that a click was dead."),
        "dead_after": _duration("A click without an effect for so long is dead; 2s500ms where left out."),
        "error_within": _duration("An error so soon after a click is the click's; 1s where left out."),
        "quick_back_within": _duration("Back from a step sooner than this; 10s where left out."),
        "form_within": _duration("A form not submitted for so long is abandoned; 30m where left out."),
        "cart_within": _duration("A cart not bought for so long is abandoned; 1h where left out."),
        "stall_after": _duration("So long in one step is a stall; left out: only in those of `stalls`."),
        "stalls": {
            "type": "object",
            "additionalProperties": _duration("The longest time in this step."),
            "description": "Step -> the longest time in it.",
        },
        "ignored_targets": _names("Elements and steps that are never about friction."),
        "ignored_properties": _names("A click with one of these properties true is none."),
    },
)

CHURN_SCHEMA = _object(
    "One fit of BG/NBD, for churn(): all four parameters, or none.",
    {
        "r": {"type": "number", "exclusiveMinimum": 0, "description": "Shape of the rates of coming back."},
        "alpha": {"type": "number", "exclusiveMinimum": 0, "description": "Their scale, in units of time."},
        "a": {"type": "number", "exclusiveMinimum": 0, "description": "Of the chance to leave for good."},
        "b": {"type": "number", "exclusiveMinimum": 0, "description": "Of the chance to stay."},
        "unit": {"enum": ["day", "week"], "default": "week", "description": "The unit of time of the fit."},
    },
)
