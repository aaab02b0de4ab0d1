"""Replay: who would have got what and when, differences first, the same on every run."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from sojourn.definitions.controls import PAUSE, control_event
from sojourn.runtime.rehearsal import Plan, Window, gather, replay, replaying
from sojourn.runtime.rehearsal.collecting import Part
from tests.engine.makers import MINUTE, T0, event
from tests.runtime.rehearsal.histories import (
    REMIND,
    catalogue,
    entries,
    entry,
    facts_of,
    ignore,
    kinds,
    report_of,
    run,
)

LATER = REMIND.replace("30m", "50m")
DAY = 24 * 60
LONG = (3 * DAY, "zoe", "Waved")  # lets the timers of everybody fire


def test_what_only_one_version_does_is_told_with_what_the_other_did_instead(tmp_path: Path) -> None:
    """ "Only as published" without a reason would send the author to the logs."""
    log = entries((0, "ann", "Began"), (40, "ann", "Bought"), LONG)
    part = run(log, catalogue(LATER), catalogue(REMIND), scratch=tmp_path)
    assert kinds(part) == {"action: crm in reminded": {"only-published": 1}}
    assert part.examples[0].differences[0].why == "left waiting: goal"
    assert part.examples[0].differences[0].published_at == T0 + 30 * MINUTE


def test_what_both_do_at_different_times_is_another_difference(tmp_path: Path) -> None:
    """Later by 20 minutes is no loss."""
    part = run(entries((0, "ann", "Began"), LONG), catalogue(LATER), catalogue(REMIND), scratch=tmp_path)
    assert kinds(part) == {"action: crm in reminded": {"other-time": 1}}
    difference = part.examples[0].differences[0]
    assert (difference.draft_at, difference.published_at) == (T0 + 50 * MINUTE, T0 + 30 * MINUTE)


def test_another_text_is_a_difference_with_both_texts(tmp_path: Path) -> None:
    """A new wording reaches the same people at the same time, and is what the edit was about."""
    worded = REMIND.replace("profile.user_id", "entry.name")
    part = run(entries((0, "ann", "Began"), LONG), catalogue(worded), catalogue(REMIND), scratch=tmp_path)
    assert kinds(part) == {"action: crm in reminded": {"other-content": 1}}
    difference = part.examples[0].differences[0]
    assert bytes(difference.draft_body) == b'{"hello":"Began"}'
    assert bytes(difference.published_body) == b'{"hello":"ann"}'


def test_the_same_definitions_differ_in_nothing(tmp_path: Path) -> None:
    """Silence must mean that nothing changes."""
    log = entries((0, "ann", "Began"), (5, "bob", "Began"), (40, "bob", "Bought"), LONG)
    part = run(log, catalogue(REMIND), catalogue(REMIND), scratch=tmp_path)
    assert (part.n_affected, part.n_different, part.examples) == (0, {}, [])
    assert part.n_people == 2


def test_what_an_unnamed_life_got_is_its_persons(tmp_path: Path) -> None:
    """In the draft the reminder comes after the name, as published before it: to one and the same person."""
    log = [
        entry(event("Began", at=0, anonymous_id="d1", message_id="m1"), 1),
        entry(event("$identify", at=40, anonymous_id="d1", user_id="ann", message_id="m2"), 2),
        entry(event("Waved", at=3 * DAY, user_id="zoe", message_id="m3"), 3),
    ]
    part = run(log, catalogue(LATER), catalogue(REMIND), scratch=tmp_path)
    assert [(one.person, one.kind) for one in part.examples[0].differences] == [("u:ann", "other-time")]


def test_held_out_people_are_counted_and_the_reason_is_told(tmp_path: Path) -> None:
    """A hold-out in the draft takes messages away, and says so."""
    held = REMIND.replace("holdout: 0%", "holdout: 99.99%")
    part = run(entries((0, "ann", "Began"), LONG), catalogue(held), catalogue(REMIND), scratch=tmp_path)
    assert part.examples[0].differences[0].why.startswith("not sent: held-out")
    assert part.draft["remind"].withheld == {"crm in reminded": {"held-out": 1}}


def test_imported_history_counts_as_live(tmp_path: Path) -> None:
    """An import is shadow so that nobody gets last month's mail; a replay asks who would have got it."""
    log = [replace(one, is_shadow=True) for one in entries((0, "ann", "Began"), LONG)]
    assert run(log, catalogue(REMIND), None, scratch=tmp_path).draft["remind"].actions == {
        "crm in reminded": 1
    }


def test_history_from_before_the_logs_clock_is_lived_at_its_own_time(tmp_path: Path) -> None:
    """The log stamped it with its clock of then; replayed there, it would all happen at one instant."""
    late = entry(event("Began", at=-60, user_id="ann", message_id="late"), 9)
    log = [*entries((0, "ann", "Bought"), LONG), replace(late, at=T0, is_history=True)]
    part = run(log, catalogue(REMIND), None, scratch=tmp_path)
    assert part.draft["remind"].actions == {"crm in reminded": 1}
    assert part.draft["remind"].goals == 1


def test_events_before_the_window_only_fill_profiles(tmp_path: Path) -> None:
    """As if the draft were published at `--from`: nobody is inside, and everybody is known."""
    second = REMIND.replace("on: Began", "on: Began, when: \"count('Began') == 2\"")
    log = entries((0, "ann", "Began"), (2 * DAY, "ann", "Began"), (5 * DAY, "ann", "Began"))
    window = Window(since=T0 + DAY * MINUTE, until=T0 + 4 * DAY * MINUTE)
    part = run(log, catalogue(second), catalogue(REMIND), scratch=tmp_path, window=window)
    assert part.draft["remind"].entered == part.published["remind"].entered == 1
    assert part.n_events == 2


