"""Plans of experiments: how many people and days an effect takes to be found, by each way of looking."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from sojourn.analytics.statistics.power import (
    days_needed,
    people_always_valid,
    people_needed,
    share_deviation,
)
from sojourn.cli.output import table
from sojourn.definitions.durations import parse_duration
from sojourn.model.errors import ConfigError

DAY_MS = 86_400_000


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be found, as the options of the command say."""

    lift: float
    share: float | None
    mean: float | None
    deviation: float | None
    power: float
    level: float
    tuning: int
    daily: float | None
    window: str


class Needed(Struct, frozen=True, kw_only=True):
    """What one way of looking takes."""

    method: str
    people_each: int
    """Of each arm."""
    people: int
    days: float | None
    """None: nobody said how many come in a day."""


class Planned(Struct, frozen=True, kw_only=True):
    """What it takes, and what that is computed from."""

    effect: float
    """The difference of means."""
    needed: list[Needed]
    definition: dict[str, Any]


def planned(asked: Plan) -> Planned:
    """Compute what an effect takes; raise ConfigError where it is not said what is measured."""
    for name in ("lift", "share", "mean", "deviation", "daily"):
        number = getattr(asked, name)
        if number is not None and not math.isfinite(number):
            raise ConfigError(f"--{name}: expected a number, got {number}")
    control, treated, deviations = _arms(asked)
    try:
        fixed, _ = people_needed(treated - control, deviations, alpha=1 - asked.level, power=asked.power)
        always = people_always_valid(
            treated - control, deviations, alpha=1 - asked.level, power=asked.power, tuning=asked.tuning
        )
        window_days = parse_duration(asked.window) / DAY_MS
    except ValueError as error:
        raise ConfigError(str(error)) from None
    needed = [
        Needed(
            method=method,
            people_each=people,
            people=2 * people,
            days=asked.daily and days_needed(2 * people, asked.daily, window_days=window_days),
        )
        for method, people in (("fixed", fixed), ("always-valid", always))
    ]
    return Planned(
        effect=treated - control,
        needed=needed,
        definition={
            "means": [treated, control],
            "deviations": list(deviations),
            "level": asked.level,
            "power": asked.power,
            "tuning": asked.tuning,
            "fixed": "one look, when all their windows are over",
            "always-valid": "by then at the latest: it may be found at any look before",
        },
    )


def plan_for_people(found: Planned) -> Iterator[Any]:
    """Lay out what it takes."""
    treated, control = found.definition["means"]
    yield f"{treated:,.4g} beside {control:,.4g}, found in {found.definition['power']:.0%} of tests:"
    rows = [
        (
            one.method,
            f"{one.people_each:,}",
            f"{one.people:,}",
            "" if one.days is None else f"{one.days:,.1f}",
        )
        for one in found.needed
    ]
    yield table(("method", "people in each arm", "in both", "days"), rows)
    yield "always-valid: by then at the latest; it may be found at any look before."


def _arms(asked: Plan) -> tuple[float, float, tuple[float, float]]:
    """Return (the control's mean, the treated mean, the deviations of treated and control)."""
    if asked.share is not None and asked.mean is None and asked.deviation is None:
        treated = asked.share * (1 + asked.lift)
        if not (0 < asked.share < 1 and 0 < treated < 1):
            raise ConfigError(
                f"--share: {asked.share:g} and {treated:g} with the lift are to be between 0 and 1"
            )
        return asked.share, treated, (share_deviation(treated), share_deviation(asked.share))
    if asked.share is None and asked.mean is not None and asked.deviation is not None:
        if asked.deviation <= 0:
            raise ConfigError("--deviation: expected a number above 0")
        return asked.mean, asked.mean * (1 + asked.lift), (asked.deviation, asked.deviation)
    raise ConfigError("give --share, or else --mean and --deviation: what is measured, without the effect")
