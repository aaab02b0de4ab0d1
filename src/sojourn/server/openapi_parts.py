"""OpenAPI: what its parts have in common: how they name a schema, and how they describe a refusal."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

REF = "#/components/schemas/{name}"


def refusal(description: str, headers: Json | None = None) -> Json:
    """Describe one way in which something is refused."""
    content = {"application/json": {"schema": {"$ref": REF.format(name="Refusal")}}}
    return {"description": description, "headers": headers or {}, "content": content}


def no_token() -> Json:
    """Describe what is answered to whoever carries no token."""
    challenge = {"schema": {"type": "string"}, "description": "How to show who you are."}
    return refusal("No admin token and no session, or a wrong one.", {"WWW-Authenticate": challenge})
