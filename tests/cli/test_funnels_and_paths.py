"""Funnels, retention and paths on the command line: asked, answered, and refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app

SHOP = """\
user,action,when,country,total,visit
ada,View,2026-03-02 09:00:00,SE,,a
ada,Cart,2026-03-02 09:04:00,SE,,a
ada,Buy,2026-03-02 09:20:00,SE,80,a
bob,View,2026-03-02 10:00:00,SE,,b
bob,Cart,2026-03-02 10:01:00,SE,,b
bob,Help,2026-03-02 10:02:00,SE,,b
cid,View,2026-03-09 11:00:00,DE,,c
dan,Home,2026-03-02 12:00:00,DE,,d
dan,View,2026-03-02 12:01:00,DE,,d
dan,Cart,2026-03-02 12:03:00,DE,,d
dan,Buy,2026-03-03 12:03:00,DE,20,e
"""


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    """A file of events, as options."""
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return ["--events", str(path), "--map", "person=user,step=action,time=when,session=visit"]


def run(*arguments: str) -> Any:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def answer(*arguments: str) -> Any:
    """Run a command and read its JSON."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_funnel_is_counted_with_its_interval_and_its_definition(shop: list[str]) -> None:
    """All a program needs is in one value."""
    told = answer("funnel", "View", "Cart", "Buy", *shop, "--within", "1h")
    assert [(step["count"], step["dropped"]) for step in told["steps"]] == [(4, 1), (3, 2), (1, 0)]
    assert (told["definition"]["within"], told["definition"]["n_people"]) == ("1h", 4)
    assert sum(row["count"] for row in told["went_to"]) == 3


def test_conditions_and_breakdowns_read_the_columns_they_name(shop: list[str]) -> None:
    """Text by its name, a number where it is compared."""
    told = answer("funnel", "View", "Buy [total>=50, country=SE]", *shop, "--by", "country")
    assert [step["count"] for step in told["steps"]] == [4, 1]
    assert [(row["country"], row["n"], row["count"]) for row in told["by"]] == [
        ("DE", 1, 2),
        ("DE", 2, 0),
        ("SE", 1, 2),
        ("SE", 2, 1),
    ]


def test_the_people_behind_a_number_are_listed(shop: list[str]) -> None:
    """Exactly those counted."""
    told = answer("funnel", "View", "Cart", "Buy", *shop, "--reached", "3", "--dropped", "2", "--after", "2")
    assert [row["person"] for row in told["reached"]] == ["ada", "dan"]
    assert [row["person"] for row in told["dropped"]] == ["bob"]
    assert [(row["source"], row["target"] or row["target_kind"]) for row in told["after"]["links"]] == [
        ("Cart", "Help"),
        ("Help", "ended"),
    ]


def test_attempts_sessions_and_exclusions_are_asked_for_by_options(shop: list[str]) -> None:
    """Dan ordered in another visit; Bob asked for help."""
    sessions = answer("funnel", "View", "Cart", "Buy", *shop, "--per", "session")["steps"]
    assert [step["count"] for step in sessions] == [4, 3, 1]
    without = answer("funnel", "View", "*", *shop, "--order", "strict", "--per", "attempt")["steps"]
    assert [step["count"] for step in without] == [4, 3]
    without = answer("funnel", "Cart", "*", *shop, "--without", "Help @1-2")["steps"]
    assert [step["count"] for step in without] == [3, 3]


def test_a_funnel_is_laid_out_for_people(shop: list[str]) -> None:
    """Every view that was asked for, with bars."""
    options = ["--by", "country", "--after", "2", "--dropped", "1", "--time-to-convert", "--limit", "1"]
    said = run("funnel", "View", "Cart", "Buy", *shop, *options).stdout
    for words in (
        "75.0%",
        "█",
        "where those went",
        "by country",
        "(other)",
        "after Cart",
        "1 got to step 1",
        "not yet",
    ):
        assert words in said
    assert "Kaplan-Meier" in said


def test_a_list_says_how_many_it_does_not_show(shop: list[str]) -> None:
    """Nothing is cut off in silence."""
    assert "3 more; --limit 4" in run("funnel", "View", "Buy", *shop, "--reached", "1", "--limit", "1").stdout


def test_retention_is_counted_by_the_calendar(shop: list[str]) -> None:
    """What is not over has no share."""
    told = answer("retention", *shop, "--period", "day", "--periods", "1")
    rows = [(row["cohort"], row["n"], row["count"], row["of"], row["status"]) for row in told["cohorts"]]
    assert rows == [
        ("2026-03-02", "0", 3, 3, "over"),
        ("2026-03-02", "1", 1, 3, "over"),
        ("2026-03-09", "0", 0, 0, "running"),
        ("2026-03-09", "1", 0, 0, "ahead"),
    ]
    assert told["cohorts"][3]["share"] is None


