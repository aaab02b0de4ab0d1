"""`sojourn attribution`: from a file to credit, for programs and for people, and what cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app

PATHS = """\
path,total_conversions,total_conversion_value,total_null
ads > email,40,80,60
email,35,70,10
ads,5,5,95
direct > ads > direct,10,30,20
,3,6,0
"""
EVENTS = """\
person,event,time,channel,source,revenue
ada,Visited,2026-03-02 09:00:00,ads,a,
ada,Visited,2026-03-04 09:00:00,email,b,
ada,Order Completed,2026-03-04 09:00:00,,,80
ada,Order Completed,2026-03-20 12:10:00,,,40
bob,Visited,2026-03-03 10:00:00,ads,a,
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder with a file of paths and one of events."""
    monkeypatch.chdir(tmp_path)
    Path("paths.csv").write_text(PATHS)
    Path("shop.csv").write_text(EVENTS)


def run(*arguments: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(app, ["attribution", *arguments], catch_exceptions=False)


def answer(*arguments: str) -> Any:
    """Read what it says to programs."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def credit(told: dict[str, Any], name: str = "conversions") -> dict[str, float]:
    """Return a number by channel."""
    return {one["channel"]: one[name] for one in told["channels"]}


def test_one_model_is_one_object_with_bounds_and_what_it_means() -> None:
    """The shape that programs are promised."""
    told = answer("--paths", "paths.csv")
    assert list(told) == ["model", "definition", "totals", "channels"]
    assert (told["model"], told["totals"]["conversions"], told["totals"]["nulls"]) == ("markov", 93.0, 185.0)
    assert told["definition"]["kind"] == "path credit, not causal"
    assert sum(credit(told).values()) == pytest.approx(93, abs=1e-9)
    assert sum(credit(told, "value").values()) == pytest.approx(191, abs=1e-9)
    for one in told["channels"]:
        assert one["low"] <= one["conversions"] <= one["high"]
        assert (one["removal_effect"] is None) == (one["channel"] == "(none)")


def test_columns_of_paths_may_have_other_names() -> None:
    """As a frame for ChannelAttribution has them."""
    head = "path,total_conversions,total_conversion_value,total_null"
    Path("other.csv").write_text(PATHS.replace(head, "journey,conv,worth,none"))
    names = "path=journey,total_conversions=conv,total_conversion_value=worth,total_null=none"
    assert (
        answer("--paths", "other.csv", "--map", names)["channels"]
        == answer("--paths", "paths.csv")["channels"]
    )
    assert "expected what=column" in run("--paths", "other.csv", "--map", "journey").stderr


def test_several_models_are_a_list() -> None:
    """In the order they were asked."""
    told = answer("--paths", "paths.csv", "--model", "last", "--model", "markov", "--replicates", "0")
    assert [one["model"] for one in told] == ["last", "markov"]
    assert credit(told[0]) == {"email": 75.0, "direct": 10.0, "ads": 5.0, "(none)": 3.0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--model", "last-non-direct"], {"email": 75, "ads": 15, "direct": 0, "(none)": 3}),
        (["--model", "last", "--direct", "drop"], {"email": 75, "ads": 15, "(none)": 3}),
        (
            ["--model", "first", "--direct-name", "ads", "--direct", "drop"],
            {"email": 75, "ads": 5, "direct": 10},
        ),
        (["--model", "custom", "--weights", "1,0,0"], {"ads": 45, "email": 35, "direct": 10, "(none)": 3}),
    ],
)
def test_options_reach_the_model(options: list[str], expected: dict[str, float]) -> None:
    """What is said is what is done."""
    told = credit(answer("--paths", "paths.csv", "--replicates", "0", *options))
    assert {channel: told[channel] for channel in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        (["--order", "2"], "order", 2),
        (["--order", "auto"], "chosen_by", "log-likelihood of held-out journeys"),
        (["--without-nulls"], "nulls", "without"),
    ],
)
def test_a_chain_says_what_it_was_told(options: list[str], name: str, expected: object) -> None:
    """In its definition."""
    assert answer("--paths", "paths.csv", *options)["definition"]["parameters"][name] == expected


def test_events_become_journeys_by_the_rules_that_are_given() -> None:
    """The second order of Ada has nobody before it, unless paths go on."""
    asked = [
        "--events",
        "shop.csv",
        "--conversion",
        "Order Completed",
        "--value",
        "revenue",
        "--model",
        "linear",
    ]
    assert credit(answer(*asked), "value") == {"ads": 40.0, "email": 40.0, "(none)": 40.0}
    assert credit(answer(*asked, "--no-reset"), "value") == {"ads": 60.0, "email": 60.0}
    assert credit(answer(*asked, "--lookback", "1d"), "value") == {"email": 80.0, "(none)": 40.0, "ads": 0.0}
    assert credit(answer(*asked, "--lookback-touches", "1"), "value") == {
        "email": 80.0,
        "(none)": 40.0,
        "ads": 0.0,
    }
    assert credit(answer(*asked, "--channel", "source"), "value") == {"a": 40.0, "b": 40.0, "(none)": 40.0}
    assert credit(answer(*asked, "--touch", "Visited"), "value") == {"Visited": 80.0, "(none)": 40.0}


