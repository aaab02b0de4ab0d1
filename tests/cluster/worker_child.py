"""A worker to kill: `python -m tests.cluster.worker_child CONFIG BROKERS PREFIX SHARDS`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer

from sojourn.adapters.kafka_topics import Topics
from sojourn.config import load_config
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.runtime.shards.records import Sent, encode_events, entry_shard
from sojourn.wiring.cluster_work import Working, work


class Door:
    """Writes events where they belong."""

    def __init__(self, brokers: str, topics: Topics, n_shards: int) -> None:
        self._producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "linger.ms": 5})
        self._topic, self._n_shards = topics.events, n_shards

    async def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        loop = asyncio.get_running_loop()
        waiting = []
        for event in events:
            done = loop.create_future()
            waiting.append(done)
            self._producer.produce(
                self._topic,
                value=encode_events([Sent(event)]),
                partition=entry_shard(event, self._n_shards),
                on_delivery=lambda error, _, done=done: loop.call_soon_threadsafe(done.set_result, error),
            )
        for error in await asyncio.gather(*waiting):
            if error is not None:
                raise UnavailableError(str(error))
        return Appended([], [])

    async def hear(self) -> None:
        while True:
            await asyncio.to_thread(self._producer.poll, 0.05)


async def main() -> None:
    config, brokers, prefix, shards = sys.argv[1:]
    topics = Topics.of(prefix)
    door = Door(brokers, topics, int(shards))
    hearing = asyncio.create_task(door.hear())
    working = Working(
        client={"bootstrap.servers": brokers, "session.timeout.ms": 6_000},
        topics=topics,
        group=f"{prefix}.workers",
    )
    try:
        await work(load_config(Path(config), environment=os.environ), working, accept=door)
    finally:
        hearing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
