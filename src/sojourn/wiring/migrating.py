"""Migrating: a data folder's installation into the configured cluster.

The folder is caught up and says that it is going; then its records are written, behind those that are there;
the control comes last, and the folder says that it is gone. Whatever ends it in between, it goes on when run
again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from sojourn import __version__
from sojourn.adapters.kafka_controls import read_controls
from sojourn.adapters.kafka_moving import KafkaMove, Place
from sojourn.adapters.sqlite import Moving, mark_moved, moved_to
from sojourn.adapters.sqlite.moving import FolderReader
from sojourn.config import Config
from sojourn.definitions.controls import MOVED
from sojourn.definitions.publishing import Arrival, InForce
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry
from sojourn.model.ids import derive
from sojourn.model.topics import Topics
from sojourn.runtime import allocating, forgotten, learning, tallies
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.importing import end_play
from sojourn.runtime.moving.outward import Cut, Record, control_of, records
from sojourn.wiring.cluster import client_for, make_cluster, topics_of
from sojourn.wiring.house import House, has_data, open_house

DOCUMENTS = (
    tallies.DOCUMENT,
    tallies.EXPERIMENTS,
    learning.DOCUMENT,
    allocating.DOCUMENT,
    forgotten.LEDGER,
)
"""What goes along of the store's documents: what was counted and learnt, and that people were forgotten."""
CLOCK_WAIT_S = 10.0

STAYS = {
    "accounts.db": "who may sign in: doors and workers of a cluster have no studio",
    "drafts.db": "what authors have not published",
    "lake": "the columns of before; the log and the facts they are made of go along",
}

Tell = Callable[[str, int, int], None]
"""Called with a kind, how many of it are done, and how many there are."""


class MoveView(Struct, frozen=True, kw_only=True):
    """What there is to move, or was moved."""

    move: str
    brokers: str
    prefix: str
    clock: int
    """Up to when all was done in the folder, ms."""
    counts: dict[str, int]
    """`entries`, `states`, `timers`, `facts` (of a plan: groups of them), `letters`, `failed`."""
    refused: list[str] = []
    """Why it cannot be moved as it is, each with what to do."""
    is_dry: bool = False
    went_on: bool = False
    """Some of it was there already."""
    stays: dict[str, str] = msgspec.field(default_factory=lambda: dict(STAYS))
    """What remains in the folder, and why that is no loss."""


def to_cluster(config: Config, *, dry_run: bool, tell: Tell) -> MoveView:
    """Move the configured data folder into the configured cluster, or say what would be moved.

    Raises ConfigError, with what to do, before anything is written; UnavailableError where it broke off.
    """
    client = client_for(config)
    topics = topics_of(config)
    if not has_data(config):
        raise ConfigError(
            f"{config.data}: no data is there; there is nothing to move: begin on the cluster with `sojourn "
            "cluster init` [no-data]"
        )
    with open_house(config, publish=False, moves=True) as house:
        refused = list(_refusals(config, house))
        if not dry_run and not refused:
            end_play(house.driver)
        if not refused:
            house.driver.finish_sweep()
        with _reading(config) as reader:
            counts = _counts(house, reader)
            cut = _cut(house, counts)
            view = MoveView(
                move=cut.move, brokers=config.cluster.brokers, prefix=config.cluster.prefix,
                clock=cut.clock, counts=counts, refused=list(refused), is_dry=dry_run,
            )  # fmt: skip
            move = KafkaMove(client, topics)
            have = _looked_at(move, cut, config)
            if dry_run or refused:
                view.refused.extend(_not_empty(move, have, config))
                return view
            return _moved(config, house, reader, view, cut=cut, move=move, have=have, tell=tell)


def _moved(
    config: Config,
    house: House,
    reader: FolderReader,
    view: MoveView,
    *,
    cut: Cut,
    move: KafkaMove,
    have: dict[Place, int],
    tell: Tell,
) -> MoveView:
    topics, cluster = topics_of(config), config.cluster
    going = Moving(brokers=cluster.brokers, prefix=cluster.prefix, move=cut.move)
    is_there = move.note() is None and any(have.values()) and _has_arrived(config, topics, cut)
    if not is_there:
        if why := next(_not_empty(move, have, config), None):
            raise ConfigError(why)
        make_cluster(config)
        mark_moved(config.data, going)
        _begin(move, cut, config)
        n_done: Counter[str] = Counter()
        for record in move.write(
            records(
                reader, house.store, cut, topics, n_shards=cluster.shards, n_partitions=cluster.partitions
            ),
            have=have,
        ):
            assert isinstance(record, Record)
            n_done[record.kind] += record.n
            if record.kind:
                tell(record.kind, n_done[record.kind], view.counts[record.kind])
        view.counts["facts"] = n_done["facts"]
        move.end()
    mark_moved(config.data, msgspec.structs.replace(going, is_done=True))
    return msgspec.structs.replace(view, went_on=any(have.values()))


