"""Causes: what channels bring about, told by hold-outs, by last click, and by the truth of a simulation."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from demo.program import ProgramError, script

N_PEOPLE = 10_000  # seconds of work, and enough for the larger channels to be clear.
CONVERSION = "Order Completed"
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Cause:
    """One channel."""

    channel: str
    share_by_last_click: float
    share_by_holdout: float
    low: float
    high: float
    share_in_truth: float


def find_causes(folder: Path) -> list[Cause]:
    """Invent people whose truth is known, ask what each channel brought about, and look the truth up.

    Raises ProgramError where a command fails.
    """
    people = str(N_PEOPLE)
    _run(
        "simulate",
        "--scenario",
        "C",
        "--people",
        people,
        "--holdout",
        "10%",
        "--seed",
        "1",
        "--out",
        str(folder),
    )
    told = json.loads(
        _run("causal", "--data", str(folder), "--conversion", CONVERSION, "--model", "last", "--json")
    )
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["incremental_conversions"]
    clicked = {one["channel"]: one["share"] for one in told["path_credit"][0]["channels"]}
    return [
        Cause(
            unit["name"],
            clicked.get(unit["name"], 0.0),
            unit["share"]["share"],
            unit["share"]["low"],
            unit["share"]["high"],
            truth[unit["name"]] / sum(truth.values()),
        )
        for unit in told["units"]
        if unit["kind"] == "channel"
    ]


def draw_causes(causes: list[Cause]) -> Table:
    """Lay them out, the largest first."""
    table = Table(
        title=f"Which channels bring orders about? ({N_PEOPLE:,} invented people)",
        title_justify="left",
    )
    table.add_column("channel")
    for name in ("last click says", "hold-outs say", "interval", "the truth"):
        table.add_column(name, justify="right")
    for one in sorted(causes, key=lambda cause: -cause.share_in_truth):
        table.add_row(
            one.channel,
            f"{one.share_by_last_click:.0%}",
            f"{one.share_by_holdout:.0%}",
            f"{one.low:.0%} to {one.high:.0%}",
            f"{one.share_in_truth:.0%}",
        )
    return table


def _run(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        [*script(), *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode != 0:
        raise ProgramError(
            f"sojourn {arguments[0]} ended with {done.returncode}:\n{done.stderr or done.stdout}"
        )
    return done.stdout
