"""Belonging: the segments that anybody was ever in, for whoever narrows a question to one."""

from __future__ import annotations

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sojourn.analytics.belonging.asked import Segments
from sojourn.server.analytics import Analyses, given_of, read_question
from sojourn.server.asked import Inquiry
from sojourn.server.openapi_analytics import asking
from sojourn.server.openapi_parts import Json

PATH = "/api/v1/segments"

_LISTING: Json = {
    "type": "object",
    "properties": {
        "segments": {"type": "array", "items": {"type": "object"}},
        "definition": {"type": "object", "description": "What the numbers mean."},
    },
    "required": ["segments", "definition"],
}


def segmenting(analyses: Analyses) -> HTTPRouteHandler:
    """Make the route of segments."""

    @get(PATH, include_in_schema=False, media_type="application/json")
    async def list_segments(request: Request[object, object, State]) -> Response[bytes]:
        question = read_question(Segments, given_of(request.scope["query_string"]))
        inquiry = Inquiry(name="segments", asked=msgspec.Raw(msgspec.json.encode(question)))
        return Response(await analyses.answer(inquiry), media_type="application/json")

    return list_segments


def segment_paths() -> Json:
    """Describe the path of segments."""
    return {
        PATH: {
            "get": {
                "operationId": "listSegments",
                "summary": "List segments",
                "description": f"{Segments.__doc__} The parameter `segment` of analytics takes their names.",
                "parameters": [],
                **asking("analytics", _LISTING),
            }
        }
    }
