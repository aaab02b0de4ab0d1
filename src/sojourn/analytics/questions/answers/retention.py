"""Retention: the question of who comes back, and on how many days people are active, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.questions import asked as questions
from sojourn.analytics.questions.selections import among_of
from sojourn.analytics.retention import Retention, RetentionAnswer, parse_brackets
from sojourn.analytics.retention import retention as count
from sojourn.analytics.selecting import Selection, select
from sojourn.analytics.stickiness import Stickiness, StickinessAnswer, stickiness
from sojourn.definitions.instants import read_instant
from sojourn.definitions.zones import zone_named
from sojourn.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ReturnsAnswer:
    """Who came back."""

    found: RetentionAnswer
    selection: Selection

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        overall = self.found.overall()
        return {
            "definition": {**overall.definition, "selection": self.selection.words()},
            "overall": overall.to_dicts(),
            "cohorts": self.found.table().to_dicts(),
        }


@dataclass(frozen=True, slots=True)
class DaysAnswer:
    """On how many days people are active."""

    found: StickinessAnswer
    selection: Selection

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        return {
            "definition": {**self.found.definition, "selection": self.selection.words()},
            "active_days": self.found.active_days().to_dicts(),
            "daily": self.found.daily().to_dicts(),
        }


def answer(
    asked: questions.Retention, events: Events, ranks: Mapping[str, int]
) -> ReturnsAnswer | DaysAnswer:
    """Answer: active days where they are asked for, else who comes back.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    del ranks
    until_ms = None if asked.until is None else _until_ms(asked.until, asked.zone)
    events = select(events, selection := among_of(asked))
    returning = parse_kind(asked.returning, events.steps)
    if asked.active_days is not None:
        days = Stickiness(active=returning, period=asked.active_days, zone=asked.zone, until_ms=until_ms)
        return DaysAnswer(stickiness(events, days), selection)
    wanted = Retention(
        first=parse_kind(asked.first, events.steps),
        returning=returning,
        counting="bracket" if asked.brackets else asked.counting,
        brackets=parse_brackets(asked.brackets) if asked.brackets else (),
        period=asked.period,
        n_periods=asked.periods,
        zone=asked.zone,
        by=asked.by,
        limit=asked.limit,
        until_ms=until_ms,
    )
    return ReturnsAnswer(count(events, wanted), selection)


def _until_ms(text: str, zone: str) -> int:
    """Read a date or a time, by the clock of the place."""
    rules = zone_named(zone)
    at = read_instant(text, rules) if rules else 0  # a wrong zone is named where it is used
    if at is None:
        raise ConfigError(f"--until {text}: expected a date or a time, as 2026-03-01 or 2026-03-01T12:00:00Z")
    return at
