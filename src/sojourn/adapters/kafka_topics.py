"""The topics of a cluster: what they are called, how many partitions they have, how long they keep what.

    events     one partition for each shard; a device's, or a server's user's, events are in one of them
    controls   one partition; kept for ever: what is in force follows from all of it. It is compacted, for its
               ticks have one key
    facts      what happened, in transactions
    actions    what is to be done, by whom it is for
    failed     what could not be taken
    dead_letters   actions that were given up, by their ids, until they are tried again
    learnt     the counts of whoever learns from the facts; its one partition is whose turn it is
    entries    what the first stage took as new, in transactions; only where there is a lake
    states     what every stage keeps of every key, the newest of each, where the job writes them

Instants are the brokers' (`LogAppendTime`): one clock for each partition, whoever wrote to it. While a log is
moved here its entries bring their own, and nothing is deleted for its age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from msgspec import Struct

from sojourn.model.errors import ConfigError
from sojourn.model.topics import LARGEST_BYTES, Topics

DAY_MS = 86_400_000
TIMEOUT_S = 30.0
SEGMENT_MS = DAY_MS
"""What is too old is deleted a segment at a time: a day's, so that the day on which it goes can be told."""
# The newest of each action, and of each state.
_DEAD: dict[str, int | str] = {"cleanup.policy": "compact,delete", "max.compaction.lag.ms": DAY_MS}
_LARGEST = "max.message.bytes"
_STATES: dict[str, int | str] = {"cleanup.policy": "compact", "max.compaction.lag.ms": DAY_MS}


class Retention(Struct, frozen=True):
    """How long topics keep what, ms."""

    events_ms: int = 30 * DAY_MS
    facts_ms: int = 7 * DAY_MS
    actions_ms: int = 7 * DAY_MS
    dead_letters_ms: int = 30 * DAY_MS
    entries_ms: int = 7 * DAY_MS


def missing_topic(name: str) -> ConfigError:
    """Say that a topic is not there, and what to do."""
    return ConfigError(f"topic {name} is not there; `sojourn cluster init` makes it [no-topic]")


def make_topics(
    client: Mapping[str, Any],
    topics: Topics,
    *,
    n_shards: int,
    n_partitions: int = 8,
    replicas: int = 1,
    retention: Retention | None = None,
    is_moved: bool = False,
    has_entries: bool = False,
) -> list[str]:
    """Create the topics that are not there; return their names. Those of before take records as large.

    Args:
        client: settings of librdkafka, with `bootstrap.servers`.
        topics: what they are called.
        n_shards: partitions of the events; never to change.
        n_partitions: of facts, actions and states.
        replicas: of every partition; 3 where nothing may be lost with a machine.
        retention: how long what is kept.
        is_moved: a log is about to be moved here.
        has_entries: there is a lake, which wants the topic of entries.

    Raises ConfigError where the brokers do not answer, refuse, or have such a topic with other partitions.
    """
    admin = import_module("confluent_kafka.admin")
    asked = admin.AdminClient(dict(client))
    try:
        known = asked.list_topics(timeout=TIMEOUT_S).topics
    except import_module("confluent_kafka").KafkaException as error:
        raise ConfigError(f"Kafka does not answer: {error.args[0].str()}") from error
    kept = retention or Retention()
    wanted = _wanted(topics, n_shards, n_partitions, kept, is_moved=is_moved)
    if has_entries:
        wanted[topics.entries] = (n_partitions, {"retention.ms": kept.entries_ms})
    for name, (partitions, _) in wanted.items():
        if name in known and name == topics.events and len(known[name].partitions) != partitions:
            raise ConfigError(
                f"topic {name} has {len(known[name].partitions)} partitions, not {partitions}: "
                "people's states lie by their number; use another prefix, or set shards to it"
            )
    missing = [
        admin.NewTopic(name, partitions, min(replicas, 32_767), config=_config(config, replicas))
        for name, (partitions, config) in wanted.items()
        if name not in known
    ]
    if missing:
        for name, done in asked.create_topics(missing, operation_timeout=TIMEOUT_S).items():
            _wait(done, f"topic {name} was not created")
    if before := [name for name in wanted if name in known]:
        _widen(asked, before)
    return [each.topic for each in missing]


def _widen(asked: Any, names: Sequence[str]) -> None:
    """Let topics that an earlier release made take the largest records of this one."""
    admin = import_module("confluent_kafka.admin")
    for place, found in asked.describe_configs([_place(name) for name in names]).items():
        most = _wait(found, f"topic {place.name} was not read")[_LARGEST].value
        if int(most) < LARGEST_BYTES:
            wider = admin.ConfigEntry(
                _LARGEST, str(LARGEST_BYTES), incremental_operation=admin.AlterConfigOpType.SET
            )
            (done,) = asked.incremental_alter_configs([_place(place.name, wider)]).values()
            _wait(done, f"topic {place.name} takes records of {most} bytes at most, and was not altered")


def _place(name: str, *changes: Any) -> Any:
    admin = import_module("confluent_kafka.admin")
    return admin.ConfigResource(admin.ResourceType.TOPIC, name, incremental_configs=list(changes) or None)


def _wait(done: Any, trouble: str) -> Any:
    kafka = import_module("confluent_kafka")
    try:
        return done.result(TIMEOUT_S)
    except kafka.KafkaException as error:
        raise ConfigError(f"{trouble}: {error.args[0].str()}") from error


def _wanted(
    topics: Topics, n_shards: int, n_partitions: int, retention: Retention, *, is_moved: bool
) -> dict[str, tuple[int, dict[str, int | str]]]:
    stamped = "CreateTime" if is_moved else "LogAppendTime"
    log_ms = -1 if is_moved else retention.events_ms
    log: dict[str, int | str] = {"message.timestamp.type": stamped}
    return {
        topics.events: (n_shards, {**log, "retention.ms": log_ms}),
        topics.controls: (1, {**log, "retention.ms": -1, **_COMPACTED}),
        topics.facts: (n_partitions, {"retention.ms": retention.facts_ms}),
        topics.actions: (n_partitions, {"retention.ms": retention.actions_ms}),
        topics.failed: (1, {"retention.ms": retention.events_ms}),
        topics.states: (n_partitions, _STATES),
        topics.dead_letters: (1, _DEAD | {"retention.ms": retention.dead_letters_ms}),
        topics.learnt: (1, {"retention.ms": -1, **_COMPACTED}),
    }


COUNTS_BYTES = 8_000_000  # of 200 steps and what follows each, and of 1,000 experiments' variants
# An hour of ticks, and then they are gone.
_COMPACTED: dict[str, int | str] = {
    "cleanup.policy": "compact", "segment.ms": 3_600_000, "max.compaction.lag.ms": 3_600_000,
}  # fmt: skip


def _config(config: Mapping[str, int | str], replicas: int) -> dict[str, str]:
    # Of three, two must have what is acknowledged.
    safe: dict[str, int | str] = {
        "min.insync.replicas": max(1, replicas - 1), "cleanup.policy": "delete", "segment.ms": SEGMENT_MS,
        _LARGEST: LARGEST_BYTES,
    }  # fmt: skip
    return {key: str(value) for key, value in (safe | dict(config)).items()}
