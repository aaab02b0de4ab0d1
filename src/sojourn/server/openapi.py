"""OpenAPI: one document for all that is served: the API, the probes, and the routes events come in by.

Paths come from the routes themselves and schemas from the types, their descriptions from the docstrings, so
the document cannot say what the code does not.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from textwrap import dedent
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from msgspec import Struct

from sojourn import __version__
from sojourn.server.access.callers import COOKIE
from sojourn.server.access.roles import need_of
from sojourn.server.belonging import segment_paths
from sojourn.server.openapi_analytics import analytics_paths
from sojourn.server.openapi_decisions import DECISION_SCHEMAS, DECISION_SECURITY, decision_paths
from sojourn.server.openapi_experiments import experiment_paths
from sojourn.server.openapi_ingest import INGEST_SCHEMAS, INGEST_SECURITY, ingest_paths
from sojourn.server.openapi_operating import operating_paths
from sojourn.server.openapi_parts import REF, Json, no_token, refusal

_TITLE = "Sojourn"
_ABOUT = """\
Events come in by the Segment Tracking API and RudderStack's dialect of it, with a source's write key.
Applications ask what a person is to see under `/ofrep`, with a key of their own.
Everything under `/api` wants the operator's admin token, or somebody who signed in and has the role that
`x-role` says: viewer, editor or admin; each may do what those before it may.
What is asked with GET changes nothing.
Instants are milliseconds since 1970 UTC."""
_TAGS = {
    "events": "Events in: the Segment Tracking API and RudderStack's dialect of it.",
    "decisions": "What an application asks of a person: OpenFeature's evaluation protocol (OFREP 0.3).",
    "people": "One person: who they are, where they stand, and what led there.",
    "journeys": "Journeys, and how many people are where.",
    "authoring": "Writing journeys: checks, charts, traffic, files and drafts, rehearsals.",
    "analytics": "What people did: the questions of `sojourn graph`, `funnel`, ..., and the same answers.",
    "experiments": "What each variant of an experiment did, and how sure that is.",
    "failures": "What could not be read, and what could not be delivered.",
    "status": "How the house is doing.",
    "access": "Signing in, and who may.",
}


_SECURITY: Json = {
    "admin": {"type": "http", "scheme": "bearer", "description": "The configuration's admin_token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Set by `POST /api/v1/session`, whose `csrf` changes carry as X-CSRF-Token.",
    },
}


def openapi_config() -> OpenAPIConfig:
    """Return what the framework needs to describe its routes; it serves no document of its own."""
    return OpenAPIConfig(
        title=_TITLE,
        version=__version__,
        description=_ABOUT,
        render_plugins=[],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
    )


def describe(app: Litestar, views: Sequence[type[Struct]]) -> Json:
    """Describe all that is served, as OpenAPI 3.1; `views` are the types that the API's routes speak."""
    document: Json = app.openapi_schema.to_schema()
    api = {path: _finished(item) for path, item in document["paths"].items()}
    return {
        "openapi": "3.1.0",
        "info": {**document["info"], "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": {
            **ingest_paths(),
            **decision_paths(),
            **_probe_paths(),
            **_guarded(
                {**api, **analytics_paths(), **experiment_paths(), **segment_paths(), **operating_paths()}
            ),
        },
        "components": {
            "schemas": {**INGEST_SCHEMAS, **DECISION_SCHEMAS, **_schemas(views)},
            "securitySchemes": {**_SECURITY, **INGEST_SECURITY, **DECISION_SECURITY},
        },
    }


def _operation_id(handler: HTTPRouteHandler, method: object, path: object) -> str:
    """Name an operation after its function, as clients that are generated want it: `getProfile`."""
    del method, path
    function: Any = handler.fn
    while hasattr(function, "func"):  # on a thread, twice over where a path has several methods
        function = function.func
    first, *others = str(function.__name__).split("_")
    return first + "".join(other.capitalize() for other in others)


def _finished(item: Json) -> Json:
    """Complete what the framework says of one path: who may ask, and every way it can be refused."""
    for operation in item.values():
        responses = operation["responses"]
        responses.pop("400", None)
        responses["200"]["description"] = "What was asked for."
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
            responses["404"] = refusal("Nobody has this id, or nothing this name.")
        if "requestBody" in operation:
            responses["400"] = refusal("The body is no JSON.")
            responses["413"] = refusal("The body is larger than 1 MiB, or 16 MiB of definitions.")
        if "parameters" in operation or "requestBody" in operation:
            responses["422"] = refusal("A parameter, or the body, is not what it must be.")
    return item


def _guarded(paths: Json) -> Json:
    """Say of each operation who may ask, and how the others are refused."""
    for path, item in paths.items():
        for method, operation in item.items():
            need = need_of(method.upper(), path)
            operation["x-role"] = need
            operation["security"] = [] if need == "anyone" else [{"admin": []}, {"session": []}]
            operation["responses"]["401"] = no_token()
            operation["responses"]["403"] = refusal("Not in this role, or asked for by another page.")
    return paths


def _probe_paths() -> Json:
    flag = {"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}
    ready = {"application/json": {"schema": flag}}
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/ready": {
            "get": {
                "operationId": "getReady",
                "summary": "Whether events are taken now",
                "tags": ["status"],
                "security": [],
                "responses": {
                    "200": {"description": "They are.", "content": ready},
                    "503": {"description": "The engine is starting, stopping or full.", "content": ready},
                },
            }
        },
        "/metrics": {
            "get": {
                "operationId": "getMetrics",
                "summary": "Metrics, as Prometheus reads them",
                "tags": ["status"],
                "security": [],
                "responses": {"200": {"description": "All metrics.", "content": text}},
            }
        },
    }


def _schemas(views: Sequence[type[Struct]]) -> Json:
    _, schemas = msgspec.json.schema_components(views, ref_template=REF)
    for kind in _structs(views):
        about = schemas.get(kind.__name__, {})
        for name, note in _notes(kind).items():
            if name in about.get("properties", {}):
                about["properties"][name]["description"] = note
    return schemas


def _structs(views: Sequence[type[Struct]]) -> set[type[Struct]]:
    """Return the types and all that they are made of."""
    found: set[type[Struct]] = set()
    waiting: list[Any] = [msgspec.inspect.type_info(kind) for kind in views]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                continue
            found.add(info.cls)
            waiting += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            waiting += info.types
        elif isinstance(info, msgspec.inspect.ListType):
            waiting.append(info.item_type)
        elif isinstance(info, msgspec.inspect.DictType):
            waiting.append(info.value_type)
    return found


def _notes(kind: type) -> dict[str, str]:
    """Return what the docstrings under a type's fields, and those it inherits, say."""
    notes: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, Struct) or base is Struct:
            continue
        (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, after in zip(definition.body, definition.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
                assert isinstance(field.target, ast.Name)
                notes[field.target.id] = inspect.cleandoc(ast.literal_eval(after.value))
    return notes
