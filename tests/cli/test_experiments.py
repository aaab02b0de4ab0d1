"""`sojourn experiment`: of files, of tables, and plans; what is refused is told with what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import answer, run

DAY_S = 86_400
METRICS = "metrics: { bought: { kind: conversion, on: Buy, within: 7d, before: off } }"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write an experiment of 400 people: 80 of 200 treated buy, and 40 of 200 others."""
    met, did = ["user_id,experiment,variant,timestamp"], ["user_id,event,timestamp,land"]
    for i in range(400):
        variant, at = ("control", "offer")[i % 2], 1_770_000_000 + i * 60
        met.append(f"u{i},banner,{variant},{at}")
        did.append(f"u{i},Look,{at},SE")
        if i // 2 % 10 < (4 if i % 2 else 2):
            did.append(f"u{i},Buy,{at + DAY_S},SE")
    did.append(f"zoe,Look,{1_770_000_000 + 30 * DAY_S},SE")
    for name, lines in (("met.csv", met), ("did.csv", did), ("metrics.yaml", [METRICS])):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def options(files: Path) -> list[str]:
    """Name the files."""
    names = (("--events", "did.csv"), ("--exposures", "met.csv"), ("--metrics", "metrics.yaml"))
    return [each for option, name in names for each in (option, str(files / name))]


def test_a_report_of_files_says_what_was_found_and_what_not_to_conclude(files: Path) -> None:
    """For people."""
    result = run("experiment", "report", "banner", *options(files))
    assert result.exit_code == 0
    assert "bought: offer 40.00% beside 20.00%: 20.00 points more" in result.output
    assert "sample ratio: fine (p 1, equal shares, since no propensities were logged)" in result.output
    assert "No difference shown is not 'no effect'" in result.output


def test_a_report_of_files_is_json_for_programs(files: Path) -> None:
    """Counts are those of the files."""
    (one,) = answer("experiment", "report", "banner", *options(files))["comparisons"]
    assert (one["people"], one["means"], one["waiting"]) == ([200, 200], [0.4, 0.2], 0)
    assert one["effect"]["estimate"] == pytest.approx(0.2)


def test_experiments_of_files_are_listed(files: Path) -> None:
    """For people, one row each."""
    result = run("experiment", "list", *options(files)[:4])
    assert "control 200, offer 200" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--events", "did.csv"], "--events and --exposures go together"),
        (["--exposures", "met.csv"], "--events and --exposures go together"),
        (
            ["--events", "did.csv", "--exposures", "met.csv", "--data", "."],
            "give one of --events FILE and --data",
        ),
        (["--events", "did.csv", "--exposures", "did.csv"], "do not tell the experiment; say which does"),
        (
            ["--events", "did.csv", "--exposures", "met.csv"],
            "there is no metric, and no journey whose goal",
        ),
        (["--events", "did.csv", "--exposures", "met.csv", "--metrics", "bad.yaml"], "bad.yaml:1:1"),
    ],
)
def test_what_cannot_be_read_is_told(
    files: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """With what to say instead."""
    monkeypatch.chdir(files)
    (files / "bad.yaml").write_text("journeys: []\n")
    result = run("experiment", "report", "banner", *arguments)
    assert result.exit_code in (1, 2)
    assert message in result.output


def test_goals_are_not_in_files(files: Path) -> None:
    """Whoever asks for them there is told where they are."""
    (files / "metrics.yaml").write_text("metrics: { goal: { kind: conversion, goal: rescue, within: 7d } }")
    result = run("experiment", "report", "banner", *options(files))
    assert result.exit_code == 2
    assert "those are in a data folder" in result.output


def test_columns_by_other_names_are_named(files: Path) -> None:
    """Of the exposures as of the events."""
    renamed = (files / "met.csv").read_text().replace("user_id,experiment,variant", "who,test,got")
    (files / "met.csv").write_text(renamed)
    told = answer(
        "experiment", "list", *options(files)[:4], "--exposure-map", "person=who,experiment=test,variant=got"
    )
    assert told["experiments"][0]["people"] == 400


def test_metrics_are_checked_beside_journeys(files: Path) -> None:
    """By `sojourn check`, with their lines."""
    assert "0 journeys, 1 metric: nothing is wrong" in run("check", str(files / "metrics.yaml")).output
    (files / "metrics.yaml").write_text("metrics:\n  m: { kind: conversion, on: Buy }\n")
    result = run("check", str(files / "metrics.yaml"))
    assert result.exit_code == 1
    assert "metrics.yaml:2:6: a metric of kind conversion needs 'within' [missing]" in result.output


def test_a_table_is_reported_and_drawn(files: Path) -> None:
    """Columns of one row a person."""
    lines = ["arm,bought", *(f"{'ab'[i % 2]},{int(i % 10 < (5 if i % 2 else 3))}" for i in range(400))]
    (files / "units.csv").write_text("\n".join(lines))
    table = ["experiment", "table", str(files / "units.csv"), "--arm", "arm", "--metric", "bought:conversion"]
    assert answer(*table)["comparisons"][0]["variant"] == "b"
    assert "MISMATCH" in run(*table, "--shares", "a=1,b=3").output
    assert "expected ARM=SHARE" in run(*table, "--shares", "a").output
    result = run(*table, "--html", str(files / "units.html"))
    assert result.exit_code == 0
    assert "<svg" in (files / "units.html").read_text()


def test_a_plan_says_people_and_days() -> None:
    """5 % and a fifth more, a thousand people a day, a week's window."""
    asked = ["experiment", "plan", "--share", "0.05", "--lift", "0.2"]
    told = answer(*asked, "--daily", "1000", "--within", "7d")
    fixed, always = told["needed"]
    assert (fixed["people_each"], fixed["days"]) == (8_156, pytest.approx(16.312 + 7))
    assert always["people_each"] == 16_891
    assert "8,156" in run(*asked).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lift", "0.1"], "give --share, or else --mean and --deviation"),
        (["--lift", "0.1", "--share", "0.95"], "are to be between 0 and 1"),
        (["--lift", "0", "--share", "0.5"], "an effect of nothing"),
        (["--lift", "0.1", "--mean", "3", "--deviation", "0"], "expected a number above 0"),
        (["--lift", "0.1", "--share", "0.5", "--within", "soon"], "expected a duration"),
        (["--lift", "0.1", "--mean", "3", "--deviation", "nan"], "--deviation: expected a number, got nan"),
        (["--lift", "inf", "--mean", "3", "--deviation", "1"], "--lift: expected a number, got inf"),
    ],
)
def test_a_plan_of_nothing_is_refused(arguments: list[str], message: str) -> None:
    """With what is missing."""
    result = run("experiment", "plan", *arguments)
    assert (result.exit_code, message in result.output) == (2, True)


