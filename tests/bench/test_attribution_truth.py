"""The bench of attribution: every model beside the truth, and the page of it; nothing here is timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.attribution_truth import (
    BEGIN,
    CAUSAL,
    END,
    PAGE,
    coverage_table,
    models_table,
    replicate,
    rows_of,
    write,
)
from sojourn.analytics.causal.beside import MODELS
from sojourn.analytics.simulator.scenarios import SCENARIOS


def test_every_model_is_asked_and_the_hold_out_last() -> None:
    """Of one scenario, with few people."""
    rows = rows_of("F", people=3_000)
    assert [row.model for row in rows] == [*MODELS, CAUSAL]
    assert all(row.wrong_signs == 1 for row in rows[:-1])
    assert len(models_table(rows).splitlines()) == 2 + len(rows)


def test_an_estimate_is_held_against_the_truth_of_its_own_people() -> None:
    """Each replicate has others."""
    one, other = replicate(0, people=2_000), replicate(1, people=2_000)
    assert [row.channel for row in one] == sorted(channel.name for channel in SCENARIOS["C"].channels)
    assert [row.true for row in one] != [row.true for row in other]
    assert all(row.wide_error > row.error for row in one)
    assert len(coverage_table([one, other]).splitlines()) == 2 + 5


def test_figures_come_between_the_marks_of_a_page_and_nothing_else_moves(tmp_path: Path) -> None:
    """What is written around them is an author's."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(page, "new")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_page_has_every_scenario(name: str) -> None:
    """Described, and with the figures of the hold-out."""
    text = PAGE.read_text(encoding="utf-8")
    assert f"| {name}: {SCENARIOS[name].about} |" in text
    assert f"| {name} | {CAUSAL} |" in text
