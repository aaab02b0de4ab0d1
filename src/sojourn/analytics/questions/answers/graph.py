"""Graph: the question of what people do, step after step, answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from sojourn.analytics.events import Events
from sojourn.analytics.graph.difference import difference
from sojourn.analytics.graph.journey_graph import Asked, JourneyGraph, journey_graph
from sojourn.analytics.graph.step_matrix import StepMatrix, step_matrix
from sojourn.analytics.questions.asked import Graph
from sojourn.analytics.questions.selections import Side, in_sessions, selection_of, sides_of
from sojourn.analytics.selecting import Selection, select
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
        parts = _parts(events, selection, sides)
        return ComparisonAnswer(
            difference(*parts, unit=asked.by, collapse=asked.collapse), selection, one, other
        )
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


def _parts(events: Events, selection: Selection, sides: tuple[Side, Side]) -> Iterator[Events]:
    """Select both sides; conditions of either look at all that people did before they met a variant, too."""
    chosen = select(events, replace(selection, met=()))
    for side in sides:
        yield select(chosen, replace(side.selection, met=(*selection.met, *side.selection.met)))


def _matrix(asked: Graph, events: Events, n_columns: int, selection: Selection) -> StepMatrix:
    found = step_matrix(
        events, n_columns=n_columns, limit=MATRIX_STEPS, unit=asked.by, collapse=asked.collapse
    )
    found.definition["selection"] = selection.words()
    return found
