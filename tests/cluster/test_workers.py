"""Outbox workers on a real broker: shared out, killed, cut off; each action is done once, and told once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from confluent_kafka import Message
from msgspec.structs import replace

from sojourn.adapters.kafka_dead import DeadLetters
from sojourn.adapters.kafka_outbox import AT_ONCE, KafkaOutbox
from sojourn.adapters.kafka_pending import Bounds
from sojourn.adapters.memory import MemoryStore
from sojourn.definitions.controls import RELEASE, STOP, Forgetting, Holding, control_event, forget_event
from sojourn.model.ports import Commit, Outbox, Store
from sojourn.testing.outbox import DELIVERED, check_outbox
from tests.cluster.machines import Kafka, until
from tests.cluster.workplace import Workplace, action

pytestmark = pytest.mark.cluster


@pytest.fixture
def workplace(kafka: Kafka, tmp_path: Path) -> Iterator[Callable[..., Workplace]]:
    """Make workplaces; end what works there."""
    made: list[Workplace] = []

    def make(**settings: float) -> Workplace:
        made.append(Workplace(kafka, tmp_path, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def is_done(place: Workplace, n_actions: int) -> None:
    """Wait until all is done, then look that it was done once and told once."""
    names = [f"a{number}" for number in range(n_actions)]
    until("the receiver", lambda: len(place.receiver.bodies) >= n_actions)
    until("the commits", lambda: place.open() == 0)
    tally = place.receiver.tally
    assert (sorted(place.receiver.bodies), tally.n_acted) == (sorted(names), n_actions)
    assert (tally.doubled, tally.n_forged) == ([], 0)
    # The log may have an outcome twice, under one message id: the identity stage drops the second.
    assert set(place.outcomes()) == {f"{name}:delivered" for name in names}


def test_a_worker_is_killed_while_the_receiver_is_down(workplace: Callable[..., Workplace]) -> None:
    """500 actions, every fourth of them written twice, two workers, and one of them ends without a word."""
    place = workplace(unwell=1.0)
    first, second = place.worker(), place.worker()
    first.start()
    second.start()
    actions = [action(f"a{number}") for number in range(500)]
    place.write(actions)
    place.write(Random(1).sample(actions, 125))
    until("a refusal", lambda: place.receiver.tally.n_unwell >= 10)
    place.receiver.get_well()
    until("deliveries by both", lambda: first.n_delivered() >= 40 and second.n_delivered() >= 40)
    first.machine.kill()
    is_done(place, 500)
    assert place.receiver.tally.n_repeated <= 250  # of the two: what it had done since its last commit
    second.machine.end()
    assert '"event": "stopped"' in second.said()


def test_workers_come_and_go_in_good_order_and_nothing_is_repeated(
    workplace: Callable[..., Workplace],
) -> None:
    """Whoever leaves commits what it did, also behind what waits; nobody is sent anything twice."""
    place = workplace()
    first, second = place.worker(), place.worker()
    first.start()

    def feed() -> None:
        for number in range(100):
            place.write([action(f"a{10 * number + at}") for at in range(10)])
            time.sleep(0.08)

    feeding = Thread(target=feed)
    feeding.start()
    second.start()
    until("some deliveries", lambda: len(place.receiver.bodies) >= 400)
    first.machine.end(signal.SIGTERM)
    feeding.join()
    is_done(place, 1_000)
    assert place.receiver.tally.n_repeated == 0


def test_the_broker_is_stopped_and_started(workplace: Callable[..., Workplace], kafka: Kafka) -> None:
    """Outcomes and commits wait for it."""
    place = workplace(unwell=0.3)
    worker = place.worker()
    worker.start()
    place.write([action(f"a{number}") for number in range(400)])
    until("some deliveries", lambda: len(place.receiver.bodies) >= 40)
    kafka.machine.end(signal.SIGTERM)
    time.sleep(5)
    kafka.start()
    place.receiver.get_well()
    is_done(place, 400)
    assert worker.is_ready()


def test_what_is_given_up_is_listed_and_tried_again(workplace: Callable[..., Workplace]) -> None:
    """A sink nobody configured, and a receiver that is down for too long."""
    place = workplace(unwell=1.0, attempts=2)
    worker = place.worker()
    worker.start()
    place.write([action("a0"), action("a1"), action("lost", sink="nowhere")])
    dead = DeadLetters(place.client, place.topics)
    until("the dead letters", lambda: len(dead.read()) == 3)
    until("the commits", lambda: place.open() == 0)
    found = {letter.action.id: letter for letter in dead.read()}
    assert "no sink is named 'nowhere'" in found["lost"].last_error
    assert (found["a0"].attempts, found["a0"].action) == (2, action("a0"))
    assert found["a1"].last_error.startswith("given up after 2 attempts; the last: ")
    shown = place.run("dead", "list")
    assert all(name in shown.stdout for name in ("a0", "a1", "lost")), shown
    assert place.run("dead", "retry").returncode == 2
    place.receiver.get_well()
    retried = place.run("dead", "retry", "a0", "a1", "unknown", "--json")
    assert (retried.returncode, json.loads(retried.stdout)) == (1, {"revived": 2}), retried
    until("the receiver", lambda: sorted(place.receiver.bodies) == ["a0", "a1"])
    assert [letter.action.id for letter in dead.read()] == ["lost"]
    until("the outcomes", lambda: len(place.outcomes()) == 5)
    assert set(place.outcomes()) == {
        "a0:failed", "a1:failed", "lost:failed", "a0:delivered", "a1:delivered"
    }  # fmt: skip
    assert 'sojourn_deliveries_total{outcome="failed",sink="nowhere"} 1.0' in worker.metrics()


def test_nothing_is_sent_while_all_stands_still_nor_to_who_is_forgotten(
    workplace: Callable[..., Workplace],
) -> None:
    """Controls are the same records that the job reads; a worker that starts knows what holds."""
    place = workplace(attempts=1)
    place.control(control_event(STOP, Holding(), after=0, now=1))
    place.write([action("a0", user="7"), action("b0", user="8"), action("lost", user="8", sink="nowhere")])
    worker = place.worker()
    worker.start()
    time.sleep(3)
    assert (len(place.receiver.bodies), place.open()) == (0, 3)
    place.control(control_event(RELEASE, Holding(), after=1, now=2))
    dead = DeadLetters(place.client, place.topics)
    until("the dead letter", lambda: len(dead.read()) == 1)
    until("the deliveries", lambda: sorted(place.receiver.bodies) == ["a0", "b0"])
    place.control(forget_event(Forgetting(request="r", users=["8"]), now=3))
    until("the dead letter's end", lambda: dead.read() == [])
    place.write([action("b1", user="8"), action("b2", user="8", at=int(time.time() * 1000))])
    until("the commits", lambda: place.open() == 0)
    assert sorted(place.receiver.bodies) == ["a0", "b0", "b2"]


def test_a_successor_knows_what_was_done_behind_what_waits(workplace: Callable[..., Workplace]) -> None:
    """By the note that the brokers keep beside the commit."""
    place = workplace()
    place.write_in_order(action(name) for name in "abcd")
    for there, done in (("abcd", "bd"), ("ac", "a"), ("c", "c")):
        with consuming(place) as outbox:
            until("the letters", lambda names=there: outbox.counts() == (len(names), 4))
            letters = outbox.waiting("shop", now=0, limit=10)
            assert "".join(letter.action.id for letter in letters) == there
            outbox.settle([(one, DELIVERED) for one in letters if one.action.id in done])
    assert place.open() == 0


def test_a_worker_reads_no_more_than_it_may_have_in_hand(workplace: Callable[..., Workplace]) -> None:
    """And reads on when half of it is done; in the end it has seen all."""
    place = workplace()
    place.write(action(f"a{number}") for number in range(5_000))
    seen: set[str] = set()
    most = 0
    with consuming(place, Bounds(records=200)) as outbox:

        def is_all_seen() -> bool:
            nonlocal most
            most = max(most, outbox.counts()[0])
            letters = outbox.waiting("shop", now=0, limit=150)
            seen.update(letter.action.id for letter in letters)
            outbox.settle([(letter, DELIVERED) for letter in letters])
            return len(seen) == 5_000

        until("the letters", lambda: outbox.counts()[0] >= 200)
        time.sleep(2)
        assert outbox.counts()[0] <= 200 + AT_ONCE
        until("all of them", is_all_seen)
    assert (most <= 200 + AT_ONCE, place.open()) == (True, 0)


@contextmanager
def consuming(place: Workplace, bounds: Bounds | None = None) -> Iterator[KafkaOutbox]:
    """Be one of the workers for a while."""
    outbox = KafkaOutbox(place.client, place.topics, group=f"{place.prefix}.workers", bounds=bounds)
    thread = Thread(target=outbox.consume)
    thread.start()
    yield outbox
    outbox.stop()
    thread.join()


class Waited(KafkaOutbox):
    """An outbox that says how much it read, and whose revived letters are there when it says so."""

    n_read = 0

    def _take(self, messages: Sequence[Message]) -> None:
        super()._take(messages)
        self.n_read += len(messages)

    def wait(self, n_more: int, write: Callable[[], object]) -> None:
        """Wait until what is written is read, too."""
        n_read = self.n_read
        write()
        until("the records", lambda: self.n_read >= n_read + n_more)

    def revive(self, action_ids: Sequence[str] | None, *, now: int) -> int:
        n_read = self.n_read
        n_revived = super().revive(action_ids, now=now)
        until("the revived", lambda: self.n_read >= n_read + n_revived)
        return n_revived


class Committing(MemoryStore):
    """A store whose commits' actions go to the topic."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self.topic = Waited(place.client, place.topics, group="battery")
        self._thread = Thread(target=self.topic.consume)
        self._thread.start()

    def commit(self, commit: Commit) -> None:
        super().commit(replace(commit, actions=[]))
        self.topic.wait(len(commit.actions), lambda: self._place.write_in_order(commit.actions))

    def counts(self) -> Mapping[str, int]:
        waiting = sum(queue.waiting for queue in self.topic.queues().values())
        return {"outbox": waiting, "dead_letters": len(self.topic.dead())}

    def close(self) -> None:
        self.topic.stop()
        self._thread.join()


def test_it_passes_the_battery_for_outboxes(workplace: Callable[..., Workplace]) -> None:
    """But for what is asked of a database's rows: its dead letters are in another topic."""

    def make() -> tuple[Store, Outbox]:
        store = Committing(workplace())
        return store, store.topic

    check_outbox(make, is_database=False)
