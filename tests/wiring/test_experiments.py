"""An experiment from its split in a journey to its report: by the real engine, log, store and lake."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from sojourn.adapters.lake import ParquetLake
from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.analytics.experiments.asked import Experiment, Experiments
from sojourn.config import Analytics
from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Device
from sojourn.model.fact import Exposed
from sojourn.runtime.driver import Driver
from sojourn.server.asked import Inquiry
from sojourn.wiring.analyst import Analyst
from sojourn.wiring.decisions import Rewards, read_logged
from tests.adapters.lake.folders import T0, Folder, event
from tests.cli.commands import answer, run

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
N_PEOPLE = 150
JOURNEY = """
journey: rescue
holdout: off
entry: { on: Checkout Started }
goal: { on: Order Completed, within: 7d, value: properties.total }
steps:
  - split: { id: offer, variants: { none: 1, gift: 1 }, steps: { gift: [{ wait: 1d }] } }
  - wait: 1d
"""
METRICS = """
metrics:
  buyers: { kind: conversion, on: Order Completed, within: 7d }
  large:
    kind: count
    on: Order Completed
    within: 7d
    when: properties.total >= 50 and properties.land == 'SE'
  revenue: { kind: value, on: Order Completed, value: properties.total, within: 7d }
  goal: { kind: conversion, goal: rescue, within: 7d }
  worth: { kind: value, goal: rescue, within: 7d, before: off }
"""
Did = tuple[str, int, str, dict[str, Any]]
"""(person, instant in ms, event, properties)."""
Met = dict[str, tuple[str, int]]
"""Profile -> (variant, when in ms)."""
Shop = tuple[Path, list[Did], Met]


def history(variant_of: dict[str, str]) -> list[Did]:
    """Say what people do after they came to the checkout: with a gift more of them buy."""
    random = Random(7)
    did: list[Did] = []
    for i in range(N_PEOPLE):
        person, at = f"p{i}", T0 + 10 * DAY + i * HOUR
        likely = 0.95 if variant_of.get(person) == "gift" else 0.15
        land = random.choice(("SE", "DE"))
        if random.random() < 0.4:
            did.append((person, at - 3 * DAY, "Order Completed", {"total": 5.0, "land": land}))
        did.append((person, at, "Checkout Started", {"land": land}))
        if random.random() < likely:
            total = float(random.randrange(10, 90))
            did.append(
                (person, at + random.randrange(1, 9 * DAY), "Order Completed", {"total": total, "land": land})
            )
    return sorted(did, key=lambda each: (each[1], each[0]))


def catalogue() -> Catalogue:
    """Compile the journey."""
    return build_catalogue([compile_journey(JOURNEY, file="rescue.yaml")])


def lived(path: Path, did: list[Did], *, is_named_late: bool = False) -> Folder:
    """Live a history, each event at its instant; return its folder."""
    folder = Folder(path, catalogue())
    for n, (person, at, name, properties) in enumerate(did):
        who = {"anonymous_id": person} if is_named_late else {"user_id": person}
        folder.live([event(n, name, at=at, properties=properties, **who)], now=at)
    folder.wait(did[-1][1] + 20 * DAY)
    return folder


def variants(folder: Folder) -> Met:
    """Return who met which variant when, by the engine's own facts."""
    return {
        fact.profile_id: (fact.variant, fact.at) for _, _, fact in folder.facts() if isinstance(fact, Exposed)
    }


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory,
) -> Shop:
    """Live it twice: variants are told by hash, so what people do the second time can depend on them."""
    log, store = MemoryLog(floor=T0), MemoryStore()
    driver = Driver(log, store, catalogue())
    for n, (person, at, name, properties) in enumerate(history({})):
        driver.take(
            log.append([event(n, name, at=at, properties=properties, user_id=person)], now=at).entries
        )
    first = (fact for _, facts in store.facts_after(0, 1 << 30) for fact in facts)
    told = {fact.profile_id.removeprefix("u:"): fact.variant for fact in first if isinstance(fact, Exposed)}
    path = tmp_path_factory.mktemp("second")
    did = history(told)
    folder = lived(path, did)
    lake = ParquetLake(folder.lake_path)
    folder.flush(lake, n_events=200)  # a part of it is in files, the rest is read from the log
    lake.close()
    met = variants(folder)
    folder.close()
    (path / "metrics.yaml").write_text(METRICS)
    return path, did, met


