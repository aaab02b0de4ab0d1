"""The demo's receiver: a receiver that is wrong would call the program wrong."""

from __future__ import annotations

import http.client
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook as Signer

from demo.receiver import Receiver, new_secret

SECRET = new_secret()


def body(state: str = "offer", **fields: Any) -> bytes:
    """Write a webhook's body as the sink does."""
    data = {"journey": "rescue", "enrolment_id": "e1", "state": state, "user_id": "ada", "body": {}} | fields
    return json.dumps({"type": "journey.action", "data": data}).encode()


def headers(key: str, content: bytes, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """Sign with the specification's own library."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Signer(secret).sign(key, moment, content.decode()),
    }


@pytest.fixture
def receiver() -> Receiver:
    """A receiver that nobody connects to."""
    return Receiver(SECRET)


def test_a_webhook_signed_by_the_standard_library_is_acted_on(receiver: Receiver) -> None:
    """Two implementations of one specification must meet."""
    assert receiver.take(headers("k1", body()), body()) == 204
    assert receiver.tally.n_acted == 1


@pytest.mark.parametrize("at_or_secret", ["old", "foreign"])
def test_a_wrong_or_old_signature_is_refused(receiver: Receiver, at_or_secret: str) -> None:
    """A forged webhook must not count as a delivered one."""
    wrong = {"at": time.time() - 3600} if at_or_secret == "old" else {"secret": new_secret()}
    assert receiver.take(headers("k1", body(), **wrong), body()) == 401
    assert (receiver.tally.n_acted, receiver.tally.n_forged) == (0, 1)


def test_a_repetition_is_taken_and_has_no_effect(receiver: Receiver) -> None:
    """At-least-once on the wire, once in the world."""
    for _ in range(3):
        assert receiver.take(headers("k1", body()), body()) == 204
    assert (receiver.tally.n_acted, receiver.tally.n_repeated, receiver.tally.doubled) == (1, 2, [])


def test_one_key_with_two_contents_is_noticed(receiver: Receiver) -> None:
    """A key names one action, for ever."""
    receiver.take(headers("k1", body("offer")), body("offer"))
    receiver.take(headers("k1", body("other")), body("other"))
    assert len(receiver.tally.doubled) == 1


def test_one_effect_under_two_keys_is_noticed(receiver: Receiver) -> None:
    """This is what a lost idempotency key looks like from outside."""
    receiver.take(headers("k1", body()), body())
    receiver.take(headers("k2", body()), body())
    assert len(receiver.tally.doubled) == 1


def test_an_unwell_receiver_says_503_until_it_is_well() -> None:
    """Retries are part of what the demo shows."""
    receiver = Receiver(SECRET, share_unwell=1.0)
    assert receiver.take(headers("k1", body()), body()) == 503
    receiver.get_well()
    assert receiver.take(headers("k1", body()), body()) == 204


def test_it_answers_over_http(receiver: Receiver) -> None:
    """Several requests over one connection, as the sink keeps them."""
    receiver.start()
    parts = urlsplit(receiver.url)
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        for key in ("k1", "k2"):
            content = body(key)
            connection.request("POST", parts.path, content, headers(key, content))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204
    finally:
        connection.close()
        receiver.stop()
