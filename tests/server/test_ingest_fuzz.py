"""Any bytes on any route: never a failure of ours, never a lost neighbour."""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.model.event import Event
from sojourn.server.http import ROUTES
from tests.server.doors import KEY, Kept, call, http, judged, track
from tests.soak import tries

PATHS = ["/" + path for path in ROUTES] + [f"/v1/projects/{KEY}/settings"]
FIELDS = [
    "type", "event", "name", "category", "messageId", "anonymousId", "userId", "previousId", "groupId",
    "timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context", "integrations",
]  # fmt: skip
KINDS = ["track", "identify", "page", "screen", "group", "alias"]

MEMBERS = ["ip", "traits", "library", "name", "userAgent", "x"]
QUERIES = ["data=e30=", "properties=[", "properties.a.b=1&properties.a=2"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**64, 10**400, -(10**3000)])
    | st.floats()
    | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=3),
    max_leaves=8,
)
messages = values | st.fixed_dictionaries(
    {}, optional={field: values | st.sampled_from(KINDS) for field in FIELDS}
)


def encoded(value: Any) -> bytes:
    """Encode as Python's clients do: NaN and half surrogates included."""
    return json.dumps(value).encode()


bodies = st.binary(max_size=200) | st.one_of(
    messages, st.fixed_dictionaries({"batch": st.lists(messages, max_size=5) | values, "sentAt": values})
).map(encoded)


@settings(max_examples=tries(150), deadline=None)
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "PUT"]),
    body=bodies | bodies.map(gzip.compress),
    query=st.text(max_size=30) | st.sampled_from(QUERIES),
    encoding=st.sampled_from(["", "gzip", "deflate", "br", "\xff"]),
    header=st.text(st.characters(max_codepoint=255), max_size=20),
)
def test_no_bytes_on_any_route_are_a_failure_of_ours(
    path: str, method: str, body: bytes, query: str, encoding: str, header: str
) -> None:
    """A 500 is a bug, and SDKs send it again for ever."""
    headers = {"x-write-key": KEY, "content-encoding": encoding, "anonymousid": header, "sentat": header}
    answer = call(http(Kept()), method, path, body, headers=headers, query=query)
    assert answer.status in (200, 204, 400, 401, 405, 413, 415)


@settings(max_examples=tries(150), deadline=None)
@given(before=st.lists(messages, max_size=3), after=st.lists(messages, max_size=3))
def test_each_message_gets_one_verdict_and_good_ones_are_kept(before: list[Any], after: list[Any]) -> None:
    """The law of the door: a verdict each, whoever stands beside it."""
    batch = judged(*before, track(messageId="the good one"), *after)
    assert len(batch.events) + len(batch.failed) == len(before) + 1 + len(after)
    assert "the good one" in [event.message_id for event in batch.events]


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(messages, max_size=5))
def test_what_passes_the_door_can_be_read_by_everyone(wire: list[Any]) -> None:
    """The engine decodes these bytes long after 200 was said."""
    for event in judged(*wire).events:
        kept = msgspec.json.decode(msgspec.json.encode(event), type=Event)
        for raw in (kept.properties, kept.traits, kept.context, kept.integrations):
            assert isinstance(msgspec.json.decode(raw), dict)


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(messages, max_size=5))
def test_a_retry_is_judged_the_same(wire: list[Any]) -> None:
    """Else a duplicate would not be one."""
    wire = [{**message, "timestamp": 1} if isinstance(message, dict) else message for message in wire]
    first, again = judged(*wire), judged(*wire, arrival="2")
    assert first.events == again.events
