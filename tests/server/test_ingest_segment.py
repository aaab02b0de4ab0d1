"""What each shape on the wire becomes: the compatibility checklist, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sojourn.model.errors import InputError
from sojourn.model.event import Device, Event, Geo
from sojourn.server.ingest.message import MAX_ID_CHARS, MAX_NAME_CHARS
from sojourn.server.ingest.objects import MAX_DEPTH
from sojourn.server.ingest.segment import MAX_BATCH_EVENTS, read_batch
from tests.server.doors import RECEIVED_AT, event, judged, request, track

AT = "2026-11-03T10:11:12.000Z"
AT_MS = RECEIVED_AT - 2000


class FixedLookups:
    """Answers with what it was asked."""

    def device(self, user_agent: str) -> Device:
        """Say the user agent back."""
        return Device(browser=user_agent)

    def geo(self, ip: str) -> Geo:
        """Say the address back."""
        return Geo(city=ip)


def test_a_message_as_analytics_next_sends_it() -> None:
    """The whole value, once: every other test looks at one field."""
    message = track(
        userId="u1",
        timestamp=AT,
        properties={"cart_id": "c1"},
        context={"library": {"name": "analytics.js"}, "page": {"path": "/cart"}},
        integrations={"All": True},
    )
    body = json.dumps({"batch": [message], "sentAt": "2026-11-03T10:11:13Z"}, separators=(",", ":")).encode()
    batch = read_batch(body, request(ip="203.0.113.77"))
    [got] = batch.events
    assert got == Event(
        source="web",
        message_id="m1",
        kind="track",
        name="Cart Viewed",
        occurred_at=AT_MS + 1000,
        received_at=RECEIVED_AT,
        timestamp=AT_MS,
        sent_at=AT_MS + 1000,
        anonymous_id="a1",
        user_id="u1",
        properties=got.properties,
        context=got.context,
        integrations=got.integrations,
        ip="203.0.113.0",
    )
    assert bytes(got.properties) == b'{"cart_id":"c1"}'
    assert bytes(got.context) == b'{"library":{"name":"analytics.js"},"page":{"path":"/cart"}}'
    assert bytes(got.integrations) == b'{"All":true}'


@pytest.mark.parametrize("kind", ["identify", "page", "screen", "group"])
def test_other_kinds_go_by_a_dollar_name(kind: str) -> None:
    """They have no name of their own, and a track could have any."""
    assert event({"type": kind, "messageId": "m", "userId": "u"}).name == "$" + kind


@pytest.mark.parametrize(
    ("wire", "kept"),
    [
        ("u1", "u1"), (" u1 ", "u1"), (17, "17"), (17.0, "17"), (1.5, "1.5"), (None, None), ("", None),
        ("  ", None), ("null", None), ("undefined", None), (0, None), (-1, None), ("Anonymous", None),
        ("00000000-0000-0000-0000-000000000000", None), ("[object Object]", None),
    ],
)  # fmt: skip
def test_a_user_id_is_text_or_absent(wire: Any, kept: str | None) -> None:
    """SDKs send null, numbers and words for nothing, and one profile for all of those would be a disaster."""
    assert event(track(userId=wire)).user_id == kept


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"anonymousId": None}, "missing-id", "batch[0].userId"),
        ({"anonymousId": "null", "userId": "0"}, "missing-id", "batch[0].userId"),
        ({"userId": True}, "bad-type", "batch[0].userId"),
        ({"userId": {"id": 1}}, "bad-type", "batch[0].userId"),
        ({"userId": "u" * (MAX_ID_CHARS + 1)}, "long-id", "batch[0].userId"),
        ({"type": "merge"}, "unknown-kind", "batch[0].type"),
        ({"type": None}, "unknown-kind", "batch[0].type"),
        ({"type": 5}, "bad-type", "batch[0].type"),
        ({"event": None}, "missing-name", "batch[0].event"),
        ({"event": " "}, "missing-name", "batch[0].event"),
        ({"event": ["a"]}, "bad-type", "batch[0].event"),
        ({"event": "e" * (MAX_NAME_CHARS + 1)}, "long-name", "batch[0].event"),
        ({"timestamp": "soon"}, "bad-timestamp", "batch[0].timestamp"),
        ({"originalTimestamp": "soon"}, "bad-timestamp", "batch[0].originalTimestamp"),
        ({"properties": [1]}, "bad-type", "batch[0].properties"),
        ({"context": "x"}, "bad-type", "batch[0].context"),
        ({"traits": 5}, "bad-type", "batch[0].traits"),
        ({"integrations": [1]}, "bad-type", "batch[0].integrations"),
        ({"properties": {"x": "y" * 200_000}}, "too-large", "batch[0].properties"),
        ({"type": "alias", "userId": "u1", "anonymousId": None}, "missing-id", "batch[0].userId"),
        ({"type": "alias", "previousId": "p1"}, "missing-id", "batch[0].userId"),
    ],
)
def test_a_message_is_refused_with_its_reason_and_path(fields: dict[str, Any], code: str, path: str) -> None:
    """Whoever wrote the tracking code has to find the field."""
    [failed] = judged(track(**fields)).failed
    assert (failed.code, failed.path) == (code, path)


@pytest.mark.parametrize(
    "bad",
    [
        b"5", b"null", b"[]", b'"x"', b'{"type":"track","userId":{}}', b'{"type":"track","userId":1e999}',
        b'{"type":"track","event":"e","userId":"u","properties":{"x":1e999}}', b"[" * 300 + b"]" * 300,
        b'{"userId":"u","type":"track","event":"e","properties":{"x":' + b"[" * 3000 + b"]" * 3000 + b"}}",
    ],
)  # fmt: skip
def test_a_bad_message_costs_its_neighbours_nothing(bad: bytes) -> None:
    """PostHog#15575: one bad event poisoned the batch, and the SDK threw a hundred away."""
    good = json.dumps(track()).encode()
    batch = read_batch(b'{"batch":[' + good + b"," + bad + b"," + good + b"]}", request())
    assert ([event.message_id for event in batch.events], batch.indexes) == (["m1", "m1"], [1])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"NaN", b"null"),
        (b"-Infinity", b"null"),
        (rb'"half \ud83d"', rb'"half \ufffd"'),
        (rb'"half \udE00!"', rb'"half \ufffd!"'),
        (rb'"\\ud83d \ud83d\ude00 NaN \ud83d"', rb'"\\ud83d \ud83d\ude00 NaN \ufffd"'),
        (b'"caf\xe9"', '"caf�"'.encode()),
    ],
)
def test_what_json_forbids_and_clients_send_is_mended(value: bytes, kept: bytes) -> None:
    """Python's json writes NaN, JavaScript halves an emoji, PHP sends Latin-1; a 400 would lose them all."""
    body = b'{"batch":[{"type":"track","event":"e","userId":"u","properties":{"x":' + value + b"}}]}"
    assert bytes(read_batch(body, request()).events[0].properties) == b'{"x":' + kept + b"}"


