"""Encoded: what is kept beside a lake's files changes no answer, whatever happens to it and in between."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from bench.lakes import write_lake
from sojourn.adapters.lake import ParquetLake
from sojourn.adapters.lake.encoded import (
    Columns,
    Memory,
    base,
    columns_for,
    events_of,
    keeping,
    read_known,
    staging,
)
from sojourn.adapters.sqlite.tail import SqliteTail
from sojourn.analytics.events import Events
from sojourn.analytics.reading import Mapping, StepRules, read_events, read_steps
from sojourn.model.errors import InputError
from sojourn.model.event import Event
from sojourn.model.lake import DAY_MS, date_of
from tests.adapters.lake.folders import T0, Folder, event
from tests.laws.catalogues import rich_catalogue, rich_history
from tests.soak import tries

MINUTE = 60_000
MAPPING = Mapping(
    person=("person_id",),
    step=("name",),
    time="occurred_at",
    session="session_id",
    sequence="position",
    page="page_path",
    attributes={"channel": "channel", "plan": "properties.plan"},
    values={"price": "properties.price"},
)
SOME = read_steps("steps: { Bought: { events: 'Order*' } }\nleft_out: ['Viewed*']", file="steps")
EVERYTHING = StepRules()
CHANGES = ("live", "live", "wait", "flush", "flush", "compact", "restart", "ask", "damage", "full")
PAGES = read_steps("steps: { Product: { pages: '/product/*' } }", file="steps")
OF_PEOPLE = "SELECT * FROM events WHERE person_id IS NOT NULL AND profile_id IS NOT NULL"


def anew(folder: Folder, mapping: Mapping, rules: StepRules) -> Events | None:
    """Read everything from files and log: the oracle."""
    with folder.reading() as reading:
        return or_none(lambda: read_events(reading.connection.sql(OF_PEOPLE), mapping, steps=rules))


def kept(folder: Folder, mapping: Mapping, rules: StepRules, memory: Memory | None = None) -> Events | None:
    """Read what is kept encoded, and what came since."""
    columns = columns_for(mapping, rules)
    assert columns is not None
    read = read_known if memory is None else memory.read
    found = read(folder.lake_path, folder.tail, columns, few_events=0)
    assert found is not None
    return or_none(lambda: events_of(found[0], mapping, rules))


def or_none(read: Callable[[], Events]) -> Events | None:
    """Return no events where there are none."""
    try:
        return read()
    except InputError:
        return None


def check(
    folder: Folder,
    mapping: Mapping = MAPPING,
    rules: StepRules = EVERYTHING,
    *,
    memory: Memory | None = None,
) -> None:
    """Compare both, to the last code."""
    expected, found = anew(folder, mapping, rules), kept(folder, mapping, rules, memory)
    if expected is None or found is None:
        assert expected is found
        return
    assert list(found.people) == list(expected.people)
    assert list(found.steps) == list(expected.steps)
    for name in ("starts", "step", "at", "session"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for name, column in expected.columns.items():
        assert list(found.columns[name].values) == list(column.values)
        np.testing.assert_array_equal(found.columns[name].codes, column.codes)
    for name, values in expected.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    assert found.left_out == expected.left_out


@pytest.mark.parametrize("seed", range(tries(2)))
def test_every_answer_is_as_if_all_were_read_anew(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late events, merges, duplicates, compactions and restarts, asked at any moment."""
    random = Random(seed)
    monkeypatch.setattr(keeping, "FEW_NEW", 0)
    monkeypatch.setattr(keeping, "MANY_NEW", random.choice((1, 3, 20)))
    monkeypatch.setattr(staging, "PIECE", random.choice((8 * 2_048, 1 << 20)))
    folder = Folder(tmp_path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    waiting = rich_history(random, n_events=90)
    lived: list[Event] = []
    memory = Memory()
    while waiting:
        match random.choice(CHANGES):
            case "live":
                n = random.randrange(1, 20)
                batch, waiting = waiting[:n], waiting[n:]
                again = random.sample(lived, min(len(lived), random.randrange(3)))  # duplicates: refused
                lived += [entry.event for entry in batch]
                folder.live([entry.event for entry in batch] + again, now=batch[-1].at)
            case "wait":
                folder.wait(folder.store.progress().clock + random.choice((1, MINUTE, 120 * MINUTE)))
            case "flush":
                folder.flush(lake, n_events=random.choice((1, 3, 10, 1_000)))
            case "compact":
                while lake.compact(is_final=random.random() < 0.5):
                    pass
            case "restart":
                lake.close()
                lake = ParquetLake(folder.lake_path)
            case "damage":
                damage(folder.lake_path / "encoded", random)
            case "full":
                with monkeypatch.context() as patched:
                    patched.setattr(base, "_write", until_full(base._write, random.randrange(40)))
                    check(folder)
            case "ask":
                mapping = random.choice((MAPPING, Mapping(**{**_fields(MAPPING), "attributes": {}})))
                rules = random.choice((StepRules(), SOME, PAGES))
                check(folder, mapping, rules, memory=random.choice((None, memory)))
    check(folder)
    lake.close()
    folder.close()


def _fields(mapping: Mapping) -> dict[str, Any]:
    return {name: getattr(mapping, name) for name in mapping.__struct_fields__}


def until_full(write: Callable[..., Any], n: int) -> Callable[..., Any]:
    """Write so many arrays; then the disk is full."""
    left = [n]

    def write_or_fail(*args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(*args)

    return write_or_fail


def damage(encoded: Path, random: Random) -> None:
    """Tear, remove or cut something of what is kept."""
    files = [path for path in encoded.glob("*") if path.name != "lock"]
    if not files:
        return
    path = random.choice(sorted(files))
    if random.random() < 0.5:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: random.randrange(path.stat().st_size)])


