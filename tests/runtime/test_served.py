"""Decisions from what is told of states are those of one machine, for the same history."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine.notes import Note, notes_of
from sojourn.engine.records import LAST, Saved, decode_saved, encode_saved, saved_name
from sojourn.engine.state import Life, Tie, encode
from sojourn.model.event import Entry, Event
from sojourn.model.turn import Key
from sojourn.runtime.deciding import Deciding, Question
from sojourn.runtime.driver import Driver
from sojourn.runtime.exposures import Exposures
from sojourn.runtime.finding import Who
from sojourn.runtime.live import Live
from sojourn.runtime.people import People
from sojourn.runtime.reading import find_profile
from sojourn.runtime.served.in_force import Followed
from sojourn.runtime.served.people import ServedPeople
from sojourn.runtime.served.profile import served_profile
from tests.engine.makers import T0, event
from tests.laws import test_everything_published as everything
from tests.laws.sharded import sharded
from tests.laws.test_equality import end_of
from tests.soak import tries

STRANGER = "nobody-yet"


class TopicStates:
    """The topic of states, compacted, and notes."""

    def __init__(self, told: Sequence[tuple[str, bytes | None]] = ()) -> None:
        self.newest: dict[str, bytes | None] = dict(told)
        self.noted: list[Note] = []
        self.n_looks = 0

    async def look(
        self, keys: Sequence[Key], ids: Sequence[str] = ()
    ) -> tuple[Mapping[Key, Saved], list[Note]]:
        found = ((key, self.newest.get(saved_name(*key))) for key in keys)
        saved = {key: decode_saved(record) for key, record in found if record is not None}
        self.n_looks += 1
        return saved, [note for note in self.noted if note.id in ids]


class _Quiet:
    def __getattr__(self, name: str) -> Any:
        return lambda **_: None


def whos(key: str) -> list[Who]:
    """Say in every way of whom may be asked by one id."""
    return [
        Who(user_ids=(key,), anonymous_ids=(key,)),
        Who(user_ids=(key,), is_user=True),
        Who(user_ids=(key,), is_user=True, trusts_events=False),
        Who(anonymous_ids=(key,)),
        Who(anonymous_ids=(key,), trusts_events=False),
        Who(user_ids=(key,), anonymous_ids=("d1", "d2")),
    ]


@settings(max_examples=tries(4), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_decisions_from_the_topic_of_states_are_those_of_one_machine(seed: int, n_events: int) -> None:
    """Over everything there is, published while it runs: of everybody, asked in every way."""
    random, entries = everything.edited(seed, n_events)
    until = end_of(entries)
    told: list[tuple[str, bytes | None]] = []
    sharded(entries, in_force=everything.FIRST, until=until, n_shards=3, n_tasks=2, random=random, told=told)
    driver = embedded(entries, until)
    followed = Followed(everything.FIRST)
    for entry in entries:
        followed.hear(entry)
    store = TopicStates(told)
    ids = {name.partition("|")[2] for name, _ in told} | {STRANGER}
    live = Live(driver, now=lambda: until, observer=_Quiet(), on_actions=lambda _: None)
    machine, cluster = People(driver, live, wait_ms=0), ServedPeople(store, wait_ms=0)

    async def compare() -> None:
        exposures = Exposures(_say_nothing, now=lambda: until)
        for one in random.sample(sorted(ids), min(6, len(ids))):
            for who in whos(one):
                question = Question(who=who, context={"cart": 3})
                answers = [
                    await Deciding(
                        ruling, live, people=people, exposures=exposures, now=lambda: until + 1
                    ).decide_all(question)
                    for ruling, people in ((driver, machine), (followed, cluster))
                ]
                assert answers[0] == answers[1], (one, who)
            seen = find_profile(driver.store, one, limit=0, catalogue=driver.catalogue)
            served = await served_profile(store, one, catalogue=followed.catalogue, now=driver.clock)
            assert (seen is None) == (served is None)
            if seen is not None and served is not None:
                assert served.traits == seen.traits
                assert served.enrolments == seen.enrolments
                assert served.segments == seen.segments
                assert served.friction == seen.friction
                assert {known.id for known in served.ids} == {known.id for known in seen.ids}

    asyncio.run(compare())
    machine.close()


def embedded(entries: list[Entry], until: int) -> Driver:
    """Run a history on one machine."""
    driver = Driver(MemoryLog(), MemoryStore(), everything.CATALOGUE, in_force=everything.FIRST, cache=1_000)
    for first in range(0, len(entries), 7):
        batch = entries[first : first + 7]
        driver.settle(batch, until=batch[-1].at)
    driver.settle([], until=until)
    return driver


async def _say_nothing(events: Sequence[Event]) -> None:
    del events


# -- Read your writes.


def entry(position: int, **fields: Any) -> Entry:
    """Make an entry at its second."""
    return Entry(
        position=position, at=T0 + 1_000 * position, event=event("Seen", message_id=str(position), **fields)
    )


def kept(state: Any, position: int) -> bytes:
    """Make a state that is taken up to the entry at a position."""
    return encode_saved(Saved(encode(state), 0, T0 + 1_000 * position, LAST))


def is_current(store: TopicStates, who: Who) -> bool:
    """Tell whether an answer about somebody has seen all that is noted, without waiting."""

    async def ask() -> bool:
        _, found = await ServedPeople(store, wait_ms=0).find(who)
        return found

    return asyncio.run(ask())


def test_an_answer_has_seen_the_events_of_its_person() -> None:
    """Of a user: once their profile is taken up to there."""
    store = TopicStates([("profile|ann", kept(Life(user_ids=["ann"]), 1))])
    ann = Who(user_ids=("ann",))
    assert is_current(store, ann)
    store.noted = notes_of([entry(1, user_id="ann"), entry(2, user_id="ann")])
    assert not is_current(store, ann)
    store.newest["profile|ann"] = kept(Life(user_ids=["ann"]), 2)
    assert is_current(store, ann)


def test_whoever_is_asked_about_by_all_their_ids_costs_one_question_to_the_store() -> None:
    """State and notes come together; ids that only the state tells of are asked about after it."""
    ann = Who(user_ids=("ann",), anonymous_ids=("phone",))
    for life, n_looks in (
        (Life(user_ids=["ann"], anonymous_ids=["phone"]), 1),
        (Life(user_ids=["ann"], anonymous_ids=["phone", "tablet"]), 2),
    ):
        store = TopicStates([("profile|ann", kept(life, 1))])
        store.noted = notes_of([entry(1, user_id="ann")])
        assert is_current(store, ann)
        assert store.n_looks == n_looks
        store.noted = notes_of([entry(2, user_id="ann", anonymous_id=life.anonymous_ids[-1])])
        assert not is_current(store, ann)


def test_a_device_that_an_event_names_is_its_users_before_anything_is_answered() -> None:
    """And what it did without a name counts once its owner's profile has it."""
    phone = Who(anonymous_ids=("phone",))
    store = TopicStates([("identity|phone", kept(Tie(life=Life(anonymous_ids=["phone"])), 1))])
    store.noted = notes_of([entry(2, user_id="ann", anonymous_id="phone")])
    assert not is_current(store, phone)
    store.newest["profile|ann"] = kept(Life(user_ids=["ann"], anonymous_ids=["phone"]), 2)
    assert not is_current(store, phone)  # who asks by the device would be told of a life that is over
    store.newest["identity|phone"] = kept(Tie(owner="ann", owners=["ann"]), 2)
    assert is_current(store, phone)
    store.noted = notes_of([entry(2, user_id="ann", anonymous_id="phone"), entry(3, anonymous_id="phone")])
    assert not is_current(store, phone)
    store.newest["profile|ann"] = kept(Life(user_ids=["ann"], anonymous_ids=["phone"]), 3)
    assert is_current(store, phone)


def test_an_answer_waits_for_its_persons_events_and_no_longer_than_it_may() -> None:
    """What it waits for comes, or it says that it did not."""
    store = TopicStates([("profile|ann", kept(Life(user_ids=["ann"]), 1))])
    store.noted = notes_of([entry(2, user_id="ann")])
    people = ServedPeople(store, wait_ms=2_000)

    async def ask() -> None:
        asking = asyncio.create_task(people.find(Who(user_ids=("ann",))))
        await asyncio.sleep(0.03)
        assert not asking.done()
        store.newest["profile|ann"] = kept(Life(user_ids=["ann"], n_events=2), 2)
        found, has_seen = await asking
        assert has_seen
        assert found.life is not None
        assert found.life.n_events == 2

    asyncio.run(ask())
    assert (people.n_waits, people.n_behind) == (1, 0)
