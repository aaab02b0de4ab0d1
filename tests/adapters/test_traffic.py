"""Traffic: what the tables say is what counting all facts anew gives, and what the lives themselves say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.adapters.sqlite.traffic import SqliteTraffic
from sojourn.adapters.sqlite.traffic_folding import MAX_KINDS, PRECISION_BITS
from sojourn.engine.state import Life, Tie, decode
from sojourn.model import fact as facts
from sojourn.model.fact import Fact
from sojourn.model.lake import Reach
from sojourn.model.turn import STAGES
from tests.engine.makers import T0
from tests.laws.edited import restarted
from tests.laws.test_equality import end_of
from tests.laws.test_everything_published import FIRST, edited
from tests.soak import tries

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
Groups = list[tuple[int, list[Fact]]]


def lived(seed: int, n_events: int) -> MemoryStore:
    """Run a random history, in which people publish, pause and stop it all."""
    random, entries = edited(seed, n_events)
    store = MemoryStore()
    driver = restarted(MemoryLog(), store, FIRST)
    for entry in entries:
        driver.settle([entry], until=entry.at)
        if random.random() < 0.1:
            driver = restarted(MemoryLog(), store, FIRST)
    driver.settle([], until=end_of(entries))
    driver.finish_sweep()
    return store


def counted(folder: Path, groups: Groups, random: Random) -> SqliteTraffic:
    """Count in random batches, opened anew now and then."""
    traffic, waiting = SqliteTraffic(folder), list(groups)
    while waiting:
        n = random.randrange(1, 9)
        batch, waiting = waiting[:n], waiting[n:]
        traffic.take(batch, Reach(0, batch[-1][0], 0))
        if random.random() < 0.2:
            traffic.close()
            traffic = SqliteTraffic(folder)
    return traffic


class Interrupted(SqliteTraffic):
    """Tables in which somebody else writes between two looks of one question."""

    def between(self) -> None:
        """Do it."""

    def _in_version(self, *asked: Any) -> list[Any]:
        found = super()._in_version(*asked)
        self.between()
        return found


def test_somebody_who_leaves_while_they_are_listed_is_listed_still(tmp_path: Path) -> None:
    """One question sees the tables at one instant, whatever the process beside it writes."""
    named = {"enrolment_id": "e1", "profile_id": "u:ada", "journey": "welcome", "version": "1"}
    came = facts.Entered(**named, at=T0, position=1)  # type: ignore[arg-type]
    went = facts.Exited(**named, at=T0, position=2, reason="exit", state=["waiting"])  # type: ignore[arg-type]
    writer, reader = SqliteTraffic(tmp_path), Interrupted(tmp_path)
    writer.take([(1, [came])], Reach(1, 1, T0))
    reader.between = lambda: writer.take([(2, [went])], Reach(2, 2, T0))  # type: ignore[assignment,method-assign]
    asked: dict[str, Any] = {"states": (), "after": None, "limit": 10}
    assert [view.id for _, view in reader.inside("welcome", ["1"], **asked)] == ["u:ada"]
    reader.between = lambda: None  # type: ignore[method-assign]
    assert reader.inside("welcome", ["1"], **asked) == []


def told(groups: Groups) -> list[Fact]:
    """Return all facts in their order."""
    return [fact for _, group in groups for fact in group]


def versions_of(every: list[Fact]) -> set[tuple[str, str]]:
    """Return the versions that anything happened in."""
    kinds = (facts.Transitioned, facts.Entered, facts.Exited, facts.GoalReached)
    found = {(fact.journey, fact.version) for fact in every if isinstance(fact, kinds)}
    return found | {
        (f.journey, v) for f in every if isinstance(f, facts.Migrated) for v in (f.version, f.from_version)
    }


def naive(every: list[Fact], journey: str, version: str, *, since: int = 0) -> Counter[str]:
    """Count what happened, one fact after another."""
    found: Counter[str] = Counter()
    for fact in every:
        if getattr(fact, "journey", None) != journey or fact.at < since:
            continue
        match fact:
            case facts.Migrated():
                found[repr(["came", fact.target])] += fact.version == version
                found[repr(["went", fact.source])] += fact.from_version == version
            case _ if getattr(fact, "version", None) != version:
                continue
            case facts.Transitioned():
                found[repr(["moved", fact.source, fact.target, fact.event])] += 1
            case facts.Entered():
                found[repr(["entered"])] += 1
            case facts.Exited():
                found[repr(["exited", fact.reason, fact.state])] += 1
            case facts.GoalReached():
                found[repr(["goal"])] += 1
    return +found


def stays(every: list[Fact]) -> dict[tuple[str, str, str], list[int]]:
    """Return (journey, version, state) -> how long those stayed who left it, in their order."""
    since: dict[tuple[str, str], int] = {}
    found: dict[tuple[str, str, str], list[int]] = {}
    for fact in every:
        match fact:
            case facts.Transitioned():
                for state in fact.source:
                    if (at := since.pop((fact.enrolment_id, state), None)) is not None:
                        found.setdefault((fact.journey, fact.version, state), []).append(fact.at - at)
                since.update(dict.fromkeys(((fact.enrolment_id, state) for state in fact.target), fact.at))
            case facts.Migrated():
                kept = {state: since.pop((fact.enrolment_id, state), fact.at) for state in fact.source}
                for state in fact.target:
                    since[fact.enrolment_id, state] = kept.get(state, fact.at)
            case facts.Exited():
                for state in fact.state:
                    at = since.pop((fact.enrolment_id, state), None)
                    if at is not None and fact.reason != "final":
                        found.setdefault((fact.journey, fact.version, state), []).append(fact.at - at)
    return found


def places(store: MemoryStore) -> dict[str, tuple[str, str, str, str, tuple[str, ...]]]:
    """Return enrolment -> (person, journey, version, key, states), as the lives have it."""
    found: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {}
    for stage in STAGES:
        for key in store.keys(stage):
            state = decode(stage, store.load([(stage, key)])[stage, key].state)
            life = state.life if isinstance(state, Tie) else state
            for one in life.enrolments if isinstance(life, Life) else ():
                person = ("u:" if stage == "profile" else "a:") + key
                found[one.id] = (person, one.journey, one.version, one.key, tuple(sorted(one.machine.active)))
    return found


def listed(
    traffic: SqliteTraffic, journey: str, version: str, *, states: tuple[str, ...] = (), limit: int
) -> list[Any]:
    """Follow a list page by page to its end."""
    found: list[Any] = []
    after = None
    while page := traffic.inside(journey, [version], states=states, after=after, limit=limit):
        found += page
        after = page[-1][0]
    return found


@settings(max_examples=tries(8), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_what_the_tables_say_is_what_counting_all_facts_gives(seed: int, n_events: int) -> None:
    """Whatever is published meanwhile, however facts are cut into batches, and across restarts."""
    store = lived(seed, n_events)
    groups = store.facts_after(0, 1 << 30)
    every, lives = told(groups), places(store)
    with TemporaryDirectory() as folder:
        traffic = counted(Path(folder), groups, Random(seed))
        for journey, version in versions_of(every):
            found = {repr(what): n for what, n in traffic.happened(journey, version, since=None, until=None)}
            assert found == naive(every, journey, version)
            inside = [one for one in lives.values() if one[1:3] == (journey, version)]
            people = Counter(state for one in inside for state in one[4])
            assert +Counter(traffic.people(journey, version)) == people
            rows = listed(traffic, journey, version, limit=3)
            shown = [(one.id, journey, one.version, one.key, tuple(sorted(one.state))) for _, one in rows]
            assert sorted(shown) == sorted(inside)
        traffic.close()


@settings(max_examples=tries(4), deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 60))
def test_how_long_people_stayed_is_known_to_three_in_a_hundred(seed: int, n_events: int) -> None:
    """A class is the duration's own first bits."""
    every = told(groups := lived(seed, n_events).facts_after(0, 1 << 30))
    expected = stays(every)
    with TemporaryDirectory() as folder:
        traffic = counted(Path(folder), groups, Random(seed))
        for journey, version in versions_of(every):
            for state, classes in traffic.stays(journey, version, since=None, until=None).items():
                exact = sorted(expected.pop((journey, version, state)))
                edges = [edge for edge, n in sorted(classes.items()) for _ in range(n)]
                assert len(edges) == len(exact)
                assert all(
                    0 <= one - edge <= one / 2**PRECISION_BITS for one, edge in zip(exact, edges, strict=True)
                )
        traffic.close()
    assert expected == {}


