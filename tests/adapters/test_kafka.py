"""The Kafka sink against the brokers that librdkafka brings along for tests: no Java, and real sockets."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sojourn.adapters.kafka import KafkaSink
from sojourn.model.errors import ConfigError, SinkError
from sojourn.testing import check_sink, checked_action

kafka = pytest.importorskip("confluent_kafka", reason="the extra `kafka` is not installed")

TOPIC = "actions"
PASSWORD = "hunter2-and-more"


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """Yield the address of a mock cluster; it lives as long as the client that owns it."""
    owner = kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = owner.list_topics(timeout=10).brokers.values()
    if not found:
        pytest.skip("this build of librdkafka has no mock brokers")
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)
    del owner


def records(brokers: str, topic: str = TOPIC) -> list[Any]:
    """Read all records of a topic."""
    consumer = kafka.Consumer(
        {"bootstrap.servers": brokers, "group.id": "test", "enable.auto.commit": False, "log_level": 0}
    )
    found = []
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            place = kafka.TopicPartition(topic, partition)
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            if high > low:
                consumer.assign([kafka.TopicPartition(topic, partition, low)])
                found += [consumer.poll(10) for _ in range(high - low)]
    finally:
        consumer.close()
    return found


def keys_of(message: Any) -> str:
    """Return the idempotency key of a record."""
    return dict(message.headers())["idempotency-key"].decode()


def test_an_action_is_a_record_of_its_person(brokers: str) -> None:
    """One person's actions stay in one partition, and who reads knows a repetition by its header."""
    action = checked_action(2)

    async def story() -> str:
        sink = KafkaSink("bus", {"bootstrap_servers": brokers, "topic": "one"})
        try:
            return (await sink.deliver(action)).outcome
        finally:
            await sink.close()

    assert asyncio.run(story()) == "delivered"
    (record,) = records(brokers, "one")
    assert (record.key(), keys_of(record)) == (b"u:checked", action.id)
    assert record.timestamp()[1] == action.at
    value = json.loads(record.value())
    assert (value["id"], value["body"]) == (action.id, {"deep": [[[{"a": [1, 2.5, None, True]}]]]})


def test_it_passes_the_battery_for_sinks(brokers: str) -> None:
    """The same that third parties' sinks pass; nobody listens at the broken one."""
    broken = {"bootstrap_servers": "127.0.0.1:1", "topic": TOPIC, "timeout_s": 0.2}
    broken |= {"client": {"log_level": 0, "sasl.password": PASSWORD}}
    asyncio.run(
        check_sink(
            KafkaSink,
            {"bootstrap_servers": brokers, "topic": TOPIC},
            arrived=lambda: [keys_of(record) for record in records(brokers)],
            broken=broken,
            secrets=[PASSWORD],
        )
    )


def test_a_cluster_that_is_not_there_is_tried_again() -> None:
    """The record was not confirmed, so it was not delivered."""

    async def story() -> SinkError:
        options = {
            "bootstrap_servers": "127.0.0.1:1",
            "topic": TOPIC,
            "timeout_s": 0.1,
            "client": {"log_level": 0},
        }
        sink = KafkaSink("bus", options)
        with pytest.raises(SinkError) as caught:
            await sink.deliver(checked_action(1))
        await sink.close()
        return caught.value

    error = asyncio.run(story())
    assert (error.retry, "_MSG_TIMED_OUT" in error.reason) == (True, True)


