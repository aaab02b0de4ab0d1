"""Simulating: a population with known truth, as an engine's lake, as events, and the truth beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sojourn.model.errors import ConfigError
from sojourn.model.lake import Reach
from sojourn.wiring.lake import FOLDER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EVENTS, TRUTH, JOURNEYS = "events.parquet", "truth.json", "journeys"
PHASES = 3
"""How often each person is told of: lived, lived in every other world, written."""

Tell = Callable[[int], None]


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be simulated, and where it goes."""

    scenario: str
    people: int
    holdout: float
    """The share that each channel keeps back, 0 to 1."""
    seed: int
    out: Path


class Simulated(Struct, frozen=True, kw_only=True):
    """What was written."""

    scenario: str
    about: str
    people: int
    holdout: float
    seed: int
    events: int
    actions: int
    conversions: int
    incremental_conversions: dict[str, float]
    """The truth: what is lost where a channel alone is switched off."""
    folder: str


def simulate(asked: Asked, tell: Tell = lambda _: None) -> Simulated:
    """Write a simulated population into a folder that is empty or not there.

    `lake/` is read as an engine's (`--data`), `events.parquet` as a file of events, `truth.json` says what is
    true, and `journeys/` are those with which an engine decides the same.

    Args:
        asked: What.
        tell: Called with people done, PHASES times each.

    Raises:
        ConfigError: There is no such scenario, or the folder is not empty, or cannot be written.
    """
    from sojourn.adapters.lake import ParquetLake  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.simulator import tables  # noqa: PLC0415
    from sojourn.analytics.simulator.observing import observe  # noqa: PLC0415
    from sojourn.analytics.simulator.scenarios import scenario_named  # noqa: PLC0415
    from sojourn.analytics.simulator.truth import truth_of  # noqa: PLC0415

    scenario = scenario_named(asked.scenario)
    _prepare(asked.out)
    observed = observe(scenario, people=asked.people, seed=asked.seed, holdout=asked.holdout, tell=tell)
    truth = truth_of(scenario, people=asked.people, seed=asked.seed, tell=tell)
    n_events, n_actions = 0, 0

    def insert(connection: DuckDBPyConnection) -> list[str]:
        nonlocal n_events, n_actions
        names = tables.insert(connection, observed)
        n_events, n_actions = tables.counts(connection)
        tables.write_events(connection, asked.out / EVENTS)
        return names

    reach = tables.reach_of(observed)
    lake = ParquetLake(asked.out / FOLDER)
    try:
        lake.fill(insert, Reach(*reach))
    finally:
        lake.close()
    told = {**truth.told(), "holdout": asked.holdout, "world": msgspec.to_builtins(scenario)}
    (asked.out / TRUTH).write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    for name, text in tables.journeys_of(observed, asked.holdout).items():
        (asked.out / JOURNEYS / name).write_text(text, encoding="utf-8")
    tell(asked.people)
    return Simulated(
        scenario=scenario.name,
        about=scenario.about,
        people=asked.people,
        holdout=asked.holdout,
        seed=asked.seed,
        events=n_events,
        actions=n_actions,
        conversions=int(observed.has_converted.sum()),
        incremental_conversions=truth.incremental(),
        folder=str(asked.out),
    )


def _prepare(out: Path) -> None:
    """Make the folder; raise ConfigError where something is in it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise ConfigError(f"{out}: is not empty; name another folder with --out [simulate-out]")
        (out / JOURNEYS).mkdir()
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}); name another with --out") from None
