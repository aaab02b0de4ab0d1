"""Rehearsing on the command line: `sojourn replay` and `sojourn simulate`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sojourn import wiring
from sojourn.config import load_config
from tests.cli import shops
from tests.cli.commands import answer, run

ECOM = Path(__file__).parents[3] / "shared" / "data" / "ecom_events" / "ecom_events.csv.gz"
MAP = "event=event,user_id=user_id,session_id=session_id,timestamp=timestamp,properties.platform=platform"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journey in force, a draft of it, and a file of events that nobody imported yet."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    assert run("init").exit_code == 0
    (tmp_path / "journeys" / "rescue.yaml").write_text(shops.JOURNEY)
    (tmp_path / "draft.yaml").write_text(shops.JOURNEY.replace("30m", "50m"))
    shops.make(tmp_path / "events.csv.gz", seed=5)
    return tmp_path


def published(report: Any) -> shops.Rescue:
    """Return what the published version came to, as the naive counting does."""
    told = report["journeys"][0]["published"]
    return shops.Rescue(
        entered=told["entered"],
        refused=told["not_entered"].get("already-in", 0),
        reminded=told["actions"]["support in reminded"]
        + sum(told["withheld"].get("support in reminded", {}).values()),  # hold-outs are on by default
        goals=told["goals"],
        ended=told["exits"].get("final", 0),
    )


def test_a_file_is_replayed_beside_another_version_and_counts_as_naive_counting_does(shop: Path) -> None:
    """The oracle knows nothing of statecharts."""
    events = str(shop / "events.csv.gz")
    report = answer(
        "replay", "draft.yaml", "--file", events, "--map", MAP, "--against", "journeys/rescue.yaml"
    )
    assert published(report) == shops.rescue(shops.read(shop / "events.csv.gz"))
    assert not (shop / "data").exists()


def test_the_folders_own_log_is_replayed_beside_what_is_published(shop: Path) -> None:
    """What an import held back for being history is what a replay asks about; the file gives the same."""
    assert run("import", "events.csv.gz", "--map", MAP).exit_code == 0
    report = answer("replay", "draft.yaml", "--examples", "0")
    assert published(report) == shops.rescue(shops.read(shop / "events.csv.gz"))
    assert report == answer(
        "replay", "draft.yaml", "--examples", "0", "--file", "events.csv.gz", "--map", MAP
    )


@pytest.mark.skipif(not ECOM.exists(), reason="the shared data set ecom_events is not beside this clone")
def test_the_ecom_events_are_replayed_as_naive_counting_counts_them(shop: Path) -> None:
    """31,106 events of 600 people, made by others."""
    report = answer(
        "replay", "draft.yaml", "--file", str(ECOM), "--map", MAP, "--against", "journeys/rescue.yaml"
    )
    assert report["events"] == 31_106
    assert published(report) == shops.rescue(shops.read(ECOM))
    assert report["affected"] > 0


def test_a_folder_is_replayed_while_somebody_works_in_it(shop: Path) -> None:
    """A draft is tried in working hours; nothing in the folder changes by it."""
    assert run("import", "events.csv.gz", "--map", MAP).exit_code == 0
    with wiring.open_house(load_config(environment={})) as house:
        before = house.status()
        assert answer("replay", "draft.yaml")["affected"] > 0
        assert house.status() == before


def test_the_same_bytes_come_on_every_run(shop: Path) -> None:
    """Whatever the hash seed, and however many processes share the work."""
    told = set()
    for seed, processes in ((1, 1), (2, 2), (3, 3)):
        out = shop / f"{seed}.jsonl"
        command = [
            sys.executable, "-c", "from sojourn.cli import main; main()",
            "replay", "draft.yaml", "--file", "events.csv.gz", "--map", MAP, "--json",
            "--against", "journeys/rescue.yaml", "--out", str(out), "--processes", str(processes),
        ]  # fmt: skip
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        told.add((done.stdout, out.read_bytes()))
    assert len(told) == 1
    assert b"other-time" in told.pop()[1]


def test_one_persons_two_stories_are_told_side_by_side(shop: Path) -> None:
    """The question a colleague comes with is about one person."""
    options = ("--file", "events.csv.gz", "--map", MAP, "--against", "journeys/rescue.yaml")
    everybody = answer("replay", "draft.yaml", *options)
    person = everybody["examples"][0]["person"].removeprefix("u:")
    told = run("replay", "draft.yaml", *options, "--person", person).stdout
    assert f"u:{person} (UTC)" in told
    assert "in the draft" in told
    assert "as published" in told


def test_a_report_for_people_says_differences_first(shop: Path) -> None:
    """What changes is why one asked."""
    told = run(
        "replay", "draft.yaml", "--file", "events.csv.gz", "--map", MAP, "--against", "journeys/rescue.yaml"
    ).stdout
    assert told.index("the draft makes a difference") < told.index("at another time") < told.index("version")


def test_against_none_tells_the_draft_alone(shop: Path) -> None:
    """A new journey is beside nothing."""
    options = ("--file", "events.csv.gz", "--map", MAP, "--against", "none")
    report = answer("replay", "draft.yaml", *options)
    assert report["is_compared"] is False
    assert report["journeys"][0]["published"] is None
    assert "nothing to compare with" in run("replay", "draft.yaml", *options).stdout


def test_a_draft_and_a_policy_may_name_segments_that_are_published(shop: Path) -> None:
    """Who edits a journey and the policy need not bring the segments along."""
    (shop / "journeys" / "segments.yaml").write_text("""segments: { keen: "count('View') > 1" }""")
    answer("import", "events.csv.gz", "--map", MAP)
    draft = shops.JOURNEY.replace("entry: {", "entry: { when: \"in_segment('keen')\",")
    assert draft != shops.JOURNEY
    (shop / "draft.yaml").write_text(draft)
    (shop / "policy.yaml").write_text("policy: { holdout: 20% }")
    report = answer("replay", "draft.yaml", "policy.yaml")
    assert "checkout-rescue" in {one["journey"] for one in report["journeys"]}
    (shop / "draft.yaml").write_text(draft.replace("keen", "kean"))
    refused = run("replay", "draft.yaml", "policy.yaml")
    assert refused.exit_code != 0
    assert "keen" in refused.output


def test_a_time_limits_what_is_replayed(shop: Path) -> None:
    """Last month, and not last year."""
    options = ("--file", "events.csv.gz", "--map", MAP, "--until", "2024-01-20")
    report = answer("replay", "draft.yaml", *options)
    steps = [step for step in shops.read(shop / "events.csv.gz") if step.at <= report["until"]]
    assert report["events"] == len(steps) > 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere.yaml",), "nowhere.yaml: there is no such file; name the journeys to rehearse"),
        (("draft.yaml",), "no data is there yet"),
        (("draft.yaml", "--map", "a=b"), "--map: says which column of a file is what; name the file"),
        (("draft.yaml", "--from", "soon"), "--from: "),
        (
            ("draft.yaml", "--from", "2024-02-01", "--until", "2024-01-01"),
            "--from: expected an instant before",
        ),
        (("draft.yaml", "--file", "none.csv"), "none.csv: there is no such file"),
        (("draft.yaml", "--file", "events.csv.gz", "--map", MAP, "--person", "me"), "nobody in this history"),
        (
            ("draft.yaml", "--file", "events.csv.gz", "--map", MAP, "--until", "1999-01-01"),
            "there is no event",
        ),
        (("draft.yaml", "--out", "no/where.jsonl"), "no/where.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_what_to_do(
    shop: Path, arguments: tuple[str, ...], expected: str
) -> None:
    """An error is read by somebody in a hurry."""
    result = run("replay", *arguments)
    assert result.exit_code in (1, 2)
    assert expected in result.stderr


def test_a_simulation_needs_a_draft_and_nothing_else(shop: Path) -> None:
    """No data, no server, no configuration of its own; the same seed says the same."""
    first = run("simulate", "draft.yaml", "--people", "200", "--days", "7", "--json")
    assert first.stdout == run("simulate", "draft.yaml", "--people", "200", "--days", "7", "--json").stdout
    report = json.loads(first.stdout)
    assert report["groups"] == 200
    assert report["journeys"][0]["draft"]["entered"] > 0
    assert not (shop / "data").exists()


def test_a_simulation_for_people_has_bars_and_what_looks_wrong(shop: Path) -> None:
    """Numbers are for programs; a bar is seen."""
    (shop / "shop.yaml").write_text("events: { purchase: 0 }\n")
    told = run("simulate", "draft.yaml", "--people", "300", "--population", "shop.yaml").stdout
    assert "300 people lived 30 days" in told
    assert "█" in told
    assert "no-goal" in told


def test_a_population_that_is_wrong_is_told_with_its_line(shop: Path) -> None:
    """As a journey is."""
    (shop / "shop.yaml").write_text("\nvisit_per_day: 1\n")
    result = run("simulate", "draft.yaml", "--population", "shop.yaml")
    assert result.exit_code == 1
    assert "shop.yaml:2:1: a population knows no 'visit_per_day'; did you mean" in result.stderr
