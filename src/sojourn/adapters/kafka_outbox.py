"""The outbox of a cluster: actions of a topic, shared out among the workers of a consumer group.

Letters lie in memory, and the records they came with are committed once nothing below is open: delivered,
expired, or a dead letter kept. Whatever ends a worker, its open letters come again, to it or to another,
under the same ids: attempts are counted anew, and

    in one process    a letter is delivered once: repetitions are known while it is in hand and, of the newest
                      100,000, when it is done with
    after a restart   what was done behind a letter that waits is known by the note beside the commit
    for the rest      (what was done since the last commit, 0.2 s) the receiver knows the idempotency
                      key, and the log the message id of the outcome
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import msgspec

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_dead import MOST, REVIVED, DeadLetters
from sojourn.adapters.kafka_pending import Bounds, Ledger, Pending, Taken
from sojourn.adapters.kafka_topics import TIMEOUT_S, missing_topic
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Place, Queue
from sojourn.model.topics import WAITED, Topics

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import Message, TopicPartition

POLL_S = 0.1  # how long it waits for the first record; the others come with it.
AT_ONCE = 500
COMMIT_S = 0.2
LAG_S = 2.0
RESUME_BELOW = 0.5  # of the bounds: a worker that is full reads on when half of it is done.

_decode = msgspec.json.Decoder(Action).decode
_decode_waited = msgspec.json.Decoder(tuple[int, int, str]).decode


class Heard:
    """What an outbox tells, on the thread that consumes; whoever works with it hands in their own."""

    def arrived(self, sinks: Collection[str]) -> None:
        """Letters came in for sinks."""

    def leaving(self, action_ids: Collection[str]) -> None:
        """Letters are to be another worker's: return when none of them is in flight, or late."""

    def left(self, action_ids: Collection[str]) -> None:
        """Letters are another worker's from now on, or since a while."""

    def shared(self, n_partitions: int) -> None:
        """The partitions were shared out anew: so many are ours."""

    def unreadable(self, place: str, why: str) -> None:
        """A record is no action: it is passed over."""

    def trouble(self, what: str) -> None:
        """Brokers do not answer as they should; it goes on by itself."""