def generation(folder: Folder) -> set[str]:
    """Return which arrays are kept."""
    return {path.name.partition("-")[0] for path in (folder.lake_path / "encoded").glob("*-*")}


def written(path: Path, n_days: int = 3, *, who: str = "u", first: int = 0) -> tuple[Folder, ParquetLake]:
    """Live some days, a slice each."""
    folder = Folder(path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    for day in range(n_days):
        events = [
            event(first + 10 * day + n, f"Step {n}", at=T0 + day * DAY_MS, user_id=f"{who}{n}")
            for n in range(9)
        ]
        folder.live(events, now=T0 + day * DAY_MS)
        folder.flush(lake)
    return folder, lake


def test_what_is_kept_is_read_again_and_brought_up_to_date_where_much_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few new events are joined; more of them are written into it."""
    monkeypatch.setattr(keeping, "FEW_NEW", 5)
    folder, lake = written(tmp_path)
    check(folder)
    first = generation(folder)
    folder.live([event(90, "Late", at=T0)], now=T0 + 5 * DAY_MS)
    folder.flush(lake)
    check(folder)
    assert generation(folder) == first
    folder.live([event(100 + n, "More") for n in range(9)], now=T0 + 6 * DAY_MS)
    folder.flush(lake)
    check(folder)
    assert len(generation(folder)) == 1
    assert generation(folder) != first
    lake.close()
    folder.close()


def test_what_is_kept_of_another_log_is_of_another_lake(tmp_path: Path) -> None:
    """As large, of the same days, and put beside this one."""
    folder, lake = written(tmp_path / "one")
    other, other_lake = written(tmp_path / "other", who="v", first=500)
    check(other)
    shutil.copytree(other.lake_path / "encoded", folder.lake_path / "encoded")
    check(folder)
    for each in (lake, other_lake, folder, other):
        each.close()


def test_what_is_kept_further_than_files_go_is_not_believed(tmp_path: Path) -> None:
    """Files of a backup, beside what was kept after it."""
    folder, lake = written(tmp_path / "data", n_days=1)
    lake.close()
    shutil.copytree(folder.lake_path, tmp_path / "backup")
    lake = ParquetLake(folder.lake_path)
    folder.live([event(100 + n, "More", at=T0) for n in range(9)], now=T0 + MINUTE)
    folder.flush(lake)
    check(folder)
    lake.close()
    folder.lake_path.rename(tmp_path / "newer")
    shutil.copytree(tmp_path / "backup", folder.lake_path)
    shutil.copytree(tmp_path / "newer" / "encoded", folder.lake_path / "encoded")
    check(folder)
    folder.close()


def test_days_that_are_kept_no_longer_are_in_no_answer(tmp_path: Path) -> None:
    """Retention removes files, and what was made of them is of another lake."""
    folder, lake = written(tmp_path)
    check(folder)
    memory = Memory()
    check(folder, memory=memory)
    assert lake.expire(before=date_of(T0 + DAY_MS)) > 0
    check(folder)
    check(folder, memory=memory)
    found = kept(folder, MAPPING, StepRules())
    assert found is not None
    assert len(found) == 18
    lake.close()
    folder.close()


def test_a_lake_that_cannot_be_written_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of a backup may write nothing."""
    folder, lake = written(tmp_path)

    make = Path.mkdir

    def refuse(path: Path, *args: Any, **options: Any) -> None:
        if path.is_relative_to(tmp_path):
            raise PermissionError("read-only")
        make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    check(folder)
    assert not (folder.lake_path / "encoded").exists()
    lake.close()
    folder.close()


def test_a_question_for_what_nobody_keeps_is_left_to_reading_anew() -> None:
    """Another person, another time: not what is kept in order."""
    assert columns_for(MAPPING, StepRules()) is not None
    others = ({"person": ("user_id",)}, {"time": "sent_at"}, {"attributes": {"who": "person_id"}})
    for field in (*others, {"without": {"os": ("Bot",)}}):
        assert columns_for(Mapping(**{**_fields(MAPPING), **field}), StepRules()) is None


def test_a_small_lake_keeps_nothing(tmp_path: Path) -> None:
    """It is read anew as quickly."""
    folder, lake = written(tmp_path)
    assert read_known(folder.lake_path, folder.tail, Columns()) is None
    lake.close()
    folder.close()


@pytest.mark.parametrize("attributes", [Columns(), Columns(("channel",), ("properties.revenue",))])
def test_what_is_made_in_pieces_is_what_is_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attributes: Columns
) -> None:
    """Of 20,000 events of a shop, in two files and as many stretches of people."""
    data = tmp_path / "data"
    write_lake(data, 20_000)
    tail = SqliteTail(data)
    made = []
    for piece in (staging.PIECE, 8 * 2_048):
        monkeypatch.setattr(staging, "PIECE", piece)
        found = read_known(data / "lake", tail, attributes, few_events=0)
        assert found is not None
        made.append(found[0].base)
        (data / "lake" / "encoded" / "index.json").unlink()
    tail.close()
    one, other = made
    assert (one.people, one.words, one.revisions.people) == (
        other.people,
        other.words,
        other.revisions.people,
    )
    for name in ("starts", "session", "session_starts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.rows.keys() == other.rows.keys()
    for name, column in one.rows.items():
        np.testing.assert_array_equal(column, other.rows[name])


def test_what_cannot_be_made_in_little_memory_is_made_in_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is better than a bound; and the bound holds where it can."""
    monkeypatch.setattr(staging, "MEMORY", "1MB")
    write_lake(tmp_path / "data", 20_000)
    tail = SqliteTail(tmp_path / "data")
    found = read_known(tmp_path / "data/lake", tail, Columns(("channel",)), few_events=0)
    tail.close()
    assert found is not None
    assert len(found[0].base.session) == 20_000


def test_what_is_remembered_is_read_no_more_and_of_few_attributes_at_once(tmp_path: Path) -> None:
    """The very reading of before, with what came since; and the oldest goes."""
    folder, lake = written(tmp_path)
    memory, found = Memory(), []
    for columns in (Columns(), Columns(("channel",)), Columns(("country",)), Columns(("os",)), Columns()):
        found.append(memory.read(folder.lake_path, folder.tail, columns, few_events=0))
    assert found[0] is not None
    assert found[4] is not None
    assert found[4][0] is found[0][0]
    folder.live([event(90, "Late", at=T0)], now=T0 + 5 * DAY_MS)
    check(folder, memory=memory)
    again = memory.read(folder.lake_path, folder.tail, Columns(), few_events=0)
    assert again is not None
    assert again[0] is found[0][0]
    assert again[1] == folder.tail.reach()
    for columns in (Columns(("city",)), Columns(("region",)), Columns(("browser",))):
        memory.read(folder.lake_path, folder.tail, columns, few_events=0)
    other = memory.read(folder.lake_path, folder.tail, Columns(("os",)), few_events=0)
    assert found[3] is not None
    assert other is not None
    assert other[0] is not found[3][0]
    lake.close()
    folder.close()


@pytest.mark.slow
def test_whoever_is_killed_while_making_it_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    """Killed at any moment, thirty times."""
    random = Random(7)
    folder, lake = written(tmp_path)
    command = [sys.executable, "-m", "tests.adapters.lake.encoded_child", str(tmp_path)]
    for _ in range(30):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(random.randrange(1, 5)):
                child.stdout.readline()
            time.sleep(random.random() / 5)
            child.kill()
        check(folder)
    assert not list((folder.lake_path / "encoded").glob("staged-*"))
    lake.close()
    folder.close()
