"""Reading: files of decisions, in each format, and what is wrong in them."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import numpy as np
import pytest

from sojourn.analytics.policies.reading import parse_columns, read_decisions
from sojourn.model.errors import ConfigError, InputError

ROWS = """\
variant,reward,propensity,context,person,eligible,target
a,1,0.5,x,ann,"{""a"": 0.5, ""b"": 0.5}",0.2
b,0,0.5,y,ann,"{""a"": 0.5, ""b"": 0.5}",0.8
a,2.5,0.9,x,,"{""a"": 0.9, ""b"": 0.1}",0.3
"""


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Three decisions, one of nobody known."""
    path = tmp_path / "log.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet", ".jsonl"])
def test_every_format_says_the_same(csv: Path, suffix: str) -> None:
    """What is drawn, from what, for whom, and what came of it."""
    path = csv.with_name("other" + suffix)
    options = {".parquet": "format parquet", ".jsonl": "format json", ".tsv": "delim '\t', header"}
    if suffix.endswith(".gz"):
        path.write_bytes(gzip.compress(csv.read_bytes()))
    else:
        duckdb.sql(f"copy (from '{csv}') to '{path}' ({options.get(suffix, 'header')})")
    logged = read_decisions(path, {})
    found = logged.decisions
    assert (found.variants, found.contexts, found.n_people) == (("a", "b"), ("x", "y"), 2)
    assert found.variant.tolist() == [0, 1, 0]
    assert found.context.tolist() == [0, 1, 0]
    assert found.person.tolist() == [0, 0, 1]
    assert found.reward.tolist() == [1.0, 0.0, 2.5]
    assert found.propensity.tolist() == [0.5, 0.5, 0.9]
    assert found.eligible is not None
    assert found.drawn_from is not None
    assert np.array_equal(found.eligible[found.drawn_from], [[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]])
    assert logged.target is not None
    assert logged.target.tolist() == [0.2, 0.8, 0.3]


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    """And one column may say two things."""
    path = tmp_path / "log.csv"
    path.write_text("item,click,p\n7,1,0.5\n9,0,0.5\n")
    columns = parse_columns("variant=item,reward=click,propensity=p,context=item")
    found = read_decisions(path, columns).decisions
    assert (found.variants, found.contexts, found.n_people) == (("7", "9"), ("7", "9"), 2)
    assert (found.eligible, read_decisions(path, columns).target) == (None, None)


@pytest.mark.parametrize("text", ["variant", "variant=", "action=item", "variant=a,variant=b"])
def test_a_mapping_that_cannot_be_read_is_refused(text: str) -> None:
    """What a decision does not have is a slip."""
    with pytest.raises(ConfigError, match="--map: expected what=column"):
        parse_columns(text)


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("variant,reward\na,1\n", {}, "do not say propensity: --map propensity=COLUMN"),
        ("variant,reward,propensity\na,1,1\n", {"person": "usr"}, "has no column 'usr'"),
    ],
)
def test_columns_that_are_missing_are_named(
    tmp_path: Path, text: str, columns: dict[str, str], says: str
) -> None:
    """With what to do."""
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_decisions(path, columns)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,1,0.5,x,ann,{},1.2", "row 1: expected a target probability from 0 to 1, got 1.2"),
        ("a,1,,x,ann,{},1", "row 1: expected a propensity above 0, at most 1, got nan"),
        ("a,much,0.5,x,ann,{},1", "row 1: expected a finite reward, got nan"),
        ("a,1,0.5,x,ann,half,1", "row 1: `eligible` must be JSON, variant -> probability, got 'half'"),
    ],
)
def test_rows_that_cannot_be_right_are_told(csv: Path, row: str, says: str) -> None:
    """With their number."""
    csv.write_text(ROWS.splitlines()[0] + "\n" + row + "\n")
    with pytest.raises(InputError, match=says):
        read_decisions(csv, {})


@pytest.mark.parametrize("name", ["log.xlsx", "nowhere.csv", "log.parquet.gz"])
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str) -> None:
    """By their name, before they are opened."""
    with pytest.raises(ConfigError, match=name):
        read_decisions(tmp_path / name, {})
