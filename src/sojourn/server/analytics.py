"""Analytics: questions about what people did, read from the query; they are answered elsewhere.

Each command that asks such a question has a path of its name, and each of its options a parameter of the same
name. What comes back is what the command says with `--json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sojourn.analytics.questions import QUESTIONS, Question
from sojourn.analytics.questions.fields import Field, fields_of
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import InputError
from sojourn.server.asked import Inquiry
from sojourn.server.refusing import MAX_SHOWN

PATHS = "/api/v1/analytics/"
MAX_PARAMETERS = 500  # of one question: as many steps and conditions as fit in a line of HTTP, nearly.
MAP, STEPS = "map", "steps"
"""Parameters of every question."""


class Analyses(Protocol):
    """Whoever answers, on the event loop; wiring does."""

    async def answer(self, inquiry: Inquiry) -> bytes:
        """Answer in JSON; raises InputError where it cannot, and UnavailableError where it cannot now."""

    def warm(self) -> None:
        """Hear that somebody is about to ask."""


def analysing(analyses: Analyses) -> list[HTTPRouteHandler]:
    """Make a route for each question."""
    return [_route(name, analyses) for name in QUESTIONS]


def _route(name: str, analyses: Analyses) -> HTTPRouteHandler:
    @get(PATHS + name, include_in_schema=False, media_type="application/json")
    async def answer_question(request: Request[object, object, State]) -> Response[bytes]:
        inquiry = read_inquiry(name, request.scope["query_string"])
        return Response(await analyses.answer(inquiry), media_type="application/json")

    return answer_question


def read_inquiry(name: str, query: bytes) -> Inquiry:
    """Read a question from a query.

    Raises:
        InputError: A parameter is none of the question's, or is not what it must be; it is named.
    """
    given = given_of(query)
    columns, steps = (_single(each, given.pop(each, [""])) for each in (MAP, STEPS))
    question = read_question(QUESTIONS[name], given)
    return Inquiry(name=name, asked=msgspec.Raw(msgspec.json.encode(question)), columns=columns, steps=steps)


def read_question(kind: type[Question], given: Mapping[str, list[str]]) -> Question:
    """Read a question's fields from texts by name; raise InputError as `read_inquiry`."""
    known = {field.option: field for field in fields_of(kind)}
    for name in given:
        if name not in known:
            raise _bad(name, f"there is no such parameter{did_you_mean(name, [*known, MAP, STEPS])}")
    for name, field in known.items():
        if field.is_needed and name not in given:
            raise _bad(name, "is needed, and was not given")
    return kind(**{known[name].name: _value(known[name], texts) for name, texts in given.items()})


def given_of(query: bytes) -> dict[str, list[str]]:
    """Return the texts of each parameter, in their order."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        reason = f"expected at most {MAX_PARAMETERS} parameters; ask for less at once"
        raise InputError("bad-parameter", reason, status=422) from None
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        given.setdefault(name, []).append(text)
    return given


def _value(field: Field, texts: list[str]) -> Any:
    """Read one field: several texts where it takes several, else one."""
    if field.is_several:
        return tuple(texts)
    text = _single(field.option, texts)
    try:
        value = msgspec.convert(text, field.kind, strict=False)
    except msgspec.ValidationError:
        value = None
    if value is None or not _is_inside(field, value):
        raise _bad(field.option, f"expected {field.expected()}, got {text[:MAX_SHOWN]!r}")
    return value


def _is_inside(field: Field, value: Any) -> bool:
    """Tell whether a value keeps to the bounds of its field; what is no number (NaN) keeps to none."""
    if field.choices:
        return value in field.choices
    return (field.low is None or value >= field.low) and (field.high is None or value <= field.high)


def _single(name: str, texts: list[str]) -> str:
    if len(texts) > 1:
        raise _bad(name, "is given more than once; give it once")
    return texts[0]


def _bad(name: str, reason: str) -> InputError:
    return InputError("bad-parameter", f"{name}: {reason}", path=name, status=422)
