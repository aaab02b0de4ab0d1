"""The audit: what a data folder must show after any number of crashes, read through the ports."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from demo.receiver import Receiver
from sojourn.adapters.lake import read_lake
from sojourn.adapters.memory import MemoryStore
from sojourn.adapters.sqlite import SqliteLog, SqliteStore, lock_folder
from sojourn.adapters.sqlite.tail import SqliteTail
from sojourn.definitions.catalogue import build_catalogue, load_journeys
from sojourn.definitions.controls import is_control
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce
from sojourn.engine.state import decode
from sojourn.model.event import Entry
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    Delivered,
    Entered,
    Fact,
    StepTaken,
    Transitioned,
)
from sojourn.model.ids import derive
from sojourn.model.lake import FACT_TABLES
from sojourn.model.ports import Store
from sojourn.model.turn import STAGES
from sojourn.runtime.driver import Driver

PAGE = 2_000
OUTCOMES = "sojourn"
"""The source of the events that say what became of an action."""


@dataclass(frozen=True)
class Folder:
    """A stopped program's folder."""

    log: SqliteLog
    store: SqliteStore

    def entries(self) -> Iterator[Entry]:
        """Yield the whole log."""
        position = 0
        while found := self.log.read(position, PAGE):
            yield from found
            position = found[-1].position


@contextmanager
def opened(data: Path) -> Iterator[Folder]:
    """Open a data folder as the next start of the program would."""
    with ExitStack() as stack:
        stack.callback(lock_folder(data).close)
        store = SqliteStore(data)
        stack.callback(store.close)
        log = SqliteLog(data, floor=store.progress().clock)
        stack.callback(log.close)
        yield Folder(log, store)


def catalogue_of(texts: dict[str, str]) -> Catalogue:
    """Compile the journeys as the program does."""
    return build_catalogue(load_journeys((f"{name}.yaml", text) for name, text in texts.items()))


def check_log(folder: Folder, *, acknowledged: set[str], sent: set[str]) -> None:
    """No acknowledged event is lost, none is there twice, none was made up; positions have no gaps."""
    entries = list(folder.entries())
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert all(before.at <= after.at for before, after in pairwise(entries))
    ids = Counter((entry.event.source, entry.event.message_id) for entry in entries)
    assert [one for one, n in ids.items() if n > 1] == []
    found = {message_id for source, message_id in ids if source != OUTCOMES}
    assert acknowledged - found == set()
    assert found - sent == set()


def check_facts(folder: Folder) -> None:
    """Every event took its step once, and every enrolment's effects are numbered without gaps."""
    steps: Counter[int] = Counter()
    numbers: dict[str, list[int]] = defaultdict(list)
    actions: set[str] = set()
    entered: Counter[str] = Counter()
    for fact in all_facts(folder.store):
        if isinstance(fact, StepTaken):
            steps[fact.position] += 1
        elif isinstance(fact, Transitioned):
            numbers[fact.enrolment_id].append(fact.n)
        elif isinstance(fact, ActionDecided | ActionWithheld):
            assert fact.action_id not in actions, f"{fact} twice"
            actions.add(fact.action_id)
        elif isinstance(fact, Entered):
            entered[fact.enrolment_id] += 1
    assert [one for one, n in entered.items() if n > 1] == []
    assert entered.keys() == numbers.keys()
    for enrolment_id, found in numbers.items():
        effects = _effects(enrolment_id, found, actions)
        assert effects == list(range(1, len(effects) + 1)), f"enrolment {enrolment_id}: {effects}"
    assert actions == set(), "these actions belong to no enrolment's numbering"
    lived = [
        entry.position
        for entry in folder.entries()
        if entry.event.kind == "track" and entry.event.source != OUTCOMES
    ]
    assert sorted(steps.elements()) == lived


def _effects(enrolment_id: str, transitions: list[int], actions: set[str]) -> list[int]:
    """Return the numbers of an enrolment's transitions and actions; takes the actions out of the set."""
    taken = list(transitions)
    for n in range(1, max(transitions) + 3):  # a state of these journeys wants one thing at most
        action_id = derive("action", enrolment_id, str(n))
        if action_id in actions:
            actions.remove(action_id)
            taken.append(n)
    return sorted(taken)


