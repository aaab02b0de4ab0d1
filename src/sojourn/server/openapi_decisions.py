"""OpenAPI of what applications ask: the OpenFeature Remote Evaluation Protocol, 0.3, as it is served here."""

from __future__ import annotations

from sojourn.server.ofrep_reading import SIGNATURE
from sojourn.server.ofrep_writing import FLAGS, STREAMS
from sojourn.server.openapi_parts import REF, Json

_VALUE: Json = {"type": ["boolean", "string", "number", "object"]}
_FLAT: Json = {
    "type": "object",
    "additionalProperties": {"type": ["boolean", "string", "number"]},
    "description": "`decision_id`, `held_out`, the version; where they apply `node`, `experiment`, "
    "`propensity`, `holdout`. `behind`: events of the person were acknowledged and are not seen yet.",
}

DECISION_SCHEMAS: Json = {
    "DecisionQuestion": {
        "type": "object",
        "description": "Of whom is asked, and what is said beside it.",
        "properties": {
            "context": {
                "type": "object",
                "description": "Attributes of the question: what guards of flags see as `properties`.",
                "properties": {
                    "targetingKey": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 1_000,
                        "description": "A user id or an anonymous id.",
                    },
                    "userId": {"type": "string", "description": "Surely a user's, where both are sent."},
                    "anonymousId": {"type": "string", "description": "The device's, where both are sent."},
                    SIGNATURE: {"type": "string", "description": "Shows that a page may name a user."},
                },
                "required": ["targetingKey"],
                "additionalProperties": True,
            }
        },
        "required": ["context"],
    },
    "Decision": {
        "type": "object",
        "description": "What one flag says of the person.",
        "properties": {
            "key": {"type": "string"},
            "value": _VALUE,
            "reason": {"enum": ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"]},
            "variant": {"type": "string"},
            "metadata": _FLAT,
        },
        "required": ["key", "value", "reason", "variant", "metadata"],
    },
    "Decisions": {
        "type": "object",
        "description": "What every flag says, and the stream that tells when one says something else.",
        "properties": {
            "flags": {"type": "array", "items": {"$ref": REF.format(name="Decision")}},
            "eventStreams": {"type": "array", "items": {"type": "object"}},
            "metadata": _FLAT,
        },
        "required": ["flags", "metadata"],
    },
    "DecisionFailure": {
        "type": "object",
        "description": "Why a question has no answer.",
        "properties": {
            "key": {"type": "string"},
            "errorCode": {
                "enum": ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND"]
            },
            "errorDetails": {"type": "string"},
        },
        "required": ["errorCode", "errorDetails"],
    },
    "DecisionRefusal": {
        "type": "object",
        "description": "Why nobody is answered.",
        "properties": {"errorDetails": {"type": "string"}},
        "required": ["errorDetails"],
    },
}

DECISION_SECURITY: Json = {
    "decisionBearer": {"type": "http", "scheme": "bearer", "description": "A key of `decisions.keys`."},
    "decisionKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

_RETRY: Json = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}}
_ETAG: Json = {"ETag": {"schema": {"type": "string"}, "description": "Names these answers."}}


def decision_paths() -> Json:
    """Describe every route of the protocol."""
    flag = {"name": "key", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[^/]+$"}}
    known = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    single = _question("evaluateFlag", "What one flag says; an exposure where it was drawn", "Decision")
    single["parameters"] = [flag]
    single["responses"]["404"] = _failure("There is no such flag, or this key does not open it.")
    bulk = _question("evaluateFlags", "What all flags say; no exposure", "Decisions")
    bulk["parameters"] = [
        known,
        *(_from_stream(each) for each in ("flagConfigEtag", "flagConfigLastModified")),
    ]
    bulk["responses"]["200"]["headers"] = _ETAG
    bulk["responses"]["304"] = {"description": "They say what they said.", "headers": _ETAG}
    return {
        FLAGS + "/{key}": {"post": single},
        FLAGS: {"post": bulk},
        STREAMS + "{token}": {"get": _stream()},
    }


def _question(name: str, summary: str, answer: str) -> Json:
    body = {"application/json": {"schema": {"$ref": REF.format(name="DecisionQuestion")}}}
    told = {"application/json": {"schema": {"$ref": REF.format(name=answer)}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["decisions"],
        "security": [{each: []} for each in DECISION_SECURITY],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {"description": "What was asked for.", "content": told},
            "400": _failure("The question cannot be read, or names nobody."),
            "401": _refusal("Nobody has this key."),
            "403": _failure("The signature is not that of this person."),
            "429": _refusal("Too much is asked at once.", _RETRY),
            "500": _refusal("A bug of ours."),
        },
    }


def _from_stream(name: str) -> Json:
    about = "What a stream's event said; answers are always those of now."
    return {"name": name, "in": "query", "schema": {"type": "string"}, "description": about}


def _stream() -> Json:
    events = {"text/event-stream": {"schema": {"type": "string"}}}
    about = "Server-sent events `refetchEvaluation`: what a bulk answer said has changed."
    return {
        "operationId": "openStream",
        "summary": "Hear of changes",
        "description": about + " A bulk answer names the stream, for its own process and for a while.",
        "tags": ["decisions"],
        "security": [],
        "parameters": [{"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "A stream, until either side ends it.", "content": events},
            "404": {"description": "No such stream is offered: ask for all flags anew.", "headers": _RETRY},
            "503": {"description": "As many streams are open as may be.", "headers": _RETRY},
        },
    }


def _failure(about: str) -> Json:
    content = {"application/json": {"schema": {"$ref": REF.format(name="DecisionFailure")}}}
    return {"description": about, "content": content}


def _refusal(about: str, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": {"$ref": REF.format(name="DecisionRefusal")}}}
    return {"description": about, "headers": headers or {}, "content": content}
