"""Scenarios: `sojourn simulate --scenario` writes an invented population whose truth is known."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.output import progress, say_json, show, table
from sojourn.model.errors import ConfigError


def simulate_scenario(
    name: str, *, people: int, holdout: str, seed: int, out: Path | None, json: bool
) -> None:
    """Write one scenario into a folder, and say what is true of it."""
    from sojourn.wiring.simulating import PHASES, Asked, simulate  # noqa: PLC0415 - help needs no numbers

    if out is None:
        raise ConfigError("--scenario: say where to write with --out, a folder that is empty or not there")
    asked = Asked(scenario=name, people=people, holdout=_share(holdout), seed=seed, out=out)
    with progress("Simulating", total=PHASES * people) as tell:
        done = simulate(asked, tell)
    if json:
        say_json(done)
        return
    show(
        f"scenario {done.scenario}: {done.about}",
        f"{done.people:,} people, {done.events:,} events, {done.actions:,} actions decided or kept back, "
        f"{done.conversions:,} conversions; in {done.folder}",
        table(
            ("channel", "conversions it brings about"),
            ([channel, f"{n:,.0f}"] for channel, n in done.incremental_conversions.items()),
            title="The truth: what is lost where one is switched off and all others go on",
        ),
        f'Ask what hold-outs tell of it: sojourn causal --data {done.folder} --conversion "Order Completed" '
        "--value revenue --covariate engagement",
    )


def _share(text: str) -> float:
    """Read a share: `10%` or `0.1`, above 0 and below 1."""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise ConfigError(f"--holdout: expected a share above 0 and below 1, as 10% or 0.1, got {text!r}")
    return share