def test_events_have_times_and_people() -> None:
    """So age counts, and people are who is drawn."""
    told = answer(
        "--events",
        "shop.csv",
        "--conversion",
        "Order Completed [revenue>50]",
        "--model",
        "time-decay",
        "--half-life",
        "2d",
    )
    assert credit(told) == pytest.approx({"ads": 1 / 3, "email": 2 / 3})
    assert (told["definition"]["interval"]["unit"], told["totals"]["people"]) == ("person", 2)


def test_a_data_folder_is_read_as_it_is_now() -> None:
    """Events that were imported a moment ago, by whom they are of by now, and how they came."""
    rows = [
        ("Visited", "2026-03-02T09:00:00Z", "a-1", None, "newsletter", None),
        ("Visited", "2026-03-02T10:00:00Z", "a-1", "ada", "ads", None),
        ("Order Completed", "2026-03-02T10:05:00Z", None, "ada", None, 80),
    ]
    lines = [
        {
            "type": "track",
            "event": event,
            "timestamp": at,
            "messageId": at,
            **({"anonymousId": anonymous} if anonymous else {}),
            **({"userId": user} if user else {}),
            "context": {"campaign": {"source": source}} if source else {},
            "properties": {"revenue": revenue} if revenue else {},
        }
        for event, at, anonymous, user, source, revenue in rows
    ]
    Path("events.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for arguments in (["init"], ["import", "events.jsonl"]):
        assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    (folder,) = {path.parent for path in Path().rglob("log.db")}
    asked = ["--data", str(folder), "--conversion", "Order Completed", "--channel", "campaign_source"]
    told = answer(*asked, "--value", "properties.revenue", "--model", "linear")
    assert credit(told, "value") == {"ads": 40.0, "newsletter": 40.0}
    assert told["totals"]["people"] == 1


def test_people_are_shown_intervals_rules_and_a_warning() -> None:
    """A table, who is rare, and that this is no cause."""
    shown = run("--paths", "paths.csv", "--model", "markov", "--model", "shapley-rate").output
    for words in ("markov: in proportion", "removal effect", "Shapley value", "95 % interval", "rare"):
        assert words in shown
    assert "intervals: bootstrap, solved again, 200 replicates of 278 journeys, seed 0" in shown
    assert "Path credit, not causal: it says who stood on the way, not who brought it about." in shown


def test_without_replicates_no_interval_is_shown() -> None:
    """And how to have one is."""
    shown = run("--paths", "paths.csv", "--replicates", "0").output
    assert "95 % interval" not in shown
    assert "no intervals: --replicates says how many" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --paths FILE, --events FILE"),
        (
            ["--paths", "paths.csv", "--events", "shop.csv"],
            "give one of --paths FILE, --events FILE",
        ),
        (["--paths", "absent.csv"], "there is no such file"),
        (["--paths", "paths.csv", "--model", "marcov"], "did you mean 'markov'?"),
        (["--paths", "paths.csv", "--model", "time-decay"], "time decay needs the time of each touch"),
        (["--paths", "paths.csv", "--order", "first"], "--order is 'first'"),
        (["--paths", "paths.csv", "--half-life", "long"], "--half-life: expected a duration"),
        (["--paths", "paths.csv", "--weights", "1,2"], "expected FIRST,REST,LAST"),
        (["--paths", "paths.csv", "--lookback", "7d"], "--lookback is of --events"),
        (["--paths", "paths.csv", "--no-reset"], "--no-reset is of --events"),
        (["--paths", "paths.csv", "--once-per-session"], "--once-per-session is of --events"),
        (["--events", "shop.csv"], "say what a conversion is"),
        (["--events", "shop.csv", "--conversion", "Order Complete"], "did you mean 'Order Completed'?"),
        (
            ["--events", "shop.csv", "--conversion", "Order Completed", "--separator", ">"],
            "--separator is of --paths",
        ),
        (
            ["--events", "shop.csv", "--conversion", "Order Completed", "--channel", "chanel"],
            "did you mean 'channel'?",
        ),
    ],
)
def test_what_cannot_be_asked_is_told(arguments: list[str], message: str) -> None:
    """In one line, with what to do, and the exit code of a wrong question."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
