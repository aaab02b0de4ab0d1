"""Questions of a data folder: every command that asks what people did asks the lake, too."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.commands import answer, run
from tests.cli.folders import WALKS, imported, messages, shop

COMMANDS = {
    "graph": [],
    "paths": [],
    "funnel": ["View", "Buy"],
    "retention": [],
    "friction": [],
    "attribution": ["--conversion", "Buy"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with the shop's events."""
    return str(shop(tmp_path_factory.mktemp("shop")))


def moves(*persons: str) -> dict[tuple[str, str], int]:
    """Count the transitions of some people."""
    return dict(Counter(pair for person in persons for pair in pairwise(WALKS[person][2])))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("is_both", [False, True])
def test_exactly_one_place_to_read_from_is_named(command: str, is_both: bool, data: str) -> None:
    """Two would be added up in nobody's head."""
    places = ["--data", data, "--events", "shop.csv"] if is_both else []
    result = run(command, *COMMANDS[command], *places)
    assert result.exit_code == 2
    assert "give one of" in result.stderr
    assert "--events FILE and --data DIR" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_without_data_is_refused(command: str, tmp_path: Path) -> None:
    """With the way to make some."""
    result = run(command, *COMMANDS[command], "--data", str(tmp_path))
    assert (result.exit_code, "[no-data]" in result.stderr) == (2, True)


def test_the_graph_of_a_data_folder_counts_every_move(data: str) -> None:
    """As a plain count does."""
    found = answer("graph", "--data", data)
    assert {(row["source"], row["target"]): row["count"] for row in found["edges"]} == moves(*WALKS)


@pytest.mark.parametrize("where", ["land=SE", "properties.land=SE", "context.app.plan=pro"])
def test_a_condition_names_a_property_a_column_or_what_lies_in_json(data: str, where: str) -> None:
    """Without a mapping."""
    found = answer("graph", "--data", data, "--where", where)
    assert {(row["source"], row["target"]): row["count"] for row in found["edges"]} == moves("ada", "bob")


def test_a_mapping_gives_what_lies_in_json_a_short_name(data: str) -> None:
    """As in a file."""
    found = answer("graph", "--data", data, "--map", "plan=context.app.plan", "--where", "plan=pro")
    assert found["definition"]["selection"] == "people with plan is pro"
    assert found["definition"]["n_people"] == 2


def test_a_comparison_reads_what_it_compares_by(data: str) -> None:
    """Here a column of the lake's events."""
    found = answer("graph", "--data", data, "--compare", "campaign_source=ads:mail")
    assert (found["definition"]["n_one"], found["definition"]["n_other"]) == (3, 2)


def test_a_funnel_of_a_data_folder_takes_conditions_and_attributes(data: str) -> None:
    """Numbers and texts of properties."""
    told = answer("funnel", "View", "Buy [total>=20]", "--data", data, "--by", "land")
    assert [step["count"] for step in told["steps"]] == [5, 2]
    counted = {(row["land"], row["n"]): row["count"] for row in told["by"]}
    assert counted == {("SE", 1): 2, ("SE", 2): 1, ("DE", 1): 3, ("DE", 2): 1}


def test_what_must_not_lie_between_is_read_with_its_condition(data: str) -> None:
    """Also where it says between which steps."""
    told = answer("funnel", "View", "Buy", "--data", data, "--without", "Help [land=SE] @1-2")
    assert [step["count"] for step in told["steps"]] == [5, 2]


def test_retention_paths_and_attribution_are_asked_of_a_data_folder(data: str) -> None:
    """The same people in each."""
    cohorts = answer("retention", "--data", data, "--period", "day", "--periods", "0", "--by", "land")
    assert {row["cohort"]: row["people"] for row in cohorts["cohorts"]} == {"SE": 2, "DE": 3}
    assert sum(row["count"] for row in answer("paths", "--data", data)["variants"]) == len(WALKS)
    credit = answer(
        "attribution", "--data", data, "--conversion", "Buy", "--channel", "campaign_source",
        "--value", "total", "--model", "last",
    )  # fmt: skip
    assert {one["channel"]: one["value"] for one in credit["channels"]} == {"ads": 70.0, "mail": 0.0}


def test_friction_of_a_data_folder_is_told_by_what_tells_people_apart(tmp_path: Path) -> None:
    """Columns of a few values; the campaign's source is one."""
    many = [
        {**message, "userId": f"{message['userId']}{n}", "messageId": f"{message['messageId']}-{n}"}
        for n in range(12)
        for message in messages()
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, many)))
    data = str(imported(tmp_path, file))
    found = answer("friction", "--data", data, "--goal", "Buy", "--by", "person")
    assert found["definition"]["attributes"] == ["campaign_source"]
    assert found["definition"]["cases"] == 12 * len(WALKS)
    found = answer("friction", "--data", data, "--goal", "Buy", "--attribute", "land")
    assert found["definition"]["attributes"] == ["land"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["friction", "--goal", "Byu"], "goal: no step is called 'Byu'; did you mean 'Buy'?"),
        (["graph", "--goal", "Byu"], "goal: no step is called 'Byu'; did you mean 'Buy'?"),
        (["friction", "--attribute", "lnd"], "no event has 'lnd': .* did you mean 'land'?"),
        (["retention", "--by", "contry"], "no event has 'contry': .* did you mean 'country'?"),
    ],
)
def test_a_slip_is_told_with_what_may_be_meant(data: str, arguments: list[str], message: str) -> None:
    """An answer about nothing looks like an answer."""
    result = run(*arguments, "--data", data)
    assert result.exit_code == 2
    assert re.search(message, result.stderr)


def test_steps_of_a_data_folder_go_by_step_rules(data: str, tmp_path: Path) -> None:
    """As those of a file do."""
    rules = tmp_path / "steps.yaml"
    rules.write_text("steps: { Shop: { events: [View, Cart] }, Bought: { events: Buy } }\nleft_out: Help\n")
    found = answer("graph", "--data", data, "--steps", str(rules))
    assert {row["name"] for row in found["nodes"]} == {"Shop", "Bought"}
    assert found["definition"]["left_out"] == {"left-out": 2}
