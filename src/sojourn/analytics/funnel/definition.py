"""The question a funnel asks: which steps, in which order, how soon, without what, and counted by what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from sojourn.analytics.kinds import MAX_KINDS, Kind, parse_kind
from sojourn.definitions.durations import write_duration
from sojourn.model.errors import ConfigError

Order = Literal["ordered", "strict", "any"]
Per = Literal["person", "session", "attempt"]

ORDERS: dict[Order, str] = {
    "ordered": "each step after the one before it; other events may lie between",
    "strict": "each step is the very next event after the one before it",
    "any": "a count at a step is of who did all the steps up to it, in any order",
}
UNITS: dict[Per, str] = {
    "person": "each person once, by the deepest they got",
    "session": "each session once, by the deepest it got",
    "attempt": "as many complete passes of a person as fit one after another; in what is left, as many as "
    "reach the step before the last; and so on: each first step belongs to one attempt",
}


_BETWEEN = re.compile(r"^(?P<kind>.*?)\s+@(?P<after>\d{1,3})-(?P<before>\d{0,3})$", re.S)


class Exclusion(Struct, frozen=True):
    """An event that must not lie between two steps."""

    kind: Kind
    after: int = 1
    """The step (from 1) after which it must not come ..."""
    before: int | None = None
    """... and the step before which; None: the last."""

    def __str__(self) -> str:
        """Write it as `parse_exclusion` reads it."""
        return str(self.kind) if self.is_everywhere else f"{self.kind} @{self.after}-{self.before or ''}"

    @property
    def is_everywhere(self) -> bool:
        """Tell whether it holds between all steps."""
        return self.after == 1 and self.before is None


def parse_exclusion(text: str, known: Sequence[str] = ()) -> Exclusion:
    """Read an exclusion: `Cart Emptied`, or `Cart Emptied @2-3` where it must not lie between steps 2 and 3.

    Raises:
        ConfigError: It cannot be read.
    """
    found = None if text in known else _BETWEEN.match(text)
    if found is None:
        return Exclusion(parse_kind(text, known))
    return Exclusion(
        parse_kind(found["kind"], known),
        int(found["after"]),
        int(found["before"]) if found["before"] else None,
    )


class Funnel(Struct, frozen=True, kw_only=True):
    """A funnel's whole definition.

    Raises:
        ConfigError: No funnel is so.
    """

    steps: tuple[Kind, ...]
    order: Order = "ordered"
    within_ms: int | None = None
    """The conversion window: at most so long from the first step of a pass to its last, this included."""
    without: tuple[Exclusion, ...] = ()
    per: Per = "person"
    level: float = 0.95
    """Of the intervals."""

    def __post_init__(self) -> None:
        """Refuse what is no funnel."""
        if not self.steps:
            raise ConfigError("a funnel has at least one step")
        if len(self.steps) + len(self.without) > MAX_KINDS:
            raise ConfigError(f"a funnel has at most {MAX_KINDS} steps and exclusions")
        if self.order not in ORDERS or self.per not in UNITS:
            raise ConfigError(f"expected an order of {', '.join(ORDERS)} and a unit of {', '.join(UNITS)}")
        if self.within_ms is not None and self.within_ms < 0:
            raise ConfigError("a conversion window cannot be shorter than nothing")
        if not 0 < self.level < 1:
            raise ConfigError("the level of an interval lies between 0 and 1, as 0.95 does")
        for exclusion in self.without:
            self._check(exclusion)

    def _check(self, exclusion: Exclusion) -> None:
        if self.order == "strict":
            raise ConfigError(f"{exclusion}: between the steps of a strict funnel nothing can lie")
        if self.order == "any" and not exclusion.is_everywhere:
            raise ConfigError(f"{exclusion}: steps in any order have no between; exclude it everywhere")
        if not 1 <= exclusion.after < (exclusion.before or len(self.steps)) <= len(self.steps):
            raise ConfigError(
                f"{exclusion}: expected a step and a later one, of 1 to {len(self.steps)}, to lie between"
            )

    @property
    def labels(self) -> list[str]:
        """Name the steps as they were asked for."""
        return [str(step) for step in self.steps]

    def in_words(self) -> dict[str, Any]:
        """Say what decides the numbers."""
        return {
            "steps": self.labels,
            "order": self.order,
            "order_means": ORDERS[self.order],
            "within": None if self.within_ms is None else write_duration(self.within_ms),
            "without": [str(exclusion) for exclusion in self.without],
            "per": self.per,
            "per_means": UNITS[self.per],
            "ties": "events at one instant are in the order they came",
            "match": "of the passes that got deepest the one that ended first, begun as late as it can be",
            "intervals": f"Wilson, {self.level:.0%}"
            + ("" if self.per == "person" else ", widened as those of one person are alike"),
        }
