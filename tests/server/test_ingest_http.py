"""The door over HTTP: keys, bodies, answers, and what browsers may read."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from base64 import b64encode
from collections import Counter
from typing import Any

import pytest

from sojourn.model.errors import InputError, UnavailableError
from sojourn.server.http import Http
from sojourn.server.ingest.body import MAX_BODY_BYTES
from sojourn.server.ingest.door import Door
from tests.server.doors import KEY, RECEIVED_AT, Answered, Kept, Unanswered, call, http, post, track

BATCH = {"batch": [track(messageId=f"m{n}") for n in range(3)]}
BODY = json.dumps(BATCH).encode()


def basic(text: str) -> dict[str, str]:
    """Make an Authorization header."""
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        (basic(f"{KEY}:"), "", BATCH),
        (basic(KEY), "", BATCH),
        (basic(f"{KEY}:secret"), "", BATCH),
        ({"authorization": basic(KEY)["authorization"].replace("Basic", "basic")}, "", BATCH),
        ({"x-write-key": KEY}, "", BATCH),
        ({}, f"writeKey={KEY}", BATCH),
        ({}, f"writekey={KEY}", BATCH),
        ({}, "", {**BATCH, "writeKey": KEY}),
        ({"authorization": "Bearer token"}, "", {**BATCH, "writeKey": KEY}),
        ({"authorization": "Basic !!!"}, f"writeKey={KEY}", BATCH),
    ],
)
def test_a_write_key_is_found_wherever_a_client_puts_it(
    headers: dict[str, str], query: str, body: Any
) -> None:
    """Every one of these places is some SDK's only one."""
    log = Kept()
    answer = call(http(log), "POST", "/v1/batch", json.dumps(body).encode(), headers=headers, query=query)
    assert (answer.status, [event.source for event in log.events]) == (200, ["web"] * 3)


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, BATCH), (basic("other:"), {**BATCH, "writeKey": KEY}), ({}, {**BATCH, "writeKey": "other"})],
)
def test_a_wrong_or_missing_key_is_401_and_keeps_nothing(headers: dict[str, str], body: Any) -> None:
    """SDKs stop on 401, as they should; the answer does not say the key back."""
    log = Kept()
    answer = call(http(log), "POST", "/v1/batch", json.dumps(body).encode(), headers=headers)
    assert (answer.status, answer.json["code"], log.events, log.failed) == (401, "unknown-key", [], [])
    assert b"other" not in answer.body


