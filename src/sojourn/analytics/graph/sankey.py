"""Sankey: where people go from a step, column by column, and from where they come to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit, unit_means
from sojourn.analytics.events import Codes, Events
from sojourn.analytics.graph.sequences import Sequences, n_people, sequences
from sojourn.analytics.kinds import ANYTHING, Kind, bits_of
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

Direction = Literal["forward", "backward"]

Names = list[tuple[str, str | None]]
"""(kind, name) of nodes: a "step", the "other" steps, or the end: "ended" or "began"."""

MAX_COLUMNS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Sankey:
    """Columns of nodes, and the links between one column and the next.

    Each node's links to the next column add up to it; and all links to a node, to it. Those who ended at a
    node go to a node of kind "ended" in the next column, and no further. (Backward, each next column is
    earlier in time, and they go to one of kind "began".)
    """

    nodes: Table
    """column (from 0, where the walk is looked at from), kind, name, count, people."""
    links: Table
    """column (of the source), source_kind, source, target_kind, target, count, people."""
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Where walks are looked at from; arrays are (n_walks,), by case."""

    case: NDArray[np.int64]
    place: NDArray[np.int64]
    """Of the first column: an index into the sequences' steps."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a sankey looks like.

    Raises:
        ConfigError: It has no columns, or more than MAX_COLUMNS.
    """

    stride: int
    """1: forward in time; -1: backward."""
    n_columns: int
    limit: int

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 1 <= self.n_columns <= MAX_COLUMNS:
            raise ConfigError(f"{self.n_columns} columns: expected 1 to {MAX_COLUMNS}")
        if self.limit < 0:
            raise ConfigError("a column cannot show fewer than no steps")


def sankey(
    events: Events,
    *,
    around: Kind | None = None,
    direction: Direction = "forward",
    n_columns: int = 5,
    limit: int = 8,
    unit: Unit = "person",
    collapse: bool = False,
) -> Sankey:
    """Draw where cases go after their first event of a kind, or from where they came to their last one.

    Args:
        events: The events.
        around: The first column. None: the first event of each case (backward: the last).
        direction: "forward" or "backward" in time.
        n_columns: How many columns there are at most, the first included.
        limit: The steps of a column that have a node, the most frequent; the rest is one node of kind
            "other".
        unit: Whose walks.
        collapse: Take equal steps right after one another as one.

    Raises:
        ConfigError: No event is of the kind.
    """
    if direction not in ("forward", "backward"):
        raise ConfigError(f"{direction!r}: a sankey goes forward or backward")
    lined_up = sequences(events, unit, collapse=collapse)
    place = _anchors(events, lined_up, around or ANYTHING, direction)
    case = np.flatnonzero(place >= 0)
    definition = {
        "around": str(around)
        if around
        else ("the first event" if direction == "forward" else "the last event"),
        "from": f"the {'first' if direction == 'forward' else 'last'} such event of each {unit}",
        "direction": direction,
        "unit": unit,
        "case": unit_means(events, unit),
        "repeats": "equal steps right after one another are one" if collapse else "kept",
        "n_cases": len(case),
        "n_cases_without": len(lined_up) - len(case),
        "n_people": events.n_people,
    }
    shape = Shape(1 if direction == "forward" else -1, n_columns, limit)
    return draw(lined_up, Walks(case, place[case]), shape, definition)


def _anchors(events: Events, lined_up: Sequences, kind: Kind, direction: Direction) -> NDArray[np.int64]:
    """Return where in the sequences each case is looked at from; -1 for cases without such an event."""
    if kind == ANYTHING:
        return lined_up.starts[:-1] if direction == "forward" else lined_up.starts[1:] - 1
    some = np.flatnonzero(bits_of(events, [kind])[lined_up.event])
    if direction == "forward":
        place = np.append(some, len(lined_up.step))[np.searchsorted(some, lined_up.starts[:-1])]
        return np.where(place < lined_up.starts[1:], place, -1)
    place = np.append(some, -1)[np.searchsorted(some, lined_up.starts[1:]) - 1]
    return np.where(place >= lined_up.starts[:-1], place, -1)


def draw(lined_up: Sequences, walks: Walks, shape: Shape, definition: dict[str, Any]) -> Sankey:
    """Draw given walks, column by column."""
    end = "ended" if shape.stride > 0 else "began"
    nodes: list[tuple[Any, ...]] = []
    links: list[tuple[Any, ...]] = []
    before: NDArray[np.int64] | None = None
    names_before: Names = []
    for column in range(shape.n_columns):
        node, names = _nodes(lined_up, walks, shape.limit, end)
        person = lined_up.person[walks.case]
        nodes += [(column, *names[i], *counts) for i, *counts in _tally(node, person)]
        if before is not None:
            for key, *counts in _tally(before * len(names) + node, person):
                links.append(
                    (column - 1, *names_before[key // len(names)], *names[key % len(names)], *counts)
                )
        goes_on = np.flatnonzero(node < len(names) - 1)
        walks = Walks(walks.case[goes_on], walks.place[goes_on] + shape.stride)
        before, names_before = node[goes_on], names
    return Sankey(
        _table(nodes, ("column", "kind", "name", "count", "people"), definition),
        _table(
            links,
            ("column", "source_kind", "source", "target_kind", "target", "count", "people"),
            definition,
        ),
        definition,
    )


def _nodes(lined_up: Sequences, walks: Walks, limit: int, end: str) -> tuple[NDArray[np.int64], Names]:
    """Return each walk's node in a column, and what the nodes are: steps by frequency, the others, the
    end."""
    is_inside = (walks.place >= lined_up.starts[walks.case]) & (walks.place < lined_up.starts[walks.case + 1])
    step = lined_up.step[walks.place[is_inside]]
    sizes = np.bincount(step, minlength=len(lined_up.names))
    kept = np.argsort(-sizes, kind="stable")[: min(limit, np.count_nonzero(sizes))]
    node_of = np.full(len(sizes), len(kept))
    node_of[kept] = np.arange(len(kept))
    node = np.full(len(walks.case), len(kept) + 1)
    node[is_inside] = node_of[step]
    names: Names = [("step", lined_up.names[code]) for code in kept.tolist()]
    return node, [*names, ("other", None), (end, None)]


def _tally(node: NDArray[np.int64], person: Codes) -> Iterator[tuple[int, int, int]]:
    """Yield each node that is there, with its count and its people."""
    counts = np.bincount(node)
    people = n_people(node, person, len(counts))
    for i in np.flatnonzero(counts).tolist():
        yield i, int(counts[i]), int(people[i])


def _table(rows: list[tuple[Any, ...]], names: tuple[str, ...], definition: dict[str, Any]) -> Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return Table(dict(zip(names, map(list, columns), strict=True)), definition)
