"""Schema parts: the small pieces that the JSON Schema of a journey is made of."""

from __future__ import annotations

from typing import Any

STATE_NAME_PATTERN = r"^[^\W\d][\w-]{0,99}$"
JOURNEY_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
CHANNEL_PATTERN = r"^[a-z][a-z0-9_-]{0,49}$"
"""Of channels, and of the topics of their messages."""

Schema = dict[str, Any]

HOLDOUT: Schema = {
    "description": "The share of people who enter and get nothing: 10% or 0.1; off for none. 5% if left out.",
    "anyOf": [
        {"enum": ["off"]},
        {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,9})?%$"},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    ],
}


def ref(name: str, description: str) -> Schema:
    """Point to a definition, and say what it is for here."""
    return {"$ref": f"#/$defs/{name}", "description": description}


def object_of(description: str, properties: Schema, *, required: list[str] | None = None) -> Schema:
    """Make the schema of an object that has these keywords and no others."""
    schema: Schema = {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
    }
    return {**schema, "required": required} if required else schema
