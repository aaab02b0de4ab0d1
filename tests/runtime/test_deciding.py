"""Deciding: who is asked about is found as of every event acknowledged, and nobody else's is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from sojourn.model.errors import UnavailableError
from sojourn.model.event import Entry, Event
from sojourn.model.ports import Commit, Stored
from sojourn.model.turn import Key
from sojourn.runtime import exposures as exposures_module
from sojourn.runtime import people as people_module
from sojourn.runtime.deciding import Question, Watch
from sojourn.runtime.finding import Who
from sojourn.runtime.live import SLICE
from sojourn.runtime.sweeping import Sweep
from tests.engine.makers import T0, event
from tests.runtime.counters import POLICY, RESCUE, SHARE, Counter, StandingStill, play
from tests.soak import tries

# From memory, or by one read


def test_whoever_is_in_memory_is_not_read() -> None:
    """The usual case costs no thread and no store."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        await counter.state("ann")
        before = counter.store.n_loads
        await asyncio.gather(*(counter.state("ann") for _ in range(10)))
        assert counter.store.n_loads == before

    play(story)


def test_whoever_is_not_in_memory_is_read_once_and_so_is_that_nobody_is_there() -> None:
    """The second question finds what the first one read."""

    async def story(counter: Counter) -> None:
        for who in ("ann", "bob"):
            for _ in range(3):
                assert await counter.state(who) == ("waiting" if who == "ann" else "")

    counter = Counter()
    counter.driver.take(_appended(counter, "Started", "ann"))
    fresh = Counter()
    fresh.store._states, fresh.log = counter.store._states, counter.log
    fresh.driver.log, fresh.driver.position = counter.log, counter.log.end()

    async def run() -> None:
        async with fresh.open():
            await story(fresh)

    asyncio.run(run())
    assert fresh.people.n_reads == 2


def test_memory_holds_no_more_of_whoever_is_asked_about_than_it_has_room_for() -> None:
    """Also where nothing happens meanwhile: a job that asks of everybody would read the whole store in."""

    async def story(counter: Counter) -> None:
        for n in range(50):
            assert await counter.state(f"p{n}") == "waiting"
        hot = counter.driver.hot
        assert sum(hot.peek("profile", f"p{n}") is not None for n in range(50)) <= 10

    counter = Counter(cache=10)
    for n in range(50):
        counter.driver.take(_appended(counter, "Started", f"p{n}"))
    fresh = Counter(cache=10)
    fresh.store._states, fresh.log = counter.store._states, counter.log
    fresh.driver.log, fresh.driver.position = counter.log, counter.log.end()

    async def run() -> None:
        async with fresh.open():
            await story(fresh)

    asyncio.run(run())


def _appended(counter: Counter, name: str, who: str) -> list:
    from tests.engine.makers import T0, event

    return counter.log.append([event(name, user_id=who, message_id=who)], now=T0).entries


def test_a_slow_store_is_read_off_the_loop_and_too_many_who_wait_for_it_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After two slow reads in a row nobody else stands still for its disk; the bound has a name."""
    monkeypatch.setattr(people_module, "MAX_READS", 1)
    monkeypatch.setattr(people_module, "SLOW_READ_S", -1.0)
    threads: list[str] = []
    failures: list[object] = []

    async def story(counter: Counter) -> None:
        load = counter.store.load

        def noted(keys: Sequence[Key]) -> dict[Key, Stored]:
            threads.append(threading.current_thread().name)
            return load(keys)

        counter.store.load = noted  # type: ignore[method-assign]
        for n in range(3):
            await counter.state(f"one{n}")
        answers = await asyncio.gather(*(counter.state(f"p{n}") for n in range(3)), return_exceptions=True)
        failures.extend(each for each in answers if isinstance(each, UnavailableError))

    play(story)
    assert [name.startswith("reads") for name in threads[:4]] == [False, False, True, True]
    assert len(failures) == 2


# Read your writes


def test_an_event_acknowledged_before_is_seen_though_the_engine_is_behind() -> None:
    """The application posts, gets its 200, asks, and must not see the past."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        with StandingStill(counter) as engine:
            await counter.post("Helped", "ann")
            question = asyncio.create_task(counter.state("ann"))
            await asyncio.sleep(0.02)
            assert not question.done()
            engine.go()
            assert await question == "assisted"

    assert play(story).people.n_waits == 1


