"""The log on Kafka against the brokers that librdkafka brings along for tests; real ones: tests/cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest

from sojourn.adapters import kafka_log
from sojourn.adapters.kafka_client import Client, client_of, refuse_ours
from sojourn.adapters.kafka_log import KafkaLog
from sojourn.definitions.controls import PUBLISH, Publishing, control_event
from sojourn.engine.records import CONTROLS, entry_shard, read_events
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.topics import Topics
from tests.engine.makers import event

kafka = pytest.importorskip("confluent_kafka", reason="the extra `kafka` is not installed")

N_SHARDS = 4
PASSWORD = "hunter2-and-more"
NOWHERE = Client({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """Yield the address of a mock cluster, whose topics have four partitions."""
    owner = kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = owner.list_topics(timeout=10).brokers.values()
    if not found:
        pytest.skip("this build of librdkafka has no mock brokers")
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)
    del owner


def records(brokers: str, topic: str) -> list[Any]:
    """Read all records of a topic."""
    settings = {"bootstrap.servers": brokers, "group.id": "test", "log_level": 0}
    consumer = kafka.Consumer(settings | {"enable.auto.commit": False, "fetch.wait.max.ms": 10})
    found = []
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(kafka.TopicPartition(topic, partition), timeout=10)
            if high > low:
                consumer.assign([kafka.TopicPartition(topic, partition, low)])
                found += [consumer.poll(10) for _ in range(high - low)]
    finally:
        consumer.close()
    return found


def entries(brokers: str, topic: str, *, shard: int | None = None) -> list[Entry]:
    """Read all entries of a topic, as the engine does."""
    return [
        entry
        for message in records(brokers, topic)
        for entry in read_events(
            message.value() or b"",
            shard=message.partition() if shard is None else shard,
            offset=message.offset(),
            at=message.timestamp()[1],
        )
    ]


def places(entries: list[Entry]) -> dict[int, Event]:
    """Return position -> event."""
    return {entry.position: entry.event for entry in entries}


def on(brokers: str, prefix: str, story: Callable[[KafkaLog], Awaitable[Any]]) -> Any:
    """Tell a story of a log of its own."""

    async def told() -> Any:
        client = Client({"bootstrap.servers": brokers, "log_level": 0})
        log = KafkaLog(client, Topics.of(prefix), n_shards=N_SHARDS)
        try:
            return await story(log)
        finally:
            await log.close()

    return asyncio.run(told())


def seen(who: str, number: int) -> Event:
    """Make an event of somebody's device."""
    return event("Seen", anonymous_id=who, message_id=f"{who}-{number}")


def test_what_is_answered_is_in_the_log_at_the_place_that_was_told(brokers: str) -> None:
    """Each event in its shard, with its position and instant; what comes together shares records."""

    async def story(log: KafkaLog) -> list[Entry]:
        requests = [[seen(f"p{who}", number) for number in range(3)] for who in range(40)]
        answers = await asyncio.gather(*(log.accept(events) for events in requests))
        assert [[entry.event for entry in one.entries] for one in answers] == requests
        assert log.n_pending == 0
        return [entry for one in answers for entry in one.entries]

    told = on(brokers, "told", story)
    found = entries(brokers, "told.events")
    by_position = places(found)
    assert by_position == places(told)  # instants: the mock's are its own
    assert len(by_position) == 120
    for message in records(brokers, "told.events"):
        read = read_events(message.value(), shard=message.partition(), offset=0, at=0)
        assert {entry_shard(entry.event, N_SHARDS) for entry in read} == {message.partition()}
    assert len(records(brokers, "told.events")) == N_SHARDS  # one each: they came at the same time


def test_a_persons_events_stay_in_order(brokers: str) -> None:
    """However many requests they come in, and whatever comes between them."""

    async def story(log: KafkaLog) -> None:
        sent = []
        for number in range(200):
            sent.append(asyncio.create_task(log.accept([seen("ann", number), seen(f"x{number}", 0)])))
            await asyncio.sleep(0)
        await asyncio.gather(*sent)

    on(brokers, "order", story)
    found = sorted(entries(brokers, "order.events"), key=lambda entry: entry.position)
    own = [entry.event.message_id for entry in found if entry.event.anonymous_id == "ann"]
    assert own == [f"ann-{number}" for number in range(200)]


def test_controls_and_failed_events_have_topics_of_their_own(brokers: str) -> None:
    """One answer for all of a request."""
    control = control_event(PUBLISH, Publishing(), after=0, now=7)
    failed = FailedEvent(source="web", received_at=7, code="bad-type", reason="no", body=b"{}")

    async def story(log: KafkaLog) -> list[Entry]:
        return (await log.accept([seen("ann", 0), control], [failed, failed])).entries

    ours, controlled = on(brokers, "own", story)
    assert places(entries(brokers, "own.events")) == places([ours])
    assert places(entries(brokers, "own.controls", shard=CONTROLS)) == places([controlled])
    assert controlled.position & 1_023 == CONTROLS
    words = [message.partition() for message in records(brokers, "own.events") if message.value() == b""]
    assert sorted(words) == list(range(N_SHARDS))  # so that every shard looks at it
    kept = [
        msgspec.json.decode(message.value(), type=FailedEvent) for message in records(brokers, "own.failed")
    ]
    assert kept == [failed, failed]