def test_a_byte_order_mark_is_skipped() -> None:
    """Windows' editors put one before an import."""
    assert len(read_batch(b"\xef\xbb\xbf" + json.dumps({"batch": [track()]}).encode(), request()).events) == 1


def test_nesting_is_refused_just_over_the_bound() -> None:
    """Whoever reads properties later may recurse."""

    def nested(depth: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(depth - 1):
            value = {"x": value}
        return track(properties={"x": value})

    batch = judged(nested(MAX_DEPTH), nested(MAX_DEPTH + 1))
    assert [failed.code for failed in batch.failed] == ["too-deep"]


def test_many_objects_side_by_side_are_not_deep() -> None:
    """An order of 500 products is no attack; brackets in text are no nesting."""
    event(track(properties={"products": [{"sku": "[[{{" * 30} for _ in range(500)]}))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad-json"),
        (b"hello", "bad-json"),
        (b"[]", "bad-json"),
        (b'{"batch":[', "bad-json"),
        (b'{"batch":{}}', "bad-batch"),
        (b'{"batch":null}', "bad-batch"),
        (b"{}", "bad-batch"),
        (b'{"batch":[' + b"[" * 2000, "bad-json"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(body: bytes, code: str) -> None:
    """400 is the last resort: SDKs throw the batch away."""
    with pytest.raises(InputError) as caught:
        read_batch(body, request())
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_a_request_without_a_body_is_told_so() -> None:
    """Rather than that the body ends too early."""
    with pytest.raises(InputError, match="expected a JSON object, got no body"):
        read_batch(b"", request())


def test_a_batch_over_the_bound_is_too_large() -> None:
    """413, which the clients that can split act on."""
    body = b'{"batch":[' + b",".join([b"{}"] * (MAX_BATCH_EVENTS + 1)) + b"]}"
    with pytest.raises(InputError) as caught:
        read_batch(body, request())
    assert caught.value.status == 413


def test_an_empty_batch_is_nothing() -> None:
    """Some clients flush an empty queue."""
    assert judged().events == []


def test_a_short_message_id_is_kept_and_a_long_one_hashed() -> None:
    """Cutting would make two messages one; the hash is the same on each retry."""
    long = ["m" * 150 + suffix for suffix in "ab"]
    messages = [track(messageId=given) for given in ["m" * 100, *long, long[0]]]
    ids = [one.message_id for one in judged(*messages).events]
    assert ids[0] == "m" * 100
    assert [len(one) for one in ids[1:]] == [32, 32, 32]
    assert ids[1] == ids[3] != ids[2]


def test_a_retried_message_without_id_is_named_the_same() -> None:
    """A proxy's or a script's retry is the same bytes, at another time."""
    body = json.dumps({"batch": [track(messageId=None)], "sentAt": AT}).encode()
    first = read_batch(body, request()).events[0]
    again = read_batch(body, request(received_at=RECEIVED_AT + 5000, arrival="2")).events[0]
    assert first.message_id == again.message_id


def test_equal_messages_without_ids_in_one_request_are_several() -> None:
    """Two clicks in one batch are two clicks."""
    first, second = judged(track(messageId=""), track(messageId="")).events
    assert first.message_id != second.message_id


def test_equal_messages_without_ids_and_times_in_two_requests_are_two() -> None:
    """`curl` twice means two events: nothing says that the second is a retry."""
    message = track(messageId=None)
    assert event(message).message_id != event(message, arrival="2").message_id


def test_equal_messages_without_ids_of_two_sources_differ() -> None:
    """Deduplication is per source, and ids may leave it."""
    message = track(messageId=None, timestamp=AT)
    assert event(message).message_id != event(message, source="app").message_id


@pytest.mark.parametrize("fields", [{"traits": {"plan": "pro"}}, {"context": {"traits": {"plan": "pro"}}}])
def test_an_identify_has_its_traits_at_the_top_or_in_its_context(fields: dict[str, Any]) -> None:
    """Segment's SDKs put them here, RudderStack's there."""
    got = event({"type": "identify", "userId": "u1", **fields})
    assert json.loads(bytes(got.traits)) == {"plan": "pro"}


def test_a_track_does_not_give_the_traits_in_its_context() -> None:
    """RudderStack repeats all known traits with every event: they are old news."""
    assert bytes(event(track(context={"traits": {"plan": "pro"}})).traits) == b"{}"


@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        (None, {"name": "Home", "category": "Docs"}),
        ({}, {"name": "Home", "category": "Docs"}),
        ({"name": "Other", "x": 1}, {"name": "Other", "category": "Docs", "x": 1}),
    ],
)
def test_a_page_keeps_its_name_in_its_properties(properties: Any, kept: dict[str, Any]) -> None:
    """Half of the SDKs send it at the top only."""
    got = event({"type": "page", "userId": "u", "name": "Home", "category": "Docs", "properties": properties})
    assert json.loads(bytes(got.properties)) == kept


