"""OFREP: questions are answered as the protocol has it, and nobody learns what is not theirs."""

from __future__ import annotations

import hmac
import os
import socket
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from sojourn.engine.decisions import Decision
from sojourn.model.errors import UnavailableError
from sojourn.server.ofrep import Ofrep
from sojourn.server.ofrep_reading import SIGNATURE, Asked, Caller, Callers
from sojourn.server.ofrep_streams import Streams
from tests.engine.makers import MINUTE, T0, event
from tests.server.houses import DECISION_KEY, House
from tests.server.serving import served
from tests.soak import tries

SPEC = "conformance/ofrep_openapi.yaml"
FLAGS = "/ofrep/v1/evaluate/flags"
STATE = FLAGS + "/journey.welcome.state"
PAGE_KEY, SECRET = "a-key-that-is-in-the-page", "a secret of the operator"
KEYED = {"x-api-key": DECISION_KEY}


def house() -> House:
    """Make a house in which ann has entered."""
    made = House()
    made.take(event("Signed Up", user_id="ann", anonymous_id="phone"))
    return made


def ask(made: House, path: str = FLAGS, content: Any = None, **headers: str) -> httpx.Response:
    """Ask, of ann where nobody else is named."""
    body = {"context": {"targetingKey": "ann"}} if content is None else content
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items()} or KEYED
    return made.ask(path, method="POST", token=None, headers=sent, content=raw)


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return each flag's value, of all flags."""
    assert answer.status_code == 200, answer.text
    return {one["key"]: one["value"] for one in answer.json()["flags"]}


# The protocol


def published() -> Any:
    """Read the protocol's own document, or skip the test where nobody has it.

    Its `oneOf` of a flag's types cannot hold, for `codeDefaultFlag` takes everything: any of them is meant.
    """
    given = os.environ.get("SOJOURN_SHARED")
    roots = [Path(given)] if given else [folder / "shared" for folder in Path(__file__).resolve().parents[2:]]
    file = next((root / SPEC for root in roots if (root / SPEC).exists()), None)
    if file is None:
        pytest.skip(f"the protocol's published document, {SPEC}, is not beside this clone")
    schema = schemathesis.openapi.from_dict(yaml.safe_load(file.read_text().replace("oneOf:", "anyOf:")))
    schema.app = house().app
    return schema


@pytest.mark.parametrize("path", [FLAGS, FLAGS + "/{key}"])
def test_whatever_is_asked_the_answer_is_as_the_published_protocol_says(path: str) -> None:
    """By its own document, with any context."""
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]

    @settings(max_examples=tries(40), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=published()[path]["POST"].as_strategy())
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=KEYED, checks=checks)

    holds()


def test_one_flag_is_answered_with_all_that_sdks_fail_without() -> None:
    """Value, variant and reason, and a reason that OpenFeature has."""
    answer = ask(house(), STATE)
    found = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert {name: found[name] for name in ("key", "value", "variant", "reason")} == {
        "key": "journey.welcome.state",
        "value": "waiting",
        "variant": "waiting",
        "reason": "TARGETING_MATCH",
    }
    assert found["metadata"]["node"] == "waiting"


def test_a_number_that_is_a_float_is_sent_as_one() -> None:
    """`0.0` and not `0`: Python's SDK takes nothing else for a float."""
    assert b'"value":0.0,' in ask(house(), FLAGS + "/journey.welcome.propensity").content


def test_all_flags_are_answered_with_a_stream_that_needs_no_address_of_ours() -> None:
    """Behind a proxy nobody here knows the address; an SDK knows the one it asked."""
    found = ask(house()).json()
    assert {one["key"].rpartition(".")[2] for one in found["flags"]} >= {"state", "next_action", "variant"}
    (stream,) = found["eventStreams"]
    assert stream["type"] == "sse"
    assert stream["endpoint"]["requestUri"].startswith("/ofrep/v1/streams/")
    assert "ann" not in stream["endpoint"]["requestUri"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[" * 100_000, "INVALID_CONTEXT"),
        (b"[" * 2_000, "PARSE_ERROR"),
        (b'"\\ud800"', "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        ([], "INVALID_CONTEXT"),
        ({}, "INVALID_CONTEXT"),
        ({"context": "ann"}, "INVALID_CONTEXT"),
        ({"context": {}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "undefined"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "x" * 1_001}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "ann", "userId": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "ann", "more": "x" * 70_000}}, "INVALID_CONTEXT"),
    ],
)
def test_what_is_no_question_is_refused_in_openfeatures_words(content: Any, code: str) -> None:
    """One flag's refusal names the flag; that of all names none."""
    for path, key in ((STATE, "journey.welcome.state"), (FLAGS, None)):
        answer = ask(house(), path, content)
        found = answer.json()
        assert (answer.status_code, found["errorCode"], found.get("key")) == (400, code, key)
        assert found["errorDetails"]