def test_every_partition_and_the_controls_are_ticked(brokers: str) -> None:
    """After an event each has a record of nothing, of which no reader makes an event."""

    async def story(log: KafkaLog) -> int:
        clocks = asyncio.create_task(log.run())
        await log.accept([seen("ann", 0)])
        while log.n_ticks < 2 * (N_SHARDS + 1):
            await asyncio.sleep(0.01)
        await log.close()
        await clocks
        return log.n_ticks

    n_ticks = on(brokers, "clock", story)
    found = [*records(brokers, "clock.events"), *records(brokers, "clock.controls")]
    empty = [message for message in found if message.value() is None]
    assert len(empty) == n_ticks
    assert {(message.topic(), message.partition()) for message in empty} == {
        ("clock.controls", 0),
        *(("clock.events", shard) for shard in range(N_SHARDS)),
    }
    assert len(entries(brokers, "clock.events")) == 1


def test_what_kafka_does_not_confirm_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sent it is told to come again, and the operator why, and that it is over."""
    monkeypatch.setattr(kafka_log, "CONFIRM_S", 0.1)
    troubles: list[str | None] = []

    async def story() -> None:
        log = KafkaLog(NOWHERE, Topics.of("none"), n_shards=N_SHARDS)
        log.on_trouble = troubles.append
        with pytest.raises(UnavailableError, match="did not confirm"):
            await log.accept([seen("ann", 0), seen("bob", 0)])
        assert not log.is_ready
        await log.close()
        assert log.n_pending == 0

    asyncio.run(story())
    (trouble,) = troubles
    assert trouble is not None
    assert "_MSG_TIMED_OUT" in trouble
    assert "cluster.brokers" in trouble


def test_too_much_that_waits_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has a bound, and whoever sends hears of it at once."""
    monkeypatch.setattr(kafka_log, "MAX_PENDING", 10)
    monkeypatch.setattr(kafka_log, "CONFIRM_S", 0.2)

    async def story() -> None:
        log = KafkaLog(NOWHERE, Topics.of("none"), n_shards=N_SHARDS)
        first = asyncio.create_task(log.accept([seen("ann", number) for number in range(11)]))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="cannot keep up"):
            await log.accept([seen("bob", 0)])
        with pytest.raises(UnavailableError, match="did not confirm"):
            await first
        await log.close()
        with pytest.raises(UnavailableError, match="stopping"):
            await log.accept([seen("ann", 0)])

    asyncio.run(story())


class Stopped:
    """A client after a fatal error: it takes nothing more."""

    def produce(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise kafka.KafkaException(kafka.KafkaError(kafka.KafkaError._FATAL, "out of order", fatal=True))

    def poll(self, timeout: float) -> int:
        """Have nothing to tell."""
        return 0

    def __len__(self) -> int:
        return 0


def test_a_producer_that_stopped_for_good_is_replaced(brokers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had is not answered; what comes then is taken."""

    async def story(log: KafkaLog) -> list[str]:
        monkeypatch.setattr(log._producing, "producer", Stopped())
        refused = await asyncio.gather(
            *(log.accept([seen("ann", number)]) for number in range(3)), return_exceptions=True
        )
        assert all(isinstance(one, UnavailableError) for one in refused)
        taken = await log.accept([seen("ann", 3)])
        return [entry.event.message_id for entry in taken.entries]

    assert on(brokers, "again", story) == ["ann-3"]
    assert [entry.event.message_id for entry in entries(brokers, "again.events")] == ["ann-3"]


class Silent(Stopped):
    """A client that stops for good with records in it, and says nothing of them."""

    def __init__(self) -> None:
        self.n_taken = 0

    def produce(self, *args: Any, **options: Any) -> None:
        """Take it."""
        self.n_taken += 1

    def poll(self, timeout: float) -> int:
        """Say what happened, as the library does."""
        if self.n_taken:
            raise kafka.KafkaException(kafka.KafkaError(kafka.KafkaError._FATAL, "out of order", fatal=True))
        return 0


def test_what_a_producer_had_when_it_stopped_is_refused(
    brokers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a word that never comes, and the thread that hears goes on."""

    async def story(log: KafkaLog) -> list[str]:
        monkeypatch.setattr(log._producing, "producer", Silent())
        async with asyncio.timeout(10):
            with pytest.raises(UnavailableError):
                await log.accept([seen("ann", 0), seen("bob", 0)])
            taken = await log.accept([seen("ann", 1)])
        return [entry.event.message_id for entry in taken.entries]

    assert on(brokers, "silent", story) == ["ann-1"]


def test_secrets_are_named_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in what the client complains of either."""
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    client = client_of("cluster", "127.0.0.1:1", {}, {"security.protocol": "KAFKA_PASSWORD"})
    assert PASSWORD not in repr(client)

    async def story() -> KafkaLog:
        return KafkaLog(client, Topics.of("none"), n_shards=1)

    with pytest.raises(ConfigError, match=r"security\.protocol") as caught:
        asyncio.run(story())
    assert PASSWORD not in str(caught.value)
    with pytest.raises(ConfigError, match="variable NO_SUCH is not set"):
        client_of("cluster", "127.0.0.1:1", {}, {"sasl.password": "NO_SUCH"})


def test_what_the_promise_rests_on_is_not_to_be_chosen() -> None:
    """A log that is confirmed by one broker loses what it answered."""
    with pytest.raises(ConfigError, match="'acks' is set by Sojourn itself"):
        refuse_ours("cluster", kafka_log.OURS, {"acks": "1"}, {})


def test_topics_that_are_not_there_are_told_with_what_to_do() -> None:
    """At the start, where the operator looks."""

    async def story() -> None:
        log = KafkaLog(NOWHERE, Topics.of("none"), n_shards=1)
        try:
            await asyncio.to_thread(log.check)
        finally:
            await log.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_log, "TIMEOUT_S", 0.2)
        with pytest.raises(ConfigError, match=r"does not answer.*cluster\.brokers"):
            asyncio.run(story())
