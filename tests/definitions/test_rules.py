"""Rules of a journey as a whole: entry, goal and exit, as written and as understood."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions.compile import check_journey, compile_journey
from sojourn.definitions.journey import Journey


def text(entry: str = "on: E", more: str = "") -> str:
    """Write a journey, its rules in the lines 2 and 3."""
    return f"journey: j\nentry: {{ {entry} }}\n{more}\nstates: {{ a: {{ on: {{ F: done }} }} }}\n"


def journey(entry: str = "on: E", more: str = "") -> Journey:
    """Compile one."""
    return compile_journey(text(entry, more))


def problems(entry: str = "on: E", more: str = "") -> list[str]:
    """Return `line:column code` of each problem."""
    found = check_journey(text(entry, more), segments=["s"]).problems
    return [f"{each.line}:{each.column} {each.code}" for each in found]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("on: [E, F]", {"names": frozenset({"E", "F"}), "reentry": "after_exit"}),
        ("segment: s", {"names": frozenset(), "segment": "s"}),
        ("api: true", {"is_api": True}),
        ("on: E, api: false", {"is_api": False}),
        ("on: E, reentry: never", {"reentry": "never", "cooldown_ms": 0}),
        ("on: E, reentry: { cooldown: 7d }", {"reentry": "after_exit", "cooldown_ms": 604_800_000}),
    ],
)
def test_an_entry_is_read(entry: str, expected: dict[str, Any]) -> None:
    """Every way in, alone or with others."""
    found = journey(entry).entry
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_schedule_is_read_with_its_zone_or_without() -> None:
    """Without, it goes by each person's own clock."""
    plain = journey('schedule: "FREQ=DAILY;BYHOUR=9"').entry.schedule
    zoned = journey("schedule: { rule: FREQ=DAILY, zone: Europe/Berlin }").entry.schedule
    assert plain is not None
    assert zoned is not None
    assert (plain.text, plain.time_zone, zoned.time_zone) == ("FREQ=DAILY;BYHOUR=9", "", "Europe/Berlin")


@pytest.mark.parametrize(
    ("entry", "more", "expected"),
    [
        ("when: 1 < 2", "", "2:8 missing"),
        ("segment: t", "", "2:19 unknown-segment"),
        ("segment: ''", "", "2:19 bad-type"),
        ("schedule: FREQ=DAYLY", "", "2:20 bad-schedule"),
        ("schedule: { rule: FREQ=DAILY, zone: Berlin }", "", "2:46 bad-value"),
        ("schedule: { zone: UTC }", "", "2:20 missing"),
        ("api: yes", "", "2:15 bad-value"),
        ("on: E, reentry: afterexit", "", "2:26 bad-value"),
        ("on: E, reentry: { cooldown: soon }", "", "2:38 bad-duration"),
        ("on: E", "exit: { }", "3:7 missing"),
        ("on: E", "goal: { on: G, outlives: true }", "3:26 missing"),
        ("on: E", "goal: { on: G, outlives: 7d }", "3:26 bad-value"),
        ("on: E", "priority: 1.5", "3:11 bad-value"),
        ("on: E", "priority: 1001", "3:11 bad-value"),
        ("on: E", "priority: true", "3:11 bad-value"),
        ("on: E", "group: a b", "3:8 bad-name"),
    ],
)
def test_what_is_no_rule_is_refused_at_its_place(entry: str, more: str, expected: str) -> None:
    """Line and column of the value that is wrong."""
    assert problems(entry, more) == [expected]


def test_a_goal_outlives_the_run_where_it_has_a_window() -> None:
    """A window is there to be waited for; `outlives: false` switches that off."""
    goals = [
        journey(more=f"goal: {{ {goal} }}").goal
        for goal in ("on: G", "on: G, within: 7d", "on: G, within: 7d, outlives: false")
    ]
    assert [goal.outlives for goal in goals if goal is not None] == [False, True, False]


def test_an_exit_rule_may_need_no_event() -> None:
    """Then its guard alone says."""
    (rule,) = journey(more="exit: { when: trait.plan == 'pro' }").exits
    assert (rule.names, rule.when is None) == (frozenset(), False)


def test_priority_and_group_are_read() -> None:
    """0 and none where nothing is said."""
    found = [journey(), journey(more="{priority: -3, group: offers}".strip("{}").replace(", ", "\n"))]
    assert [(each.priority, each.group) for each in found] == [(0, ""), (-3, "offers")]
