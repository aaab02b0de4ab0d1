"""OpenAPI of the streams an operator looks at: what each says, for how long, and to how many."""

from __future__ import annotations

from sojourn.server.openapi_analytics import named
from sojourn.server.openapi_parts import Json, no_token, refusal
from sojourn.server.operating import EVENTS_STREAM, STREAM, VERDICTS
from sojourn.server.tail import MAX_PER_SLOT, SLOT_S

_PROGRESS = (
    "Server-sent events. `progress`: `{position, clock, lag}`, at most five a second and only where "
    "something moved: `position` is the last log entry processed and stored, for whoever asks then; "
    "`lag` is how many entries wait. `journeys`: journeys whose counts moved, as `/api/v1/journeys` has "
    "them; all of them first. A comment keeps the line open. After 15 minutes it ends, and is opened anew."
)
_EVENTS = (
    "Server-sent events without a name, one an event that came in, or a request that was refused whole, each "
    f"an `EventHeard`; at most {round(MAX_PER_SLOT / SLOT_S)} a second. `skipped`: `{{n}}`, how many more "
    "there were. What came before the stream was opened is at `/api/v1/events`."
)
_FULL = "As many are open as may be, or the server is stopping; open it again after `Retry-After`."


def operating_paths() -> Json:
    """Describe the streams."""
    filters = [
        named("source", "Only of this source.", {"type": "string"}),
        named("name", "Only events of this name.", {"type": "string"}),
        named("verdict", "Only what this became of.", {"type": "string", "enum": list(VERDICTS)}),
    ]
    return {
        STREAM: {
            "get": _stream("streamProgress", _PROGRESS, summary="How far the engine is, live", tag="status")
        },
        EVENTS_STREAM: {
            "get": _stream("streamEvents", _EVENTS, *filters, summary="Events, live", tag="events")
        },
    }


def _stream(name: str, about: str, *parameters: Json, summary: str, tag: str) -> Json:
    retry_after = {"schema": {"type": "string"}, "description": "Seconds to wait."}
    return {
        "operationId": name,
        "summary": summary,
        "description": about,
        "tags": [tag],
        "security": [{"admin": []}],
        "parameters": list(parameters),
        "responses": {
            "200": {
                "description": "What was asked for, until either side ends it.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "401": no_token(),
            "405": refusal("It is read, and nothing else."),
            "422": refusal("A parameter is not what it must be."),
            "503": refusal(_FULL, {"Retry-After": retry_after}),
        },
    }