def test_the_houses_word_on_itself_is_left_out(tmp_path: Path) -> None:
    """A publication in the log is no event of anybody's: the draft is in force from the first event on."""
    said = control_event(PAUSE, {}, after=1, now=T0 + MINUTE)
    log = [*entries((0, "ann", "Began"), LONG), entry(said, 9)]
    assert run(log, catalogue(REMIND), None, scratch=tmp_path).n_groups == 2


def test_a_group_that_the_engine_fails_on_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours is its own group's alone."""
    right = replaying.play

    def wrong(arrivals: object, *rest: object, **options: object) -> object:
        if arrivals[0].event.user_id == "ann":  # type: ignore[index]
            raise ZeroDivisionError("of ours")
        return right(arrivals, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(replaying, "play", wrong)
    log = entries((0, "ann", "Began"), (0, "bob", "Began"), LONG)
    part = run(log, catalogue(REMIND), None, scratch=tmp_path)
    assert part.broken == ["ann: ZeroDivisionError('of ours')"]
    assert part.draft["remind"].entered == 1


def test_one_person_is_told_in_full_without_a_difference(tmp_path: Path) -> None:
    """Who asks for one person wants the story, not only what changed in it."""
    log = entries((0, "ann", "Began"), (0, "bob", "Began"), LONG)
    history = gather(log, tell=ignore, scratch=tmp_path)
    plan = Plan(
        draft=catalogue(REMIND),
        published=catalogue(REMIND),
        only=tuple(history.groups_of("bob")),
        n_examples=9,
    )
    part = replay(history, plan, n_processes=1, tell=ignore, scratch=tmp_path)
    assert [example.person for example in part.examples] == ["u:bob"]
    assert len(facts_of(part, "draft")) == len(facts_of(part, "published")) == 6


def crowd(seed: int, *, n_people: int = 300) -> list:
    """Make many people who begin, buy, and come back."""
    random = Random(seed)
    done = [
        (
            random.randrange(3 * DAY),
            f"u{random.randrange(n_people)}",
            random.choice(["Began", "Bought", "Waved"]),
        )
        for _ in range(3_000)
    ]
    return entries(*sorted(done))


def whole(log: list, scratch: Path, n_processes: int) -> tuple[bytes, bytes]:
    """Replay with so many processes; return the part and the differences as bytes."""
    scratch.mkdir()
    history = gather(log, tell=ignore, scratch=scratch)
    plan = Plan(draft=catalogue(LATER), published=catalogue(REMIND))
    out = io.BytesIO()
    part = replay(history, plan, n_processes=n_processes, tell=ignore, scratch=scratch, out=out)
    history.close()
    return report_of(part, plan.draft, plan.published), out.getvalue()


def test_the_answer_does_not_depend_on_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people who compare two replays must not compare two machines."""
    monkeypatch.setattr(replaying, "TASK_EVENTS", 100)
    log = crowd(seed=1)
    alone = whole(log, tmp_path / "1", 1)
    assert whole(log, tmp_path / "2", 2) == alone
    assert whole(log, tmp_path / "5", 5) == alone
    assert alone[1].count(b"\n") > 100


def test_differences_are_written_in_the_order_of_time(tmp_path: Path) -> None:
    """However many runs of them waited in files."""
    _, lines = whole(crowd(seed=2), tmp_path / "out", 2)
    differences = [msgspec.json.decode(line) for line in lines.splitlines()]
    at = [min(one.get("draft_at", 1 << 62), one.get("published_at", 1 << 62)) for one in differences]
    assert at == sorted(at)


def test_what_is_told_of_a_crowd_is_what_each_alone_comes_to(tmp_path: Path) -> None:
    """The naive oracle of all sums: one person after the other, counted by hand."""
    log = crowd(seed=3, n_people=40)
    until = log[-1].at
    part = run(log, catalogue(LATER), catalogue(REMIND), scratch=tmp_path)
    by_person = {entry.event.user_id: [] for entry in log}
    for one in log:
        by_person[one.event.user_id].append(one)
    sums = [naive(own, minutes, until) for own in by_person.values() for minutes in (50,)]
    tally = part.draft["remind"]
    assert (tally.entered, tally.actions["crm in reminded"], tally.goals) == tuple(
        map(sum, zip(*sums, strict=True))
    )


def naive(own: list, minutes: int, until: int) -> tuple[int, int, int]:
    """Say how often one person enters, is reminded, and buys."""
    entered_at, n_entered, n_sent, n_goals, is_sent = None, 0, 0, 0, False
    for at, name in [*((one.at, one.event.name) for one in own), (until, "")]:
        if entered_at is not None and not is_sent and at >= entered_at + minutes * MINUTE:
            n_sent, is_sent = n_sent + 1, True
        if entered_at is not None and at >= entered_at + (minutes + DAY) * MINUTE:
            entered_at = None
        if name == "Bought" and entered_at is not None:
            n_goals, entered_at = n_goals + 1, None
        if name == "Began" and entered_at is None:
            n_entered, entered_at, is_sent = n_entered + 1, at, False
    return n_entered, n_sent, n_goals


def test_a_worker_that_fails_is_loud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a report would be believed."""

    def fail(*_: object, **__: object) -> Part:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(replaying, "TASK_EVENTS", 100)
    monkeypatch.setattr(replaying._Player, "part", fail)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: of ours"):
        whole(crowd(seed=1), tmp_path / "out", 2)
