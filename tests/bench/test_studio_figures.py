"""Figures of the studio: what cannot be measured says so, what was is on the page; nothing is timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import checking, studio
from bench.figures import Figure, NotMeasuredError
from bench.in_docs import MEASURED, PAGE, page


def _figure(
    value: float, unit: str, *, limit: str = "", cpu: str = "a slow one", quick: bool = False
) -> dict[str, Any]:
    return {"value": value, "unit": unit, "limit": limit, "commit": "abc", "quick": quick, "cpu": cpu}


LATEST = {
    "machine": {"cores": 2, "python": "3.11"},
    "figures": {
        "studio_map_shown_ms": _figure(1460, "ms"),
        "check_ms": _figure(25.5, "ms CPU", limit="below 50", cpu="a quick one", quick=True),
        "guard_us": _figure(1, "us"),
    },
}


def test_a_machine_without_a_browser_is_told_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make bench` goes on without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotMeasuredError, match="apt install chromium"):
        studio.measure(tmp_path, is_quick=True)


def test_a_clone_without_a_studio_is_told_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is built by a word of its own."""
    (tmp_path / "chromium").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(studio, "STUDIO", tmp_path)
    with pytest.raises(NotMeasuredError, match="make studio"):
        studio.measure(tmp_path, is_quick=True)


def test_the_definition_that_is_checked_is_good_and_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure of one that is refused at its first line would be a fine one."""
    monkeypatch.setattr(checking, "N_TIMES", 1)
    assert {name: type(each) for name, each in checking.measure().items()} == {
        "check_ms": Figure,
        "check_first_ms": Figure,
    }
    assert checking.text(changed=3) != checking.text(changed=4)


def test_the_page_shows_what_was_measured_and_nothing_twice() -> None:
    """Whoever measures anew writes the same page, with other numbers."""
    before = PAGE.read_text(encoding="utf-8")
    once = page(before, LATEST)
    assert page(once, LATEST) == once
    assert f"| {MEASURED['studio_map_shown_ms']} | 1,460 ms |  | abc | a slow one |" in once
    assert f"| {MEASURED['check_ms']} | 25.5 ms CPU (a quick look) | below 50 | abc | a quick one |" in once
    assert before.partition("<!-- figures")[0] == once.partition("<!-- figures")[0]