@settings(max_examples=tries(4), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 40))
def test_a_time_is_counted_by_whole_hours(seed: int, n_events: int, n_hours: int) -> None:
    """The hour that the first instant lies in is counted from its beginning."""
    every = told(groups := lived(seed, n_events).facts_after(0, 1 << 30))
    since = T0 + n_hours * HOUR_MS // 3
    with TemporaryDirectory() as folder:
        traffic = counted(Path(folder), groups, Random(seed))
        for journey, version in versions_of(every):
            found = {repr(what): n for what, n in traffic.happened(journey, version, since=since, until=None)}
            assert found == naive(every, journey, version, since=since // HOUR_MS * HOUR_MS)
        traffic.close()


def moved(n: int, *, at: int = T0, source: str = "a", target: str = "b", event: str = "Next") -> Fact:
    """Make a move of one enrolment."""
    return facts.Transitioned(
        profile_id=f"u:{n}", at=at, position=n, journey="j", version="v", enrolment_id=f"e{n}", n=1,  # type: ignore[arg-type]
        source=[source] if source else [], target=[target], event=event,
    )  # fmt: skip


def entered(n: int, *, at: int = T0) -> Fact:
    """Let one person in."""
    return facts.Entered(
        profile_id=f"u:{n}", at=at, position=n, journey="j", version="v", enrolment_id=f"e{n}"
    )  # type: ignore[arg-type]


def test_people_of_a_state_are_listed_by_when_they_came_the_last_first(tmp_path: Path) -> None:
    """Page by page, each once, also where many came at one instant."""
    traffic = SqliteTraffic(tmp_path)
    came = [(n, T0 + 1_000 * (n % 3)) for n in range(10)]
    traffic.take(
        [(1, [fact for n, at in came for fact in (entered(n), moved(n, at=at, source=""))])], Reach(1, 1, 1)
    )
    found = [cursor for cursor, _ in listed(traffic, "j", "v", states=("b",), limit=4)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 10
    traffic.close()


def test_hours_older_than_five_weeks_are_in_the_totals_alone(tmp_path: Path) -> None:
    """So the file grows with what there is to tell, not with time."""
    traffic = SqliteTraffic(tmp_path)
    days = range(0, 400, 20)
    for number, day in enumerate(days, start=1):
        traffic.take([(number, [moved(number, at=T0 + day * DAY_MS)])], Reach(number, number, number))
    ((_, n_ever),) = traffic.happened("j", "v", since=None, until=None)
    ((_, n_kept),) = traffic.happened("j", "v", since=0, until=None)
    assert (n_ever, n_kept) == (len(days), 2)
    traffic.close()


def test_events_of_any_name_do_not_make_the_tables_grow_for_ever(tmp_path: Path) -> None:
    """A way that answers every event is taken by names from outside; beyond a bound they are one."""
    traffic = SqliteTraffic(tmp_path)
    every = [moved(n, event=f"event {n}") for n in range(MAX_KINDS + 50)]
    traffic.take([(1, every)], Reach(1, 1, 1))
    found = traffic.happened("j", "v", since=None, until=None)
    assert len(found) == MAX_KINDS + 1
    assert sum(n for _, n in found) == len(every)
    traffic.close()


def test_nothing_of_somebody_who_is_forgotten_is_left_in_any_file(tmp_path: Path) -> None:
    """Their enrolments end with them; what went through stays: it is nobody's."""
    traffic = SqliteTraffic(tmp_path)
    for n in range(1, 40):
        traffic.take([(n, [entered(n), moved(n, source="")])], Reach(n, n, n))
    gone = facts.Exited(
        profile_id="u:7", at=T0, position=40, journey="j", version="v", enrolment_id="e7", reason="forgotten",  # type: ignore[arg-type]
        state=["b"],
    )  # fmt: skip
    assert b"u:7" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    traffic.take([(40, [gone])], Reach(40, 40, 40))
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (b"u:7" in left, b"e7" in left, b"u:8" in left) == (False, False, True)
    assert traffic.people("j", "v") == {"b": 38}
    assert (["entered"], 39) in traffic.happened("j", "v", since=None, until=None)
    traffic.close()


def test_a_batch_counts_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash in the middle of it: the reach and the counts are those before."""
    traffic = SqliteTraffic(tmp_path)
    traffic.take([(1, [entered(1)])], Reach(1, 1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(SqliteTraffic, "_expire", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            traffic.take([(2, [entered(2)])], Reach(2, 2, 2))
    traffic.close()
    traffic = SqliteTraffic(tmp_path)
    assert traffic.reach() == Reach(1, 1, 1)
    assert traffic.happened("j", "v", since=None, until=None) == [(["entered"], 1)]
    traffic.close()