@pytest.mark.parametrize(
    "path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch", "/v1/batch/", "//v1/batch"]
)
def test_a_batch_is_taken_on_every_path(path: str) -> None:
    """SDKs with a trailing slash in their host ask `//v1/batch`."""
    log = Kept()
    assert post(http(log), path, BATCH).body == b'{"success":true}'
    assert len(log.events) == 3


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"/v1/{path}{slash}", kind)
        for kind in ("track", "identify", "page", "screen", "group", "alias")
        for path in (kind, kind[0])
        for slash in ("", "/")
    ],
)
def test_a_bare_message_is_taken_on_every_path(path: str, kind: str) -> None:
    """analytics-next posts to /v1/t; the type comes from the path."""
    log = Kept()
    post(http(log), path, {"event": "Cart Viewed", "userId": "u1", "previousId": "a1"})
    assert [event.kind for event in log.events] == [kind]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {"content-type": "text/plain"}),
        (gzip.compress(BODY), {"content-encoding": "gzip"}),
        (gzip.compress(BODY), {}),
        (gzip.compress(BODY), {"content-type": "application/x-www-form-urlencoded"}),
        (gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), {"content-encoding": "gzip"}),
        (BODY, {"content-encoding": "gzip"}),
        (BODY, {"content-encoding": "br"}),
        (zlib.compress(BODY), {"content-encoding": "deflate"}),
        (zlib.compress(BODY), {}),
        (zlib.compress(BODY, wbits=-15), {"content-encoding": "deflate"}),
        (b" \n" + BODY, {}),
    ],
)
def test_a_body_is_what_its_bytes_say(body: bytes, headers: dict[str, str]) -> None:
    """Content-Type and Content-Encoding are wrong in the field."""
    log = Kept()
    answer = post(http(log), "/v1/batch", body, **headers)
    assert (answer.status, len(log.events)) == (200, 3)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"\x1b\x03\x00", {"content-encoding": "br"}, 415, "unsupported-encoding"),
        (b"\x28\xb5\x2f\xfd", {"content-encoding": "zstd"}, 415, "unsupported-encoding"),
        (gzip.compress(BODY)[:-9], {}, 400, "bad-compression"),
        (b"\x1f\x8bnonsense", {}, 400, "bad-compression"),
        (b"nonsense", {"content-encoding": "deflate"}, 400, "bad-compression"),
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1)), {}, 413, "body-too-large"),
        (zlib.compress(b"x" * (MAX_BODY_BYTES + 1)), {}, 413, "body-too-large"),
        (b" " * (MAX_BODY_BYTES + 1), {}, 413, "body-too-large"),
        (b"{}", {"content-length": str(MAX_BODY_BYTES + 1)}, 413, "body-too-large"),
        (b"nonsense", {}, 400, "bad-json"),
        (b"{}", {}, 400, "bad-batch"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(
    body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Each error names what to do, as JSON that the SDKs print."""
    answer = post(http(Kept()), "/v1/batch", body, **headers)
    assert (answer.status, answer.json["code"], answer.json["success"]) == (status, code, False)


def test_a_body_comes_in_pieces() -> None:
    """A slow line sends it chunk by chunk."""
    log = Kept()
    call(http(log), "POST", "/v1/batch", BODY, headers={"x-write-key": KEY}, chunk_bytes=7)
    assert len(log.events) == 3


def test_refused_events_are_told_and_kept_beside_200() -> None:
    """SDKs ignore the list; people with curl do not."""
    log = Kept()
    answer = post(http(log), "/v1/batch", {"batch": [track(), track(event=""), track(messageId="m2")]})
    assert (answer.status, answer.headers["x-sojourn-rejected"]) == (200, "1")
    assert answer.json == {
        "success": True,
        "rejected": [
            {
                "index": 1,
                "code": "missing-name",
                "reason": "a track needs the name of its event",
                "path": "batch[1].event",
            }
        ],
    }
    assert (len(log.events), [failed.code for failed in log.failed]) == (2, ["missing-name"])


def test_duplicates_are_answered_with_200() -> None:
    """They are what a retry is for."""
    log = Kept()
    app = http(log)
    answers = [post(app, "/v1/batch", BATCH) for _ in range(2)]
    assert ([answer.body for answer in answers], len(log.events)) == ([b'{"success":true}'] * 2, 3)


def test_what_is_not_durable_is_503_with_a_pause() -> None:
    """Every SDK sends the batch again."""
    log = Kept()
    log.error = UnavailableError("the disk is full", retry_after_s=7)
    answer = post(http(log), "/v1/batch", BATCH)
    assert (answer.status, answer.headers["retry-after"], answer.json["code"]) == (503, "7", "unavailable")


def test_an_empty_batch_is_answered_without_asking_the_log() -> None:
    """Some clients flush an empty queue, every second."""
    log = Kept()
    assert (post(http(log), "/v1/batch", {"batch": []}).status, log.n_calls) == (200, 0)


def test_a_browser_may_send_what_it_asks_to_send() -> None:
    """Origin echoed (credentials forbid `*`), headers mirrored."""
    asked = {
        "origin": "https://shop.example",
        "access-control-request-headers": "authorization,anonymousid,sentat,content-type",
    }
    answer = call(http(Kept()), "OPTIONS", "/v1/batch", headers=asked)
    assert answer == Answered(
        204,
        {
            "access-control-allow-methods": "GET, POST, OPTIONS",
            "access-control-max-age": "86400",
            "access-control-allow-headers": "authorization,anonymousid,sentat,content-type",
            "access-control-allow-origin": "https://shop.example",
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "Retry-After, X-Sojourn-Rejected",
            "vary": "Origin",
        },
        b"",
    )


@pytest.mark.parametrize("key", [KEY, "other"])
def test_a_browser_may_read_every_answer(key: str) -> None:
    """An error without CORS headers shows as a network failure, and is retried for ever."""
    headers = {"origin": "https://shop.example", "x-write-key": key}
    answer = call(http(Kept()), "POST", "/v1/batch", BODY, headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_the_headers_of_rudderstack_count() -> None:
    """AnonymousId in base64, and SentAt."""
    log = Kept()
    message = {"event": "e", "timestamp": "2026-11-03T10:11:10Z"}
    headers = {"anonymousid": b64encode(b"a-7").decode(), "sentat": "2026-11-03T10:11:11Z"}
    post(http(log), "/v1/track", message, **headers)
    [event] = log.events
    assert (event.anonymous_id, event.occurred_at) == ("a-7", event.received_at - 1000)


@pytest.mark.parametrize(
    ("n_proxies", "forwarded", "kept"),
    [
        (0, "203.0.113.9", "198.51.100.0"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.0"),
        (2, "203.0.113.9, 10.0.0.1", "203.0.113.0"),
        (2, "203.0.113.9", "198.51.100.0"),
        (1, "", "198.51.100.0"),
    ],
)
def test_forwarded_addresses_count_as_far_as_proxies_are_trusted(
    n_proxies: int, forwarded: str, kept: str
) -> None:
    """Whoever asks can write the header."""
    log = Kept()
    post(http(log, n_proxies=n_proxies), "/beacon/v1/batch", BATCH, **{"x-forwarded-for": forwarded})
    assert {event.ip for event in log.events} == {kept}


@pytest.mark.parametrize(
    "query",
    [
        f"writeKey={KEY}&userId=u1&event=Mail+Opened&properties.campaign=c1&mail=7",
        f"writeKey={KEY}&userId=u1&event=Mail+Opened&properties=%7B%22campaign%22:%22c1%22%7D&properties.mail=7",
        "data="
        + b64encode(
            json.dumps(
                {
                    "writeKey": KEY,
                    "userId": "u1",
                    "event": "Mail Opened",
                    "properties": {"campaign": "c1", "mail": "7"},
                }
            ).encode()
        ).decode(),
    ],
)
def test_a_pixel_is_an_event_and_an_image(query: str) -> None:
    """E-mails run no code."""
    log = Kept()
    answer = call(http(log), "GET", "/pixel/v1/track", query=query)
    assert (answer.status, answer.headers["content-type"], len(answer.body)) == (200, "image/gif", 43)
    [event] = log.events
    assert (event.user_id, event.name, event.ip) == ("u1", "Mail Opened", "198.51.100.0")
    assert json.loads(bytes(event.properties)) == {"campaign": "c1", "mail": "7"}


def test_a_pixel_with_a_wrong_key_is_refused_for_it_whatever_it_holds() -> None:
    """A stranger learns nothing of how what they sent is read."""
    log = Kept()
    answer = call(http(log), "GET", "/pixel/v1/track", query="writeKey=wrong&data=%C3%A0")
    assert (answer.status, answer.json["code"], log.n_calls) == (401, "unknown-key", 0)


def test_an_sdks_own_metrics_are_swallowed() -> None:
    """They come without a key."""
    log = Kept()
    assert call(http(log), "POST", "/v1/m", b'{"series":[]}').status == 200
    assert log.n_calls == 0


def test_analytics_next_is_told_to_send_here() -> None:
    """It boots from this document, and sends nothing without."""
    answer = call(http(Kept()), "GET", f"/v1/projects/{KEY}/settings", headers={"host": "cdp.example"})
    integration = answer.json["integrations"]["Segment.io"]
    assert (integration["apiKey"], integration["apiHost"], integration["protocol"]) == (
        KEY,
        "cdp.example/v1",
        "http",
    )


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudderstacks_sdk_is_told_that_its_source_exists(path: str) -> None:
    """It boots from this document, its key as Basic, and loads no destination."""
    answer = call(http(Kept()), "GET", path, headers=basic(f"{KEY}:"), query="p=npm&v=3")
    source = answer.json["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == (KEY, True, [])


@pytest.mark.parametrize("path", ["/v1/projects/other/settings", "/sourceConfig", "/v1/projects//settings"])
def test_documents_are_for_known_keys(path: str) -> None:
    """A typo in a key shows at once, not as silence."""
    assert call(http(Kept()), "GET", path).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/batch", 405), ("POST", "/health", 405), ("GET", "/health", 200), ("HEAD", "/health", 200),
     ("GET", "/", 404), ("POST", "/v2/batch", 404), ("GET", "/v1/projects/x", 404)],
)  # fmt: skip
def test_paths_and_methods_are_told_apart(method: str, path: str, status: int) -> None:
    """404 is a wrong path, 405 a wrong method."""
    assert call(http(Kept()), method, path).status == status


def test_other_paths_go_to_the_rest_of_the_server() -> None:
    """Decisions, queries and the UI live there."""

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = http(Kept())
    app._rest = rest
    assert (call(app, "GET", "/api").status, call(app, "GET", "/health").status) == (418, 200)


def test_a_body_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that hangs must not hold memory for ever; 408 is sent again."""
    monkeypatch.setattr("sojourn.server.ingest.door.MAX_READING_S", 0.001)

    async def silence() -> Any:
        await asyncio.Event().wait()

    answer = call(http(Kept()), "POST", "/v1/batch", headers={"x-write-key": KEY}, receive=silence)
    assert (answer.status, answer.json["code"]) == (408, "slow-body")


def test_whoever_hangs_up_is_not_answered() -> None:
    """Half a batch is no batch."""
    kept = Kept()

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(Unanswered):
        call(http(kept), "POST", "/v1/batch", headers={"x-write-key": KEY}, receive=gone)
    assert kept.n_calls == 0


def test_too_many_bytes_under_way_are_503(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk must not fill the memory with what waits for it."""
    monkeypatch.setattr("sojourn.server.ingest.door.MAX_BYTES_IN_FLIGHT", -1)
    answer = post(http(Kept()), "/v1/batch", BATCH)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_answered_bytes_are_no_longer_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the answer was, they are let go."""
    monkeypatch.setattr("sojourn.server.ingest.door.MAX_BYTES_IN_FLIGHT", 0)
    app = http(Kept())
    bodies = [BODY, b"nonsense", b"\x1f\x8bnonsense", gzip.compress(BODY), BODY]
    assert [post(app, "/v1/batch", body).status for body in bodies] == [200, 400, 400, 200, 200]


def test_a_request_that_is_refused_whole_is_told_of() -> None:
    """With its source, where its key is known: something does come, and whoever looks sees why not in."""
    told: list[tuple[str, str, str, int]] = []

    def hear(error: InputError, *, source: str, user_agent: str, at: int) -> None:
        told.append((error.code, source, user_agent, at))

    door = Door({KEY: "web"}, Kept(), now_ms=lambda: RECEIVED_AT)
    door.on_refused = hear
    app = Http(door)
    post(app, "/v1/batch", b"{", **{"user-agent": "curl/8"})
    call(app, "POST", "/v1/batch", b"{}", headers={"x-write-key": "wrong"})
    call(app, "GET", "/pixel/v1/track", query="writeKey=wrong")
    post(app, "/v1/track", track())
    assert told == [
        ("bad-json", "web", "curl/8", RECEIVED_AT),
        ("unknown-key", "", "", RECEIVED_AT),
        ("unknown-key", "", "", RECEIVED_AT),
    ]


def test_everything_is_counted() -> None:
    """An operator sees what came of what came."""
    counted: Counter[str] = Counter()
    log = Kept()
    app = http(log, observe=lambda name, n: counted.update({name: n}))
    post(app, "/v1/batch", {"batch": [track(), track(), track(event="")]})
    assert counted["bytes"] > 0
    del counted["bytes"]
    assert counted == {"events": 2, "duplicates": 1, "failed.missing-name": 1}
