"""The schema of metrics: what editors check, and the keywords their reader accepts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sojourn.definitions.durations import DURATION_PATTERN
from sojourn.definitions.metrics import METRIC_KINDS
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN, Schema, object_of

_DURATION: Schema = {"type": "string", "pattern": DURATION_PATTERN}
_NAMES: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
    ]
}

_METRIC = object_of(
    "What people did after their assignment, as one number a person.",
    {
        "kind": {
            "enum": list(METRIC_KINDS),
            "description": "conversion: did it or not; count: how often; value: a property summed; ratio: "
            "one metric over another; retention: came back; time_to: how long until, at most `within`.",
        },
        "on": {**_NAMES, "description": "The event, or one of several."},
        "goal": {
            "type": "string",
            "pattern": JOURNEY_NAME_PATTERN,
            "description": "Instead of `on`: the goal of this journey, with what it was worth.",
        },
        "when": {
            "type": "string",
            "description": "Which of these events count: properties.x beside constants, and, or, not, in.",
        },
        "value": {"type": "string", "description": "Of value: the property, as properties.revenue."},
        "after": {**_DURATION, "description": "Only what happens later than this after the assignment."},
        "within": {**_DURATION, "description": "So long after the assignment, the same for everybody."},
        "cap": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "A person's sum counts as at most this.",
        },
        "winsorise": {
            "type": "string",
            "pattern": r"^\d{1,2}(\.\d+)?%$",
            "description": "A person's sum counts as at most this quantile of those who have any: 99%.",
        },
        "good": {"enum": ["up", "down"], "description": "What is better; of time_to down, else up."},
        "before": {
            "anyOf": [{"enum": ["off"]}, _DURATION],
            "description": "How much of people's past is used to take out what it foretells (CUPED); 28d.",
        },
        "of": {"type": "string", "description": "Of a ratio: the metric above the line."},
        "per": {"type": "string", "description": "Of a ratio: the metric below the line."},
        "description": {"type": "string", "description": "What it is for, in the author's words."},
    },
    required=["kind"],
)

METRIC_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "metrics file": ("metrics",),
    "metric": tuple(_METRIC["properties"]),
}
"""What may stand in which object."""


def metrics_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a file of metrics."""
    metrics = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": JOURNEY_NAME_PATTERN},
        "additionalProperties": _METRIC,
        "description": "Name -> metric.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **object_of("What experiments are judged by.", {"metrics": metrics}, required=["metrics"]),
    }


def metrics_schema_text() -> str:
    """Return the schema as the file docs/reference/metrics.schema.json holds it."""
    return msgspec.json.format(msgspec.json.encode(metrics_schema()), indent=2).decode() + "\n"