def test_an_alias_says_who_it_was() -> None:
    """The ids arrive in either direction; the engine judges them."""
    got = event({"type": "alias", "userId": "u1", "previousId": "a1"})
    assert (got.user_id, got.previous_id) == ("u1", "a1")


def test_an_alias_without_previous_id_is_of_the_anonymous_id() -> None:
    """RudderStack's browser SDK means its own anonymous id."""
    assert event({"type": "alias", "userId": "u1", "anonymousId": "a1"}).previous_id == "a1"


def test_a_group_names_its_group() -> None:
    """Also where it is a number."""
    assert event({"type": "group", "userId": "u1", "groupId": 7}).group_id == "7"


def test_a_session_of_the_sdk_is_kept() -> None:
    """RudderStack's SDKs cut sessions and send their start as a number."""
    got = event(track(context={"sessionId": 1793700000000, "sessionStart": True}))
    assert got.session_id == "1793700000000"


def test_the_anonymous_id_of_the_header_names_those_nobody_else_names() -> None:
    """RudderStack's SDKs send it beside every request."""
    named, unnamed = judged(track(), track(anonymousId=None), anonymous_id="from-header").events
    assert (named.anonymous_id, unnamed.anonymous_id) == ("a1", "from-header")


def test_a_batch_has_context_for_those_that_have_none() -> None:
    """Segment's HTTP API allows it once for all."""
    body = json.dumps({"batch": [track(), track(context={"b": 2})], "context": {"a": 1}}).encode()
    assert [json.loads(bytes(event.context)) for event in read_batch(body, request()).events] == [
        {"a": 1},
        {"b": 2},
    ]


