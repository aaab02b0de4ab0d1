"""Whatever the door lets in, the engine lives through: bad input is data, never a crash."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.runtime.driver import Driver
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import read_batch
from tests.laws.histories import MINUTE, NAMES, T0
from tests.laws.test_everything import CATALOGUE
from tests.soak import tries

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
numbers = st.sampled_from([0, -1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, 1e308, -0.0, 1e-320])
values = st.recursive(
    scalars | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
friction_names = ("$click", "$click", "$click", "$rageclick", "$error", "Form Started", "$friction.rage")
names = st.sampled_from(
    [
        *NAMES, *friction_names, "$page", "$delivered", "$enter", "after(waiting,1800000)", "done.state.x",
        "done.call.calling", "error.execution", "Consent Updated",
    ]
)  # fmt: skip
words = st.sampled_from(
    [
        "cart", "revenue", "plan", "undo", "name", "action_id", "attempts", "reason", "journey", "properties",
        "channel", "topic", "granted", "consent", "target", "x", "y", "form_id", "cart_id", "timezone",
        "campaign", "page", "referrer", "library", "url",
    ]
)  # fmt: skip
objects = st.dictionaries(words | st.text(max_size=4), values, max_size=4)
ids = st.sampled_from(["d1", "d2", "u1", "u2", "", None, 7, "null"])
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "track", "identify", "page", "group", "alias"])},
    optional={
        "event": names,
        "userId": ids,
        "anonymousId": ids,
        "previousId": ids,
        "properties": objects,
        "traits": objects,
        "context": objects,
        "timestamp": st.sampled_from(
            ["2023-11-14T22:13:20Z", "1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 0]
        ),
    },
)


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(messages, max_size=12))
def test_the_engine_lives_through_whatever_the_door_lets_in(sent: list[dict[str, Any]]) -> None:
    """Numbers no machine word holds, names of the engine's own events, ids of every kind."""
    body = msgspec.json.encode({"batch": sent})
    batch = read_batch(body, Request(source="web", received_at=T0, arrival="a"))
    log, store = MemoryLog(floor=T0), MemoryStore()
    driver = Driver(log, store, CATALOGUE, cache=0)
    for minute, event in enumerate(batch.events):
        driver.take(log.append([event], now=T0 + minute * 20 * MINUTE).entries)
    driver.settle([], until=T0 + 10_000 * MINUTE)
    assert driver.failures.n_noted == 0, "the engine failed and went on; its traceback is above"
    assert store.progress().position == len(batch.events) == log.end()
