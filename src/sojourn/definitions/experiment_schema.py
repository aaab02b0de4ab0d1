"""The schema of experiments and flags: what editors check, and the keywords their readers accept."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.definitions.experiment import DEFAULT_FLOOR
from sojourn.definitions.schema_parts import HOLDOUT, JOURNEY_NAME_PATTERN, Schema, object_of, ref

FLAG_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""Of keys that SDKs put into an address as they are: dots, and no slashes."""

VALUE_TYPES = ("string", "boolean", "integer", "number", "object")

VARIANTS: Schema = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": JOURNEY_NAME_PATTERN},
    "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
    "description": "Variant -> weight. The first one is the control.",
}

SHARE: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,9})?%$"},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    ],
}

NAMESPACE = object_of(
    "A part of all people. Experiments in parts of one namespace that do not overlap share nobody.",
    {
        "id": {"type": "string", "pattern": JOURNEY_NAME_PATTERN, "description": "Its name."},
        "from": {"type": "number", "minimum": 0, "maximum": 1, "description": "From here, 0 to 1."},
        "to": {"type": "number", "minimum": 0, "maximum": 1, "description": "To below here, 0 to 1."},
    },
    required=["id", "from", "to"],
)

REWARD = object_of(
    "What an adaptive allocation is for.",
    {
        "on": ref("events", "The event that is it, or a list of events; in a journey, its goal if left out."),
        "when": ref("expression", "Only where this is true of the event and the person."),
        "within": ref("duration", "Counted from the exposure."),
    },
    required=["within"],
)

SPLIT_KEYWORDS: Mapping[str, Schema] = {
    "coverage": {**SHARE, "description": "The share of people who take part: 50% or 0.5; all if left out."},
    "namespace": ref("namespace", "The part of all people who may take part, for mutual exclusion."),
    "seed": {
        "type": "string",
        "minLength": 1,
        "description": "What the hash begins with; the id if left out.",
    },
    "hash": {
        "enum": ["v1", "v2"],
        "default": "v2",
        "description": "GrowthBook's hash; v1 only for an experiment that began elsewhere.",
    },
    "allocation": {
        "enum": ["fixed", "adaptive"],
        "default": "fixed",
        "description": "How people are shared among the variants: by the weights, or by what rewards.",
    },
    "reward": ref("reward", "Of an adaptive allocation: what it is for; in a journey, its goal if left out."),
    "floor": {
        **SHARE,
        "default": DEFAULT_FLOOR,
        "description": "Of an adaptive allocation: the least share of a variant.",
    },
    "by": {
        "description": "Of an adaptive allocation: what is learnt apart, an expression or several.",
        "anyOf": [
            {"$ref": "#/$defs/expression"},
            {"type": "array", "minItems": 1, "maxItems": 3, "items": {"$ref": "#/$defs/expression"}},
        ],
    },
}
"""What may stand in every split beside its variants."""

SPLIT_DEFINITIONS: Mapping[str, Schema] = {"namespace": NAMESPACE, "reward": REWARD}
"""What SPLIT_KEYWORDS point to, beside `expression`, `events` and `duration`."""

FLAG_EXPERIMENT = object_of(
    "A random split of the people for whom the rule is.",
    {
        "id": {
            "type": "string",
            "pattern": JOURNEY_NAME_PATTERN,
            "description": "Its name in all facts; the flag's name if left out.",
        },
        "variants": {
            **VARIANTS,
            "description": "Variant of the flag -> weight. The first one is the control.",
        },
        **SPLIT_KEYWORDS,
        "holdout": {
            **HOLDOUT,
            "description": "The share of people who are kept from it and get the default; off if left out.",
        },
        "sticky": {
            "type": "boolean",
            "default": True,
            "description": "Whether whoever met a variant keeps it when weights or coverage change.",
        },
        "version": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": 0,
            "description": "A higher one begins anew: what people met before does not hold.",
        },
        "min_version": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": 0,
            "description": "Whoever met a version before this one takes no part.",
        },
    },
    required=["variants"],
)

RULE = object_of(
    "For whom, and what: a variant or an experiment.",
    {
        "when": ref("expression", "For whom; for everybody if left out."),
        "serve": {"type": "string", "description": "The variant they get."},
        "experiment": ref("flag_experiment", "The experiment they take part in."),
        "description": {"type": "string", "description": "What it is for, in the author's words."},
    },
)
RULE["anyOf"] = [{"required": ["serve"]}, {"required": ["experiment"]}]

FLAG = object_of(
    "One stand-alone feature flag.",
    {
        "flag": {"type": "string", "pattern": FLAG_NAME_PATTERN, "description": "Its key."},
        "description": {"type": "string", "description": "What it is for, in the author's words."},
        "type": {"enum": [*VALUE_TYPES], "description": "Of its values; what they are if left out."},
        "variants": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": JOURNEY_NAME_PATTERN},
            "description": "Variant -> its value, all of one type.",
        },
        "default": {"type": "string", "description": "The variant of everybody whom no rule gives another."},
        "rules": {
            "type": "array",
            "items": {"$ref": "#/$defs/rule"},
            "description": "The first that is for somebody decides.",
        },
        "enabled": {
            "type": "boolean",
            "default": True,
            "description": "false: everybody gets the default, whatever the rules say.",
        },
    },
    required=["flag", "variants", "default"],
)

FLAG_DEFINITIONS: Mapping[str, Schema] = {
    "rule": RULE,
    "flag_experiment": FLAG_EXPERIMENT,
    **SPLIT_DEFINITIONS,
}
"""What the schema of a flag points to, beside `expression`, `events` and `duration`."""

FLAG_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(schema["properties"])
    for name, schema in {
        "flag": FLAG,
        "rule": RULE,
        "flag_experiment": FLAG_EXPERIMENT,
        "namespace": NAMESPACE,
        "reward": REWARD,
    }.items()
}
"""What may stand in each kind of object."""
