"""Experiments: what each variant did, read from a path and its query; it is answered elsewhere."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sojourn.analytics.experiments.asked import Experiment, Experiments
from sojourn.analytics.questions import Question
from sojourn.server.analytics import Analyses, given_of, read_question
from sojourn.server.asked import Inquiry

PATH = "/api/v1/experiments"
Name = Annotated[str, Parameter(description="An experiment's name.")]


def experimenting(analyses: Analyses) -> list[HTTPRouteHandler]:
    """Make the routes of experiments."""

    @get(PATH, include_in_schema=False, media_type="application/json")
    async def list_experiments(request: Request[object, object, State]) -> Response[bytes]:
        return await _answered(analyses, request, Experiments, name="experiments")

    @get(PATH + "/{experiment:str}", include_in_schema=False, media_type="application/json")
    async def report_experiment(request: Request[object, object, State], experiment: Name) -> Response[bytes]:
        return await _answered(analyses, request, Experiment, name="experiment", experiment=experiment)

    return [list_experiments, report_experiment]


async def _answered(
    analyses: Analyses,
    request: Request[object, object, State],
    kind: type[Question],
    *,
    name: str,
    experiment: str = "",
) -> Response[bytes]:
    question = read_question(kind, given_of(request.scope["query_string"]))
    asked = msgspec.Raw(msgspec.json.encode(question))
    inquiry = Inquiry(name=name, asked=asked, experiment=experiment)
    return Response(await analyses.answer(inquiry), media_type="application/json")
