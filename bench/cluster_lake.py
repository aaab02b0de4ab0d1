"""The lake of a cluster: what a row costs, from the bytes of the topics to a commit in Iceberg's tables.

Without Kafka: its client's work is in C, and on threads of its own. Events and a step for each; files go to
this machine's disk.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from msgspec import Raw

from bench.figures import Figure, Figures, NotMeasuredError
from sojourn.adapters.lake.iceberg.catalogue import Place
from sojourn.adapters.lake.iceberg.writing import IcebergLake
from sojourn.engine.records import Sent, encode_events, encode_taken, read_events, read_taken
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.model.fact import Fact, StepTaken
from sojourn.model.ids import ProfileId, SessionId

T0 = 1_700_000_000_000
IN_RECORD = 100
LARGE, SMALL = 50_000, 100
"""Events of a commit."""

_decode_facts = msgspec.json.Decoder(list[Fact]).decode


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure commits of 100,000 rows, and of few."""
    folder.mkdir()
    catalog = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
    try:
        lake = IcebergLake(Place(catalog=catalog), log="bench")
    except ConfigError as reason:
        raise NotMeasuredError(str(reason)) from None
    run = _Run(lake)
    run.commit(SMALL)
    large = [run.commit(LARGE) for _ in range(1 if is_quick else 3)]
    small = [run.commit(SMALL) for _ in range(2 if is_quick else 10)]
    cpu_s, wall_s = (min(each[n] for each in large) for n in (0, 1))
    return {
        "lake_row_us": Figure(cpu_s / (2 * LARGE) * 1e6, "us of a core"),
        "lake_rows_per_s": Figure(2 * LARGE / wall_s, "rows/s"),
        "lake_small_commit_ms": Figure(min(cpu for cpu, _ in small) / 2 * 1e3, "ms of a core, a table"),
    }


class _Run:
    def __init__(self, lake: IcebergLake) -> None:
        self._lake = lake
        self._offset = 0

    def commit(self, n_events: int) -> tuple[float, float]:
        """Commit so many events and their steps; return (processor, elapsed) seconds."""
        records = [self._records(self._offset + n) for n in range(n_events // IN_RECORD)]
        cpu, begun = time.process_time(), time.perf_counter()
        for taken, facts in records:
            self._lake.take_entries(read_taken(taken))
            self._lake.take_facts(_decode_facts(facts), partition=0, offset=self._offset)
            self._offset += 1
        self._lake.commit({"entries": [self._offset], "facts": [self._offset]})
        return time.process_time() - cpu, time.perf_counter() - begun

    def _records(self, offset: int) -> tuple[bytes, bytes]:
        numbers = range(offset * IN_RECORD, (offset + 1) * IN_RECORD)
        record, at = encode_events([Sent(_event(n)) for n in numbers]), T0 + offset
        entries = read_events(record, shard=0, offset=offset, at=at)
        steps = [
            StepTaken(
                profile_id=ProfileId(f"u:{entry.event.user_id}"),
                at=at,
                position=entry.position,
                source="web",
                message_id=entry.event.message_id,
                name=entry.event.name,
                occurred_at=at,
                session_id=SessionId(f"{entry.position:032x}"),
                channel="direct",
            )
            for entry in entries
        ]
        taken = encode_taken(record, entries, len(entries), shard=0, offset=offset, at=at)
        return taken, msgspec.json.encode(steps)


def _event(n: int) -> Event:
    context = {"page": {"path": f"/p/{n % 50}"}, "campaign": {"source": "ads"}}
    return Event(
        kind="track",
        name=("View", "Cart", "Buy")[n % 3],
        source="web",
        message_id=f"{n:032x}",
        user_id=f"u{n % 9_000}",
        anonymous_id=f"d{n % 9_000}",
        received_at=T0 + n,
        occurred_at=T0 + n,
        properties=Raw(b'{"revenue":%d,"sku":"abc"}' % (n % 100)),
        context=Raw(msgspec.json.encode(context)),
    )