class KafkaOutbox:
    """The letters of one worker. `consume` runs on a thread of its own; the rest may be called on any."""

    def __init__(
        self,
        client: Mapping[str, Any],
        topics: Topics,
        *,
        group: str,
        heard: Heard | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        """Name the topics and the group; `client` are settings of librdkafka, with `bootstrap.servers`."""
        self._kafka = library("cluster")
        self._client = dict(client)
        self._topic = topics.actions
        self._group = group
        self._heard = heard or Heard()
        self._dead = DeadLetters(client, topics)
        self._pending = Pending(bounds)
        self._lock = Lock()
        self._sent: dict[int, tuple[int, str]] = {}
        """What was committed last, by partition."""
        self._paused: set[int] = set()
        self._assigned: set[int] = set()
        self._is_full = False
        self._stopping = Event()
        self.lag = 0
        """Records of our partitions that are not committed, as of a moment ago."""

    # -- The port.

    def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
        """Return letters for a sink that are due, oldest first."""
        with self._lock:
            return self._pending.waiting(sink, now=now, limit=limit)

    def next_due(self, sink: str) -> int | None:
        """Return when the next letter for a sink is due, ms."""
        with self._lock:
            return self._pending.next_due(sink)

    def settle(self, settled: Sequence[tuple[Letter, Delivery]]) -> None:
        """Be done with letters: their records may be committed."""
        with self._lock:
            self._pending.settle(letter for letter, _ in settled)

    def postpone(self, letters: Sequence[Letter]) -> None:
        """Keep letters' new attempts and instants; one with `dead_at` is kept for good, then done with."""
        with self._lock:
            held = [letter for letter in letters if self._pending.has(letter.action.id)]
            for letter in held:
                self._pending.postpone(letter)
        dead = [letter for letter in held if letter.dead_at is not None]
        if dead:
            self._dead.bury(dead)
            with self._lock:
                self._pending.settle(dead)

    def sinks(self) -> list[str]:
        """Return the sinks that letters wait for, by name."""
        with self._lock:
            return self._pending.sinks()

    def queues(self) -> dict[str, Queue]:
        """Return what waits here for each sink, and what was given up anywhere."""
        with self._lock:
            found = self._pending.queues()
        for letter in self._dead.read(limit=MOST):
            own = found.get(letter.action.sink, Queue())
            found[letter.action.sink] = msgspec.structs.replace(own, dead=own.dead + 1)
        return found

    def dead(self, *, limit: int = 100, before: Place | None = None) -> list[Letter]:
        """Return dead letters, newest first, whoever gave them up."""
        return self._dead.read(limit=limit, before=before)

    def revive(self, action_ids: Sequence[str] | None, *, now: int) -> int:
        """Put dead letters (the newest, with None) back among the actions; return how many."""
        return len(self._dead.revive(action_ids, now=now))

    def withdraw(self, people: Collection[ProfileId], *, at: int) -> None:
        """Let people's letters go that were decided until an instant (ms), here and to come."""
        with self._lock:
            self._pending.withdraw(people, at=at)

    def erase(self, forgotten: Mapping[ProfileId, int]) -> None:
        """Take people's dead letters out that were decided until an instant (ms)."""
        self._dead.erase(forgotten)

    # -- The group.

    def counts(self) -> tuple[int, int]:
        """Return how many records are in hand, and of how many partitions."""
        with self._lock:
            return self._pending.n_open, len(self._assigned)

    def consume(self) -> None:
        """Take letters in, and commit what is done, until `stop`; then leave the group.

        Raises ConfigError where the topic is not there or may not be read.
        """
        consumer = self._kafka.Consumer(self._settings())
        try:
            consumer.subscribe(
                [self._topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose
            )
            commit_at = lag_at = time.monotonic()
            while not self._stopping.is_set():
                self._read(consumer)
                self._steer(consumer)
                now = time.monotonic()
                if now >= commit_at:
                    self._commit(consumer)
                    commit_at = now + COMMIT_S
                if now >= lag_at:
                    self._measure(consumer)
                    lag_at = now + LAG_S
        finally:
            consumer.close()  # revokes, and so commits, first
            self._dead.close()

    def stop(self) -> None:
        """Have `consume` commit what is done and leave."""
        self._stopping.set()

    def _settings(self) -> dict[str, Any]:
        return {
            "queued.max.messages.kbytes": 16_384,
            "log_level": 0,  # what it has to say comes as errors
            **self._client,
            "group.id": self._group,
            "partition.assignment.strategy": "cooperative-sticky",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "on_commit": self._heed_commit,
            "error_cb": lambda error: self._heard.trouble(error.str()),
        }

    def _read(self, consumer: Any) -> None:
        """Take in what is there, at most AT_ONCE records and one.

        The first is taken in by itself: the partitions may be shared out anew while the others are asked for,
        and then its place is read again from the commit on.
        """
        first = consumer.poll(POLL_S)
        if first is not None:
            self._take([first])
            self._take(consumer.consume(AT_ONCE, timeout=0))

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        kinds = self._kafka.KafkaError
        if error.code() in (kinds.UNKNOWN_TOPIC_OR_PART, kinds._UNKNOWN_TOPIC):
            raise missing_topic(self._topic)
        if error.code() in (kinds.TOPIC_AUTHORIZATION_FAILED, kinds.GROUP_AUTHORIZATION_FAILED):
            raise ConfigError(f"topic {self._topic}, group {self._group}: {error.str()} [not-allowed]")
        if error.fatal():
            raise UnavailableError(f"topic {self._topic}: {error.str()}")
        self._heard.trouble(error.str())
        return False

    def _take(self, messages: Sequence[Message]) -> None:
        """Take records in; who works is told once for all."""
        sinks = set()
        read = [self._decoded(message) for message in messages if self._is_record(message)]
        with self._lock:
            for taken in read:
                if not isinstance(taken, Taken):
                    self._pending.skip(*taken)
                elif self._pending.take(taken):
                    sinks.add(taken.action.sink)
        if sinks:
            self._heard.arrived(sinks)

    def _decoded(self, message: Message) -> Taken | tuple[int, int]:
        partition, offset, content = message.partition(), message.offset(), message.value()
        assert partition is not None
        assert offset is not None
        headers: Any = message.headers() or ()
        try:
            revived, waited = (dict(headers).get(name) for name in (REVIVED, WAITED))
            return Taken(
                partition=partition,
                offset=offset,
                action=_decode(content or b""),
                n_bytes=len(content or b""),
                revived_at=None if revived is None else int(revived),
                waited=None if waited is None else _decode_waited(waited),
            )
        except (msgspec.MsgspecError, ValueError) as error:
            self._heard.unreadable(f"{self._topic}[{partition}] at {offset}", str(error))
            return partition, offset

    def _steer(self, consumer: Any) -> None:
        """Read no more while there is too much in hand; also of partitions that came meanwhile."""
        with self._lock:
            self._is_full = self._pending.is_above(RESUME_BELOW if self._is_full else 1.0)
        wanted = set(self._assigned) if self._is_full else set()
        if pause := wanted - self._paused:
            consumer.pause(self._places(pause))
        if resume := self._paused - wanted:
            consumer.resume(self._places(resume))
        self._paused = wanted

    def _places(self, partitions: Collection[int]) -> list[TopicPartition]:
        return [self._kafka.TopicPartition(self._topic, partition) for partition in sorted(partitions)]

    # -- Commits.

    def _commit(self, consumer: Any, *, waits: bool = False) -> None:
        with self._lock:
            commits = self._pending.commits()
        changed = {place: one for place, one in commits.items() if self._sent.get(place) != one}
        if not changed:
            return
        offsets = [
            self._kafka.TopicPartition(self._topic, partition, offset, metadata=note)
            for partition, (offset, note) in changed.items()
        ]
        self._sent |= changed
        try:
            consumer.commit(offsets=offsets, asynchronous=not waits)
        except self._kafka.KafkaException as error:
            self._sent = {}
            self._heard.trouble(f"offsets were not committed: {error.args[0].str()}")

    def _heed_commit(self, error: Any, places: Sequence[TopicPartition]) -> None:
        errors = {place.partition: error or place.error for place in places if error or place.error}
        for partition, why in errors.items():
            self._sent.pop(partition, None)  # the next time it is tried again
            self._heard.trouble(f"offsets of partition {partition} were not committed: {why}")

    def _measure(self, consumer: Any) -> None:
        lag = 0
        for place in self._places(self._assigned):
            _, high = consumer.get_watermark_offsets(place, cached=True)
            lag += max(0, high - max(0, self._sent.get(place.partition, (0, ""))[0]))
        self.lag = lag

    # -- Rebalances, inside a poll.

    def _assign(self, consumer: Any, places: list[TopicPartition]) -> None:
        for place in self._committed(consumer, places):
            committed = max(place.offset, 0)  # none yet: from the beginning
            with self._lock:
                self._pending.assign(place.partition, Ledger(committed, place.metadata or ""))
            self._sent[place.partition] = (committed, place.metadata or "")
        self._assigned |= {place.partition for place in places}
        consumer.incremental_assign(places)
        self._heard.shared(len(self._assigned))

    def _committed(self, consumer: Any, places: list[TopicPartition]) -> list[TopicPartition]:
        if not places:
            return []
        try:
            found: list[TopicPartition] = consumer.committed(places, timeout=TIMEOUT_S)
        except self._kafka.KafkaException as error:
            raise UnavailableError(f"group {self._group}: {error.args[0].str()}") from error
        return found

    def _revoke(self, consumer: Any, places: list[TopicPartition]) -> None:
        """Let what is in flight end, commit what is done, and give the rest up."""
        with self._lock:
            leaving = self._pending.leave({place.partition for place in places})
        if leaving:
            self._heard.leaving(leaving)
        self._commit(consumer, waits=True)
        self._lose(consumer, places)

    def _lose(self, consumer: Any, places: list[TopicPartition]) -> None:
        """Give letters up; they may be another's since a while."""
        partitions = {place.partition for place in places}
        with self._lock:
            gone = self._pending.give_up(partitions)
        self._assigned -= partitions
        self._paused -= partitions
        for partition in partitions:
            self._sent.pop(partition, None)
        consumer.incremental_unassign(places)
        if gone:
            self._heard.left(gone)
        self._heard.shared(len(self._assigned))
