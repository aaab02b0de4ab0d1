"""Unmodified OpenFeature SDKs and a real server: every type of decision, and a decision that is pushed."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

from tests.clients.installing import node_modules
from tests.wiring.houses import KEY, Serving, serving, settle_in

CLIENTS = Path(__file__).parents[1] / "clients" / "openfeature"
SERVER_KEY, PAGE_KEY = "a-key-that-stays-on-servers", "a-key-that-is-in-the-page"
SECRET = "a secret of the operator"
ASK_S = 30
RESCUE = """
journey: rescue
entry: { on: Checkout Started }
goal: { on: Order Completed }
holdout: off
states:
  waiting: { on: { Help Opened: assisted }, after: { 30m: assisted } }
  assisted:
    do: [ { console: , channel: web, body: { text: "May we help?" } } ]
    after: { 1d: done }
"""
FLAGS = {
    "whole": "{ few: 1, many: 42 }",
    "half": "{ few: 1, many: 1.5 }",
    "one": "{ few: 0.5, many: 1 }",
}
ASKED = [
    ["boolean", "journey.rescue.in_holdout", True],
    ["string", "journey.rescue.state", "?"],
    ["number", "whole", 0],
    ["number", "half", 0],
    ["number", "journey.rescue.propensity", 9],
    ["object", "journey.rescue.next_action", {}],
]
TOLD = [
    (False, "treated", "STATIC"),
    ("assisted", "assisted", "TARGETING_MATCH"),
    (42, "many", "STATIC"),
    (1.5, "many", "STATIC"),
    (0.0, "unknown", "UNKNOWN"),
    ("act", "act", "TARGETING_MATCH"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a shop in which ann asked for help in the checkout."""
    folder = tmp_path_factory.mktemp("shop")
    keys = {
        "shop": {"key": SERVER_KEY},
        "page": {"key": PAGE_KEY, "kind": "browser", "flags": ["journey.rescue.*"], "secret": SECRET},
    }
    file = settle_in(folder, decisions={"keys": keys})
    (folder / "journeys/rescue.yaml").write_text(RESCUE)
    (folder / "journeys/policy.yaml").write_text("policy: { holdout: off }")
    for name, variants in FLAGS.items():
        text = (
            f"flag: {name}\nvariants: {variants}\ndefault: many\nrules: [ {{ when: 'trait.x', serve: few }} ]"
        )
        (folder / f"journeys/{name}.yaml").write_text(text)
    with serving(file) as server:
        events = [
            {"type": "track", "event": name, "userId": "ann", "anonymousId": "phone"}
            for name in ("Checkout Started", "Help Opened")
        ]
        assert server.ask("/v1/batch", {"batch": events})[0] == 200
        yield server


def node(script: str, **orders: Any) -> Any:
    """Run one of the scripts of the node SDKs, and return what it says."""
    modules = node_modules(CLIENTS)
    done = subprocess.run(
        ["node", str(CLIENTS / script), json.dumps(orders)],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=ASK_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(details: list[dict[str, Any]]) -> list[tuple[Any, str, str]]:
    """Say what an SDK was told: (value, variant, reason), of an object only its kind."""
    values = [one["value"]["kind"] if isinstance(one["value"], dict) else one["value"] for one in details]
    return [(value, one["variant"], one["reason"]) for value, one in zip(values, details, strict=True)]


@pytest.mark.parametrize("sdk", ["server", "web"])
def test_an_unmodified_node_sdk_gets_every_type_of_decision(sdk: str, house: Serving) -> None:
    """By one question each, and by one for all."""
    details = node(
        "ask.cjs", sdk=sdk, url=house.url, key=SERVER_KEY, context={"targetingKey": "ann"}, flags=ASKED
    )
    assert told(details) == TOLD
    assert all(one["flagMetadata"]["decision_id"] for one in details)


def test_the_unmodified_web_sdk_signs_in_by_a_signature_and_is_a_strangers_without(house: Serving) -> None:
    """The phone is ann's by what events say; a page is told so only with what her server signed."""
    signature = hmac.new(SECRET.encode(), b"ann", sha256).hexdigest()
    told_of: list[tuple[Any, Any]] = []
    for context in ({"targetingKey": "phone"}, {"targetingKey": "ann", "targetingKeySignature": signature}):
        flags = [["string", "journey.rescue.state", "?"]]
        (found,) = node("ask.cjs", sdk="web", url=house.url, key=PAGE_KEY, context=context, flags=flags)
        told_of.append((found["value"], found["flagMetadata"].get("stranger")))
    assert told_of == [("", "unsigned-device"), ("assisted", None)]


def test_the_unmodified_python_sdk_gets_every_type_of_decision(house: Serving) -> None:
    """It tells floats from integers, and fails where a reason or a variant is missing."""
    headers = {"Authorization": f"Bearer {SERVER_KEY}"}
    api.set_provider(OFREPProvider(base_url=house.url, headers_factory=lambda: headers))
    client, ann = api.get_client(), EvaluationContext(targeting_key="ann", attributes={"plan": "pro"})
    assert client.get_boolean_value("journey.rescue.in_holdout", True, ann) is False
    assert client.get_string_value("journey.rescue.state", "?", ann) == "assisted"
    assert client.get_integer_value("whole", 0, ann) == 42
    floats = [client.get_float_value(key, 9.0, ann) for key in ("half", "one", "journey.rescue.propensity")]
    assert floats == [1.5, 1.0, 0.0]
    found = client.get_object_details("journey.rescue.next_action", {}, ann)
    assert (found.value["kind"], found.variant, found.flag_metadata["held_out"]) == ("act", "act", False)  # type: ignore[call-overload]
    missing = client.get_string_details("journey.resque.state", "?", ann)
    assert (missing.value, str(missing.error_code)) == ("?", "FLAG_NOT_FOUND")
    api.shutdown()


def test_an_event_changes_the_decision_of_the_unmodified_web_sdk(house: Serving) -> None:
    """Through ingestion, the engine and the stream, to the page; by a key that everybody may read."""
    found = node(
        "push.cjs",
        url=house.url,
        key=PAGE_KEY,
        writeKey=KEY,
        flag="journey.rescue.state",
        events=["Checkout Started", "Help Opened"],
        people=2,
        values=True,
    )
    assert found == ["waiting", "assisted"] * 2
