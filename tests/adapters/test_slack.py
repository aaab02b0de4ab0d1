"""The Slack sink against a real receiver: its body, its answers, and its address that nobody sees."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters.slack import N_BLOCKS, SlackSink
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError
from sojourn.testing import check_sink, checked_action
from tests.adapters.receivers import Receiver, answer, receiving

ACTION = checked_action(1)
OK = answer(200, b"ok")
SECRET_PATH = "/hooks/secret-path"


def saying(**body: Any) -> Action:
    """Make an action of this body."""
    return replace(ACTION, body=Raw(json.dumps(body).encode()))


def deliver(action: Action, answered: bytes = OK) -> tuple[Receiver, Delivery | SinkError]:
    """Deliver once."""

    async def story() -> tuple[Receiver, Delivery | SinkError]:
        async with receiving(answered) as receiver:
            sink = SlackSink("team", {"url": receiver.url})
            try:
                return receiver, await sink.deliver(action)
            except SinkError as error:
                return receiver, error
            finally:
                await sink.close()

    return asyncio.run(story())


def test_a_message_arrives_as_slack_reads_it() -> None:
    """Text alone, or with blocks; nothing of ours beside it, which Slack would refuse."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Ann* asks for help"}}]
    for body in ({"text": "Ann asks for help"}, {"text": "Ann asks for help", "blocks": blocks}):
        receiver, delivery = deliver(saying(**body))
        request, headers, sent = receiver.requests[0]
        assert (request, json.loads(sent)) == (f"POST {SECRET_PATH} HTTP/1.1", body)
        assert headers["content-type"] == "application/json"
        assert delivery == Delivery(outcome="delivered", attempts=1, status=200)


@pytest.mark.parametrize(
    ("answered", "retry", "wait_ms"),
    [
        (answer(429, b"rate_limited", retry_after="30"), True, 30_000),
        (answer(500), True, None),
        (answer(400, b"invalid_payload"), False, None),
        (answer(403, b"action_prohibited"), False, None),
        (answer(404, b"no_service"), False, None),
    ],
)
def test_slacks_answers_say_whether_to_try_again(answered: bytes, retry: bool, wait_ms: int | None) -> None:
    """One a second is its limit; after that it says how long to wait."""
    _, error = deliver(saying(text="hello"), answered)
    assert isinstance(error, SinkError)
    assert (error.retry, error.retry_after_ms) == (retry, wait_ms)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "needs 'text'; its fields are: text, blocks [bad-body]"),
        ({"text": ""}, "Expected `str` of length >= 1"),
        ({"text": "a", "block": []}, "unknown field 'block'; did you mean 'blocks'?"),
        ({"text": "a", "blocks": [{}] * (N_BLOCKS + 1)}, "Expected `array` of length <= 50"),
    ],
)
def test_a_body_that_slack_would_refuse_is_not_sent(body: dict[str, Any], said: str) -> None:
    """It says what is wrong to who wrote the journey, and is final."""
    receiver, error = deliver(saying(**body))
    assert isinstance(error, SinkError)
    assert said in error.reason
    assert (error.retry, receiver.requests) == (False, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs either url or url_env"),
        ({"url": "https://a.example/x", "url_env": "HOOK"}, "needs either url or url_env"),
        ({"url_env": "NO_SUCH_HOOK"}, "environment variable NO_SUCH_HOOK is not set"),
        ({"url": "http://169.254.169.254/x"}, "clouds hand out credentials"),
        ({"url": "https://a.example/x", "channel": "#a"}, "unknown option 'channel'"),
    ],
)
def test_wrong_options_are_refused_with_what_to_do(options: dict[str, Any], said: str) -> None:
    """The rules for addresses are the webhook's."""
    with pytest.raises(ConfigError, match="sink 'team': ") as caught:
        SlackSink("team", options)
    assert said in str(caught.value)


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the whole credential, and the file is kept in git."""
    monkeypatch.setenv("HOOK", "https://hooks.example/T0/B0/hidden")
    assert repr(SlackSink("team", {"url_env": "HOOK"})) == "SlackSink('team', host='hooks.example')"


def test_it_passes_the_battery_for_sinks() -> None:
    """The same that third parties' sinks pass."""

    async def story() -> int:
        async with receiving(OK) as receiver, receiving(answer(500, SECRET_PATH.encode())) as broken:
            await check_sink(
                SlackSink,
                {"url": receiver.url},
                arrived=lambda: [headers["idempotency-key"] for _, headers, _ in receiver.requests],
                broken={"url": broken.url},
                secrets=["secret-path"],
                bodies=[
                    b'{"text":"hello"}',
                    b'{"text":"\\u00fc \\ud83d\\ude00","blocks":[{"type":"divider"}]}',
                ],
            )
            return len(receiver.requests)

    assert asyncio.run(story()) > 0