def test_the_end_of_what_was_observed_is_read_by_the_clock_of_the_place(shop: list[str]) -> None:
    """Midnight in Stockholm is earlier than midnight in UTC."""
    options = ["--period", "day", "--periods", "0", "--zone", "Europe/Stockholm", "--until", "2026-03-10"]
    told = answer("retention", *shop, *options)
    assert [row["status"] for row in told["cohorts"]] == ["over", "over"]
    assert told["definition"]["until_ms"] == 1_773_097_200_000


def test_retention_is_laid_out_for_people(shop: list[str]) -> None:
    """Marked where it is not over."""
    said = run(
        "retention", *shop, "--first", "View", "--brackets", "0,1-6", "--period", "day", "--by", "country"
    ).stdout
    for words in ("1-6", "all cohorts", "SE", "not over"):
        assert words in said


def test_active_days_are_told(shop: list[str]) -> None:
    """To people and to programs."""
    assert "active days" in run("retention", *shop, "--active-days", "week").stdout
    told = answer("retention", *shop, "--active-days", "week", "--returning", "View")
    assert told["definition"]["n_active"] == 4
    assert sum(row["people"] for row in told["active_days"]) == 4


def test_paths_are_whole_or_patterns_or_flows(shop: list[str]) -> None:
    """Three questions, one command."""
    told = answer("paths", *shop, "--limit", "1")
    assert [(row["path"], row["count"]) for row in told["variants"]] == [(["View"], 1), (None, 3)]
    told = answer("paths", *shop, "--patterns", "--gaps", "--min-share", "0.5", "--length", "2-3")
    assert [(row["pattern"], row["count"]) for row in told["patterns"]] == [(["View", "Cart", "Buy"], 2)]
    told = answer("paths", *shop, "--to", "Buy", "--columns", "2")
    assert [(row["source"], row["target"], row["count"]) for row in told["links"]] == [("Buy", "Cart", 2)]


def test_paths_are_laid_out_for_people(shop: list[str]) -> None:
    """With the rest as a row."""
    assert "3 others" in run("paths", *shop, "--limit", "1").stdout
    said = run(
        "paths", *shop, "--patterns", "--length", "1-2", "--all", "--limit", "1", "--per", "session"
    ).stdout
    assert "more; --limit" in said
    assert "after View: 4 people; 0 without it" in run("paths", *shop, "--from", "View").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["funnel", "View", "Cart", "Buy", "--by", "country", "--after", "2"],
        ["retention", "--period", "day", "--periods", "2"],
        ["paths"],
        ["paths", "--patterns"],
        ["paths", "--from", "View"],
    ],
)
def test_every_answer_is_a_page_of_its_own(shop: list[str], tmp_path: Path, arguments: list[str]) -> None:
    """With what its numbers mean, and nothing to load."""
    page = tmp_path / "page.html"
    assert "is written" in run(*arguments, *shop, "--html", str(page)).stdout
    text = page.read_text(encoding="utf-8")
    assert "What these numbers mean" in text
    assert "<script" not in text


def test_a_page_that_cannot_be_written_is_no_traceback(shop: list[str], tmp_path: Path) -> None:
    """A folder that is not there is a slip of the keyboard."""
    result = run("paths", *shop, "--html", str(tmp_path / "none" / "page.html"))
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["funnel", "Veiw"], "no event is called 'Veiw'; did you mean 'View'"),
        (["funnel", "View", "--within", "soon"], "--within: expected a duration"),
        (["funnel", "View", "--by", "contry"], "has no column 'contry'"),
        (["retention", "--until", "soon"], "--until soon: expected a date or a time"),
        (["retention", "--zone", "Sweden"], "no time zone is called 'Sweden'"),
        (["paths", "--from", "View", "--to", "Buy"], "three questions"),
        (["paths", "--patterns", "--length", "two"], "--length two: expected"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_to_do(
    shop: list[str], arguments: list[str], message: str
) -> None:
    """In one line, and with the code of a wrong question."""
    result = run(*arguments, *shop)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_funnels_and_paths_are_of_a_selection_as_the_graph_is(shop: list[str]) -> None:
    """Whoever looks at some people's graph asks the same of their funnel and their paths."""
    whose = ["--where", "country=DE", "--did", "View", "--never", "Help", "--until", "2026-03-03"]
    told = answer("funnel", "View", "Cart", "Buy", *shop, *whose)
    assert [step["count"] for step in told["steps"]] == [1, 1, 0]
    for command in (["paths"], ["paths", "--from", "View"], ["paths", "--patterns"]):
        assert answer(*command, *shop, *whose)["definition"]["n_people"] == 1
    selection = "before 2026-03-03, people with country is DE and did View and never did Help"
    assert told["definition"]["selection"] == selection
