"""Small makers: exposures and reports of a few people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sojourn.analytics.events import Events
from sojourn.analytics.experiments.reporting import Asked, report
from sojourn.analytics.experiments.results import Report
from sojourn.analytics.experiments.rules import Rule
from sojourn.definitions.metrics import Metric
from tests.analytics.making import DAY, events_of

BOUGHT = Metric(name="bought", kind="conversion", on=("Buy",), within_ms=7 * DAY, before_ms=0)
T0 = 1_770_000_000_000


def exposures(rows: Iterable[tuple[Any, ...]]) -> Events:
    """Encode exposures: (person, variant, at in ms), and perhaps what else is known of each."""
    return events_of(
        (
            person,
            more[0].pop("experiment", "banner") if more else "banner",
            at,
            {"variant": variant, **(more[0] if more else {})},
        )
        for person, variant, at, *more in rows
    )


def reported(
    met: Iterable[tuple[Any, ...]],
    did: Sequence[tuple[Any, ...]],
    *metrics: Metric,
    goals: Events | None = None,
    rule: Rule = Rule(),  # noqa: B008 - it is frozen
    until_ms: int | None = None,
    **asked: Any,
) -> Report:
    """Report the experiment `banner` by its metrics, `BOUGHT` where none is named."""
    return report(
        exposures(met),
        events_of(did) if did else None,
        goals,
        asked=Asked(experiment="banner", rule=rule, until_ms=until_ms, **asked),
        metrics=metrics or (BOUGHT,),
    )
