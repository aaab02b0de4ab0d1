"""sojourn graph: whose steps are counted, what is compared, and what a program gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app
from tests.analytics.making import shared

SHOP = """\
user_id,event,timestamp,device
ada,View,2026-03-01 09:00:00,mobile
ada,Cart,2026-03-01 09:01:00,mobile
ada,Buy,2026-03-03 09:00:00,mobile
bob,View,2026-03-02 09:00:00,desktop
bob,Help,2026-03-02 09:01:00,desktop
bob,Cart,2026-03-02 09:02:00,desktop
cy,View,2026-03-02 10:00:00,desktop
cy,View,2026-03-02 10:00:01,desktop
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A file of events."""
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return str(path)


def run(*arguments: str) -> Any:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def answer(*arguments: str) -> Any:
    """Ask for JSON."""
    result = run("graph", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def moves(found: Any) -> dict[tuple[str, str], int]:
    """Count each transition."""
    return {(row["source"], row["target"]): row["count"] for row in found["edges"]}


ALL = {("View", "Cart"): 1, ("Cart", "Buy"): 1, ("View", "Help"): 1, ("Help", "Cart"): 1, ("View", "View"): 1}


def test_a_program_gets_every_transition(shop: str) -> None:
    """What is left out for a reader's eye would be missing from a sum."""
    found = answer("--events", shop)
    assert moves(found) == ALL
    assert found["definition"]["selection"] == "all events"
    assert sum(row["starts"] for row in found["nodes"]) == 3


def test_a_limit_leaves_one_row_for_the_rest(shop: str) -> None:
    """Also in JSON, where somebody asks for it."""
    found = answer("--events", shop, "--edges", "1")
    assert [row["kind"] for row in found["edges"]] == ["step", "other"]
    assert sum(row["count"] for row in found["edges"]) == sum(ALL.values())


@pytest.mark.parametrize(
    ("options", "expected", "words"),
    [
        (("--where", "device=mobile"), {("View", "Cart"), ("Cart", "Buy")}, "people with device is mobile"),
        (("--where", "device!=mobile"), {("View", "Help"), ("Help", "Cart"), ("View", "View")}, None),
        (("--did", "Cart", "--never", "Help"), {("View", "Cart"), ("Cart", "Buy")}, None),
        (("--did", "Help > Cart"), {("View", "Help"), ("Help", "Cart")}, "people with did Help before Cart"),
        (
            ("--since", "2026-03-02"),
            {("View", "Help"), ("Help", "Cart"), ("View", "View")},
            "from 2026-03-02",
        ),
        (("--until", "2026-03-02"), {("View", "Cart")}, "before 2026-03-02"),
    ],
)
def test_a_selection_decides_whose_steps_count(
    shop: str, options: tuple[str, ...], expected: set[tuple[str, str]], words: str | None
) -> None:
    """And says so beside the numbers."""
    found = answer("--events", shop, *options)
    assert moves(found).keys() == expected
    assert words in (None, found["definition"]["selection"])


def test_sessions_are_cut_by_a_silence(shop: str) -> None:
    """Ada came back after two days: that is no step from cart to buying."""
    assert ("Cart", "Buy") not in moves(answer("--events", shop, "--by", "session", "--gap", "30m"))
    assert ("Cart", "Buy") in moves(answer("--events", shop, "--by", "session", "--gap", "7d"))


@pytest.mark.parametrize(
    ("compared", "one", "other"),
    [
        ("device=mobile:desktop", "people with device is mobile", "people with device is desktop"),
        ("device=mobile", "people with device is mobile", "people with device is not mobile"),
        ("2026-03-02", "from 2026-03-02", "before 2026-03-02"),
    ],
)
def test_two_selections_are_compared(shop: str, compared: str, one: str, other: str) -> None:
    """Two values, one and all others, or a time and what was before."""
    found = answer("--events", shop, "--compare", compared)
    assert (found["definition"]["one"], found["definition"]["other"]) == (one, other)
    assert {"source", "target", "share_one", "share_other", "difference", "q"} <= found["edges"][0].keys()


def test_a_comparison_is_of_what_was_selected(shop: str) -> None:
    """Both sides are parts of the selection."""
    found = answer("--events", shop, "--compare", "device=mobile:desktop", "--did", "Cart")
    assert (found["definition"]["n_one"], found["definition"]["n_other"]) == (1, 1)


