"""The page of features keeps its word: each row names a test that exists, or says what is not there yet."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "features.md"
COLUMNS = 3
N_COMPLAINTS = 20

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LOOKS_LIKE_A_TEST = re.compile(r"tests/|::|\btest_\w+")


class Row(NamedTuple):
    """One line of a table: what is asked for, what is here, and what shows it."""

    section: str
    asked: str
    here: str
    shown: str


def rows(text: str) -> list[Row]:
    """Return every line of every table, with the heading it stands under."""
    found, section = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == COLUMNS, f"a row of {len(cells)} cells: {line}"
            if cells[2] != "Shown by" and set(cells[2]) != {"-"}:
                found.append(Row(section, *cells))
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests at the top of a file; none where there is no such file."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=file)
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def unshown(text: str) -> list[str]:
    """Return what a page claims and shows by nothing: rows without a test, and tests that are none."""
    wrong = []
    for row in rows(text):
        named = NAMED.findall(row.shown)
        if not named and "not yet: " not in row.here:
            wrong.append(f"{row.asked}: no test, and no 'not yet: '")
        if LOOKS_LIKE_A_TEST.search(NAMED.sub("", row.shown)):
            wrong.append(f"{row.asked}: expected `tests/path.py::test_name` in {row.shown}")
        wrong += [f"{file}::{test} is no test" for file, test in named if test not in names_in(file)]
    return wrong


def test_every_feature_is_shown_by_a_test_that_exists_or_is_said_to_be_missing() -> None:
    """A table of ticks is a promise that nobody keeps."""
    assert unshown(PAGE.read_text(encoding="utf-8")) == []


def test_every_complaint_is_answered_once_in_order() -> None:
    """None is left out because it is awkward."""
    complaints = [
        row for row in rows(PAGE.read_text(encoding="utf-8")) if row.section.startswith("Complaint")
    ]
    assert [int(row.asked.split(".")[0]) for row in complaints] == list(range(1, N_COMPLAINTS + 1))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("| Loops | `repeat` | |", "no test"),
        ("| Loops | `repeat` | by hand |", "no test"),
        ("| Loops | `repeat` | `tests/test_features.py::test_nothing` |", "is no test"),
        ("| Loops | `repeat` | `tests/test_nothing.py::test_nothing` |", "is no test"),
        ("| Loops | not yet: all | tests/test_features.py::test_nothing |", "expected `tests/path.py"),
    ],
)
def test_a_row_that_shows_nothing_is_found(row: str, said: str) -> None:
    """The test of this page can fail."""
    (wrong,) = unshown(f"## Loops\n| Feature | Here | Shown by |\n| --- | --- | --- |\n{row}\n")
    assert said in wrong
