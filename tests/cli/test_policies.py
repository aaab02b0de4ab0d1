"""`sojourn policy`: a draft judged, as somebody types it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.cli.commands import answer, run

DRAFT = """\
policy: by plan
experiments:
  offer:
    weights: { none: 0.5, free: 0.5 }
    cells:
      pro: always none
      new: always free
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Evenly drawn decisions: free earns more of the new, none of the pro; and a draft that knows it."""
    monkeypatch.chdir(tmp_path)
    random = Random(1)
    rates = {("pro", "none"): 0.3, ("pro", "free"): 0.1, ("new", "none"): 0.1, ("new", "free"): 0.3}
    lines = ["plan,variant,reward,propensity"]
    for _ in range(3_000):
        plan, variant = random.choice(["pro", "new"]), random.choice(["none", "free"])
        lines.append(f"{plan},{variant},{int(random.random() < rates[plan, variant])},0.5")
    Path("log.csv").write_text("\n".join(lines))
    Path("draft.yaml").write_text(DRAFT)
    return tmp_path


ASKED = ("policy", "evaluate", "--decisions", "log.csv", "--map", "context=plan", "--replicates", "300")


def test_a_better_draft_is_worth_promoting(folder: Path) -> None:
    """It earns 0.3 where an even split earns 0.2."""
    found = answer(*ASKED, "--policy", "draft.yaml")
    assert (found["policy"], found["experiment"], found["decisions"]) == ("by plan", "offer", "log.csv")
    robust = found["evaluation"]["estimates"][0]
    assert robust["low"] < 0.3 < robust["high"]
    assert found["evaluation"]["promote"] is True


def test_people_are_told_what_not_to_conclude(folder: Path) -> None:
    """A number is read as more than it says."""
    said = run(*ASKED, "--policy", "draft.yaml", "--clip", "3", "--level", "0.9").output
    assert "by plan, judged by 3,000 decisions of 3,000 people in offer" in said
    assert "Worth promoting" in said
    assert "SNIPS, weights clipped at 3" in said
    assert "90 % interval" in said
    assert "What not to conclude:" in said


def test_a_cell_that_nobody_was_in_is_told(folder: Path) -> None:
    """It may be a slip, or rare."""
    Path("draft.yaml").write_text(DRAFT.replace("new:", "nwe:"))
    assert answer(*ASKED, "--policy", "draft.yaml")["unseen_cells"] == ["nwe"]
    assert "no decision was made in: nwe" in run(*ASKED, "--policy", "draft.yaml").output


def test_a_draft_that_is_no_better_is_told_so(folder: Path) -> None:
    """Always none: as good as an even split."""
    said = run(*ASKED, "--policy", "always none").output
    assert "Not shown to be better" in said


def test_without_overlap_there_is_a_reason_and_no_number(folder: Path) -> None:
    """Of 3,000 decisions 20 were what the draft draws."""
    lines = Path("log.csv").read_text().splitlines()
    Path("log.csv").write_text(
        "\n".join([line.replace(",none,", ",free,") for line in lines[:2_981]] + lines[2_981:])
    )
    result = run(*ASKED, "--policy", "always none")
    assert result.exit_code == 0
    assert "Nothing can be said of the draft:" in result.output
    assert "DR" not in result.output


def test_a_file_may_say_what_the_policy_would_have_drawn(folder: Path) -> None:
    """Then no draft is needed; the model of rewards knows no variants."""
    lines = Path("log.csv").read_text().splitlines()
    target = {"pro,none": 1, "pro,free": 0, "new,none": 0, "new,free": 1}
    rows = [f"{line},{target[','.join(line.split(',')[:2])]}" for line in lines[1:]]
    Path("log.csv").write_text("\n".join([lines[0] + ",target", *rows]))
    robust = answer(*ASKED)["evaluation"]["estimates"][0]
    assert robust["low"] < 0.3 < robust["high"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--policy", "uniform"], "give one of --decisions FILE and --data DIR"),
        (["--decisions", "log.csv"], "say what to judge"),
        (["--decisions", "log.csv", "--policy", "nowhere.yaml"], "there is no such file; --policy takes"),
        (["--decisions", "log.csv", "--policy", "always fre"], "did you mean 'free'"),
        (["--decisions", "log.csv", "--policy", "uniform", "--event", "Bought"], "--event is of --data"),
        (["--data", "data", "--policy", "uniform"], "--experiment NAME"),
        (
            ["--data", "data", "--policy", "uniform", "--experiment", "e", "--within", "soon"],
            "--within: expected",
        ),
        (["--data", "data", "--policy", "uniform", "--experiment", "e", "--map", "a=b"], "--map is of"),
        (["--data", "data", "--policy", "uniform", "--experiment", "e"], "no data is there yet"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_why(folder: Path, arguments: list[str], says: str) -> None:
    """The question is wrong, and nothing is answered."""
    result = run("policy", "evaluate", *arguments)
    assert (result.exit_code, says in result.output) == (2, True), result.output


@pytest.mark.parametrize("by", ["thompson", "vw"])
def test_what_is_learnt_from_one_half_is_judged_by_the_other(folder: Path, by: str) -> None:
    """It finds what the draft above knew."""
    if by == "vw":
        pytest.importorskip("vowpalwabbit", reason="the extra `bandit` is not installed")
    learnt = run("policy", "learn", *ASKED[2:6], "--experiment", "offer", "--with", by, "--half", "first")
    assert learnt.exit_code == 0, learnt.output
    Path("learnt.yaml").write_text(learnt.output)
    found = answer(*ASKED, "--policy", "learnt.yaml", "--half", "second")
    assert found["policy"] == f"offer by {by}"
    assert found["evaluation"]["promote"] is True
    assert 1_400 < found["evaluation"]["overlap"]["decisions"] < 1_600


def test_a_learnt_draft_may_go_into_a_file(folder: Path) -> None:
    """To be read, changed and kept."""
    assert run("policy", "learn", *ASKED[2:6], "--experiment", "offer", "--out", "learnt.yaml").output == ""
    assert "'pro': { 'free': 0.05, 'none': 0.95 }" in Path("learnt.yaml").read_text()
