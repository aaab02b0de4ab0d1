"""The webhook sink against a real receiver, on a real socket."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from msgspec import Raw
from standardwebhooks import Webhook, WebhookVerificationError

from sojourn.adapters.http import ANSWER_BYTES
from sojourn.adapters.reasons import REASON_CHARS
from sojourn.adapters.webhook import WebhookSink
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.testing.sink import check_sink
from tests.adapters.receivers import Receiver, answer, receiving

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
NOW_S = 1_767_225_600.0

ACTION = Action(
    id=ActionId("a1"),
    sink="shop",
    at=1_767_225_600_123,
    expires_at=1_767_312_000_000,
    profile_id=ProfileId("u:7"),
    user_id="7",
    journey="rescue",
    version="v3",
    enrolment_id=EnrolmentId("e1"),
    state="nudge",
    body=Raw(b'{"text":"Your cart waits"}'),
)


async def deliver(
    answered: bytes, *, now_s: Callable[[], float] | None = None, **options: Any
) -> tuple[Receiver, Delivery | SinkError]:
    """Deliver the action once."""
    async with receiving(answered) as receiver:
        given = {"url": receiver.url} | options
        sink = WebhookSink("shop", given, now_s=now_s) if now_s else WebhookSink("shop", given)
        try:
            return receiver, await sink.deliver(ACTION)
        except SinkError as error:
            return receiver, error
        finally:
            await sink.close()


def refusal(answered: bytes, **options: Any) -> SinkError:
    """Deliver where it is refused; return the error."""
    _, error = asyncio.run(deliver(answered, now_s=lambda: NOW_S, **options))
    assert isinstance(error, SinkError)
    return error


def test_an_unmodified_standard_webhooks_receiver_accepts_the_signature() -> None:
    """The library that receivers use verifies it, and reads the payload."""
    receiver, delivery = asyncio.run(deliver(answer(204), secret=SECRET))
    _, headers, body = receiver.requests[0]
    assert delivery == Delivery(outcome="delivered", attempts=1, status=204)
    assert Webhook(SECRET).verify(body, headers) == {
        "type": "journey.action",
        "timestamp": "2026-01-01T00:00:00.123Z",
        "data": {
            "action_id": "a1",
            "journey": "rescue",
            "version": "v3",
            "enrolment_id": "e1",
            "state": "nudge",
            "profile_id": "u:7",
            "user_id": "7",
            "anonymous_id": None,
            "body": {"text": "Your cart waits"},
        },
    }


def test_the_headers_say_who_sends_what() -> None:
    """The idempotency key is the action's id, the same at every attempt."""
    receiver, _ = asyncio.run(
        deliver(answer(), now_s=lambda: NOW_S, headers={"Authorization": "Bearer 12345678"})
    )
    request, headers, _ = receiver.requests[0]
    assert request == "POST /hooks/secret-path HTTP/1.1"
    assert headers["webhook-id"] == headers["idempotency-key"] == "a1"
    assert headers["webhook-timestamp"] == "1767225600"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("sojourn/")
    assert headers["authorization"] == "Bearer 12345678"
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_while_secrets_rotate_each_of_them_verifies(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver changes its secret when it likes."""
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    receiver, _ = asyncio.run(deliver(answer(), secret=[OLD_SECRET], secret_env="SHOP_SECRET"))
    _, headers, body = receiver.requests[0]
    assert Webhook(secret).verify(body, headers)


def test_a_changed_body_is_noticed() -> None:
    """Otherwise the signature would be decoration."""
    receiver, _ = asyncio.run(deliver(answer(), secret=SECRET))
    _, headers, body = receiver.requests[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"cart", b"card"), headers)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_not_now_is_tried_again(status: int) -> None:
    """The destination may take it later."""
    error = refusal(answer(status))
    assert (error.retry, error.status) == (True, status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 301, 304, 307])
def test_no_is_final(status: int) -> None:
    """It would say no again; 410 says so expressly."""
    error = refusal(answer(status, location="http://127.0.0.1:9/"))
    assert (error.retry, error.status) == (False, status)


def test_redirects_are_not_followed() -> None:
    """They would carry the body and its signature where nobody configured it."""

    async def story() -> tuple[list[Any], Any]:
        async with receiving(answer()) as other:
            _, error = await deliver(answer(307, location=other.url))
            return other.requests, error

    requests, error = asyncio.run(story())
    assert requests == []
    assert str(error) == "HTTP 307: redirects are not followed; put the final address into url"


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        ("120", 120_000),
        ("0", 0),
        (format_datetime(datetime.fromtimestamp(NOW_S + 30, UTC), usegmt=True), 30_000),
        (format_datetime(datetime.fromtimestamp(NOW_S - 30, UTC), usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 60, int("9" * 60) * 1000),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str, wait_ms: int | None) -> None:
    """Seconds or an HTTP date; the outbox bounds it."""
    assert refusal(answer(429, retry_after=header)).retry_after_ms == wait_ms


def test_the_reason_is_the_beginning_of_the_answer() -> None:
    """An operator sees why, without a page of HTML."""
    error = refusal(answer(422, b"no such  \n cart " + b"x" * 100_000))
    assert error.reason.startswith("HTTP 422: no such cart xxx")
    assert len(error.reason) <= REASON_CHARS + 20


def test_an_answer_without_end_does_not_fill_memory() -> None:
    """A hostile or broken receiver is read to a bound."""
    endless = b"HTTP/1.1 500 X\r\n\r\n" + b"x" * (ANSWER_BYTES * 50)
    assert len(refusal(endless).reason) <= REASON_CHARS + 20


def test_a_receiver_that_echoes_our_secrets_does_not_bring_them_into_our_logs() -> None:
    """Some frameworks answer an error with the whole request."""
    error = refusal(
        answer(400, b"you sent Bearer 12345678 to /hooks/secret-path"), headers={"X-Key": "Bearer 12345678"}
    )
    assert error.reason == "HTTP 400: you sent *** to ***"


@pytest.mark.parametrize(
    ("echoed", "options"),
    [
        ("the token 12345678-abcd", {"headers": {"Authorization": "Bearer 12345678-abcd"}}),
        ("the token a-long-secret", {"url": "/hooks?v=1&token=a-long-secret"}),
        ("the token XXXXXXXXXXXXXXXXXXXXXXXX", {"url": "/services/T0/B0/XXXXXXXXXXXXXXXXXXXXXXXX"}),
    ],
)
def test_a_receiver_that_echoes_a_part_of_a_secret_does_not_either(
    echoed: str, options: dict[str, Any]
) -> None:
    """It is the part that counts, and no receiver says `Bearer` before it."""

    async def story() -> SinkError:
        async with receiving(answer(401, echoed.encode())) as receiver:
            base = receiver.url.removesuffix("/hooks/secret-path")
            given = options | {"url": base + options.get("url", "/hooks")}
            sink = WebhookSink("shop", given)
            with pytest.raises(SinkError) as caught:
                await sink.deliver(ACTION)
            await sink.close()
            return caught.value

    assert asyncio.run(story()).reason == "HTTP 401: the token ***"


def test_a_network_that_fails_is_tried_again() -> None:
    """Nothing listens there."""

    async def story() -> SinkError:
        async with receiving(answer()) as receiver:
            url = receiver.url
        sink = WebhookSink("shop", {"url": url})
        with pytest.raises(SinkError) as caught:
            await sink.deliver(ACTION)
        await sink.close()
        return caught.value

    error = asyncio.run(story())
    assert error.retry
    assert "secret-path" not in str(error)


@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"])
def test_an_answer_that_is_none_is_tried_again(answered: bytes) -> None:
    """The request may have arrived: the receiver drops the repetition by its id."""
    assert refusal(answered).retry


def test_a_receiver_that_does_not_answer_in_time_is_tried_again() -> None:
    """The timeout is the operator's."""

    async def story() -> SinkError:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        sink = WebhookSink(
            "shop", {"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "timeout_s": 0.03}
        )
        with pytest.raises(SinkError) as caught:
            await sink.deliver(ACTION)
        await sink.close()
        server.close()
        return caught.value

    error = asyncio.run(story())
    assert (str(error), error.retry) == ("no answer within 0.03 s", True)


def test_connections_are_used_again() -> None:
    """A handshake for each action would cost more than the action."""

    async def story() -> tuple[int, int]:
        async with receiving(answer(200, b"ok")) as receiver:
            sink = WebhookSink("shop", {"url": receiver.url})
            for _ in range(5):
                await sink.deliver(ACTION)
            await sink.close()
            return len(receiver.requests), receiver.n_connections

    assert asyncio.run(story()) == (5, 1)


def test_a_name_that_resolves_to_a_metadata_address_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address is looked at where the connection is, so a name cannot change its mind in between."""
    monkeypatch.setattr("sojourn.adapters.http._METADATA", {ipaddress.ip_address("127.0.0.1")})

    async def story(**options: Any) -> tuple[list[Any], Any]:
        async with receiving(answer()) as receiver:
            sink = WebhookSink("shop", {"url": receiver.url.replace("127.0.0.1", "localhost")} | options)
            try:
                return receiver.requests, await sink.deliver(ACTION)
            except SinkError as error:
                return list(receiver.requests), error
            finally:
                await sink.close()

    requests, error = asyncio.run(story())
    assert (requests, error.retry) == ([], False)
    assert "where clouds hand out credentials" in str(error)
    requests, delivery = asyncio.run(story(allow_link_local=True))
    assert (len(requests), delivery.outcome) == (1, "delivered")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs 'url'; its options are: url, "),
        ({"url": 7}, "Expected `str`, got `int`"),
        ({"url": "https://a.example", "urll": "x"}, "unknown option 'urll'; did you mean 'url'?"),
        ({"url": "a.example/x"}, "url must be http://host/... or https://host/..."),
        ({"url": "ftp://a.example/x"}, "url must be http://host/..."),
        ({"url": "http://[::1/x"}, "url cannot be read"),
        ({"url": "http://a.example:port/x"}, "url cannot be read"),
        ({"url": "https://me:password1@a.example/"}, "put it into headers instead"),
        ({"url": "http://169.254.169.254/latest"}, "clouds hand out credentials"),
        ({"url": "http://[fe80::1]/"}, "clouds hand out credentials"),
        ({"url": "http://[::ffff:169.254.169.254]/"}, "clouds hand out credentials"),
        (
            {"url": "https://a.example", "secret": "hunter2hunter2"},
            "must be whsec_ and the base64 of 24 to 64",
        ),
        (
            {"url": "https://a.example", "secret": "whsec_c2hvcnQ="},
            "must be whsec_ and the base64 of 24 to 64",
        ),
        ({"url": "https://a.example", "secret_env": "NO_SUCH_ENV"}, "variable NO_SUCH_ENV is not set"),
        ({"url": "https://a.example", "headers": {"Webhook-Id": "x"}}, "is set by Sojourn itself"),
        ({"url": "https://a.example", "headers": {"X": "a\r\nB: c"}}, "must be printable ASCII"),
        ({"url": "https://a.example", "timeout_s": 0}, "timeout_s must be above 0"),
    ],
)
def test_wrong_options_are_refused_with_what_to_do(options: dict[str, Any], message: str) -> None:
    """At the start, where the operator looks; never with the secret in the text."""
    with pytest.raises(ConfigError) as caught:
        WebhookSink("shop", options)
    assert message in str(caught.value)
    assert str(caught.value).startswith("sink 'shop': ")
    assert not any(secret in str(caught.value) for secret in ("hunter2", "password1", "c2hvcnQ"))


def test_its_repr_shows_the_host_and_no_more() -> None:
    """Paths of webhook addresses are often the secret."""
    sink = WebhookSink("shop", {"url": "https://hooks.example/T0/B0/xyz?key=abc", "secret": SECRET})
    assert repr(sink) == "WebhookSink('shop', host='hooks.example')"


def test_it_passes_the_battery_for_sinks() -> None:
    """The same that third parties' sinks pass."""

    async def story() -> list[str]:
        async with (
            receiving(answer(200, b"ok")) as receiver,
            receiving(answer(500, SECRET.encode())) as broken,
        ):
            options = {"secret": SECRET, "headers": {"X-Key": SECRET}}
            await check_sink(
                WebhookSink,
                {"url": receiver.url, **options},
                arrived=receiver.action_ids,
                broken={"url": broken.url, **options},
                secrets=[SECRET, "secret-path"],
            )
            return receiver.action_ids()

    assert len(asyncio.run(story())) == 17


def test_the_body_is_json_whatever_the_template_made() -> None:
    """Emoji, line ends and depth pass unharmed."""

    async def story() -> Any:
        async with receiving(answer()) as receiver:
            sink = WebhookSink("shop", {"url": receiver.url})
            body = Raw('{"text":"über 😀\\n","deep":[[{"a":[1,2.5,null]}]]}'.encode())
            await sink.deliver(
                Action(**{f: getattr(ACTION, f) for f in ACTION.__struct_fields__} | {"body": body})
            )
            await sink.close()
            return json.loads(receiver.requests[0][2])["data"]["body"]

    assert asyncio.run(story()) == {"text": "über 😀\n", "deep": [[{"a": [1, 2.5, None]}]]}
