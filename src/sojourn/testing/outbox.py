"""The battery of an outbox: what every implementation of the `Outbox` port must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Raw
from msgspec.structs import replace

from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.model.ports import Commit, Outbox, Queue, Store

DELIVERED = Delivery(outcome="delivered", attempts=1)


def check_outbox(make: Callable[[], tuple[Store, Outbox]], *, is_database: bool = True) -> None:
    """Raise AssertionError, with a sentence, at the first promise an outbox does not keep.

    `make` returns a new, empty store and the outbox of its commits. Where the outbox is no database, and what
    is dead leaves it for another place, nothing but `revive` brings a dead letter back: what is asked of rows
    is left out then.
    """
    checks = [_check_waiting, _check_settling, _check_postponing, _check_dying, _check_one_commit]
    for check in [*checks, _check_dead_rows] if is_database else checks:
        store, outbox = make()
        try:
            check(store, outbox)
        finally:
            store.close()


def _check_waiting(store: Store, outbox: Outbox) -> None:
    assert outbox.waiting("shop", now=100, limit=10) == [], "a new outbox has no letters"
    assert outbox.next_due("shop") is None, "and none is due"
    assert outbox.sinks() == [], "and none waits for any sink"
    later, first, second = _action("1", at=20), _action("2", at=10), _action("3", at=10)
    _commit(store, [later, first, _action("4", at=5, sink="mail"), second])
    letters = outbox.waiting("shop", now=100, limit=10)
    assert [letter.action for letter in letters] == [first, second, later], (
        "letters are given oldest first, as they were written, for their sink only"
    )
    assert letters[0] == Letter(action=first, due_at=10), "a new letter has not been tried"
    assert bytes(letters[0].action.body) == bytes(first.body), "what to send comes back byte for byte"
    assert [one.action.id for one in outbox.waiting("shop", now=10, limit=10)] == ["2", "3"], (
        "only what is due"
    )
    assert [one.action.id for one in outbox.waiting("shop", now=100, limit=2)] == ["2", "3"], (
        "at most the limit"
    )
    assert outbox.next_due("shop") == 10, "the next letter is due when its action was decided"
    assert outbox.sinks() == ["mail", "shop"], "the sinks that letters wait for are known"
    assert outbox.waiting("shop", now=100, limit=10) == letters, "asking takes nothing away"


def _check_settling(store: Store, outbox: Outbox) -> None:
    _commit(store, [_action("1"), _action("2"), _action("3")])
    letters = outbox.waiting("shop", now=100, limit=10)
    outbox.settle([(letters[0], DELIVERED), (letters[2], DELIVERED)])
    assert outbox.waiting("shop", now=100, limit=10) == [letters[1]], (
        "a settled letter is gone, the others remain"
    )
    outbox.settle([(letters[0], DELIVERED)])
    outbox.settle([])
    assert store.counts()["outbox"] == 1, "settling again, or nothing, changes nothing"


def _check_postponing(store: Store, outbox: Outbox) -> None:
    _commit(store, [_action("1"), _action("2")])
    one, two = outbox.waiting("shop", now=100, limit=10)
    tried = replace(one, attempts=3, due_at=500, last_error="503 \x00 so sorry, ü")
    outbox.postpone([tried])
    assert outbox.waiting("shop", now=100, limit=10) == [two], "a postponed letter waits for its instant"
    assert outbox.waiting("shop", now=500, limit=10) == [two, tried], (
        "and is there then, with all that was noted"
    )
    assert outbox.next_due("shop") == two.due_at, "the earliest letter is the next"
    outbox.settle([(two, DELIVERED)])
    assert outbox.next_due("shop") == 500, "and the postponed one after it"
    outbox.postpone([two])
    assert store.counts()["outbox"] == 1, "postponing a letter that is gone does not bring it back"


def _check_dying(store: Store, outbox: Outbox) -> None:
    _commit(store, [_action(str(number)) for number in range(5)])
    letters = outbox.waiting("shop", now=100, limit=10)
    dead = [
        replace(letter, attempts=9, last_error="no", dead_at=200 + at)
        for at, letter in enumerate(letters[:3])
    ]
    outbox.postpone(dead)
    assert outbox.waiting("shop", now=1_000, limit=10) == letters[3:], "a dead letter is not tried"
    assert outbox.dead() == dead[::-1], "dead letters are listed, newest first"
    assert outbox.dead(limit=1) == [dead[2]], "a limit gives the newest"
    assert (store.counts()["outbox"], store.counts()["dead_letters"]) == (2, 3), "both are counted"
    _commit(store, [_action("9", at=3, sink="mail")])
    assert outbox.queues() == {
        "shop": Queue(waiting=2, dead=3, oldest_at=10),
        "mail": Queue(waiting=1, oldest_at=3),
    }, "what waits for each sink is counted, and the oldest of it known"
    outbox.settle([(letter, DELIVERED) for letter in outbox.waiting("mail", now=100, limit=1)])
    assert outbox.dead(before=(202, "2")) == dead[1::-1], "a place gives what is older: the next page"
    assert outbox.dead(before=(200, "0")) == [], "and there is an end"
    assert outbox.revive(["0", "4", "nowhere"], now=300) == 1, (
        "reviving tells how many dead letters came back"
    )
    assert outbox.revive([], now=300) == 0, "reviving none revives none"
    (revived,) = [letter for letter in outbox.waiting("shop", now=300, limit=10) if letter.action.id == "0"]
    assert (revived.attempts, revived.due_at, revived.dead_at) == (0, 300, None), (
        "a revived letter begins again"
    )
    assert outbox.revive(None, now=300) == 2, "without ids, all dead letters come back"
    assert outbox.dead() == [], "and none is left"
    assert (store.counts()["outbox"], store.counts()["dead_letters"]) == (5, 0), "and the counts say so"
    outbox.postpone([replace(letter, dead_at=400) for letter in outbox.waiting("shop", now=300, limit=10)])
    assert outbox.sinks() == [], "a dead letter does not wait for its sink"


def _check_dead_rows(store: Store, outbox: Outbox) -> None:
    _commit(store, [_action("1"), _action("2")])
    letters = outbox.waiting("shop", now=100, limit=10)
    dead = [replace(letter, dead_at=100) for letter in letters]
    outbox.postpone(dead)
    outbox.postpone(letters)
    assert outbox.waiting("shop", now=100, limit=10) == letters, "a letter that is postponed is not dead"
    outbox.postpone([dead[0]])
    outbox.settle([(dead[0], DELIVERED)])
    assert (store.counts()["outbox"], store.counts()["dead_letters"]) == (1, 0), (
        "a dead letter can be settled"
    )


def _check_one_commit(store: Store, outbox: Outbox) -> None:
    _commit(store, [_action("1", at=10), _action("1", at=10)])
    (letter,) = outbox.waiting("shop", now=100, limit=10)
    outbox.postpone([replace(letter, attempts=2, due_at=50)])
    _commit(store, [_action("1", at=10), _action("2", at=11)])
    found = [(one.action.id, one.attempts) for one in outbox.waiting("shop", now=100, limit=10)]
    assert found == [("2", 0), ("1", 2)], (
        "an action that is in the outbox is not added again, and stays as it is"
    )
    assert store.counts()["outbox"] == 2, "and is counted once"


def _commit(store: Store, actions: Sequence[Action]) -> None:
    store.commit(Commit(store.progress().position + 1, 1, [], list(actions)))


def _action(name: str, *, at: int = 10, sink: str = "shop") -> Action:
    return Action(
        id=ActionId(name),
        sink=sink,
        at=at,
        expires_at=at + 1_000,
        profile_id=ProfileId("u:ann"),
        journey="rescue",
        version="1",
        enrolment_id=EnrolmentId("enrolment"),
        state="offer",
        body=Raw(b'{"n": 1.0,  "text": "\\u0000\\u00fc"}'),
    )
