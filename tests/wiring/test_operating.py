"""Operating: failed events tried again through the door, each once; counts, sinks and what came last."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sojourn.adapters.memory import MemoryLog
from sojourn.model.event import ERASED, OUR_SOURCE, FailedEvent
from sojourn.runtime.books import Books, without_errors
from sojourn.runtime.refusals import Refusals
from sojourn.wiring.watching import size_of, took
from tests.engine.makers import T0, event
from tests.runtime.outboxes import action
from tests.server.houses import KEY, House

RETRY = "/api/v1/failed-events/retry"
SEEN = b'{"type":"track","event":"Seen","userId":"ann","messageId":"m1","timestamp":"2023-11-14T22:13:19Z"}'


def house(*failed: FailedEvent) -> House:
    """Make a house with failed events, numbered from 1."""
    made = House()
    made.log.append((), now=T0, failed=failed)
    return made


def refused(body: bytes = SEEN, **fields: Any) -> FailedEvent:
    """Make an event that failed at the door."""
    usual: dict[str, Any] = {
        "source": "web",
        "received_at": T0,
        "code": "bad-type",
        "reason": "of an older door",
    }
    return FailedEvent(**(usual | {"body": body} | fields))


def retry(made: House, *ids: int) -> list[tuple[int, str, str]]:
    """Try some again; return (id, verdict, reason) of each."""
    answer = made.ask(RETRY, method="POST", json={"ids": list(ids)})
    assert answer.status_code == 200
    return [(one["id"], one["verdict"], one["reason"]) for one in answer.json()["retried"]]


def test_a_failed_event_that_reads_well_now_is_taken_as_it_was_sent() -> None:
    """With its own message id, source and times; and it is told to be in the log since."""
    made = house(refused())
    assert retry(made, 1) == [(1, "taken", "")]
    (entry,) = made.log.read(0, 10)
    taken = entry.event
    assert (taken.source, taken.message_id, taken.name, taken.user_id) == ("web", "m1", "Seen", "ann")
    assert (taken.received_at, taken.occurred_at) == (T0, T0 - 1_000)
    (shown,) = made.ask("/api/v1/failed-events").json()["items"]
    assert shown["retried_at"] is not None
    assert made.ask("/api/v1/profiles/ann").status_code == 200


def test_it_is_never_taken_twice() -> None:
    """Neither where it is asked for again, nor where somebody sent it meanwhile, nor twice at once."""
    made = house(refused(), refused(code="bad-id"))
    assert retry(made, 1, 1) == [(1, "taken", "")]
    assert retry(made, 1, 2) == [
        (1, "refused", "it was tried again before, and is in the log"),
        (2, "duplicate", "the log has a message of this id already"),
    ]
    assert made.log.end() == 1


def test_one_without_a_message_id_is_taken_once_too() -> None:
    """A crash before the note that it was retried does not make two of it: its number names it."""
    made = house(refused(b'{"type":"track","event":"Seen","userId":"ann"}'))
    assert retry(made, 1)[0][1] == "taken"
    made.log._failed[0] = msgspec.structs.replace(made.log._failed[0], retried_at=None)
    assert retry(made, 1)[0][1] == "duplicate"
    assert made.log.end() == 1


@pytest.mark.parametrize(
    ("failed", "verdict", "reason"),
    [
        (refused(b'{"type":"track","userId":"ann"}'), "failed", "needs the name of its event [missing-name]"),
        (refused(b'{"type":"purchase","userId":"ann"}'), "failed", "[unknown-kind]"),
        (refused(b'{"event":"Seen","userId":"ann"}', kind="track"), "taken", ""),
        (refused(b'{"event":"Seen","userId":"ann"}'), "failed", "[unknown-kind]"),
        (refused(SEEN[:40]), "refused", "only the first 40 are kept"),
        (refused(b""), "refused", "only the first 0 are kept"),
        (refused(b"{}], [{}"), "refused", "no whole event"),
        (refused(code="engine-error"), "refused", "it is in the log: the engine failed on it"),
        (refused(source="gone"), "refused", "the source 'gone' has no write key any more"),
    ],
)
def test_what_cannot_be_taken_says_why(failed: FailedEvent, verdict: str, reason: str) -> None:
    """And is as it was: it can be tried again."""
    made = house(failed)
    ((_, told, why),) = retry(made, 1)
    assert (told, reason in why) == (verdict, True), why
    assert made.log.end() == (verdict == "taken")
    assert (made.log.failed()[0].retried_at is not None) == (verdict == "taken")


def test_a_number_that_no_failed_event_has_is_refused() -> None:
    """The others are tried."""
    assert retry(house(refused()), 9, 1) == [
        (9, "refused", "there is no such failed event"),
        (1, "taken", ""),
    ]


def test_an_event_that_failed_at_the_door_today_is_kept_with_what_its_path_said() -> None:
    """`/v1/track` names the kind, which a body alone does not."""
    made = House()
    body = {"userId": "ann", "messageId": "m1"}
    made.ask("/v1/track", method="POST", json=body, headers={"x-write-key": KEY})
    (shown,) = made.ask("/api/v1/failed-events").json()["items"]
    assert (shown["kind"], shown["code"]) == ("track", "missing-name")
    assert retry(made, 1)[0][1] == "failed"


def test_failed_events_are_counted_by_reason_and_source() -> None:
    """Those that were retried with success are not failed any more."""
    made = house(
        refused(received_at=1),
        refused(b"{", message_id="x", received_at=2),
        refused(b"{", message_id="y", source="ios", code="missing-id", received_at=3),
    )
    kinds = {"code": "bad-type", "source": "web"}, {"code": "missing-id", "source": "ios"}
    expected = [kinds[1] | {"n": 1, "last_at": 3}, kinds[0] | {"n": 2, "last_at": 2}]
    assert made.ask("/api/v1/failed-events/summary").json() == expected
    retry(made, 1)
    expected[1]["n"] = 1
    assert made.ask("/api/v1/failed-events/summary").json() == expected


def test_counting_reads_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are already."""
    log = MemoryLog()
    pages: list[int | None] = []

    class Counted:
        def failed(self, *, limit: int, before: int | None) -> list[FailedEvent]:
            pages.append(before)
            return log.failed(limit=limit, before=before)

    refusals = Refusals(Counted())
    log.append((), now=T0, failed=[refused(message_id=str(number)) for number in range(1_200)])
    assert refusals.summary()[0].n == 1_200
    assert len(pages) == 3
    log.append((), now=T0, failed=[refused(message_id="new")])
    assert refusals.summary()[0].n == 1_201
    assert len(pages) == 4


