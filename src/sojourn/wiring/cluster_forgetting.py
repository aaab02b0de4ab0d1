"""Forgetting on a cluster: the control that ends a life in every shard, and what of it is still where.

The topic of controls is the ledger, too. A control keeps its ids as long as the log has events of theirs,
since a job that begins anew has to meet both; then one without them, under the same key, takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sojourn.adapters.kafka_ages import LATE_MS, Age, ages_of, is_past
from sojourn.adapters.kafka_controls import Publisher, read_controls
from sojourn.adapters.kafka_saved import TopicStates
from sojourn.adapters.lake.iceberg.keeping import IcebergKeeper
from sojourn.config import Config
from sojourn.definitions.controls import Forgetting, forget_event, read_forgetting
from sojourn.engine.forgetting import bare_control
from sojourn.model.account import OPERATOR
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry
from sojourn.model.remains import ClusterForgottenRow, ClusterForgottenView, Remain
from sojourn.model.topics import Topics
from sojourn.model.turn import STAGES
from sojourn.model.views import ForgottenRow, ForgottenView
from sojourn.runtime.kin import Kin, States, find_kin
from sojourn.server.forgetting import Forget
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_failed import n_failed_of
from sojourn.wiring.cluster_lake import place_of
from sojourn.wiring.forgetting import forgetting_of, refuse
from sojourn.wiring.house import now_ms

DELETED = ("events", "entries", "facts", "actions", "failed")
"""Topics in which nothing is rewritten: what is there goes for its age."""
REPLACED = {
    "dead_letters": "a worker takes them out; the brokers compact the topic",
    "states": "the job takes them out; the brokers compact the topic",
}
CHECKPOINTS = "checkpoints and savepoints"
_ANEW = "stop the job with a canonical savepoint, begin it from that, and delete what is older"
_FOREVER = "for ever: give the topic a retention (`retention.ms`), or delete it"
_UNBOUNDED = "nobody knows: give the topic a bound (`max.compaction.lag.ms`)"


class _Asked(Struct):
    """One request, as the controls have it."""

    entry: Entry
    """The control: with ids, while it has them."""
    forgetting: Forgetting
    bare: Entry | None = None
    """What takes its place."""


def forget(config: Config, any_id: str, asked: Forget) -> ClusterForgottenView:
    """Forget a person, or show what that would come to.

    Raises InputError where it is not to be done so, ConfigError, and UnavailableError where somebody else
    publishes at the same time.
    """
    client, topics = client_for(config), topics_of(config)
    states = states_of(config)
    kin = _kin(states, any_id, asked)
    refuse(any_id, kin, asked)
    ids = sorted({*kin.users, *kin.devices})
    view = ForgottenView(
        request_id=None,
        ids=ids,
        shared=kin.shared,
        n_events=kin.n_events,
        n_journeys=kin.n_journeys,
        n_failed=n_failed_of(config, set(ids) - set(kin.shared)) if ids else 0,
    )
    now = now_ms()
    if ids and not asked.dry_run:
        publisher = Publisher(client, topics, n_shards=config.cluster.shards)
        forgetting = replace(forgetting_of(config.data, kin, asked, by=OPERATOR), shared=kin.shared)
        event = forget_event(forgetting, now=now)
        entry = publisher.append(event)
        view.request_id, now = event.message_id, entry.at
        view.done = _row(_Asked(entry, _read(entry)), stage="log")
    remains = _Remains(client.settings, topics, lake=_lake_of(config)).of(now) if ids else []
    return ClusterForgottenView(view=view, is_known=states is not None, remains=remains)


def states_of(config: Config) -> TopicStates | None:
    """Return who can be asked for people's states; None where the job does not write them."""
    states = TopicStates(client_for(config).settings, topics_of(config))
    return states if states.is_kept() else None


def _kin(states: States | None, any_id: str, asked: Forget) -> Kin:
    if states is not None:
        return find_kin(states, any_id, also=asked.also)
    named = sorted({any_id, *asked.also})
    return Kin(users=named, devices=named)


def ledger(config: Config) -> list[ClusterForgottenRow]:
    """Return every request, newest first, with what is still there of it."""
    client, topics = client_for(config), topics_of(config)
    remains = _Remains(client.settings, topics, lake=_lake_of(config))
    requests = _requests(read_controls(client, topics))
    states = states_of(config) if requests else None
    marks = None if states is None else states.marks()
    found = []
    for one in requests:
        left = remains.of(_at(one), one)
        stage = "done" if all(each.is_gone for each in left if each.place != CHECKPOINTS) else "log"
        place = (one.entry.at, one.entry.position)
        row = ClusterForgottenRow(row=_row(one, stage=stage), remains=left, shards=_n_shards(config))
        row.ended = None if marks is None else sum(mark >= place for mark in marks)
        found.append(row)
    return found[::-1]


def _lake_of(config: Config) -> int | None:
    """Return up to which control the lake is rid of everybody, ms; None where there is no lake."""
    if not config.cluster.lake.catalog:
        return None
    try:
        return IcebergKeeper(place_of(config)).forgotten
    except ConfigError:  # nothing was written there yet
        return 0


def _n_shards(config: Config) -> int:
    return config.cluster.shards * len(STAGES)


