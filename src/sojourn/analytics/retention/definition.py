"""The question of retention: who comes back, after what, counted in which periods."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.analytics.kinds import ANYTHING, Kind
from sojourn.analytics.periods import UNITS, Unit
from sojourn.model.errors import ConfigError

Counting = Literal["classic", "rolling", "bracket"]

COUNTINGS: dict[Counting, str] = {
    "classic": "came back in the n-th period after the one of their first event",
    "rolling": "came back in the n-th period or in a later one that is in the data",
    "bracket": "came back in any of the periods of a bracket",
}
MAX_COLUMNS = 1_000


class Retention(Struct, frozen=True, kw_only=True):
    """A whole definition of retention.

    Raises:
        ConfigError: No retention is so.
    """

    first: Kind = ANYTHING
    """Who is followed: whoever has such an event, from their first one on."""
    returning: Kind = ANYTHING
    """What counts as coming back: such an event after the first one, or the first one itself where it is
    such."""
    counting: Counting = "classic"
    period: Unit = "month"
    zone: str = "UTC"
    """By the clock of which place days, weeks and months begin (a name of the IANA database)."""
    n_periods: int = 12
    """The last n; the period of the first event is 0."""
    brackets: tuple[tuple[int, int], ...] = ()
    """For "bracket": from which n to which, both included: `((1, 6), (7, 29))`."""
    by: str | None = None
    """Cohorts by an attribute of the first event. None: by the period of the first event."""
    limit: int = 10
    """At most so many values of `by`; the others are one cohort."""
    until_ms: int | None = None
    """Up to when everything was observed. None: up to the last event."""
    level: float = 0.95
    """Of the intervals."""

    def __post_init__(self) -> None:
        """Refuse what is no retention."""
        if self.counting not in COUNTINGS or self.period not in UNITS:
            raise ConfigError(
                f"expected a counting of {', '.join(COUNTINGS)} and a period of {', '.join(UNITS)}"
            )
        if (self.counting == "bracket") != bool(self.brackets):
            raise ConfigError('brackets go with the counting "bracket", as in 1-6, 7-29, and with no other')
        for low, high in self.brackets:
            if not 0 <= low <= high:
                raise ConfigError(
                    f"{low}-{high}: expected a bracket from a period to the same or a later one"
                )
        if not 0 <= self.n_periods < MAX_COLUMNS or len(self.brackets) > MAX_COLUMNS:
            raise ConfigError(f"{self.n_periods} periods: at most {MAX_COLUMNS - 1} can be asked for")
        if not 0 < self.level < 1:
            raise ConfigError("the level of an interval lies between 0 and 1, as 0.95 does")

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """Say which periods each column is about: from which n to which."""
        return self.brackets or tuple((n, n) for n in range(self.n_periods + 1))

    @property
    def labels(self) -> list[str]:
        """Name the columns."""
        return [str(low) if low == high else f"{low}-{high}" for low, high in self.columns]

    def in_words(self) -> dict[str, Any]:
        """Say what decides the numbers."""
        return {
            "first": str(self.first),
            "returning": str(self.returning),
            "counting": self.counting,
            "counting_means": COUNTINGS[self.counting],
            "period": self.period,
            "zone": self.zone,
            "cohorts": f"the {self.period} of the first event"
            if self.by is None
            else f"{self.by} of the first event",
            "n": f"calendar {self.period}s after the one of the first event, which is 0",
            "share": "of people for whom the whole period is over; others are counted apart",
            "intervals": f"Wilson, {self.level:.0%}",
        }


def parse_brackets(text: str) -> tuple[tuple[int, int], ...]:
    """Read brackets: `0, 1-6, 7-29`.

    Raises:
        ConfigError: They cannot be read.
    """
    brackets = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        if not (low.isdecimal() and (high or low).isdecimal()) or len(part) > 20:
            raise ConfigError(f"{part.strip()!r}: expected brackets as in 0, 1-6, 7-29")
        brackets.append((int(low), int(high or low)))
    return tuple(brackets)