def test_each_position_adds_up(shop: str) -> None:
    """Those who ended are still somewhere."""
    found = answer("--events", shop, "--matrix", "4")
    sums = [sum(row["share"] for row in found["positions"] if row["position"] == i) for i in range(1, 5)]
    assert sums == pytest.approx([1.0] * 4)
    assert found["definition"]["selection"] == "all events"


def test_ranks_of_step_rules_tell_skips_from_ways_forward(shop: str, tmp_path: Path) -> None:
    """The stages come with the rules."""
    rules = tmp_path / "steps.yaml"
    rules.write_text("steps: { View: { rank: 1 }, Cart: { rank: 2 }, Buy: { rank: 3 } }\nleft_out: Help\n")
    found = answer("--events", shop, "--steps", str(rules))
    directions = {(row["source"], row["target"]): row["direction"] for row in found["edges"]}
    assert directions == {("View", "Cart"): "forward", ("Cart", "Buy"): "forward", ("View", "View"): "repeat"}
    assert found["definition"]["left_out"] == {"left-out": 1}


def test_people_read_tables(shop: str) -> None:
    """With the goal beside each step."""
    result = run("graph", "--events", shop, "--goal", "Buy")
    assert result.exit_code == 0
    assert "8 events of 3 people, by person" in result.stdout
    assert "a forecast from the step alone" in result.stdout


def test_a_flowchart_shows_names_as_text(tmp_path: Path) -> None:
    """A step is named by whoever sends an event: no name becomes syntax."""
    path = tmp_path / "odd.jsonl"
    names = ['x"] --> evil["', "end", "View"]
    path.write_text(
        "".join(json.dumps({"user_id": "a", "event": name, "ts": i}) + "\n" for i, name in enumerate(names))
    )
    drawn = run("graph", "--events", str(path), "--mermaid", "--edges", "1").stdout
    assert drawn.startswith("flowchart LR\n")
    assert 'evil["' not in drawn
    assert "1 more moves between these steps are not drawn" in drawn
    assert drawn.count("start -->") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--where", "device"), "--where 'device': expected attribute=value"),
        (("--where", "device=watch"), "nothing has device 'watch'; known: desktop, mobile"),
        (("--where", "os=iOS"), "has no column 'os'"),
        (("--did", " > Cart"), "--did ' > Cart': expected a step"),
        (("--did", "Crat"), "nobody took a step 'Crat'; did you mean 'Cart'?"),
        (("--since", "soon"), "--since: expected a time"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since: expected an instant before --until"),
        (("--since", "2030-01-01"), "nothing is selected"),
        (("--compare", "device=:x"), "--compare 'device=:x': expected attribute=A:B"),
        (("--compare", "soon"), "--compare: expected a time"),
        (("--gap", "30m"), "--gap: cuts no sessions, since people are followed"),
        (("--by", "session", "--gap", "x"), "--gap: expected a duration"),
    ],
)
def test_what_cannot_be_asked_is_told(shop: str, options: tuple[str, ...], message: str) -> None:
    """With what to write instead, and the exit code of a wrong question."""
    result = run("graph", "--events", shop, *options)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(("unit", "n_moves", "n_edges"), [("person", 30_506, 338), ("session", 27_501, 336)])
def test_the_shop_of_the_shared_data_is_as_it_is_known(unit: str, n_moves: int, n_edges: int) -> None:
    """From the file to the JSON, nothing is lost."""
    found = answer("--events", str(shared("ecom_events/ecom_events.csv.gz")), "--by", unit)
    assert (sum(moves(found).values()), len(found["edges"])) == (n_moves, n_edges)


def test_the_help_desk_of_the_shared_data_is_as_it_is_known() -> None:
    """Transitions, distinct ones, self-loops, starts and ends."""
    found = answer("--events", str(shared("helpdesk/helpdesk.csv.gz")))
    counted = moves(found)
    nodes = {row["name"]: row for row in found["nodes"]}
    assert (sum(counted.values()), len(counted)) == (16_768, 55)
    assert sum(n for (source, target), n in counted.items() if source == target) == 944
    assert (nodes["Assign seriousness"]["starts"], nodes["Closed"]["ends"]) == (4_384, 4_557)
