"""Keeping a cluster's lake in order: people who were forgotten leave it, days become few files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sojourn.adapters.kafka_controls import read_controls
from sojourn.adapters.lake.iceberg.keeping import IcebergKeeper, Leaving
from sojourn.config import Config
from sojourn.definitions.controls import Forgetting, read_forgetting
from sojourn.engine.forgetting import people_of
from sojourn.model.lake import DAY_MS
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_lake import place_of

SETTLED_MS = DAY_MS
"""So long after a control nothing of before it comes any more: a job that was down has caught up."""
WRITING = timedelta(hours=3)
"""A file so old that nothing refers to belongs to nobody."""


class Tidied(Struct, frozen=True):
    """What was done."""

    forgotten: int
    """Requests whose rows were looked for."""
    rows: int
    """That were removed."""
    days: int
    """That were merged."""
    files: int
    """That were removed."""


def tidy(config: Config, *, now: datetime) -> Tidied:
    """Do all there is to do; raises ConfigError, and UnavailableError where others change the lake, too."""
    settings = config.cluster.lake
    keeper = IcebergKeeper(place_of(config))
    forgotten = [
        (entry.at, forgetting)
        for entry in read_controls(client_for(config), topics_of(config))
        if entry.at > keeper.forgotten and (forgetting := read_forgetting(entry.event)) is not None
    ]
    n_rows = sum(keeper.erase(leaving_of(forgetting)) for _, forgetting in forgotten)
    settled = [at for at, _ in forgotten if at < keeper.clock - SETTLED_MS]
    if settled:
        keeper.note_forgotten(max(settled))
    if settings.keep_ms is not None:
        n_rows += keeper.drop(keep_ms=settings.keep_ms)
    n_days = keeper.merge()
    # Whoever was erased is to be in no older snapshot either; nor in what a killed writer left.
    before = now if n_rows and forgotten else now - timedelta(milliseconds=settings.snapshots_ms)
    n_files = keeper.expire(before=before, unused=now - WRITING)
    return Tidied(len(forgotten), n_rows, n_days, n_files)


def leaving_of(forgetting: Forgetting) -> Leaving:
    """Say what a request means for rows."""
    devices = [device for device in forgetting.devices if device not in forgetting.shared]
    return Leaving(
        people=people_of(forgetting, shared=forgetting.shared),
        users=forgetting.users,
        devices=devices,
        stand_ins={
            **{device: f"{forgetting.pseudonyms}d{n}" for n, device in enumerate(devices)},
            **{user: forgetting.pseudonym(user) for user in forgetting.users},
        },
    )


def now() -> datetime:
    """Return the wall clock."""
    return datetime.now(UTC)