def test_nobody_waits_for_the_events_of_others() -> None:
    """However much there is of them."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        assert await counter.state("ann") == "waiting"
        with StandingStill(counter):
            await asyncio.gather(*(counter.post("Started", f"p{n}") for n in range(50)))
            async with asyncio.timeout(1):
                assert await counter.state("ann") == "waiting"

    assert play(story).people.n_waits == 0


def test_an_event_of_a_device_counts_whose_name_came_just_before_it() -> None:
    """Both wait: only the first of them says that the second is hers."""

    async def story(counter: Counter) -> None:
        with StandingStill(counter) as engine:
            await counter.post("$identify", "ann", anonymous_id="phone")
            await counter.post("Started", "?phone")
            question = asyncio.create_task(counter.state("ann"))
            await asyncio.sleep(0.01)
            engine.go()
            assert await question == "waiting"

    play(story)


def test_an_answer_waits_no_longer_than_it_is_told_and_says_so() -> None:
    """Where the engine stands still, an application is still answered: as the person stood before."""

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        await counter.state("ann")
        with StandingStill(counter):
            await counter.post("Helped", "ann")
            who = Who(user_ids=("ann",))
            decision, is_current = await counter.deciding.decide(Question(who=who), "journey.rescue.state")
            assert decision is not None
            assert (decision.value, is_current) == ("waiting", False)

    assert play(story, wait_ms=20).people.n_behind == 1


@pytest.mark.parametrize("seed", range(tries(8)))
def test_whatever_is_acknowledged_is_seen_by_the_question_after_it(seed: int) -> None:
    """Many people at once, each asking after each event of theirs, with and without room for memory."""
    random = Random(seed)

    async def one(counter: Counter, who: str) -> None:
        for expected in ("waiting", "assisted"):
            await counter.post("Started" if expected == "waiting" else "Helped", who)
            if random.random() < 0.3:
                await asyncio.sleep(0)
            assert await counter.state(who.removeprefix("?")) == expected

    async def story(counter: Counter) -> None:
        await asyncio.gather(*(one(counter, random.choice(("", "?")) + f"p{n}") for n in range(60)))

    play(story, cache=random.choice((0, 3, 1_000)))


def test_while_everybody_is_asked_about_a_change_a_commit_still_takes_more_than_a_slice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No slices join then, and each commit waits for the one before: events would come in one by one."""

    monkeypatch.setattr(Sweep.take, "__defaults__", (1,))

    def people(kind: str) -> list[Event]:
        return [event("Seen", user_id=f"{kind}{n}", message_id=f"{kind}{n}") for n in range(10 * SLICE)]

    async def story(counter: Counter) -> None:
        sizes: list[int] = []
        process = counter.driver.process

        def noted(entries: Sequence[Entry], **how: Any) -> Commit | None:
            sizes.append(len(entries))
            return process(entries, **how)

        await counter.live.accept(people("old"))
        await counter.live.processed(counter.live.appended)
        await counter.state("ann")
        counter.driver.process = noted  # type: ignore[method-assign]
        counter.driver.sweep.begin(1)
        await counter.live.accept(people("new"))
        await counter.live.processed(counter.live.appended)
        assert max(sizes) == 10 * SLICE

    play(story)


def test_no_slice_joins_a_commit_past_what_is_known_of_timers() -> None:
    """Its first entry may come before a timer that only the store knows, and its last one after it."""
    reached: list[bool] = []

    async def story(counter: Counter) -> None:
        driver, live = counter.driver, counter.live
        first, *waiting = [
            counter.log.append([event("Seen", user_id=f"p{n}", message_id=f"p{n}")], now=T0 + n).entries[0]
            for n in range(4)
        ]
        process = driver.process

        def noted(entries: Sequence[Entry], *, until: int, goes_on: bool = False) -> Commit | None:
            reached.append(driver.timers.reaches(until))
            return process(entries, until=until, goes_on=goes_on)

        driver.process = noted  # type: ignore[method-assign]
        driver.timers._horizon = T0 + 2  # as where more timers wait than memory holds
        live.attend()
        live._storing = asyncio.create_task(asyncio.sleep(0.05))
        live._storing.add_done_callback(lambda _: live._arrived.set())
        live._backlog.extend(waiting)
        _, done = await live._process([first], first.at)
        assert len(done) == 1

    counter = Counter()

    async def run() -> None:
        await story(counter)

    asyncio.run(run())
    assert reached == [True]


# Exposures


