"""Funnel: the question of how many go how far, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.events import Events
from sojourn.analytics.funnel import Funnel, FunnelAnswer, parse_exclusion
from sojourn.analytics.funnel import funnel as count
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.questions import asked as questions
from sojourn.analytics.questions.asked import duration_ms
from sojourn.analytics.questions.selections import selection_of
from sojourn.analytics.selecting import select
from sojourn.analytics.timing import Conversion, ConversionAnswer, time_to_convert


@dataclass(frozen=True, slots=True)
class CountedAnswer:
    """A funnel, and which views of it were asked for."""

    asked: questions.Funnel
    found: FunnelAnswer
    conversion: ConversionAnswer | None

    def told(self) -> dict[str, Any]:
        """Lay it out for programs. Whatever was not asked for is not in it."""
        asked, found = self.asked, self.found
        told: dict[str, Any] = {
            "definition": {**found.definition, "selection": selection_of(asked).words()},
            "steps": list(found.steps),
            "times": found.times().to_dicts(),
            "went_to": found.went_to(limit=asked.limit).to_dicts(),
        }
        if asked.by is not None:
            told["by"] = found.by_attribute(asked.by, limit=asked.limit).to_dicts()
        if asked.after is not None:
            drawn = found.after_drop_off(asked.after, limit=asked.limit)
            told["after"] = {"nodes": drawn.nodes.to_dicts(), "links": drawn.links.to_dicts()}
        if asked.reached is not None:
            told["reached"] = found.passes(asked.reached).to_dicts()
        if asked.dropped is not None:
            told["dropped"] = found.passes(asked.dropped, only_dropped=True).to_dicts()
        if self.conversion is not None:
            told["time_to_convert"] = {
                "definition": self.conversion.definition,
                "quantiles": self.conversion.quantiles().to_dicts(),
                "curve": self.conversion.table().to_dicts(),
            }
        return told


def answer(asked: questions.Funnel, events: Events, ranks: Mapping[str, int]) -> CountedAnswer:
    """Answer.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    del ranks
    events = select(events, selection_of(asked))
    within_ms = None if asked.within is None else duration_ms(asked.within, "within")
    kinds = [parse_kind(step, events.steps) for step in asked.step]
    found = count(
        events,
        Funnel(
            steps=tuple(kinds),
            order=asked.order,
            within_ms=within_ms,
            without=tuple(parse_exclusion(text, events.steps) for text in asked.without),
            per=asked.per,
        ),
    )
    conversion = None
    if asked.time_to_convert:
        conversion = time_to_convert(events, Conversion(first=kinds[0], to=kinds[-1], within_ms=within_ms))
    return CountedAnswer(asked, found, conversion)