def _refusals(config: Config, house: House) -> Iterator[str]:
    """Yield why a folder cannot be moved as it is."""
    if house.forgetting():
        yield (
            f"{config.data}: somebody who was forgotten is still to be erased; let `sojourn serve` run until "
            "`sojourn status` shows none, then move [forgetting]"
        )
    moving = moved_to(config.data)
    here = (config.cluster.brokers, config.cluster.prefix)
    if moving is not None and moving.prefix != config.cluster.prefix:
        yield (
            f"{config.data}: its move to {moving.prefix} at {moving.brokers} has begun, and {here[1]} at "
            f"{here[0]} is configured; go on with that, or delete its topics and moved.json [moving]"
        )


@contextmanager
def _reading(config: Config) -> Iterator[FolderReader]:
    reader = FolderReader(config.data)
    try:
        yield reader
    finally:
        reader.close()


def _counts(house: House, reader: FolderReader) -> dict[str, int]:
    kept, more = house.store.counts(), reader.counts()
    return {
        "entries": more["entries"],
        "states": kept["profiles"] + kept["devices"] + len(house.store.keys("alias")),
        "timers": kept["timers"],
        "facts": more["groups"],
        "letters": kept["outbox"] + kept["dead_letters"],
        "failed": more["failed"],
    }


def _cut(house: House, counts: dict[str, int]) -> Cut:
    """Say what is moved; the same folder is the same move."""
    progress = house.store.progress()
    last = house.log.read(progress.position - 1, 1) if progress.position else []
    clock = max([progress.clock, *(entry.at for entry in last)])
    named = [f"{entry.event.source} {entry.event.message_id}" for entry in last]
    told = [str(n) for n in (progress.position, clock, *counts.values())]
    in_force = kept_in_force(house.store) or InForce()
    found = {name: house.store.kept(name) for name in DOCUMENTS}
    return Cut(
        move=derive("move", *named, *told),
        clock=clock,
        position=progress.position,
        in_force=in_force,
        documents={name: document for name, document in found.items() if document},
    )


def _looked_at(move: KafkaMove, cut: Cut, config: Config) -> dict[Place, int]:
    """Look at what is in the topics; raises ConfigError where it is another move's."""
    note = move.note()
    if note is not None and note not in (b"", _note(cut, config)):
        raise ConfigError(
            f"{config.cluster.prefix}: something else is being moved there, or by another release, or with "
            "other shards or partitions; end that as it was begun, or delete the topics of the prefix, and "
            f"begin again: {note.decode('utf-8', 'replace')} [moving]"
        )
    have, cluster = move.filled(), config.cluster
    for topic in (topics_of(config).facts, topics_of(config).actions):
        n_there = sum(name == topic for name, _ in have)
        if n_there and n_there != cluster.partitions:
            raise ConfigError(
                f"topic {topic} has {n_there} partitions, and cluster.partitions is {cluster.partitions}; "
                "set it to that, for what is moved is spread over them [partitions]"
            )
    return have


def _not_empty(move: KafkaMove, have: dict[Place, int], config: Config) -> Iterator[str]:
    """Say, unless a move of ours is under way, that the topics have something in them."""
    filled = sorted({topic for (topic, _), n in have.items() if n})
    if filled and move.note() is None:
        yield (
            f"{config.cluster.prefix}: {', '.join(filled)} are not empty; what is there would come before "
            "what is moved. Stop its doors, its job and its workers, and delete its topics, or say another "
            "cluster.prefix [not-empty]"
        )


def _note(cut: Cut, config: Config) -> bytes:
    cluster = config.cluster
    told = {
        "move": cut.move, "release": __version__, "shards": cluster.shards, "partitions": cluster.partitions,
    }  # fmt: skip
    return msgspec.json.encode(told)


def _begin(move: KafkaMove, cut: Cut, config: Config) -> None:
    """Begin, the brokers' clock being past the folder's: what comes then comes after all of it."""
    ends = time.monotonic() + CLOCK_WAIT_S
    while (now := move.begin(_note(cut, config), replicas=config.cluster.replicas)) <= cut.clock:
        if time.monotonic() > ends:
            raise ConfigError(
                f"the clock of the brokers ({now} ms) is not past the last instant of {config.data} "
                f"({cut.clock} ms): events would come before what was done already; set their clocks, or "
                "wait until it is, and run it again [clock]"
            )
        time.sleep(0.2)


def _has_arrived(config: Config, topics: Topics, cut: Cut) -> bool:
    """Tell whether all of it is there: only the folder did not hear of it any more."""
    found = read_controls(client_for(config), topics)
    return any(arrival_of(entry) == control_of(cut).message_id for entry in found)


def arrival_of(entry: Entry) -> str | None:
    """Return the message id of a control that says what was moved; None for any other."""
    return entry.event.message_id if entry.event.name == MOVED else None


def read_arrival(entry: Entry) -> Arrival:
    """Read what was moved here."""
    return msgspec.json.decode(entry.event.properties, type=Arrival)
