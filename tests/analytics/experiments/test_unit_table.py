"""Tables of units: an experiment that was run elsewhere; the published one gives its published answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sojourn.analytics.experiments.results import Report
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.experiments.unit_table import TableAsked, report_table
from sojourn.model.errors import ConfigError, InputError
from tests.analytics.making import shared

METRICS = ("visit:conversion", "conversion:conversion", "spend")
KNOWN = {
    ("Mens E-Mail", "visit"): (0.076590, 0.003386, 0.069953, 0.083226),
    ("Mens E-Mail", "conversion"): (0.006805, 0.000921, 0.005000, 0.008610),
    ("Mens E-Mail", "spend"): (0.769827, 0.145247, 0.485149, 1.054505),
    ("Womens E-Mail", "visit"): (0.045233, 0.003234, 0.038894, 0.051573),
    ("Womens E-Mail", "conversion"): (0.003111, 0.000823, 0.001499, 0.004723),
    ("Womens E-Mail", "spend"): (0.424412, 0.130333, 0.168965, 0.679860),
}
"""Hillstrom: difference to no e-mail, its standard error, 95 % interval (scipy 1.18, Welch)."""


def hillstrom(**asked: Any) -> Report:
    """Report the e-mail experiment."""
    chosen = {"arm": "segment", "metrics": METRICS, "control": "No E-Mail"} | asked
    return report_table(shared("hillstrom/hillstrom.csv"), TableAsked(**chosen))


def test_the_published_experiment_gives_its_published_answers() -> None:
    """All six contrasts; the published bounds are z's, ours are t's of 40,000 degrees (scipy's to 1e-6)."""
    found = hillstrom(rule=Rule(method="fixed"))
    assert {
        (one.variant, one.metric): (
            pytest.approx(one.effect.estimate, abs=5.1e-7),
            pytest.approx(one.effect.standard_error, abs=5.1e-7),
            pytest.approx(one.effect.low, abs=1e-5),
            pytest.approx(one.effect.high, abs=1e-5),
        )
        for one in found.comparisons
    } == KNOWN
    assert [(arm.variant, arm.people) for arm in found.arms] == [
        ("Mens E-Mail", 21_307), ("No E-Mail", 21_306), ("Womens E-Mail", 21_387),
    ]  # fmt: skip
    assert found.ratio.p_once == pytest.approx(0.9037, abs=5e-5)
    assert not found.ratio.is_mismatch


def test_its_always_valid_interval_is_growthbooks() -> None:
    """gbstats 0.8.0, tuning 5,000: men's e-mail and visits."""
    visit = hillstrom().comparisons[0]
    assert (visit.effect.low, visit.effect.high) == (
        pytest.approx(0.065685, abs=1e-6), pytest.approx(0.087494, abs=1e-6),
    )  # fmt: skip
    assert {one.decision for one in hillstrom().comparisons} == {"better"}


def test_its_past_foretells_little_and_the_report_says_so() -> None:
    """The correlation of visit with the money spent before is 0.065: half a percent of the variance."""
    visit = hillstrom(covariate="history").comparisons[0]
    assert visit.variance_kept == pytest.approx(1 - 0.065**2, abs=2e-3)


def test_its_womens_e_mail_works_for_buyers_of_womens_merchandise() -> None:
    """0.0731 among them and 0.0111 among others: a difference that holds after correction."""
    found = hillstrom(segments=("womens", "zip_code"))
    (womens, zip_code) = found.comparisons[1].segments
    assert (womens.attribute, womens.differs, zip_code.differs) == ("womens", True, False)
    assert {each.value: round(each.effect.estimate, 4) for each in womens.effects} == {
        "1": 0.0731,
        "0": 0.0111,
    }


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a small table: of 200 people, half treated, who visit and spend more."""
    lines = ["who,arm,visit,spend,items,past,land"]
    for i in range(200):
        arm, visit = ("a", "b")[i % 2], int(i % 10 < (6 if i % 2 else 4))
        lines.append(
            f"p{i},{arm},{visit},{visit * (i % 7 + 1)},{visit + 1},{i % 7},{'SE' if i % 3 else 'DE'}"
        )
    file = tmp_path / "units.csv"
    file.write_text("\n".join(lines))
    return file


def ask(file: Path, *metrics: str, **more: Any) -> Report:
    """Report a table whose arm is `arm`."""
    return report_table(file, TableAsked(arm="arm", metrics=metrics or ("visit:conversion",), **more))


def test_a_table_is_compared_column_by_column(table: Path) -> None:
    """Of treated people six of ten visit, of others four of ten... in this table, 60 and 40 of 100."""
    found = ask(table, "visit:conversion", "spend", "spend/items")
    by_name = {one.metric: one for one in found.comparisons}
    assert by_name["visit"].means == (0.6, 0.4)
    assert by_name["visit"].effect.estimate == pytest.approx(0.2)
    spent = {
        arm: [i % 7 + 1 for i in range(200) if i % 2 == arm and i % 10 < (6 if arm else 4)] for arm in (0, 1)
    }
    assert by_name["spend"].means == (pytest.approx(sum(spent[1]) / 100), pytest.approx(sum(spent[0]) / 100))
    assert by_name["spend/items"].means == (
        pytest.approx(sum(spent[1]) / 160), pytest.approx(sum(spent[0]) / 140),
    )  # fmt: skip


def test_shares_that_were_meant_are_checked(table: Path) -> None:
    """A hundred and a hundred are not one to three."""
    assert not ask(table).ratio.is_mismatch
    assert ask(table, shares={"a": 1, "b": 3}).ratio.is_mismatch
    assert ask(table, shares={"a": 1, "b": 3}).comparisons[0].decision == "sample ratio mismatch: do not read"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"arm": "arms"}, "has no column 'arms'; did you mean 'arm'"),
        ({"metrics": ("visits",)}, "has no column 'visits'; did you mean 'visit'"),
        ({"metrics": ("land",)}, "'land' says no number in 200 rows"),
        ({"metrics": ("visit:often",)}, "expected COLUMN, COLUMN:KIND"),
        ({"metrics": ("visit/items:count",)}, "expected COLUMN, COLUMN:KIND"),
        ({"arm": "who"}, "'who' has 200 values; at most 50 arms are compared"),
        ({"control": "c"}, "no variant is named 'c'"),
        ({"shares": {"a": 1}}, "'b' has none"),
        ({"shares": {"a": 1, "b": float("nan")}}, "'b' has none"),
        ({"metrics": ("spend:conversion",)}, "a conversion is 0 or 1, and 'spend' says other numbers"),
        ({"shares": {"a": 1, "c": 1}}, "no arm is named 'c'"),
        ({"rule": Rule(method="planned-looks", planned=100)}, "a table does not say who came first"),
    ],
)
def test_what_a_table_cannot_answer_is_refused(table: Path, asked: dict[str, Any], message: str) -> None:
    """With what to do."""
    with pytest.raises(ConfigError, match=message):
        report_table(table, TableAsked(**{"arm": "arm", "metrics": ("visit",)} | asked))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Missing, or damaged."""
    with pytest.raises(ConfigError, match="there is no such file"):
        ask(tmp_path / "none.csv")
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        ask(tmp_path / "bad.parquet")


def test_people_without_an_arm_are_in_none_and_that_is_told(table: Path) -> None:
    """They were not in the experiment, or somebody lost what they got."""
    table.write_text(table.read_text() + "\nlate,,1,1,1,1,SE\n")
    assert ask(table).people == 200
    assert "1 row without an arm left out." in ask(table).warnings


def test_a_column_named_as_a_table_often_has_them_hides_nobody(table: Path) -> None:
    """A measure `x`, missing for nobody, says nothing of who has an arm."""
    head, rest = table.read_text().split("\n", 1)
    table.write_text(head.replace("visit", "x") + "\n" + rest + "\nlate,,1,1,1,1,SE\n")
    found = ask(table, "x:conversion")
    assert [arm.variant for arm in found.arms] == ["a", "b"]


@pytest.mark.parametrize(("rows", "message"), [("", "no row"), ("a,1\na,2\n", "only 'a'")])
def test_a_table_of_fewer_than_two_arms_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    """There is nothing to compare."""
    file = tmp_path / "units.csv"
    file.write_text("arm,visit\n" + rows)
    with pytest.raises(ConfigError, match=f"two arms or more are compared, and there is {message}"):
        ask(file, "visit")


def test_a_covariate_that_an_arm_changed_is_refused(table: Path) -> None:
    """It would take a part of the effect away; all of it where it is the outcome."""
    ask(table, "spend", covariate="past")
    lines = [f"p{i},{'ab'[i % 2]},{i % 5 + 3 * (i % 2)}" for i in range(200)]
    table.write_text("\n".join(["who,arm,spend", *lines]))
    with pytest.raises(ConfigError, match="--covariate spend: the arms differ in it"):
        ask(table, "spend", covariate="spend")
