"""Graph: the question of what people do, step after step, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from sojourn.analytics.events import Events
from sojourn.analytics.graph.difference import difference
from sojourn.analytics.graph.journey_graph import Asked, JourneyGraph, journey_graph
from sojourn.analytics.graph.step_matrix import StepMatrix, step_matrix
from sojourn.analytics.questions.asked import Graph
from sojourn.analytics.questions.selections import Side, in_sessions, selection_of, sides_of
from sojourn.analytics.selecting import Selection, select, silent
from sojourn.analytics.tables import Table

MATRIX_STEPS = 15
"""Of a step matrix: the rest is one row."""


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """Steps and transitions."""

    found: JourneyGraph
    selection: Selection

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        return {
            "definition": {**self.found.definition, "selection": self.selection.words()},
            "nodes": self.found.nodes.to_dicts(),
            "edges": self.found.edges.to_dicts(),
        }


@dataclass(frozen=True, slots=True)
class MatrixAnswer:
    """Where people are at each of their first steps."""

    found: StepMatrix

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        rows = self.found.table()
        return {"definition": rows.definition, "positions": rows.to_dicts()}


@dataclass(frozen=True, slots=True)
class ComparisonAnswer:
    """Transitions of two selections beside each other."""

    found: Table
    selection: Selection
    one: Side
    other: Side

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        says = {
            **self.found.definition,
            "selection": self.selection.words(),
            "one": self.one.selection.words(),
            "other": self.other.selection.words(),
        }
        return {"definition": says, "edges": self.found.to_dicts()}


def answer(
    asked: Graph, events: Events, ranks: Mapping[str, int]
) -> GraphAnswer | MatrixAnswer | ComparisonAnswer:
    """Answer: a comparison where one is asked for, else a matrix where one is, else the graph.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    selection, sides = selection_of(asked), sides_of(asked)
    events = in_sessions(events, asked)
    if sides is not None:
        one, other = sides
        parts = [_part(events, selection, side) for side in sides]
        found = difference(
            *(part for part, _ in parts),
            unit=asked.by,
            collapse=asked.collapse,
            silent=(parts[0][1], parts[1][1]),
        )
        return ComparisonAnswer(found, selection, one, other)
    chosen = select(events, selection)
    if asked.matrix is not None:
        return MatrixAnswer(_matrix(asked, chosen, asked.matrix, selection))
    known = {step: rank for step, rank in ranks.items() if step in chosen.steps}
    wanted = Asked(
        unit=asked.by,
        goal=asked.goal,
        ranks=known,
        limit=asked.limit,
        edge_limit=asked.edges,
        collapse=asked.collapse,
    )
    return GraphAnswer(journey_graph(chosen, wanted), selection)


def _part(events: Events, selection: Selection, side: Side) -> tuple[Events, list[str]]:
    """Select one side; return it, and who of it did nothing after they met its variant.

    Conditions of either look at all that people did before they met a variant, too. A share of people counts
    who did nothing: whether somebody goes on at all may be what a variant changes.
    """
    chosen = select(select(events, replace(selection, met=())), replace(side.selection, met=()))
    met = (*selection.met, *side.selection.met)
    part = select(chosen, Selection(met=met))
    if not met or side.selection.of != "person":
        return part, []
    is_narrowed = any((*selection.where, *selection.did, *selection.within, *side.selection.within))
    return part, silent(chosen if is_narrowed else events, part, replace(selection, met=met))


def _matrix(asked: Graph, events: Events, n_columns: int, selection: Selection) -> StepMatrix:
    found = step_matrix(
        events, n_columns=n_columns, limit=MATRIX_STEPS, unit=asked.by, collapse=asked.collapse
    )
    found.definition["selection"] = selection.words()
    return found