def finish(config: Config) -> list[str]:
    """Take the ids out of controls of whom the log has nothing any more; return the requests' names.

    Raises UnavailableError where somebody else publishes at the same time.
    """
    client, topics = client_for(config), topics_of(config)
    publisher = Publisher(client, topics, n_shards=config.cluster.shards)
    remains = _Remains(client.settings, topics, lake=_lake_of(config))
    done = []
    for one in _requests(read_controls(client, topics)):
        if one.bare is None and remains.has_nothing(one.entry.at):
            publisher.append(_bare(one.entry))
            done.append(one.forgetting.request)
    return done


def _bare(entry: Entry) -> Any:
    # When it was, the record that takes its place would not say.
    return replace(bare_control(entry).event, received_at=entry.at)


def _requests(controls: Sequence[Entry]) -> list[_Asked]:
    found: dict[str, _Asked] = {}
    for entry in controls:
        forgetting = read_forgetting(entry.event)
        if forgetting is None:
            continue
        is_bare = not (forgetting.users or forgetting.devices)
        known = found.get(forgetting.request)
        if known is None:
            found[forgetting.request] = _Asked(entry, forgetting, entry if is_bare else None)
        elif is_bare:
            known.bare = entry
    return list(found.values())


def _at(one: _Asked) -> int:
    return one.entry.event.received_at if one.bare is one.entry else one.entry.at


def _row(one: _Asked, *, stage: str) -> ForgottenRow:
    forgetting = one.forgetting
    return ForgottenRow(
        request_id=forgetting.request,
        at=_at(one),
        by=forgetting.by,
        reason=forgetting.reason,
        hashes=forgetting.marks,
        position=one.entry.position,
        stage=stage,
        finished_at=one.bare.at if stage == "done" and one.bare is not None else None,
    )


def _read(entry: Entry) -> Forgetting:
    forgetting = read_forgetting(entry.event)
    assert forgetting is not None
    return forgetting


class _Remains:
    """Says what is still there of whoever was forgotten at an instant."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, *, lake: int | None) -> None:
        """Ask the brokers; `lake` is up to when the lake is rid of who was forgotten, None: there is none."""
        self._client = client
        self._lake = lake
        self._topics: dict[str, str] = msgspec.structs.asdict(topics)
        self._ages: dict[str, Age] = ages_of(client, self._topics.values())

    def of(self, at: int, one: _Asked | None = None) -> list[Remain]:
        """Return what is left, place by place; `at` the instant of the control."""
        deleted = self.of_deleted(at)
        replaced = [*self._of_replaced(at), *self._of_lake(at)]
        return [*deleted, *replaced, self._of_controls(deleted, one), _of_checkpoints()]

    def has_nothing(self, at: int) -> bool:
        """Tell whether nobody needs a control's ids any more: neither who reads the log, nor the lake."""
        return all(each.is_gone for each in [*self.of_deleted(at), *self._of_lake(at)])

    def _of_lake(self, at: int) -> list[Remain]:
        if self._lake is None:
            return []
        how = "run `sojourn cluster lake tidy`; a day after the control it is done for good"
        return [Remain(place="the lake", until=None, is_gone=self._lake >= at, how=how)]

    def of_deleted(self, at: int) -> list[Remain]:
        """Return what is left in the topics that only their age empties."""
        found = []
        for name in DELETED:
            topic = self._topics.get(name, "")
            age = self._ages.get(topic)
            if age is None:
                continue
            # Of what is dated by the brokers all that came before the control is older than it.
            last = at if name in ("events", "entries") else at + LATE_MS
            kept_ms = age.longest_ms
            how = _FOREVER if kept_ms is None else "deleted for its age"
            until = None if kept_ms is None else last + kept_ms
            found.append(
                Remain(place=topic, until=until, is_gone=is_past(self._client, topic, last), how=how)
            )
        return found

    def _of_replaced(self, at: int) -> list[Remain]:
        found = []
        for name, how in REPLACED.items():
            topic = self._topics.get(name, "")
            age = self._ages.get(topic)
            if age is None:
                continue
            # A key of the states names whom it is of; a letter's does not.
            kept_ms = age.replaced_ms(has_key=name == "states")
            until = None if kept_ms is None else at + LATE_MS + kept_ms
            is_gone = until is not None and now_ms() > until
            found.append(
                Remain(place=topic, until=until, is_gone=is_gone, how=_UNBOUNDED if until is None else how)
            )
        return found

    def _of_controls(self, deleted: Sequence[Remain], one: _Asked | None) -> Remain:
        """Of the ids in the control: they stay as long as the log has events of theirs."""
        topic = self._topics["controls"]
        kept_ms = self._ages[topic].replaced_ms(has_key=False)
        begins = max((each.until for each in deleted if each.until is not None), default=None)
        if any(each.until is None for each in deleted):
            begins = None
        how = "once the other topics have nothing: run `sojourn cluster forget --finish`"
        if one is not None and one.bare is not None:
            begins, how = one.bare.at, "its ids are taken out; the brokers compact the topic"
        until = None if kept_ms is None or begins is None else begins + kept_ms
        is_gone = one is not None and one.bare is one.entry
        return Remain(place=topic, until=until, is_gone=is_gone, how=_UNBOUNDED if kept_ms is None else how)


def _of_checkpoints() -> Remain:
    return Remain(place=CHECKPOINTS, until=None, is_gone=False, how=_ANEW)