def test_a_bare_message_takes_its_kind_from_the_path() -> None:
    """The path is what the SDK's author wrote; `type` is often missing there."""
    body = json.dumps({"event": "Cart Viewed", "userId": "u1", "sentAt": AT, "timestamp": AT}).encode()
    [got] = read_batch(body, request(), kind="track").events
    assert (got.kind, got.occurred_at, got.sent_at) == ("track", RECEIVED_AT, AT_MS)


def test_a_bare_message_that_is_refused_has_a_path_of_its_own() -> None:
    """There is no batch to be in."""
    [failed] = read_batch(b'{"userId":{}}', request(), kind="track").failed
    assert failed.path == "userId"


def test_a_failed_event_keeps_its_bytes_and_id() -> None:
    """So that it can be mended and replayed as itself."""
    [failed] = judged(track(event="")).failed
    assert (failed.message_id, json.loads(failed.body)) == ("m1", track(event=""))


def test_an_address_is_truncated_where_it_stands() -> None:
    """The context is kept as it came: there too."""
    got = event(track(context={"ip": "203.0.113.77", "x": 1}))
    assert (got.ip, bytes(got.context)) == ("203.0.113.0", b'{"ip":"203.0.113.0","x":1}')


def test_an_address_is_kept_whole_where_the_operator_says_so() -> None:
    """Fraud detection needs it."""
    got = event(track(context={"ip": "203.0.113.77"}), keep_address=True)
    assert (got.ip, json.loads(bytes(got.context))) == ("203.0.113.77", {"ip": "203.0.113.77"})


@pytest.mark.parametrize(
    ("library", "ip", "kept"),
    [
        ("analytics.js", None, "198.51.100.0"),
        ("RudderLabs JavaScript SDK", None, "198.51.100.0"),
        ("analytics-ios", None, "198.51.100.0"),
        ("analytics-python", None, None),
        ("axios", None, None),
        ("analytics.js", "0.0.0.0", None),
        ("analytics.js", "2001:db8:1:2::3", "2001:db8:1::"),
        ("analytics.js", "::ffff:203.0.113.9", "203.0.113.0"),
    ],
)
def test_the_peers_address_is_the_persons_only_on_their_own_device(
    library: str, ip: str | None, kept: str | None
) -> None:
    """A server's address would put all its customers into one data centre."""
    context = {"library": {"name": library}} | ({} if ip is None else {"ip": ip})
    assert event(track(context=context), ip="198.51.100.7").ip == kept


def test_lookups_see_the_whole_address_and_the_contexts_user_agent() -> None:
    """They are asked before the address is truncated, and only here (law 1)."""
    got = event(track(context={"ip": "203.0.113.77", "userAgent": "Firefox"}), lookups=FixedLookups())
    assert (got.device, got.geo) == (Device(browser="Firefox"), Geo(city="203.0.113.77"))


def test_the_requests_user_agent_counts_on_a_device_only() -> None:
    """A server's SDK would make a person of python-requests."""
    device, server = (
        event(track(context={"library": {"name": name}}), user_agent="UA", lookups=FixedLookups()).device
        for name in ("analytics.js", "analytics-python")
    )
    assert (device, server) == (Device(browser="UA"), None)


@pytest.mark.parametrize(
    "context",
    [{"traits": 5, "ip": 5, "userAgent": [], "library": "x", "sessionId": {}}, {"library": {"name": 1}}],
)
def test_a_strange_context_is_kept_and_costs_nothing(context: dict[str, Any]) -> None:
    """Nobody's event should be lost over its library's name."""
    event(track(context=context), lookups=FixedLookups())