class Stopped:
    """A client after a fatal error, which mock brokers cannot be brought to cause: it takes nothing more."""

    def produce(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise kafka.KafkaException(kafka.KafkaError(kafka.KafkaError._FATAL, "out of order", fatal=True))

    def poll(self, timeout: float) -> int:
        """Have nothing to tell."""
        return 0

    def __len__(self) -> int:
        return 0


def test_a_client_that_stopped_for_good_is_replaced(brokers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is tried again, and the next attempt finds another client."""

    async def story() -> tuple[bool, str]:
        sink = KafkaSink("bus", {"bootstrap_servers": brokers, "topic": "again"})
        monkeypatch.setattr(sink._producing, "producer", Stopped())
        try:
            with pytest.raises(SinkError) as caught:
                await sink.deliver(checked_action(1))
            return caught.value.retry, (await sink.deliver(checked_action(1))).outcome
        finally:
            await sink.close()

    assert asyncio.run(story()) == (True, "delivered")
    assert len(records(brokers, "again")) == 1


def test_a_record_that_is_too_large_is_final(brokers: str) -> None:
    """It would be too large again."""

    async def story() -> SinkError:
        options = {"bootstrap_servers": brokers, "topic": TOPIC, "client": {"message.max.bytes": 1_000}}
        sink = KafkaSink("bus", options)
        with pytest.raises(SinkError) as caught:
            await sink.deliver(checked_action(0, sink="s" * 2_000))
        await sink.close()
        return caught.value

    error = asyncio.run(story())
    assert (error.retry, "MSG_SIZE_TOO_LARGE" in error.reason) == (False, True)


def test_secrets_of_the_client_come_from_the_environment(
    brokers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is kept in git."""
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    options = {
        "bootstrap_servers": brokers,
        "topic": TOPIC,
        "client_env": {"sasl.password": "KAFKA_PASSWORD"},
    }

    async def story() -> str:
        sink = KafkaSink("bus", options)
        await sink.close()
        return repr(sink)

    assert asyncio.run(story()) == "KafkaSink('bus', topic='actions')"


def test_what_comes_from_the_environment_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the setting is called: the client repeats a value that it does not take."""
    monkeypatch.setenv("KAFKA_PROTOCOL", PASSWORD)
    options = {"bootstrap_servers": "127.0.0.1:1", "topic": TOPIC}
    with pytest.raises(ConfigError) as caught:
        KafkaSink("bus", options | {"client_env": {"security.protocol": "KAFKA_PROTOCOL"}})
    assert PASSWORD not in str(caught.value)
    assert "security.protocol" in str(caught.value)


def test_a_closed_sink_takes_nothing(brokers: str) -> None:
    """What is not confirmed stays in the outbox."""

    async def story() -> None:
        sink = KafkaSink("bus", {"bootstrap_servers": brokers, "topic": TOPIC})
        await sink.close()
        await sink.deliver(checked_action(0))

    with pytest.raises(SinkError, match="closed"):
        asyncio.run(story())


def test_without_the_client_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: few need it, and it is large."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(ConfigError, match=r"pip install 'sojourn\[kafka\]'"):
        KafkaSink("bus", {"bootstrap_servers": "127.0.0.1:1", "topic": TOPIC})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"topic": "a topic"}, "topic must be letters"),
        ({"bootstrap_servers": " "}, "bootstrap_servers must be host:port"),
        ({"timeout_s": 0}, "timeout_s must be above 0"),
        ({"client": {"acks": 0}}, "client: 'acks' is set by Sojourn itself"),
        ({"client_env": {"bootstrap.servers": "X"}}, "client: 'bootstrap.servers' is set by Sojourn itself"),
        ({"client_env": {"sasl.password": "NO_SUCH_PASSWORD"}}, "variable NO_SUCH_PASSWORD is not set"),
        ({"client": {"no.such.setting": PASSWORD}}, "no.such.setting"),
        ({"client": {"security.protocol": PASSWORD, "sasl.password": PASSWORD}}, "***"),
        ({"topics": "a"}, "unknown option 'topics'; did you mean 'topic'?"),
    ],
)
def test_wrong_options_are_refused_with_what_to_do(options: dict[str, Any], said: str) -> None:
    """At the start, where the operator looks, and never with a value."""
    with pytest.raises(ConfigError, match="sink 'bus': ") as caught:
        KafkaSink("bus", {"bootstrap_servers": "127.0.0.1:1", "topic": TOPIC} | options)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)