def test_the_newest_events_are_listed_with_their_verdicts() -> None:
    """Those taken and those failed, by when the door had them."""
    made = house(refused(b'{"type":"page","userId":"bob"}', code="missing-name", received_at=T0 + 1))
    made.take(
        event("Seen", user_id="ann", received_at=T0), event("Bought", user_id="ann", received_at=T0 + 2)
    )
    rows = made.ask("/api/v1/events?limit=2").json()
    assert [(row["name"], row["type"], row["verdict"], row["position"]) for row in rows] == [
        ("Bought", "track", "taken", 2), ("", "page", "failed", None),
    ]  # fmt: skip


def test_an_event_of_somebody_who_was_forgotten_is_not_listed() -> None:
    """What stands in its place says nothing of them, and is nothing to look at."""
    made = House()
    made.take(event("Seen", user_id="ann"), event(ERASED, user_id="x", source=OUR_SOURCE))
    assert [row["name"] for row in made.ask("/api/v1/events").json()] == ["Seen"]
    assert [one["id"] for one in made.ask("/api/v1/people").json()] == ["u:ann"]


def test_a_sink_says_what_waits_for_it_and_how_it_did() -> None:
    """Also one that nobody configured, to which letters go all the same."""
    made = House()
    made.bury(5)
    books = made.books
    books.attempted("shop", "retried", 3)
    books.refused("shop", "503 so sorry")
    shown = {sink["name"]: sink for sink in made.ask("/api/v1/sinks").json()}
    assert set(shown) == {"console", "shop"}
    assert (shown["console"]["state"], shown["console"]["type"]) == ("idle", "console")
    shop = shown["shop"]
    assert (shop["type"], shop["waiting"], shop["dead"], shop["retried"]) == ("", 0, 1, 1)
    assert (shop["last_error"], shop["last_error_at"]) == ("503 so sorry", T0)
    made.store.revive(None, now=T0)
    (shop,) = [sink for sink in made.ask("/api/v1/sinks").json() if sink["name"] == "shop"]
    assert (shop["state"], shop["waiting"], shop["oldest_at"]) == ("backing-off", 1, action("a0").at)
    books.attempted("shop", "delivered", 3)


def test_books_go_on_from_what_was_kept() -> None:
    """Deliveries are counted since the folder was made."""
    now = [T0]
    books = Books(now=lambda: now[0])
    books.refused("shop", "no")
    books.attempted("shop", "failed", 1)
    now[0] += 1
    books.attempted("shop", "delivered", 1)
    again = Books(books.document(), now=lambda: now[0])
    assert again.of("shop") == books.of("shop")
    assert (again.of("shop").delivered, again.of("shop").is_failing) == (1, False)
    assert (again.sinks(), again.has_changed) == (["shop"], False)


def test_books_forget_what_destinations_said_and_not_what_they_did() -> None:
    """Somebody may be named there who was forgotten since."""
    books = Books(now=lambda: T0)
    books.refused("shop", "no ada@example.org here")
    books.attempted("bank", "delivered", 1)
    kept = books.document()
    books.forget()
    for each in (books, Books(without_errors(kept), now=lambda: T0)):
        assert "ada" not in each.of("shop").last_error
        assert each.of("shop").is_failing
        assert each.of("bank").last_error == ""
    assert books.has_changed


def test_the_status_has_what_an_operator_watches() -> None:
    """The oldest action that waits, among others."""
    made = House()
    made.bury(5)
    made.store.revive(None, now=T0)
    told = made.ask("/api/v1/status").json()["operating"]
    assert told["oldest_action_at"] == action("a0").at


def test_a_folder_s_size_is_that_of_all_its_files(tmp_path: Any) -> None:
    """Also of those in folders in it; and of times, the middle one and the late one are told."""
    (tmp_path / "a").write_bytes(b"x" * 100)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").write_bytes(b"x" * 23)
    assert size_of(tmp_path) == 123
    assert took([]) is None
    found = took([float(number) for number in range(100)])
    assert found is not None
    assert (found.n, found.p50, found.p95) == (100, 50.0, 95.0)