def counted(did: list[Did], met: Met, variant: str, *, until: int) -> dict[str, tuple[int, float]]:
    """Count each metric of a variant by going over people: (who is in it, the sum)."""
    people = [person for person, (got, at) in met.items() if got == variant and at + 7 * DAY <= until]
    sums = dict.fromkeys(("buyers", "large", "revenue", "goal", "worth"), 0.0)
    for person in people:
        at = met[person][1]
        orders = [
            said for who, when, name, said in did
            if f"u:{who}" == person and name == "Order Completed" and at < when <= at + 7 * DAY
        ]  # fmt: skip
        sums["buyers"] += bool(orders)
        sums["large"] += sum(said["total"] >= 50 and said["land"] == "SE" for said in orders)
        sums["revenue"] += sum(said["total"] for said in orders)
        sums["goal"] += bool(orders)
        sums["worth"] += orders[0]["total"] if orders else 0.0
    return {name: (len(people), total) for name, total in sums.items()}


def test_a_report_from_a_data_folder_has_the_numbers_of_its_history(
    shop: Shop,
) -> None:
    """Events, conditions, windows, goals and what they were worth: counted by hand from what was sent."""
    path, did, met = shop
    told = answer(
        "experiment", "report", "offer", "--data", str(path), "--metrics", str(path / "metrics.yaml")
    )
    until = told["until_ms"]
    expected = {variant: counted(did, met, variant, until=until) for variant in ("gift", "none")}
    assert told["people"] == len(met) > N_PEOPLE * 0.9  # a few are held out of everything
    assert told["control"] == "none"
    assert {one["metric"]: one["people"] for one in told["comparisons"]} == {
        name: [expected["gift"][name][0], expected["none"][name][0]] for name in expected["gift"]
    }
    for one in told["comparisons"]:
        sums = [mean * n for mean, n in zip(one["means"], one["people"], strict=True)]
        assert sums == pytest.approx([expected[variant][one["metric"]][1] for variant in ("gift", "none")])
    assert {one["metric"]: one["decision"] for one in told["comparisons"]}["buyers"] == "better"
    assert told["ratio"]["source"] == "logged with each exposure"


def test_without_metrics_the_goal_of_the_journey_is_reported(
    shop: Shop,
) -> None:
    """Within a week."""
    path, _, _ = shop
    told = answer("experiment", "report", "offer", "--data", str(path))
    assert [(one["metric"], one["decision"]) for one in told["comparisons"]] == [("rescue-goal", "better")]


def test_experiments_are_listed(shop: Shop) -> None:
    """With how many people got what."""
    path, _, met = shop
    (one,) = answer("experiment", "list", "--data", str(path))["experiments"]
    got = [variant for variant, _ in met.values()]
    assert (one["experiment"], one["variants"]) == (
        "offer",
        {name: got.count(name) for name in ("gift", "none")},
    )


def test_segments_are_columns_and_properties_of_the_lake(
    shop: Shop,
) -> None:
    """As they were when people met the experiment."""
    path, did, met = shop
    told = answer("experiment", "report", "offer", "--data", str(path), "--by", "land")
    (segmented,) = told["comparisons"][0]["segments"]
    lands = [said["land"] for who, _, name, said in did if name == "Checkout Started" and f"u:{who}" in met]
    assert {each["value"]: each["people"] for each in segmented["effects"]} == {
        land: lands.count(land) for land in ("SE", "DE")
    }


def test_a_page_is_written_of_a_report(shop: Shop, tmp_path: Path) -> None:
    """One file, with its intervals drawn and its warnings."""
    path, _, _ = shop
    page = tmp_path / "offer.html"
    result = run("experiment", "report", "offer", "--data", str(path), "--html", str(page), "--by", "land")
    assert (result.exit_code, "is written" in result.output) == (0, True)
    text = page.read_text()
    assert text.count("<svg") == 3  # effects, how the interval came to be, by land
    assert "No difference shown is not" in text