def test_a_choice_that_one_flag_told_is_said_in_the_log_once() -> None:
    """The log's own clock and id: the engine makes the fact of it, and keeps the variant."""

    async def story(counter: Counter) -> None:
        await counter.post("Seen", "ann")
        for _ in range(5):
            await counter.ask("share", "ann")
        await asyncio.sleep(0.2)
        await counter.ask("share", "ann")

    counter = play(story)
    (said,) = counter.said
    life = counter.driver.hot.peek("profile", "ann")
    assert (said.name, said.source, said.user_id) == ("$exposed", "sojourn", "ann")
    assert life.variants["shares"] == life.met["shares"].variant  # type: ignore[union-attr]


def test_a_user_who_has_the_id_of_a_device_is_exposed_apart_from_it() -> None:
    """An application asks of somebody before their first event: whose id that is, nobody knows yet."""

    async def story(counter: Counter) -> None:
        await counter.ask("share", "ann")
        await counter.post("Seen", "ann")
        await counter.ask("share", "ann")

    said = play(story).said
    assert [(one.user_id, one.anonymous_id) for one in said] == [(None, "ann"), ("ann", None)]


def test_all_flags_expose_nobody() -> None:
    """A page asks for all of them at its start, and shows one."""

    async def story(counter: Counter) -> None:
        await counter.deciding.decide_all(Question(who=Who(user_ids=("ann",))))
        await counter.ask("journey.rescue.state", "ann")

    assert play(story).said == []


def test_exposures_that_find_no_room_are_counted_and_no_answer_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is worth more than its trace."""
    monkeypatch.setattr(exposures_module, "MAX_WAITING", 2)

    async def story(counter: Counter) -> None:
        for n in range(5):
            await counter.people.find(Who(anonymous_ids=(f"p{n}",)))
        for n in range(5):  # nothing in between lets the queue drain
            found, _ = await counter.people.find(Who(anonymous_ids=(f"p{n}",)))
            decision = (await counter.deciding.decide(Question(who=Who(anonymous_ids=(f"p{n}",))), "share"))[
                0
            ]
            assert decision is not None
            assert found.life is None

    counter = play(story)
    assert counter.exposures.n_logged + counter.exposures.n_dropped == 5
    assert counter.exposures.n_dropped >= 1


# Who hears of changes


def test_whoever_watches_a_person_hears_of_them_and_of_nobody_else() -> None:
    """The way in costs nothing where nobody watches."""
    heard: list[str] = []

    async def story(counter: Counter) -> None:
        question = Question(who=Who(user_ids=("ann",), anonymous_ids=("phone",)))
        watch = Watch(question, lambda: heard.append("ann"))
        assert counter.live.on_processed is None
        await counter.deciding.decide_all(question, watch=watch)
        await counter.post("Started", "bob")
        await counter.state("bob")
        assert heard == []
        await counter.post("Started", "?phone")  # who is nobody yet
        await counter.state("phone")
        assert heard != []
        heard.clear()
        await counter.deciding.decide_all(question, watch=watch)
        counter.deciding.unwatch(watch)
        await counter.post("Helped", "?phone")
        assert await counter.state("phone") == "assisted"
        assert (heard, counter.live.on_processed) == ([], None)

    play(story)


def test_whoever_watches_waits_for_no_event_for_it_is_heard_when_it_comes() -> None:
    """One task compares the answers of all who watch: each would wait behind the others' busy people."""

    async def story(counter: Counter) -> None:
        heard: list[str] = []
        question = Question(who=Who(user_ids=("ann",)))
        with StandingStill(counter):
            await counter.post("Started", "ann")
            watch = Watch(question, lambda: heard.append("ann"))
            await counter.deciding.decide_all(question, watch=watch)
            assert (counter.people.n_waits, heard) == (0, [])
        assert await counter.state("ann") == "waiting"
        assert heard == ["ann"]
        counter.deciding.unwatch(watch)

    play(story, wait_ms=500)


def test_a_timer_that_moves_a_person_is_heard() -> None:
    """No event came."""
    heard: list[str] = []

    async def story(counter: Counter) -> None:
        await counter.post("Started", "ann")
        question = Question(who=Who(user_ids=("ann",)))
        watch = Watch(question, lambda: heard.append("ann"))
        await counter.deciding.decide_all(question, watch=watch)
        counter.now += 31 * 60_000
        async with asyncio.timeout(5):
            while not heard:
                await asyncio.sleep(0.005)
        assert await counter.state("ann") == ""

    play(story, RESCUE, SHARE, POLICY)