def test_help_loads_no_numbers_and_the_engine_no_statistics() -> None:
    """Whoever types, and whoever decides in milliseconds, waits for neither."""
    program = (
        "import sys, sojourn.cli.app, sojourn.engine.turn; "
        "print({'numpy', 'duckdb', 'scipy', 'sojourn.analytics.statistics.moments'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_propensities_that_are_no_numbers_are_told_and_not_taken_for_none(files: Path) -> None:
    """`50%` is a text: the arms are held against equal shares then, and whoever reads is to know why."""
    lines = (files / "met.csv").read_text().splitlines()
    told = [lines[0] + ",propensity", *(f"{line},{'50%' if n else ''}" for n, line in enumerate(lines[1:]))]
    (files / "met.csv").write_text("\n".join(told))
    found = answer("experiment", "report", "banner", *options(files))
    source = "equal shares, since of 400 of 400 people the propensity is no number"
    assert found["ratio"]["source"] == source
    assert any(source in warning and "0.25, not 25%" in warning for warning in found["warnings"])


def test_what_is_asked_twice_counts_once(files: Path) -> None:
    """It is one comparison, and no second one to be corrected for."""
    lines = [
        "arm,bought,land",
        *(f"{'ab'[i % 2]},{int(i % 10 < (5 if i % 2 else 3))},SE" for i in range(400)),
    ]
    (files / "units.csv").write_text("\n".join(lines))
    table = ["experiment", "table", str(files / "units.csv"), "--arm", "arm", "--metric", "bought:conversion"]
    once, twice = answer(*table, "--by", "land"), answer(*table, *table[-2:], *["--by", "land"] * 2)
    assert twice == once


def test_one_row_is_one_row(files: Path) -> None:
    """Also where it is left out."""
    (files / "units.csv").write_text("\n".join(["arm,n", *(f"{'ab'[i % 2]},{i}" for i in range(100)), ",3"]))
    table = ["experiment", "table", str(files / "units.csv"), "--arm", "arm", "--metric", "n"]
    assert "1 row without an arm left out." in answer(*table)["warnings"]


def test_how_sure_a_report_is_is_its_level_as_everywhere(files: Path) -> None:
    """One word: of causal reports, attribution and policies, too."""
    told = answer("experiment", "report", "banner", *options(files), "--level", "0.9")
    wide = answer("experiment", "report", "banner", *options(files), "--level", "0.999")
    assert (told["definition"]["level"], "alpha" in told["definition"]) == (0.9, False)
    assert told["comparisons"][0]["effect"]["low"] > wide["comparisons"][0]["effect"]["low"]
    said = run("experiment", "report", "banner", *options(files), "--level", "0.999").output
    assert "difference (99.9%)" in " ".join(said.split())
    assert run("experiment", "plan", "--share", "0.05", "--lift", "0.2", "--level", "0.4").exit_code == 2
