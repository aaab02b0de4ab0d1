"""OpenAPI of analytics, made from the questions themselves: every parameter with its meaning and bounds."""

from __future__ import annotations

from sojourn.analytics.questions import QUESTIONS, Question, as_parameters
from sojourn.analytics.questions.fields import Field, fields_of
from sojourn.server.analytics import MAP, PATHS, STEPS
from sojourn.server.openapi_parts import Json, refusal

_ANSWERS: dict[str, tuple[str, ...]] = {
    "graph": ("nodes", "edges", "positions"),
    "people": ("items",),
    "paths": ("variants", "patterns", "nodes", "links"),
    "funnel": ("steps", "times", "went_to", "by", "reached", "dropped"),
    "retention": ("overall", "cohorts", "active_days", "daily"),
    "friction": ("findings",),
    "attribution": ("channels",),
    "causal": ("units", "path_credit", "inside", "segments"),
}
"""The tables an answer may have, each a list of rows; which it has depends on what is asked."""

_SHARED: Json = {
    MAP: "Attributes by other names: plan=traits.plan,country=properties.land. A column of the lake's events "
    "(country, channel, ...) and a property need none.",
    STEPS: "How names of events become steps, as YAML: what the command line reads from a file.",
}
_REFUSALS = {
    "404": "Nobody did anything yet.",
    "413": "The answer would be too large: ask with a limit.",
    "422": "A parameter is not what it must be, or names what no event has; the message names it.",
    "500": "A bug of ours.",
    "504": "It took too long: ask about less.",
}
_LATER = "Other questions are being answered; ask again after `Retry-After`."


def analytics_paths() -> Json:
    """Describe the path of every question."""
    return {f"{PATHS}{name}": {"get": _operation(name, kind)} for name, kind in QUESTIONS.items()}


def _operation(name: str, kind: type[Question]) -> Json:
    return {
        "operationId": f"ask{name.capitalize()}",
        "summary": f"Ask for the {name}",
        "description": f"{kind.__doc__} As `sojourn {name} --json` answers, from this server's data folder.",
        "parameters": [
            *map(parameter_of, fields_of(kind)),
            *(named(each, about, {"type": "string"}) for each, about in _SHARED.items()),
        ],
        **asking("analytics", _answer(name)),
    }


def asking(tag: str, answer: Json) -> Json:
    """Describe what all questions that are answered elsewhere have in common."""
    retry_after = {"schema": {"type": "string"}, "description": "Seconds to wait."}
    return {
        "tags": [tag],
        "responses": {
            "200": {
                "description": "What was asked for.",
                "content": {"application/json": {"schema": answer}},
            },
            "503": refusal(_LATER, {"Retry-After": retry_after}),
            **{status: refusal(about) for status, about in _REFUSALS.items()},
        },
    }


def parameter_of(field: Field) -> Json:
    """Describe one field of a question as a parameter."""
    types = {int: "integer", float: "number", bool: "boolean"}
    schema: Json = {"type": types.get(field.kind, "string")}
    if field.choices:
        schema["enum"] = list(field.choices)
    bounds = {"minimum": field.low, "maximum": field.high}
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if field.is_several:
        schema = {"type": "array", "items": schema}
    elif field.default is not None:
        schema["default"] = field.default
    return named(field.option, as_parameters(field.about), schema, is_needed=field.is_needed)


def named(name: str, about: str, schema: Json, *, is_needed: bool = False) -> Json:
    """Describe one parameter of a query."""
    return {"name": name, "in": "query", "required": is_needed, "description": about, "schema": schema}


def _answer(name: str) -> Json:
    rows = {"type": "array", "items": {"type": "object"}}
    answer: Json = {
        "type": "object",
        "properties": {
            "definition": {"type": "object", "description": "What the numbers mean."},
            **dict.fromkeys(_ANSWERS[name], rows),
        },
        "required": ["definition"],
    }
    if name == "attribution":  # of one model; of several, a list
        answer = {"oneOf": [answer, {"type": "array", "items": answer}]}
    return answer