def test_a_flag_there_is_not_is_not_found() -> None:
    """A word of its own, and the flag's name."""
    answer = ask(house(), FLAGS + "/journey.welcom.state")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


@pytest.mark.parametrize("path", [FLAGS + "/", FLAGS + "/a/b", "/ofrep/v1/configuration", "/ofrep/v1/"])
def test_a_path_that_names_nothing_is_not_found(path: str) -> None:
    """Before anybody's key is looked at."""
    assert ask(house(), path).status_code == 404


def test_a_wrong_method_is_told_the_right_one() -> None:
    """Whatever it is."""
    for method in ("GET", "PUT", "TRACE"):
        answer = house().ask(STATE, method=method, token=None, headers=KEYED)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


# Caching


def test_the_same_answers_are_not_sent_again() -> None:
    """By an ETag that was given, strong or weak, among others or alone."""
    made = house()
    etag = ask(made).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = ask(made, **KEYED, if_none_match=known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert ask(made, **KEYED, if_none_match='"other"').status_code == 200


def test_the_etag_covers_where_the_person_stands() -> None:
    """And nobody else."""
    made = house()
    etag = ask(made).headers["etag"]
    made.take(event("Signed Up", user_id="bob"))
    assert ask(made).headers["etag"] == etag
    made.driver.settle([], until=T0 + 25 * 60 * MINUTE)  # a day, and she has left the journey
    assert ask(made).headers["etag"] != etag


def test_the_etag_covers_what_is_said_beside_the_question() -> None:
    """A guard may see it."""
    made = house()
    other = {"context": {"targetingKey": "ann", "plan": "pro"}}
    assert ask(made).headers["etag"] != ask(made, FLAGS, other).headers["etag"]


# Who may ask


def test_nobody_is_answered_without_a_key_that_is_known() -> None:
    """Neither one flag nor all."""
    for path in (STATE, FLAGS):
        for headers in ({"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}, {"accept": "*/*"}):
            answer = house().ask(path, method="POST", token=None, headers=headers, content=b"{}")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "decisions.keys" in answer.json()["errorDetails"]


def test_a_key_is_carried_as_a_bearer_or_in_a_header_of_its_own() -> None:
    """As the protocol has both."""
    for headers in ({"authorization": f"bearer {DECISION_KEY}"}, {"x_api_key": DECISION_KEY}):
        assert ask(house(), STATE, **headers).status_code == 200


def page(made: House, flags: tuple[str, ...] = ("journey.welcome.*",)) -> House:
    """Let a page ask, too."""
    callers = Callers({PAGE_KEY: Caller(name="page", is_browser=True, flags=flags, secret=SECRET)})
    streams = Streams(made, callers.may_see, max_open=1)
    asked: list[Asked] = made.__dict__.setdefault("asked", [])

    class Seen:
        """Remembers what the door made of a question."""

        async def decide(self, question: Asked, key: str) -> tuple[Decision | None, bool]:
            asked.append(question)
            return await made.decide(question, key)

        async def decide_all(self, question: Asked) -> tuple[list[Decision], bool]:
            asked.append(question)
            return await made.decide_all(question)

        answers, watch, unwatch = made.answers, made.watch, made.unwatch

    made.app = Ofrep(Seen(), callers, streams=streams, rest=made.app)
    return made


def from_page(made: House, context: dict[str, Any], path: str = FLAGS) -> httpx.Response:
    """Ask from the page."""
    return ask(made, path, {"context": context}, x_api_key=PAGE_KEY)


def test_a_page_sees_the_flags_its_key_names_and_no_others() -> None:
    """Alone or among all."""
    made = page(house(), ("journey.welcome.state", "journey.welcome.v*"))
    assert told(from_page(made, {"targetingKey": "phone"})).keys() == {
        "journey.welcome.state",
        "journey.welcome.variant",
    }
    hidden = from_page(made, {"targetingKey": "phone"}, FLAGS + "/journey.welcome.propensity")
    assert (hidden.status_code, hidden.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_flags_of_any_length_are_not_remembered() -> None:
    """Everybody has a page's key: ten thousand addresses of 64 KB would be 640 MB."""
    callers = Callers({PAGE_KEY: Caller(name="page", is_browser=True, flags=("a.*",))})
    caller = callers.of({b"x-api-key": PAGE_KEY.encode()})
    assert caller is not None
    assert callers.may_see(caller, "a." + "x" * 60_000)
    assert not callers.may_see(caller, "b." + "x" * 60_000)
    assert sum(len(flag) for _, flag in callers._allowed) < 1_000


def test_a_page_names_devices_and_no_user_whose_id_was_not_signed() -> None:
    """Whatever it sends beside: user ids are guessed, random ids are not."""
    made = page(house())
    from_page(made, {"targetingKey": "ann", "userId": "ann", "anonymousId": "phone"})
    (question,) = made.__dict__["asked"]
    assert (question.is_device_only, question.user_id, question.anonymous_id) == (True, None, None)
    assert not question.is_trusted


def test_a_page_names_a_user_whose_id_the_operators_server_signed() -> None:
    """The signature goes no further: guards need not see it."""
    made = page(house())
    signature = hmac.new(SECRET.encode(), b"ann", sha256).hexdigest()
    found = from_page(made, {"targetingKey": "ann", SIGNATURE: signature})
    (question,) = made.__dict__["asked"]
    assert told(found)["journey.welcome.state"] == "waiting"
    assert (question.user_id, question.is_device_only) == ("ann", False)
    assert SIGNATURE not in question.context


@pytest.mark.parametrize("signature", ["", "0" * 64, 7, None, "é"])
def test_a_wrong_signature_is_forbidden(signature: Any) -> None:
    """Rather than taken for none: somebody means to show something. None at all is none."""
    answer = from_page(page(house()), {"targetingKey": "ann", SIGNATURE: signature})
    assert answer.status_code == (200 if signature is None else 403)


def test_a_browser_may_ask_from_any_page_and_read_the_etag() -> None:
    """CORS: what is sent with the question may be sent, what is answered may be read."""
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,if-none-match",
    }
    before = house().ask(FLAGS, method="OPTIONS", token=None, headers=asked)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == "*"
    assert "if-none-match" in before.headers["access-control-allow-headers"]
    answer = ask(house(), **KEYED, origin="https://shop.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


# What goes wrong


class Failing(House):
    """Fails to decide."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def decide(self, asked: Asked, key: str) -> tuple[Decision | None, bool]:
        raise self.error


def test_too_much_at_once_is_told_when_to_come_again() -> None:
    """429, as the protocol has it."""
    answer = ask(Failing(UnavailableError("too many questions wait for the store")), STATE)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_bug_of_ours_is_told_without_what_it_was() -> None:
    """The log has the traceback."""
    answer = ask(Failing(ZeroDivisionError("at line 7")), STATE)
    assert (answer.status_code, "line 7" in answer.text) == (500, False)
    assert answer.json()["errorDetails"]


def test_an_answer_is_one_segment() -> None:
    """Two would cost an SDK 50 ms: its kernel acknowledges the first one late."""
    body = b'{"context":{"targetingKey":"ann"}}'
    lines = (
        f"POST {FLAGS} HTTP/1.1",
        "Host: h",
        f"X-API-Key: {DECISION_KEY}",
        f"Content-Length: {len(body)}",
    )
    head = "\r\n".join((*lines, "", ""))
    with served(house().app) as port, socket.create_connection(("127.0.0.1", port)) as line:
        for _ in range(20):
            line.sendall(head.encode() + body)
            answer = line.recv(1 << 20)
            headers, _, content = answer.partition(b"\r\n\r\n")
            length = int(headers.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert len(content) == length
