"""Paths: the question of which ways people go, answered: whole, in part, and from or to a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.events import Events
from sojourn.analytics.graph.patterns import Patterns, PatternsAnswer, patterns
from sojourn.analytics.graph.sankey import Sankey, sankey
from sojourn.analytics.graph.variants import Variants, variants
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.questions.asked import Paths
from sojourn.analytics.questions.selections import selection_of
from sojourn.analytics.selecting import Selection, select
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class VariantsAnswer:
    """Distinct whole paths."""

    found: Variants
    selection: Selection
    limit: int

    def table(self) -> Table:
        """Return as many as were asked for, and the rest as one row."""
        return self.found.table(limit=self.limit)

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        return {"definition": _definition(self), "variants": self.table().to_dicts()}


@dataclass(frozen=True, slots=True)
class CommonAnswer:
    """Patterns that many paths have in common."""

    found: PatternsAnswer
    selection: Selection
    limit: int
    only_maximal: bool

    def table(self) -> Table:
        """Return as many as were asked for."""
        return self.found.table(limit=self.limit, only_maximal=self.only_maximal)

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        return {"definition": _definition(self), "patterns": self.table().to_dicts()}


@dataclass(frozen=True, slots=True)
class FlowsAnswer:
    """The steps after one, or before it."""

    found: Sankey
    selection: Selection
    around: str
    is_after: bool

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        drawn = self.found
        return {
            "definition": _definition(self),
            "nodes": drawn.nodes.to_dicts(),
            "links": drawn.links.to_dicts(),
        }


def answer(
    asked: Paths, events: Events, ranks: Mapping[str, int]
) -> VariantsAnswer | CommonAnswer | FlowsAnswer:
    """Answer: flows where they are asked for, else patterns where they are, else whole paths.

    Raises:
        ConfigError: Several are asked for at once, or something cannot be read, or no event is so called.
    """
    del ranks
    if sum((asked.from_ is not None, asked.to is not None, asked.patterns)) > 1:
        raise ConfigError("--from, --to and --patterns are three questions: ask one of them")
    selection = selection_of(asked)
    events = select(events, selection)
    if asked.patterns:
        found = patterns(events, _patterns(asked))
        return CommonAnswer(found, selection, asked.limit, only_maximal=not asked.all_)
    if asked.from_ is not None or asked.to is not None:
        return _flows(asked, events, selection)
    return VariantsAnswer(variants(events, unit=asked.per, collapse=asked.collapse), selection, asked.limit)


def _definition(answer: VariantsAnswer | CommonAnswer | FlowsAnswer) -> dict[str, Any]:
    return {**answer.found.definition, "selection": answer.selection.words()}


def _flows(asked: Paths, events: Events, selection: Selection) -> FlowsAnswer:
    around, is_after = parse_kind(asked.from_ or asked.to or "", events.steps), asked.to is None
    drawn = sankey(
        events,
        around=around,
        direction="forward" if is_after else "backward",
        n_columns=asked.columns,
        limit=asked.limit,
        unit=asked.per,
        collapse=asked.collapse,
    )
    return FlowsAnswer(drawn, selection, str(around), is_after)


def _patterns(asked: Paths) -> Patterns:
    """Read the length of patterns: `2-5`, or `3`."""
    shortest, _, longest = asked.length.partition("-")
    if not (shortest.isdecimal() and (longest or shortest).isdecimal()):
        raise ConfigError(f"--length {asked.length}: expected from how many steps to how many, as in 2-5")
    return Patterns(
        min_length=int(shortest),
        max_length=int(longest or shortest),
        min_share=asked.min_share,
        gaps=asked.gaps,
        unit=asked.per,
        collapse=asked.collapse,
    )
