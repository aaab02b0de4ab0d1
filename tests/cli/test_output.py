"""Output: what people are shown is short, and nothing in it is obeyed by a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.cli.output import printable, relative, show, table
from tests.cli.commands import run


@pytest.mark.parametrize(
    ("distance_ms", "expected"),
    [
        (0, "now"),
        (999, "now"),
        (1_000, "1 s ago"),
        (59_999, "59 s ago"),
        (3_599_999, "59 min ago"),
        (-7_200_000, "in 2 h"),
        (-86_400_000 * 400, "in 400 d"),
    ],
)
def test_a_distance_is_told_in_its_largest_unit(distance_ms: int, expected: str) -> None:
    """Whole units, cut off: nobody needs more in a table."""
    assert relative(1_000_000_000_000_000 - distance_ms, 1_000_000_000_000_000) == expected


def test_what_a_terminal_would_obey_is_only_shown() -> None:
    """Anybody can send an event whose name clears the screen."""
    assert printable("\x1b[2Jname\r\n\u202e") == "\ufffd[2Jname\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("name", ["[/red]", "[bold]x", "\x1b[2J", ":heart:"])
def test_names_are_shown_wherever_they_stand(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a title and above a column as in a cell: none is markup, and none is obeyed."""
    show(table((f"{name} (UTC)",), [(name,)], title=f"for {name}"), f"about {name}")
    shown = capsys.readouterr().out
    assert shown.count(printable(name)) == 4
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    "command",
    [
        ["graph"],
        ["funnel", "A", "B"],
        ["paths"],
        ["retention"],
        ["friction"],
        ["causal", "--conversion", "B"],
        ["experiment", "report", "banner"],
        ["experiment", "table", "units.csv", "--arm", "arm", "--metric", "n"],
    ],
)
def test_a_page_and_json_at_once_are_refused(command: list[str], tmp_path: Path) -> None:
    """One of them would be lost without a word."""
    page = tmp_path / "page.html"
    result = run(*command, "--html", str(page), "--json")
    assert result.exit_code == 2
    assert "give one of --html FILE and --json" in result.output
    assert not page.exists()
