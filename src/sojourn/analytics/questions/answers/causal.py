"""Causal: the question of what was brought about, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.attribution import JourneyRules
from sojourn.analytics.causal.beside import MODELS
from sojourn.analytics.causal.reporting import Rules, report
from sojourn.analytics.causal.results import Report, Settings
from sojourn.analytics.causal.trials import Evidence
from sojourn.analytics.events import Events
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.questions.asked import Causal, duration_ms
from sojourn.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CausalAnswer:
    """What hold-outs tell."""

    found: Report

    def told(self) -> Any:
        """Lay it out for programs."""
        return self.found


def answer(asked: Causal, events: Events, ranks: Mapping[str, int]) -> CausalAnswer:
    """Answer from events and the trials among them.

    Raises:
        ConfigError: A part of the question cannot be read, names what no event has, or there is no hold-out.
    """
    del ranks
    assert isinstance(events, Evidence), "they are read with the trials"
    assert events.trials is not None
    return CausalAnswer(report(events, events.trials, rules_of(asked, events)))


def rules_of(asked: Causal, events: Events) -> Rules:
    """Read what is asked; raise ConfigError where a part cannot be read."""
    if asked.conversion is None:
        raise ConfigError('say what a conversion is: --conversion "Order Completed"')
    return Rules(
        journeys=JourneyRules(
            conversion=parse_kind(asked.conversion, events.steps),
            touch=None if asked.touch is None else parse_kind(asked.touch, events.steps),
            channel=asked.channel,
            value=asked.value,
        ),
        settings=Settings(
            level=asked.level,
            looks="once" if asked.method == "fixed" else "any",
            window_ms=None if asked.within is None else duration_ms(asked.within, "within"),
            covariates=asked.covariate,
            seed=asked.seed,
        ),
        models=asked.model or MODELS,
        part=asked.inside,
        by=asked.by,
    )
