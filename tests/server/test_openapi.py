"""OpenAPI: the document is valid, says all that is served, and everything served is as it says."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema_rs import meta
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sojourn.analytics import questions as analytics
from sojourn.server.analytics import PATHS
from sojourn.server.http import ROUTES
from sojourn.server.ofrep_writing import STREAMS
from sojourn.server.operating import EVENTS_STREAM, STREAM
from tests.engine.makers import event
from tests.server.houses import DECISION_KEY, KEY, TOKEN, House
from tests.soak import tries

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Other names of routes that are tried: the door serves them by the same lines.
ALIKE = [f"/v1/{name}" for name in ("b", "t", "i", "p", "s", "g", "a", "page", "screen", "group")]
ALIKE += ["/pixel/v1/page", "/beacon/v1/batch"]
REHEARSALS = "/api/v1/rehearsals"  # each would be a process: tests/wiring/test_rehearsals.py asks for some
OPEN = ["/health", "/ready", "/metrics", "/v1/m", STREAMS + "{token}", "/api/v1/session"]
ENDLESS = [STREAM, EVENTS_STREAM]
QUESTIONS = [PATHS + name for name in analytics.QUESTIONS]


def house() -> House:
    """Make a house in which something is of every kind."""
    made = House()
    made.take(event("Signed Up", user_id="ann", anonymous_id="phone"))
    made.fail(3)
    made.bury(1, 2, 3)
    return made


HOUSE = house()
DOCUMENT: dict[str, Any] = HOUSE.ask("/api/openapi.json").json()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = HOUSE.app


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """List (path, method, operation)."""
    return [(path, method, it) for path, item in DOCUMENT["paths"].items() for method, it in item.items()]


# The document


def test_every_schema_is_one() -> None:
    """OpenAPI 3.1 speaks JSON Schema 2020-12, so its own meta-schema judges."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert meta.is_valid(schema), name


def test_every_reference_leads_somewhere() -> None:
    """Schemas come from two hands: ours, and the types'."""

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) - known == set()


def test_every_route_of_the_door_is_described() -> None:
    """Who writes an SDK reads one document."""
    assert {f"/{path}" for path in ROUTES} - DOCUMENT["paths"].keys() == set()


def test_every_operation_says_what_it_is_and_who_may_ask() -> None:
    """And has a name of its own, which generated clients call it by."""
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    names = [operation["operationId"] for _, _, operation in operations()]
    for path, _, operation in operations():
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags, path
        if path.startswith("/api"):
            expected = [] if operation["x-role"] == "anyone" else [{"admin": []}, {"session": []}]
            assert operation["security"] == expected, path
        assert "200" in operation["responses"], path
    assert len(names) == len(set(names))


def test_every_operation_behind_the_token_says_how_it_is_refused() -> None:
    """In the one shape of every refusal."""
    shape = {"$ref": "#/components/schemas/Refusal"}
    for path, _, operation in operations():
        if path.startswith("/api"):
            refusals = {status: it for status, it in operation["responses"].items() if status != "200"}
            assert "401" in refusals, path
            assert all(it["content"]["application/json"]["schema"] == shape for it in refusals.values())


def test_what_a_type_s_docstrings_say_stands_in_its_schema() -> None:
    """So that nobody writes it a second time."""
    status = DOCUMENT["components"]["schemas"]["StatusView"]
    assert status["description"] == "How the house is doing."
    assert status["properties"]["log_end"]["description"] == "The last log entry."


# What is served


@SCHEMA.exclude(path=[*ALIKE, *QUESTIONS, *ENDLESS]).exclude(path=REHEARSALS, method="POST").parametrize()
@settings(max_examples=tries(5), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_as_the_document_says(case: schemathesis.Case) -> None:
    """Any parameter and any body: never a 500, and only statuses, types and shapes that are described."""
    case.call_and_validate(headers=credentials(case.path), checks=CHECKS)


@SCHEMA.include(path_regex="^/api").exclude(path=[*QUESTIONS, *ENDLESS]).parametrize()
@settings(
    max_examples=tries(2), phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
)
def test_whoever_signed_in_is_answered_as_the_document_says(case: schemathesis.Case) -> None:
    """By the cookie as by the token; a session may have been ended by the request before."""
    headers = HOUSE.sign_in("admin", name="$operator")
    case.call_and_validate(headers=headers, checks=CHECKS)


@SCHEMA.include(path=QUESTIONS).parametrize()
@settings(
    max_examples=tries(4), phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
)
def test_whatever_question_is_asked_the_answer_is_as_the_document_says(case: schemathesis.Case) -> None:
    """Fewer than of the others: each that can be answered is read from a lake and counted."""
    case.call_and_validate(headers=credentials(case.path), checks=CHECKS)


@SCHEMA.exclude(path=[*ALIKE, *OPEN]).parametrize()
@settings(
    max_examples=tries(1), phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
)
def test_a_wrong_key_opens_nothing(case: schemathesis.Case) -> None:
    """Neither the API nor the door, whatever else the request holds."""
    assert case.call(headers={"X-Write-Key": "wrong", "Authorization": "Bearer wrong"}).status_code == 401


def credentials(path: str) -> dict[str, str]:
    """Carry the key that a path asks for."""
    if path.startswith("/ofrep"):
        return {"X-API-Key": DECISION_KEY}
    return {"Authorization": f"Bearer {TOKEN}"} if path.startswith("/api") else {"X-Write-Key": KEY}
