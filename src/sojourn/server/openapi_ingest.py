"""OpenAPI of the routes events come in by, made from the table that serves them."""

from __future__ import annotations

from typing import Any

from sojourn.server.http import ROUTES, SETTINGS_HEAD, SETTINGS_TAIL, Route

Json = dict[str, Any]

_ID = {"type": ["string", "number", "null"]}
_TIME = {"type": ["string", "number", "null"], "description": "ISO 8601, or milliseconds since 1970."}
_FREE = {"type": ["object", "null"], "additionalProperties": True}

INGEST_SCHEMAS: Json = {
    "Message": {
        "type": "object",
        "description": "One event. It needs an id of a person; what it does not name is kept or left.",
        "properties": {
            "type": {"enum": ["track", "identify", "page", "screen", "group", "alias"]},
            "event": {"type": "string", "description": "The name of a `track`."},
            "name": {"type": ["string", "null"], "description": "The name of a `page` or a `screen`."},
            "messageId": {"type": ["string", "null"], "description": "Makes it unique; else derived."},
            "userId": _ID,
            "anonymousId": _ID,
            "previousId": _ID,
            "groupId": _ID,
            "timestamp": _TIME,
            "originalTimestamp": _TIME,
            "sentAt": _TIME,
            "properties": _FREE,
            "traits": _FREE,
            "context": _FREE,
            "integrations": _FREE,
        },
        "additionalProperties": True,
    },
    "Batch": {
        "type": "object",
        "description": "Events of one source. Each gets its own verdict.",
        "properties": {
            "batch": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
            "sentAt": _TIME,
            "context": _FREE,
            "integrations": _FREE,
            "writeKey": {"type": ["string", "null"]},
        },
        "required": ["batch"],
        "additionalProperties": True,
    },
    "Accepted": {
        "type": "object",
        "description": "All events are on disk: new, known before, or kept as failed.",
        "properties": {
            "success": {"const": True},
            "rejected": {
                "type": "array",
                "description": "Those that were kept as failed; at most 100 are told.",
                "items": {
                    "type": "object",
                    "properties": {
                        "index": {"type": "integer"},
                        "code": {"type": "string"},
                        "reason": {"type": "string"},
                        "path": {"type": "string"},
                    },
                    "required": ["index", "code", "reason", "path"],
                },
            },
        },
        "required": ["success"],
    },
    "IngestRefusal": {
        "type": "object",
        "description": "The request as a whole was not taken; nothing of it was kept.",
        "properties": {
            "success": {"const": False},
            "code": {"type": "string"},
            "message": {"type": "string"},
            "path": {"type": "string"},
        },
        "required": ["success", "code", "message"],
    },
}

INGEST_SECURITY: Json = {
    "writeKeyBasic": {
        "type": "http",
        "scheme": "basic",
        "description": "The write key as user name, with an empty password: as Segment's SDKs send it.",
    },
    "writeKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
    "writeKeyQuery": {"type": "apiKey", "in": "query", "name": "writeKey"},
}

_SUMMARIES = {
    "post": "Send events",
    "pixel": "Send one event in the query",
    "swallow": "An SDK's metrics about itself: taken, and forgotten",
    "settings": "The settings document of Segment's browser SDK",
    "source_config": "The source configuration of RudderStack's SDKs",
    "health": "Whether the process is well",
}
_REFUSALS = {
    "400": "The request as a whole cannot be read.",
    "401": "No source has this write key.",
    "408": "The body did not come in time.",
    "413": "Over a bound; the reason says which.",
    "415": "A compression that is not read here.",
    "503": "Nothing was kept; send the same again, after `Retry-After`.",
}
_OPEN = ("swallow", "health")


def ingest_paths() -> Json:
    """Describe every route of the door."""
    paths = {f"/{path}": _path(path, route) for path, route in ROUTES.items()}
    settings = _path("v1/projects/settings", Route(what="settings"))
    key = {"name": "write_key", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    settings["get"]["parameters"] = [key]
    settings["get"]["security"] = []
    return {**paths, f"/{SETTINGS_HEAD}{{write_key}}{SETTINGS_TAIL}": settings}


def _path(path: str, route: Route) -> Json:
    method = route.methods[0].lower()
    what = _SUMMARIES[route.what]
    operation: Json = {
        "operationId": method + "".join(part.capitalize() for part in path.replace("-", "/").split("/")),
        "summary": f"{what}: {route.kind}" if route.kind else what,
        "tags": ["status"] if route.what == "health" else ["events"],
        "security": [] if route.what in _OPEN else [{name: []} for name in INGEST_SECURITY],
        "responses": _responses(route),
    }
    if route.what == "post":
        schema = "Message" if route.kind else "Batch"
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        about = "JSON, or gzip or zlib of it, whatever Content-Type says; at most 4 MiB unpacked."
        operation["requestBody"] = {"required": True, "description": about, "content": content}
    if route.what == "pixel":
        about = "base64url of the event's JSON; or its fields one by one, as `event` and `userId`."
        field = {"name": "data", "in": "query", "schema": {"type": "string"}, "description": about}
        operation["parameters"] = [field]
    return {method: operation}


def _responses(route: Route) -> Json:
    json = "application/json"
    if route.what == "pixel":
        content: Json = {"image/gif": {"schema": {"type": "string", "contentMediaType": "image/gif"}}}
    elif route.what in ("settings", "source_config"):
        content = {json: {"schema": {"type": "object"}}}
    else:
        content = {json: {"schema": {"$ref": "#/components/schemas/Accepted"}}}
    responses: Json = {"200": {"description": "Taken.", "content": content}}
    refusal = {json: {"schema": {"$ref": "#/components/schemas/IngestRefusal"}}}
    if route.what != "health":
        for status, about in _REFUSALS.items():
            responses[status] = {"description": about, "content": refusal}
    return responses
