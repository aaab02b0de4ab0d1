"""Coming home: an installation of a cluster into a data folder of its own.

A control says where it parts, and every shard comes to it; then the newest of every state, the log, the facts
and what workers have not done are read, and a folder is made of them, which gets its name when it is whole.
Whatever ends it in between, it begins anew when run again: nothing is taken away from the topics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from sojourn.adapters.kafka_controls import Publisher, read_controls
from sojourn.adapters.kafka_dead import MOST, DeadLetters
from sojourn.adapters.kafka_leaving import KafkaLeaving, Lying
from sojourn.adapters.sqlite.arriving import FolderMaker
from sojourn.config import Config
from sojourn.definitions.controls import LEFT, control_event
from sojourn.definitions.publishing import Arrival, InForce
from sojourn.engine.records import CONTROLS, is_moved, read_events, read_moved
from sojourn.model.action import Letter
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.fact import Fact
from sojourn.model.ids import message_digest
from sojourn.model.ports import Commit, Write
from sojourn.runtime import controls, tallies
from sojourn.runtime.moving.homeward import (
    Marks,
    People,
    Standing,
    facts_by_key,
    is_done,
    is_kept,
    standing_of,
    state_of,
    taken_home,
)
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_work import group_of
from sojourn.wiring.house import now_ms

WAIT_S = 120.0
"""So long nothing may be told: a job that runs tells within seconds."""
BATCH = 2_000

_encode_facts = msgspec.msgpack.Encoder().encode
_decode_facts = msgspec.json.Decoder(list[Fact]).decode
_decode_failed = msgspec.json.Decoder(FailedEvent).decode

Tell = Callable[[str, int, int], None]


class HomeView(Struct, kw_only=True):
    """What came home, or would."""

    data: str
    brokers: str
    prefix: str
    left_at: int = 0
    """The instant at which it parted, ms; 0: it has not."""
    counts: dict[str, int] = {}
    """`entries`, `unprocessed` (of them, behind the parting), `states`, `timers`, `facts`, `letters`, ..."""
    missing: list[str] = []
    """What could not come along, and why."""
    is_dry: bool = False


def to_folder(config: Config, *, dry_run: bool, tell: Tell) -> HomeView:
    """Make the configured data folder of the configured cluster's installation.

    Raises ConfigError with what to do; UnavailableError where it broke off, or the job does not run.
    """
    cluster, client, topics = config.cluster, client_for(config), topics_of(config)
    _refuse_full(config)
    leaving = KafkaLeaving(client, topics)
    leaving.check(n_shards=cluster.shards)
    if leaving.is_written():
        raise ConfigError(
            f"{cluster.prefix}: somebody still writes to {topics.events}; stop all doors (`sojourn cluster "
            "serve`) and workers (`sojourn cluster work`), and leave the job running [doors]"
        )
    known = read_controls(client, topics)
    standing = standing_of(known, InForce())
    view = HomeView(data=str(config.data), brokers=cluster.brokers, prefix=cluster.prefix, is_dry=dry_run)
    if dry_run:
        view.left_at = standing.left[0] if standing.left else 0
        view.counts = {"letters": sum(1 for _ in leaving.open_letters(group_of(config)))}
        return view
    if standing.left is None:
        publisher = Publisher(client, topics, n_shards=cluster.shards)
        after = known[-1].position if known else 0
        left = publisher.append(control_event(LEFT, {}, after=after, now=now_ms()))
        standing = standing_of([*known, left], InForce())
    assert standing.left is not None
    leaving.part(replicas=cluster.replicas)
    view.left_at = standing.left[0]
    maker = FolderMaker(config.data, window_ms=config.dedup_window_ms)
    try:
        _Home(config, leaving, maker, standing, view=view, tell=tell).make()
        maker.finish()
    except BaseException:
        maker.close()
        raise
    finally:
        leaving.close()
    return view


def _refuse_full(config: Config) -> None:
    if config.data.exists() and any(config.data.iterdir()):
        raise ConfigError(
            f"{config.data}: is not empty; name another folder with --data: that of before the move stays as "
            "it was [not-empty]"
        )


class _Home:
    """One folder in the making."""

    def __init__(
        self,
        config: Config,
        leaving: KafkaLeaving,
        maker: FolderMaker,
        standing: Standing,
        *,
        view: HomeView,
        tell: Tell,
    ) -> None:
        assert standing.left is not None
        self._config = config
        self._topics = topics_of(config)
        self._leaving = leaving
        self._maker = maker
        self._standing = standing
        self._left = standing.left
        self._view = view
        self._tell = tell
        self._n: Counter[str] = Counter()
        self._people = People()

    def make(self) -> None:
        """Read all of it, and put it where it belongs."""
        self._states()
        letters: dict[str, Letter] = {}
        for letter in self._leaving.open_letters(group_of(self._config)):
            letters[letter.action.id] = letter
        self._entries(letters)
        self._failed()
        n_all, n_done = self._maker.number(left=self._left)
        self._n["entries"], self._n["unprocessed"] = n_all, n_all - n_done
        counted = self._facts()
        self._finish(n_done, [one for one in letters.values() if self._is_whose(one)], counted)
        self._view.counts = dict(self._n)

    def _is_whose(self, letter: Letter) -> bool:
        return letter.action.at > self._standing.gone.get(letter.action.profile_id, -1)

    # -- States.

    def _states(self) -> None:
        marks = Marks(self._config.cluster.shards, self._left)
        waiting: dict[str, Write] = {}

        def hear(record: Lying) -> None:
            name = (record.key or b"").decode()
            marks.take(name, record.value)
            write = state_of(name, record.value)
            if write is not None:
                waiting[name] = write
            if len(waiting) >= BATCH:
                self._keep_states(waiting)
            self._tell("marks", marks.n_shards - len(marks.awaited), marks.n_shards)

        try:
            self._leaving.follow_states(hear, lambda: not marks.awaited, wait_s=WAIT_S)
        except UnavailableError as error:
            raise UnavailableError(
                f"{len(marks.awaited)} of {marks.n_shards} shards have not come to where it parts, in "
                f"{WAIT_S:.0f} s; see that the job runs, and that it tells its states (`states: true` in its "
                f"settings). What was acknowledged is in the log; run it again when it does. {error}".strip()
            ) from None
        self._keep_states(waiting)
        self._count_people()

    def _keep_states(self, waiting: dict[str, Write]) -> None:
        if waiting:
            self._maker.store.commit(Commit(0, 0, list(waiting.values()), []))
            self._n["states"] += len(waiting)
            waiting.clear()

    def _count_people(self) -> None:
        """Look at every state that is there in the end."""
        store = self._maker.store
        self._n["states"] = 0
        for stage in ("identity", "profile", "alias"):
            after: str | None = None
            while page := store.keys(stage, after=after, limit=BATCH):
                after = page[-1]
                for key, stored in store.load([(stage, key) for key in page]).items():
                    self._n["states"] += 1
                    self._people.take(Write(key, stored.state, stored.wake, b""))
        self._n["timers"] = store.counts()["timers"]

    # -- The log.

    def _entries(self, letters: dict[str, Letter]) -> None:
        topics = self._topics
        for entry in read_controls(client_for(self._config), topics):
            self._put(CONTROLS, [(entry, entry.at)])
        clocks: dict[int, int] = {}
        for record in (one for records in self._leaving.read(topics.events) for one in records):
            if record.value:
                clocks[record.partition] = at = max(record.stamp, clocks.get(record.partition, 0))
                content = record.value
                own = read_events(content, shard=record.partition, offset=record.offset, at=at)
                found = [(entry, entry.at) for entry in own]
                if is_moved(content):
                    self._maker.put_marks([mark.digest for mark in read_moved(content).marks])
                    found = [(entry, entry.event.received_at) for entry in own]
                self._put(record.partition, found)
                for entry in own:
                    self._heed(entry, letters)

    def _put(self, shard: int, found: Sequence[tuple[Entry, int]]) -> None:
        """Put down what the first stage took as new: it asks that of each shard."""
        new = [entry for entry, at in found if self._maker.is_new(entry, shard=shard, at=at)]
        self._maker.put_entries(
            [
                (
                    taken_home(entry, self._standing),
                    message_digest(entry.event.source, entry.event.message_id),
                )
                for entry in new
            ]
        )
        self._n["entries"] += len(new)
        self._tell("entries", self._n["entries"], 0)

    def _heed(self, entry: Entry, letters: dict[str, Letter]) -> None:
        """Take letters out of which the log says what became: a job writes some of them again."""
        action_id = is_done(entry.event, letters)
        if action_id is not None and letters[action_id].due_at <= entry.at:
            del letters[action_id]

    def _failed(self) -> None:
        for records in self._leaving.read(self._topics.failed):
            found = [one for one in map(_failed_of, records) if one is not None]
            self._maker.put_failed(found)
            self._n["failed"] += len(found)

    # -- Facts.

    def _facts(self) -> tallies.Tallies:
        """Write them by whose they are; return what they and what came along count."""
        standing, maker = self._standing, self._maker
        for records in self._leaving.read(self._topics.facts):
            facts = [fact for record in records for fact in _decode_facts(record.value or b"[]")]
            maker.put_facts([fact for fact in facts if is_kept(fact, standing)])
            self._n["facts"] += len(facts)
            self._tell("facts", self._n["facts"], 0)
        counted = tallies.Tallies(_Documents({} if standing.arrival is None else standing.arrival.documents))
        arrived_at = standing.arrived_at
        for facts in maker.facts():
            counted.take(fact for fact in facts if fact.at > arrived_at)
            self._keep_facts(facts)
        return counted

    def _keep_facts(self, facts: Sequence[Fact]) -> None:
        store = self._maker.store
        by_key = facts_by_key(facts)
        stored = store.load(list(by_key))
        writes = [
            Write(
                key,
                None,
                stored[key].wake if key in stored else None,
                _encode_facts(own),
                keep_state=True,
            )
            for key, own in by_key.items()
        ]
        store.commit(Commit(0, 0, writes, []))

    # -- The rest.

    def _finish(self, position: int, letters: Sequence[Letter], counted: tallies.Tallies) -> None:
        standing, store = self._standing, self._maker.store
        documents = _documents_of(standing.arrival)
        documents |= counted.documents() | self._recounted(counted)
        documents[controls.DOCUMENT] = controls.encode_in_force(standing.in_force)
        dead_letters = DeadLetters(client_for(self._config).settings, self._topics)
        dead = [one for one in dead_letters.read(limit=MOST) if self._is_whose(one)]
        dead_letters.close()
        everything = [*letters, *dead]
        clock = self._left[0]
        store.commit(Commit(position, clock, [], [one.action for one in everything], documents))
        for first in range(0, len(everything), BATCH):
            store.outbox.postpone(everything[first : first + BATCH])
        self._n["letters"] = len(everything)
        self._view.missing = list(self._missing(len(dead)))

    def _recounted(self, counted: tallies.Tallies) -> dict[str, bytes]:
        """Say of each version how many are in which state, whatever facts are gone by now."""
        told = msgspec.json.decode(counted.documents()[tallies.DOCUMENT])
        for versions in told.values():
            for tally in versions.values():
                tally["states"] = {}
        for (journey, version), states in self._people.states.items():
            told.setdefault(journey, {}).setdefault(version, {})["states"] = dict(states)
        return {tallies.DOCUMENT: msgspec.json.encode(told)}

    def _missing(self, n_dead: int) -> Iterator[str]:
        kept = self._config.cluster.retention
        yield (
            f"events older than {_days(kept.events_ms)} and facts older than {_days(kept.facts_ms)} are gone "
            "from their topics: states have all that came of them, histories and the lake begin there"
        )
        if n_dead == MOST:
            yield f"of the dead letters the {MOST:,} newest came"
        yield "what forecasts and allocations were learnt from on the cluster: what was learnt is in force"


class _Documents:
    """What a store had, for who counts on."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def kept(self, name: str) -> bytes | None:
        """Return a document."""
        return self._documents.get(name)


def _documents_of(arrival: Arrival | None) -> dict[str, bytes]:
    return {} if arrival is None else dict(arrival.documents)


def _failed_of(record: Lying) -> FailedEvent | None:
    """Read a failed event; the job notes what it failed on there, too, which is none."""
    try:
        return _decode_failed(record.value or b"")
    except msgspec.MsgspecError:
        return None


def _days(ms: int) -> str:
    return f"{ms // 86_400_000} days"
