"""Rules: by which interval arms are compared, and what it costs to look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from sojourn.analytics.experiments.asked import LEVEL, Method
from sojourn.analytics.experiments.results import Look
from sojourn.analytics.statistics.fixed import fixed_interval
from sojourn.analytics.statistics.group_sequential import MAX_LOOKS, crossing_probability, obrien_fleming
from sojourn.analytics.statistics.interval import Contrast, Interval
from sojourn.analytics.statistics.sequential import TUNING, sequential_interval
from sojourn.model.errors import ConfigError

SHOWN_LOOKS = 20  # of an experiment that may be looked at any time: enough to draw.

Seen = Callable[[int], Contrast]
"""The comparison over the first n people whose window was over."""


class Rule(Struct, frozen=True, kw_only=True):
    """How one may look."""

    method: Method = "always-valid"
    level: float = LEVEL
    """Of intervals; 1 less the share of claims that may be wrong."""
    tuning: float = TUNING
    looks: int = 5
    """Of planned looks."""
    planned: int | None = None
    """People of the two arms at the last planned look."""

    @property
    def alpha(self) -> float:
        """The share of claims that may be wrong."""
        return 1 - self.level

    def __post_init__(self) -> None:
        """Refuse looks that nobody planned."""
        if self.method == "planned-looks" and self.planned is None:
            raise ConfigError("planned looks need the number of people they were planned for: --planned N")
        if self.planned is not None and not self.looks <= self.planned:
            raise ConfigError(f"{self.looks} looks at {self.planned} people: plan at least one for each look")
        if not 1 <= self.looks <= MAX_LOOKS:
            raise ConfigError(f"expected 1 to {MAX_LOOKS} looks, got {self.looks}")

    def interval(self, difference: Contrast) -> Interval:
        """Put bounds around a difference seen now; of planned looks, those of the last one."""
        if self.method == "always-valid":
            return sequential_interval(difference, self.alpha, self.tuning)
        if self.method == "fixed":
            return fixed_interval(difference, self.alpha)
        return _at_a_look(difference, self, self.looks)[0]


def judged(rule: Rule, over_at: Sequence[int], seen: Seen) -> tuple[int, list[Look]]:
    """Look as the rule allows, and keep what was found.

    Args:
        rule: How one may look.
        over_at: When the window of each person of the two arms was over, ms, ascending.
        seen: The comparison after so many of them.

    Returns:
        (of how many people the last look was, the looks): the smallest p so far is each look's p.
    """
    n = len(over_at)
    if rule.method == "planned-looks":
        return _planned(rule, over_at, seen)
    if rule.method == "fixed" or n == 0:
        return n, []
    sizes = sorted({max(1, round(n * (k + 1) / SHOWN_LOOKS)) for k in range(SHOWN_LOOKS)})
    looks: list[Look] = []
    p = 1.0
    for size in sizes:
        found = rule.interval(seen(size))
        p = min(p, found.p)
        looks.append(_look(over_at[size - 1], size, found, p=p, is_clear=found.is_clear))
    return n, looks


def _planned(rule: Rule, over_at: Sequence[int], seen: Seen) -> tuple[int, list[Look]]:
    assert rule.planned is not None
    looks: list[Look] = []
    p = 1.0
    for k in range(1, rule.looks + 1):
        size = math.ceil(k * rule.planned / rule.looks)
        if size > len(over_at):
            break
        found, p_now = _at_a_look(seen(size), rule, k)
        p = min(p, p_now)
        looks.append(_look(over_at[size - 1], size, found, p=p, is_clear=found.is_clear))
        if found.is_clear:
            break  # a test that stops is over
    return (looks[-1].people if looks else 0), looks


def _at_a_look(difference: Contrast, rule: Rule, k: int) -> tuple[Interval, float]:
    """Return the repeated confidence interval of look k and its p (C. Jennison, B. W. Turnbull, 1989)."""
    if not difference.is_known:
        return difference.open(), 1.0
    fractions = [(i + 1) / rule.looks for i in range(rule.looks)]
    error = math.sqrt(difference.variance)
    last = abs(difference.estimate) / error * math.sqrt(fractions[k - 1])
    p = crossing_probability([last / math.sqrt(t) for t in fractions], fractions) if last else 1.0
    bound = obrien_fleming(rule.looks, rule.alpha)[k - 1]
    return difference.within(bound * error, p=min(p, 1.0)), min(p, 1.0)


def _look(at_ms: int, size: int, found: Interval, *, p: float, is_clear: bool) -> Look:
    return Look(
        at_ms=int(at_ms),
        people=size,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        p=p,
        is_clear=is_clear,
    )