def test_two_devices_of_one_person_in_two_variants_are_told(tmp_path: Path) -> None:
    """Met as two strangers, then known as one: they are in neither arm."""
    did: list[Did] = [(f"d{i}", T0 + i * MINUTE, "Checkout Started", {"land": "SE"}) for i in range(40)]
    folder = lived(tmp_path, did, is_named_late=True)
    met = variants(folder)
    gift, none = (next(who for who, (got, _) in met.items() if got == name) for name in ("gift", "none"))
    last = did[-1][1] + 30 * DAY
    for n, device in enumerate((gift, none)):
        name = device.removeprefix("a:")
        folder.live([event(1_000 + n, "$identify", at=last, anonymous_id=name, user_id="ann")], now=last + n)
    folder.close()
    (one,) = answer("experiment", "list", "--data", str(tmp_path))["experiments"]
    assert (one["people"], one["multiple"]) == (len(met) - 2, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "offr"], "nobody met an experiment named 'offr'; did you mean 'offer'"),
        (["report", "offer", "--metric", "x"], "there is no metric 'x'"),
        (["report", "offer", "--control", "x"], "no variant is named 'x'"),
        (["report", "offer", "--by", "lnd"], "no event has 'lnd'"),
        (["report", "offer", "--until", "soon"], "--until: expected a time"),
        (["report", "offer", "--method", "planned-looks"], "--planned N"),
        (["report", "offer", "--metrics", "none.yaml"], "none.yaml: there is no such file"),
    ],
)
def test_what_cannot_be_answered_is_told(shop: Shop, arguments: list[str], message: str) -> None:
    """In a line, with what was probably meant."""
    result = run("experiment", *arguments, "--data", str(shop[0]))
    assert result.exit_code == 2
    assert message in result.output


def test_files_tell_the_same_as_the_folder(shop: Shop, tmp_path: Path) -> None:
    """Exposures and events written out, and read again."""
    path, did, met = shop
    events, exposures = tmp_path / "events.jsonl", tmp_path / "met.csv"
    rows = [
        {"user_id": f"u:{who}", "event": name, "timestamp": at, "properties": said}
        for who, at, name, said in did
    ]
    events.write_text("\n".join(map(json.dumps, rows)))
    exposures.write_text(
        "\n".join(
            [
                "user_id,flag,variation,time,propensity",
                *(f"{who},offer,{got},{at},0.5" for who, (got, at) in met.items()),
            ]
        )
    )
    metrics = [
        "--metrics",
        str(path / "metrics.yaml"),
        *(f"--metric={name}" for name in ("buyers", "large", "revenue")),
    ]
    until = ["--until", "2024-01-01"]
    files = answer(
        "experiment",
        "report",
        "offer",
        "--events",
        str(events),
        "--exposures",
        str(exposures),
        *metrics,
        *until,
    )
    folder = answer("experiment", "report", "offer", "--data", str(path), *metrics, *until)
    assert files["comparisons"] == folder["comparisons"]


def test_a_server_tells_what_the_command_line_tells(shop: Shop) -> None:
    """By the process that answers beside it, with the metrics of its configuration."""
    path, _, _ = shop
    metrics = path / "metrics.yaml"
    questions = {
        "experiments": (Experiments(), ["list"]),
        "experiment": (
            Experiment(metric=("buyers", "worth"), by=("land",)),
            ["report", "offer", "--metric", "buyers", "--metric", "worth", "--by", "land"],
        ),
    }

    async def asked() -> list[Any]:
        analyst = Analyst(path, Analytics(), metrics=[metrics])
        try:
            return [
                json.loads(
                    await analyst.answer(
                        Inquiry(name=name, asked=Raw(msgspec.json.encode(question)), experiment="offer")
                    )
                )
                for name, (question, _) in questions.items()
            ]
        finally:
            await analyst.stop()

    told = asyncio.run(asked())
    for answered, (_, arguments) in zip(told, questions.values(), strict=True):
        more = ["--metrics", str(metrics)] if arguments[0] == "report" else []
        assert answered == answer("experiment", *arguments, "--data", str(path), *more)


def test_robots_are_left_out_and_counted(tmp_path: Path) -> None:
    """Whoever has an event whose user agent is a robot's; of a report and of decisions to learn from."""
    folder = Folder(tmp_path, catalogue())
    for n in range(6):
        device = {"device": Device(kind="bot", is_bot=True)} if n == 4 else {}
        folder.live([event(n, "Checkout Started", at=T0 + n, user_id=f"p{n}", **device)], now=T0 + n)
    folder.wait(T0 + 20 * DAY)
    folder.close()
    told = answer("experiment", "report", "offer", "--data", str(tmp_path))
    assert (told["people"], told["robots"]) == (5, 1)
    assert any(warning.startswith("1 robot left out") for warning in told["warnings"])
    (listed,) = answer("experiment", "list", "--data", str(tmp_path))["experiments"]
    assert listed["people"] == 5
    logged = read_logged(tmp_path, "offer", Rewards())
    assert (len(logged.decisions), dict(logged.decisions.left_out or {})) == (5, {"of-a-robot": 1})