def check_actions(folder: Folder, receiver: Receiver) -> None:
    """An action is in the outbox or done, and never without its fact, nor a fact without it."""
    facts = list(all_facts(folder.store))
    decided = Counter(fact.action_id for fact in facts if isinstance(fact, ActionDecided))
    assert [one for one, n in decided.items() if n > 1] == []
    far = 1 << 60
    waiting = {letter.action.id for letter in folder.store.outbox.waiting("shop", now=far, limit=1 << 20)}
    assert folder.store.outbox.dead(limit=1) == []
    told = Counter(
        entry.event.message_id.partition(":")[0]
        for entry in folder.entries()
        if entry.event.source == OUTCOMES and not is_control(entry.event)
    )
    assert [one for one, n in told.items() if n > 1] == []
    received = set(receiver.bodies)
    # Settling comes last: until then an action may be received and told of, and still wait.
    assert decided.keys() - waiting - received == set(), "decided, gone from the outbox, and never received"
    assert decided.keys() - waiting - told.keys() == set(), "gone from the outbox, and nobody was told"
    assert (received | waiting | set(told)) - decided.keys() == set(), "done without a state change"
    assert receiver.tally.doubled == []
    assert receiver.tally.n_forged == 0


def check_all_is_done(folder: Folder, receiver: Receiver) -> None:
    """After coming to rest: the receiver has every action, and every action its outcome, once."""
    facts = list(all_facts(folder.store))
    decided = {fact.action_id for fact in facts if isinstance(fact, ActionDecided)}
    assert set(receiver.bodies) == decided
    assert sorted(fact.action_id for fact in facts if isinstance(fact, Delivered)) == sorted(decided)
    assert folder.store.counts()["outbox"] == 0


def check_replay(folder: Folder, catalogue: Catalogue) -> None:
    """The whole log, from the start, in memory and from no definitions, gives the same facts and states."""
    replayed = MemoryStore()
    driver = Driver(folder.log, replayed, Catalogue(journeys={}), in_force=InForce())
    driver.catch_up()
    assert driver.catalogue.versions.keys() == catalogue.versions.keys(), "what is in force is in the log"
    progress = folder.store.progress()
    driver.settle((), until=progress.clock)
    assert _by_person(all_facts(replayed)) == _by_person(all_facts(folder.store))
    assert replayed.progress() == progress
    for stage in STAGES:
        keys = [(stage, key) for key in replayed.keys(stage)]
        assert {key for _, key in keys} == set(folder.store.keys(stage))
        lived, again = folder.store.load(keys), replayed.load(keys)
        for key in keys:
            assert decode(stage, lived[key].state) == decode(stage, again[key].state), key
            assert lived[key].wake == again[key].wake, key


def all_facts(store: Store) -> Iterator[Fact]:
    """Yield every fact, in the order of commits."""
    for _, facts in _groups(store):
        yield from facts


def _groups(store: Store) -> Iterator[tuple[int, list[Fact]]]:
    group = 0
    while found := store.facts_after(group, PAGE):
        yield from found
        group = found[-1][0]


def _by_person(facts: Iterable[Fact]) -> dict[str, list[bytes]]:
    """Lay facts out per profile, by cause: where stages meet, batches decide which fact is stored first."""
    laid: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
    for fact in facts:
        laid[fact.profile_id].append((fact.at, fact.position, msgspec.json.encode(fact)))
    return {person: [one for _, _, one in sorted(rows)] for person, rows in laid.items()}


def check_lake(data: Path, folder: Folder) -> None:
    """Of every entry and fact there is one row: in a file, or not in files yet."""
    tail = SqliteTail(data)
    with read_lake(data / "lake", tail) as reading:
        ask = reading.connection.execute
        positions = [row[0] for row in ask("SELECT position FROM events").fetchall()]
        keys: Counter[tuple[int, int]] = Counter()
        for table in FACT_TABLES:
            keys.update(ask(f"SELECT fact_group, fact_n FROM {table.name}").fetchall())
        steps = ask(
            "SELECT count(*), count(events.profile_id) FROM events JOIN steps USING (position)"
        ).fetchall()
    tail.close()
    processed = folder.store.progress().position
    assert sorted(positions) == list(range(1, processed + 1))
    assert keys == {(group, n): 1 for group, facts in _groups(folder.store) for n in range(len(facts))}
    assert len(set(steps[0])) == 1, "an entry lost its step"
