"""Friction: the question of where people struggle, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.events import Events
from sojourn.analytics.friction.findings import Findings, find_friction
from sojourn.analytics.questions.asked import Friction
from sojourn.analytics.questions.selections import among_of
from sojourn.analytics.selecting import Selection, select


@dataclass(frozen=True, slots=True)
class FrictionAnswer:
    """What was found."""

    found: Findings
    limit: int
    selection: Selection

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        findings = self.found.findings
        return {
            "definition": {**self.found.definition, "selection": self.selection.words()},
            "findings": findings[: self.limit],
            "n_findings": len(findings),
        }


def answer(
    asked: Friction,
    events: Events,
    ranks: Mapping[str, int],
    *,
    progress: Callable[[float], None] | None = None,
) -> FrictionAnswer:
    """Answer; where no sessions are recorded, by person. `progress` hears of each part of 1 that is done.

    Raises:
        ConfigError: No step is called as a goal is, no attribute was read of a name, or nobody is selected.
    """
    events = select(events, selection := among_of(asked))
    found = find_friction(
        events,
        unit=asked.by if events.session is not None else "person",
        goal=asked.goal,
        ranks=ranks,
        attributes=asked.attribute or None,
        seed=asked.seed,
        progress=progress,
    )
    return FrictionAnswer(found, asked.limit, selection)
