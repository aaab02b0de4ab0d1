"""The driver: it takes log entries through the stages, in order, and makes one commit of what came of them.

A control among them splits what comes before it from what comes after: all that is due by its instant is
done under the old definitions, then the new ones are in force.

It keeps hot states decoded in memory. They run ahead of the store by the commit still under way; commits
are stored in order, and a failed one ends the process, so memory never shows what the store will not.

A bug in the engine is its own input's: the rest of the key, and everybody else, goes on (see `salvage`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from sojourn.definitions.controls import Forgetting, Learnt, is_control, read_forgetting
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, asks_everybody
from sojourn.engine.forgetting import forget, goes, is_shared, keys_of, people_of
from sojourn.engine.state import Life, Pointer, State, Tie, encode
from sojourn.engine.turn import passes, route, turn
from sojourn.model.action import Action
from sojourn.model.event import Entry, Event, is_erased
from sojourn.model.fact import Fact
from sojourn.model.ports import Commit, Log, Store, Write
from sojourn.model.turn import STAGES, Arrived, Input, Key, Result, Stage
from sojourn.runtime import controls, forgotten, sweeping
from sojourn.runtime.controls import Controls
from sojourn.runtime.failures import Failures
from sojourn.runtime.hot import HotStates
from sojourn.runtime.lessons import Lessons
from sojourn.runtime.salvage import Failure, salvage
from sojourn.runtime.sweeping import Sweep
from sojourn.runtime.tallies import Tallies
from sojourn.runtime.timers import MAX_HELD, Timers

BATCH = 2_048  # entries per commit, where so many wait: 45 ms of work; a profile met twice is stored once.
CACHE = 50_000  # states per generation, two generations: at most about 300 MB of hot people.
MAX_WOKEN = 2_048  # timers fired per commit.

_encode_facts = msgspec.msgpack.Encoder().encode


class Driver:
    """Entries in, commits out; the same for live, import and recovery.

    Without `in_force` it keeps the catalogue it was given, and controls change nothing (a draft is tried).
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        catalogue: Catalogue,
        *,
        in_force: InForce | None = None,
        cache: int = CACHE,
        max_woken: int = MAX_WOKEN,
        max_timers: int = MAX_HELD,
    ) -> None:
        self.log = log
        self.store = store
        self.catalogue = catalogue
        self.controls = None if in_force is None else Controls(in_force, catalogue)
        self.sweep = Sweep(store)
        progress = store.progress()
        self.position = progress.position
        self.clock = progress.clock
        self.failures = Failures()
        """Where the engine failed; the runtime keeps their events before the commit they came with."""
        self.timers = Timers(store, max_held=max_timers)
        self.timers.extend(self.clock)
        self.tallies = Tallies(store)
        self._has_new_tallies = self._has_repaid = False
        self.repay()
        self._was_sweeping = self.sweep.is_running
        self._swept: frozenset[Key] = frozenset()
        self._asked: dict[Key, None] = {}
        """Keys of the batch that were asked for the sake of time or of a sweep, with input or without."""
        self.forgotten = forgotten.Asked(store)
        """Who was forgotten, and of whom something is still to be erased."""
        self.lessons = Lessons(store)
        """What people's steps and rewards teach."""
        self._aliased = set(store.keys("alias"))
        self._is_alias_said = False
        self._max_woken = max_woken
        self._entries: Sequence[Entry] = ()
        self._last: list[Commit] = []
        """The parts of the commit before; it may not be stored yet."""
        self._making: list[Commit] = []
        """The parts of the commit made last."""
        self.hot = HotStates(store, capacity=cache)
        """States decoded, ahead of the store; whoever else looks at one changes nothing of it."""

    def catch_up(self) -> int:
        """Process and store every entry not processed yet; return how many there were."""
        n_entries = 0
        while entries := self.log.read(self.position, BATCH):
            n_entries += len(entries)
            self.take(entries)
        return n_entries

    def take(self, entries: Sequence[Entry]) -> None:
        """Process and store entries, the next in the log, with the timers due by the last of them."""
        if entries:
            self.settle(entries, until=entries[-1].at)

    def settle(self, entries: Sequence[Entry], *, until: int) -> list[Action]:
        """Process entries, fire the timers due by `until`, store it all; return the actions decided."""
        waiting = deque(entries)
        actions: list[Action] = []
        while waiting:
            batch, by = self.next_batch(waiting)
            is_last = not waiting and not _is_control(batch)
            actions += self._settle(batch, until=until if is_last else by)
            if is_last:
                return actions
        return actions + self._settle((), until=until)

    def next_batch(self, waiting: deque[Entry], *, most: int = BATCH) -> tuple[list[Entry], int]:
        """Take from what waits (something does) what `process` may be given next, and until when.

        Up to `most` entries and none of them a control; or nothing, until all that must be done before a
        control is done; or one control.
        """
        first = waiting[0]
        if is_control(first.event):
            is_early = self.has_due(first.at) or self._must_ask_first(first)
            return ([] if is_early else [waiting.popleft()]), first.at
        batch: list[Entry] = []
        while waiting and len(batch) < most and not is_control(waiting[0].event):
            batch.append(waiting.popleft())
        return batch, batch[-1].at

    def bring(self, control: Event) -> None:
        """Append a control while nobody serves, and bring it into force.

        It is stamped with the log's own clock: the wall's would put an import that follows into history.
        """
        clock, _ = self.log.seal(self.clock)
        self.log.append([control], now=clock)
        self.catch_up()

    def finish_sweep(self) -> None:
        """Ask everybody who is still to be asked, now."""
        while self.sweep.is_running:
            self._settle((), until=self.clock)

    def _must_ask_first(self, control: Entry) -> bool:
        is_running = self.controls is not None and self.sweep.is_running
        return is_running and self.controls is not None and self.controls.rests_on_the_last(control)

    def _settle(self, entries: Sequence[Entry], *, until: int) -> list[Action]:
        actions: list[Action] = []
        while True:
            self.timers.extend(until)
            commit = self.process(entries, until=until)
            if commit is not None:
                self.keep_failed()
                self.store.commit(commit)
                actions.extend(commit.actions)
            entries = ()
            if not self.has_due(until):
                return actions

    def has_due(self, until: int) -> bool:
        """Tell whether timers due by `until` are left for another commit."""
        due = self.timers.next()
        return (due is not None and due <= until) or not self.timers.reaches(until)

    def process(self, entries: Sequence[Entry], *, until: int, goes_on: bool = False) -> Commit | None:
        """Take entries (the next in the log, as `next_batch` gives them) through all stages.

        None where nothing came of it. While a sweep runs, a slice of it goes with them. At most MAX_WOKEN
        timers of other keys fire with them: ask `has_due` and call again.
        The commit must be stored before the one after the next is asked for, in order, and by nobody else;
        before it what `failures` holds is to be kept. With `goes_on` it goes on with the commit made last,
        which is not being stored yet: `joined` makes one of them.
        """
        if self._making and not goes_on:
            self._last, self._making = self._making, []
            self.hot.rotate()
        commit = self._control(entries[0]) if _is_control(entries) else self._process(entries, until=until)
        if commit is not None:
            self._making.append(commit)
        return commit

    def _process(self, entries: Sequence[Entry], *, until: int) -> Commit | None:
        self._entries = entries
        inputs = self._enter(entries)
        swept = self.sweep.take() if self.sweep.is_running else []
        self._swept = frozenset(swept)
        self._asked = dict.fromkeys([*self.timers.pop_due(until, self._max_woken), *swept])
        for stage, key in self._asked:
            inputs[stage].setdefault(key, [])
        writes: list[Write] = []
        actions: list[Action] = []
        for stage in STAGES:
            if inputs[stage]:
                self._run_stage(stage, inputs, until=until, writes=writes, actions=actions)
        documents = self._documents()
        if swept or self._was_sweeping:
            documents[sweeping.DOCUMENT] = self.sweep.document()
        self._was_sweeping = self.sweep.is_running
        if not entries and not writes and not documents:
            return None
        if entries:
            self.position = entries[-1].position
        self.clock = max(self.clock, until)
        return Commit(self.position, self.clock, writes, actions, documents)

    def _control(self, entry: Entry) -> Commit:
        """Bring a control into force, in a commit of its own; all that is due by its instant is done."""
        documents = self._documents()
        if self.controls is not None:
            before = self.controls.in_force
            applied = self.controls.apply(entry)
            if applied.in_force is not before:
                documents[controls.DOCUMENT] = controls.encode_in_force(applied.in_force)
            if asks_everybody(self.catalogue, applied.catalogue):
                self.sweep.begin(applied.in_force.revision)
                self._was_sweeping = True
                documents[sweeping.DOCUMENT] = self.sweep.document()
            self.catalogue = applied.catalogue
        self.position, self.clock = entry.position, max(self.clock, entry.at)
        forgetting = read_forgetting(entry.event)
        if forgetting is None:
            return Commit(self.position, self.clock, [], [], documents)
        return self._forget(forgetting, entry, documents)

    def _forget(self, forgetting: Forgetting, entry: Entry, documents: dict[str, bytes]) -> Commit:
        """Let somebody go: their states here, and the rest is asked for in a document."""
        writes: list[Write] = []
        more: set[str] = set()
        shared: list[str] = []
        for stage, key in keys_of(forgetting):
            state = self.hot.load(stage, [key]).get(key)
            more |= forgotten.others_of(state)
            if isinstance(state, Tie) and is_shared(key, state, forgetting):
                shared.append(key)
            asked = self._ask_last(stage, key, state, until=entry.at) if goes(key, state, forgetting) else []
            result = forget(stage, key, state, forgetting, at=entry.at, position=entry.position)
            if result is None:
                continue
            result.facts[:0] = asked
            self._fold_forgotten(result.facts)
            writes.append(forgotten.write((stage, key), result))
            self.hot.young(stage)[key] = _fresh(stage, key) if result.state is None else result.state
            self.timers.set((stage, key), result.wake)
            if stage == "alias":
                self._aliased.discard(key)
        if forgetting.users or forgetting.devices:
            self.forgotten.ask(forgetting, entry, shared=shared, more=more)
        documents |= self.forgotten.documents()
        if self._has_new_tallies:
            documents |= self.tallies.documents()
            self._has_new_tallies = False
        told_in = forgotten.told_in(entry.position)
        withdraws = people_of(forgetting, shared=shared)
        return Commit(self.position, self.clock, writes, [], documents, withdraws, told_in)

    def _ask_last(self, stage: Stage, key: str, state: State | None, *, until: int) -> list[Fact]:
        """Ask a life that ends about the last change, where a sweep has not been there; return what it says.

        Whatever it was to get goes with it.
        """
        return turn(stage, key, state, [], until=until, catalogue=self.catalogue).facts

    def _fold_forgotten(self, facts: Sequence[Fact]) -> None:
        self._has_new_tallies |= self.tallies.take(facts)

    def learn(self) -> Learnt | None:
        """Return what is to be put into the log as learnt by now; None where it is not time for it.

        While people are asked about a change it is not: they would have to be asked first.
        """
        if self.sweep.is_running:
            return None
        return self.lessons.learnt(self.clock, self.catalogue)

    def repay(self) -> None:
        """Take off the tallies what erased facts had counted; the next commit keeps it."""
        debt = forgotten.read_debt(self.store)
        if debt.documents:
            self.tallies.add(Tallies(debt))
            self._has_new_tallies = self._has_repaid = True

    def keep_failed(self) -> None:
        """Keep the events that the engine failed on, before the commit that goes on without them."""
        failed = self.failures.take()
        if failed:
            self.log.append((), now=self.clock, failed=failed)

    def _documents(self) -> dict[str, bytes]:
        documents = self.lessons.documents(self.clock)
        if self._has_new_tallies:
            documents |= self.tallies.documents()
        self._has_new_tallies = False
        if self.forgotten.has_changed:
            documents |= self.forgotten.documents()
        if self._has_repaid:
            documents[forgotten.DEBT] = b""
            self._has_repaid = False
        return documents

    def _enter(self, entries: Sequence[Entry]) -> dict[Stage, dict[str, list[Input]]]:
        """Put each entry where its walk begins; past the stages that would only pass it on.

        Nearly every device's person is known, and nearly no user id has an alias: half of a turn an event is
        saved by not asking. Where an alias is said in these entries, everything takes the long way.
        """
        inputs: dict[Stage, dict[str, list[Input]]] = {stage: {} for stage in STAGES}
        at_device = inputs["identity"]
        self._is_alias_said = any(entry.event.kind == "alias" for entry in entries)
        for entry in entries:
            event = entry.event
            if is_erased(event) and event.anonymous_id is None:
                continue
            stage, key = route(event)
            if stage == "identity" and key not in at_device:  # else it waits for what is before it
                owner = passes(self.hot.peek(stage, key), event)
                if owner is not None:
                    stage, key = "alias", owner
            if stage == "alias" and self._passes(key):
                stage = "profile"
            arrived = Arrived(entry.at, entry.position, event, entry.is_history, entry.is_shadow)
            inputs[stage].setdefault(key, []).append(arrived)
        return inputs

    def is_aliased(self, user_id: str) -> bool:
        """Tell whether an alias was ever said of a user id."""
        return user_id in self._aliased

    def _passes(self, user_id: str) -> bool:
        """Tell whether stage alias would pass everything for a user id straight on to its profile."""
        return not self._is_alias_said and user_id not in self._aliased

    def _run_stage(
        self,
        stage: Stage,
        inputs: dict[Stage, dict[str, list[Input]]],
        *,
        until: int,
        writes: list[Write],
        actions: list[Action],
    ) -> None:
        groups = inputs[stage]
        keys = groups if stage != "alias" else [key for key in groups if key in self._aliased]
        states = self.hot.load(stage, keys)
        young, timers = self.hot.young(stage), self.timers
        for key, given in groups.items():
            if len(given) > 1 and stage != "identity":
                given.sort(key=_place)  # two devices of one person: the log's order holds
            at = (stage, key)
            try:
                result = turn(stage, key, states.get(key), given, until=until, catalogue=self.catalogue)
                write = _write(at, result)
            except MemoryError:
                raise  # no input's fault
            except Exception as error:
                result = self._salvage(at, given, until, error)
                write = _write(at, result)
            if write is None and at in self._asked:  # nothing happened, and a hold may have moved its wake
                write = Write(at, None, result.wake, b"", keep_state=True)
            if write is not None:
                writes.append(write)
            for forward in result.forward:
                target = forward.stage
                if target == "alias" and self._passes(forward.key):
                    target = "profile"
                inputs[target].setdefault(forward.key, []).append(forward.input)
            if result.facts:
                self._fold(result.facts)
            if stage != "alias":
                if result.changed or at not in self._swept:  # a sweep makes nobody hot
                    young[key] = result.state
                timers.set(at, result.wake)
            elif result.changed:
                young[key] = result.state
                self._aliased.add(key)
            actions.extend(result.actions)

    def _fold(self, facts: Sequence[Fact]) -> None:
        """Count what a turn came to; what steps and rewards teach, while somebody asks for it."""
        self._has_new_tallies |= self.tallies.take(facts)
        self.lessons.take(facts, self.catalogue)

    def _salvage(self, key: Key, given: Sequence[Input], until: int, error: Exception) -> Result:
        """Do a turn again that failed, from what was before it, without the inputs it fails on."""
        self.hot.drop(*key)  # half changed
        state, wake = self._before(key)
        saved = salvage(key, given, before=state, wake=wake, until=until, catalogue=self.catalogue)
        for failure in saved.failures or [Failure(key, None, error)]:
            self.failures.note(failure, self._entries)
        return saved.result

    def _before(self, key: Key) -> tuple[bytes | None, int | None]:
        """Return a key's encoded state and wake, as of the commits made so far."""
        for commit in reversed([*self._last, *self._making]):
            for write in commit.writes:
                if write.key == key and not write.keep_state:
                    return write.state, write.wake
        stored = self.store.load([key]).get(key)
        return (None, None) if stored is None else (stored.state, stored.wake)


def joined(commits: Sequence[Commit]) -> Commit:
    """Make one commit of parts that follow one another; of a key written in several, the last state holds."""
    last = commits[-1]
    if len(commits) == 1:
        return last
    return Commit(
        last.position,
        last.clock,
        [write for commit in commits for write in commit.writes],
        [action for commit in commits for action in commit.actions],
        {name: value for commit in commits for name, value in commit.documents.items()},
    )


def _write(key: Key, result: Result) -> Write | None:
    """Return what of a result is stored; None where nothing changed."""
    facts = _encode_facts(result.facts) if result.facts else b""
    if not result.changed and not facts:
        return None
    return Write(key, None if result.state is None else encode(result.state), result.wake, facts)


def _fresh(stage: Stage, key: str) -> State:
    """Return what a turn begins with where nothing is stored: the store may not have let go yet."""
    if stage == "profile":
        return Life(user_ids=[key])
    return Tie() if stage == "identity" else Pointer()


def _is_control(entries: Sequence[Entry]) -> bool:
    return bool(entries) and is_control(entries[0].event)


def _place(given: Input) -> tuple[int, int]:
    return given.at, given.position
