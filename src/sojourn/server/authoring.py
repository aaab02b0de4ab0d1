"""Authoring: what whoever writes journeys asks: is it right, what goes through it, who is where."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, Parameter, QueryParameter
from msgspec import Meta, Struct

from sojourn.definitions.metrics_schema import metrics_schema
from sojourn.definitions.schema import definition_file_schema, flag_schema, journey_schema
from sojourn.model.authored import CheckView, InsidePage, TrafficView, VersionTextView
from sojourn.model.charts import ChartView
from sojourn.server.asked import MAX_DEFINITIONS, Definition
from sojourn.server.refusing import Refusal

MAX_CHECKED_BYTES = 1 << 20
"""Of a check: what stands in an editor, or a folder of some hundred journeys; seconds of work at most."""
MAX_INSIDE = 1_000  # people in one answer.
MAX_NAME_CHARS = 1_000
MAX_INSTANT = 1 << 53

_SCHEMAS = {
    "journey": journey_schema,
    "definitions": definition_file_schema,
    "flag": flag_schema,
    "metrics": metrics_schema,
}

Name = Annotated[str, Parameter(description="A journey's name.", max_length=MAX_NAME_CHARS)]
AnyVersion = Annotated[
    str,
    Parameter(description="One of its versions; without it, the one in force.", max_length=MAX_NAME_CHARS),
]
Since = Annotated[
    int | None,
    QueryParameter(
        name="from", ge=0, le=MAX_INSTANT, description="From this instant on, ms; an hour is counted whole."
    ),
]
Until = Annotated[
    int | None,
    QueryParameter(
        name="to", ge=0, le=MAX_INSTANT, description="Up to this instant, ms; an hour is counted whole."
    ),
]
AnyState = Annotated[
    str,
    QueryParameter(
        name="state",
        description="In this state, or inside it; without it, in any.",
        max_length=MAX_NAME_CHARS,
    ),
]
Earlier = Annotated[
    str | None,
    Parameter(
        pattern=r"^[0-9]{1,16}-[0-9]{1,16}$", description="`next` of the page before; without it, the newest."
    ),
]
Rows = Annotated[int, Parameter(ge=1, le=MAX_INSIDE, description="People at most.")]


class Check(Struct, kw_only=True, forbid_unknown_fields=True):
    """Files to check."""

    definitions: Annotated[list[Definition], Meta(max_length=MAX_DEFINITIONS)]
    is_whole: bool = False
    """They are all there is; else they stand beside what is in force, in the place of what they name."""


class Authoring(Protocol):
    """What authors may ask; wiring answers."""

    async def check(self, asked: Check) -> CheckView:
        """Say what is wrong in files, and draw the journeys that compile; raises nothing for any text."""

    def chart(self, journey: str, version: str) -> ChartView:
        """Lay out a version that is kept (empty: the one in force); raises InputError where there is none."""

    def version(self, journey: str, version: str) -> VersionTextView:
        """Return a version as it was written; raises InputError where there is none."""

    def traffic(self, journey: str, version: str, *, since: int | None, until: int | None) -> TrafficView:
        """Count what went through a version; raises InputError where there is none."""

    def inside(self, journey: str, version: str, *, state: str, after: str | None, limit: int) -> InsidePage:
        """List people inside a journey (with no version, in any); raises InputError where there is none."""


def authoring(authors: Authoring) -> list[HTTPRouteHandler]:
    """Make the routes that change nothing."""
    return [_checking(authors), *_describing(authors), *_counting(authors)]


def _checking(authors: Authoring) -> HTTPRouteHandler:
    late = ResponseSpec(Refusal, description="Others are being checked; ask again.", generate_examples=False)

    @post(
        "/api/v1/check",
        summary="Check definitions",
        tags=["authoring"],
        status_code=200,
        request_max_body_size=MAX_CHECKED_BYTES,
        responses={503: late},
    )
    async def check(data: Annotated[Check, Body()]) -> CheckView:
        """Say what is wrong in files, as `sojourn check` does, with its place; and draw what compiles."""
        return await authors.check(data)

    return check


def _describing(authors: Authoring) -> list[HTTPRouteHandler]:
    @get("/api/v1/schemas/{kind:str}", summary="A JSON Schema", tags=["authoring"], sync_to_thread=True)
    def get_schema(
        kind: Annotated[str, Parameter(description="`journey`, `definitions`, `flag` or `metrics`.")],
    ) -> dict[str, Any]:
        """The JSON Schema of a kind of file: what an editor completes and checks by."""
        if kind not in _SCHEMAS:
            raise NotFoundException(
                f"there is no schema {kind[:MAX_NAME_CHARS]!r}; there are {', '.join(_SCHEMAS)}"
            )
        return _SCHEMAS[kind]()

    @get(
        "/api/v1/journeys/{name:str}/chart",
        summary="A journey's chart",
        tags=["authoring"],
        sync_to_thread=True,
    )
    def get_chart(name: Name, version: AnyVersion = "") -> ChartView:
        """The states and ways of a version that is kept, ready to be drawn."""
        return authors.chart(name, version)

    @get(
        "/api/v1/journeys/{name:str}/versions/{version:str}",
        summary="A version's text",
        tags=["authoring"],
        sync_to_thread=True,
    )
    def get_version(
        name: Name, version: Annotated[str, Parameter(description="One of its versions.")]
    ) -> VersionTextView:
        """A version as it was written, and the one before it, to compare."""
        return authors.version(name, version)

    return [get_schema, get_chart, get_version]


def _counting(authors: Authoring) -> list[HTTPRouteHandler]:
    @get("/api/v1/journeys/{name:str}/traffic", summary="Traffic", tags=["authoring"], sync_to_thread=True)
    def get_traffic(
        name: Name, version: AnyVersion = "", since: Since = None, until: Until = None
    ) -> TrafficView:
        """How many are in each state, came and went, for how long they stayed, and which ways were taken."""
        return authors.traffic(name, version, since=since, until=until)

    @get(
        "/api/v1/journeys/{name:str}/people", summary="Who is where", tags=["authoring"], sync_to_thread=True
    )
    def list_inside(
        name: Name,
        *,
        inside: AnyState = "",
        version: AnyVersion = "",
        limit: Rows = 100,
        after: Earlier = None,
    ) -> InsidePage:
        """People inside a journey, those who came into the state last first."""
        return authors.inside(name, version, state=inside, after=after, limit=limit)

    return [get_traffic, list_inside]
