"""The journey graph: steps people take, how they go from one to the next, and how many stand behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.chunks import counted, side_by_side, taken
from sojourn.analytics.events import Codes, Events
from sojourn.analytics.graph.chain import Chain, chain_of
from sojourn.analytics.graph.distinct import Part, Parts, n_distinct, n_sessions
from sojourn.analytics.graph.quantiles import Ranked, Sizes, places_of
from sojourn.analytics.graph.sequences import Sequences, sequences
from sojourn.analytics.selecting import known_steps
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

Counts = NDArray[np.int64]

MAX_STEPS = 2_000  # the chain is solved densely: 32 MB, and a second.
OTHER = "(other)"
QUANTILES = (0.5, 0.9)


class Asked(Struct, frozen=True, kw_only=True):
    """What graph is asked for."""

    unit: Unit = "person"
    goal: tuple[str, ...] = ()
    """Steps that are conversions; none: nothing is said of converting."""
    ranks: Mapping[str, int] = {}
    """Stage rank by step, for skips and ways back; a step without one takes no part."""
    limit: int | None = None
    """The steps shown, the most frequent; the rest is one node. None: all."""
    edge_limit: int | None = None
    """The edges shown, the most frequent; the rest is one row. None: all."""
    collapse: bool = False
    """Take equal steps right after one another as one."""


@dataclass(frozen=True, slots=True, eq=False)
class JourneyGraph:
    """Nodes and edges. Of each node: `count` = `starts` + what comes in = `ends` + what goes out."""

    nodes: Table
    """name, kind ("step" | "other"), count, people, sessions, share, starts, ends, repeats, returns, dwell,
    and where a goal is given: converted, conversion, steps_to_convert, steps_to_end."""
    edges: Table
    """source, target, kind ("step" | "other"), count, people, sessions, share (of all that leave the source,
    ends included), direction, dwell."""
    definition: dict[str, Any]
    counts: Counts
    """Shape (n_nodes, n_nodes): transitions, for what is computed from them; nodes as in `nodes`."""


def journey_graph(events: Events, asked: Asked | None = None) -> JourneyGraph:
    """Count the graph.

    Raises:
        ConfigError: No step has the name of the goal or of a rank, or more than MAX_STEPS different steps are
            left: ask for a limit.
    """
    asked = asked or Asked()
    lined_up = sequences(events, asked.unit, collapse=asked.collapse)
    names, node = nodes_of(events, lined_up, asked)
    known_steps("goal", asked.goal, events.steps)
    known_steps("rank", asked.ranks, events.steps)
    goal = np.array([name in asked.goal for name in names], dtype=np.bool_)
    walk = _Walk.of(events, lined_up, node, len(names))
    ahead = chain_of(walk.counts, walk.ends, goal) if asked.goal else None
    definition = _definition(events, lined_up, asked, n_left=len(events.steps) + 1 - len(names))
    rows = _Rows.of(walk, asked.edge_limit)
    found = _Found(names, walk, rows, _behind(walk, rows))
    nodes = Table(_node_columns(found, ahead, goal), definition)
    edges = Table(_edge_columns(found, asked), definition)
    return JourneyGraph(nodes, edges, definition, walk.counts.copy())


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Sequences in which each step is a node; arrays are (n_steps,)."""

    lined_up: Sequences
    node: Codes
    n_nodes: int
    at: NDArray[np.int64]
    session: NDArray[np.int32] | None
    edge: Codes
    """source node * (n_nodes + 1) + target node, which is n_nodes where the case ends."""
    leaving: Counts
    """Shape (n_nodes, n_nodes + 1): steps by edge."""
    starts: Counts

    @classmethod
    def of(cls, events: Events, lined_up: Sequences, node: Codes, n_nodes: int) -> _Walk:
        shape = (n_nodes, n_nodes + 1)
        n_edges = n_nodes * (n_nodes + 1)
        edge = np.empty(len(node), dtype=np.min_scalar_type(n_edges))

        def number(part: Part) -> None:
            after = np.empty(len(part.case), dtype=edge.dtype)
            after[:-1] = node[part.steps][1:]
            after[lined_up.starts[part.cases.start + 1 : part.cases.stop + 1] - part.steps.start - 1] = (
                n_nodes
            )
            after += node[part.steps].astype(edge.dtype) * edge.dtype.type(n_nodes + 1)
            edge[part.steps] = after

        Parts(lined_up).run(number)
        return cls(
            lined_up=lined_up,
            node=node,
            n_nodes=n_nodes,
            at=lined_up.of_events(events.at),
            session=None if events.session is None else lined_up.of_events(events.session),
            edge=edge,
            leaving=counted(edge, n_edges).reshape(shape),
            starts=np.bincount(node[lined_up.starts[:-1]], minlength=n_nodes),
        )

    @property
    def counts(self) -> Counts:
        """Transitions, shape (n_nodes, n_nodes)."""
        return self.leaving[:, :-1]

    @property
    def ends(self) -> Counts:
        """Cases that end with a node, shape (n_nodes,)."""
        return self.leaving[:, -1]

    @property
    def is_by_person(self) -> bool:
        """Whether each case is a person's only one."""
        return bool((np.diff(self.lined_up.person) > 0).all())


def nodes_of(events: Events, lined_up: Sequences, asked: Asked) -> tuple[list[str], Codes]:
    """Return the names of nodes, the most frequent first and the rest last, and each step's node."""
    sizes = counted(lined_up.step, len(events.steps))
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    is_goal = np.isin(np.asarray(events.steps, dtype=object)[order], list(asked.goal))
    n_shown = len(order) if asked.limit is None else max(asked.limit, 0)
    is_shown = is_goal | (np.arange(len(order)) < n_shown)  # a goal that nobody sees would be no goal
    shown = order[is_shown]
    if len(shown) > MAX_STEPS:
        raise ConfigError(
            f"{len(shown):,} different steps: show at most {MAX_STEPS:,}, or name pages by templates"
        )
    number = np.full(len(sizes), len(shown), dtype=np.min_scalar_type(len(shown)))
    number[shown] = np.arange(len(shown))
    names = [events.steps[code] for code in shown.tolist()]
    has_rest = len(shown) < len(order)
    return [*names, OTHER] if has_rest else names, taken(number, lined_up.step)


class _Rows(NamedTuple):
    """The rows of edges: the most frequent first, and those beyond the limit as one."""

    edges: Counts
    """All that were gone along, the most frequent first."""
    source: Counts
    """The node of each."""
    n_shown: int

    @classmethod
    def of(cls, walk: _Walk, limit: int | None) -> _Rows:
        counts = np.concatenate([walk.counts, np.zeros((walk.n_nodes, 1), dtype=np.int64)], axis=1).ravel()
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        n_shown = len(order) if limit is None else min(max(limit, 0), len(order))
        return cls(order, order // (walk.n_nodes + 1), n_shown)

    @property
    def has_rest(self) -> bool:
        return self.n_shown < len(self.edges)

    @property
    def n(self) -> int:
        return self.n_shown + self.has_rest

    def joined(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what rows have, of values of all edges, along the first axis."""
        if not self.has_rest:
            return values
        return np.concatenate([values[: self.n_shown], values[self.n_shown :].sum(axis=0, keepdims=True)])


class _Behind(NamedTuple):
    """How many are behind each node and each row of edges, and the quantiles of their dwell."""

    cases: Counts
    people: Counts
    sessions: Counts | None
    edge_people: Counts
    edge_sessions: Counts | None
    dwell: NDArray[np.float64]
    edge_dwell: NDArray[np.float64]


class _Found(NamedTuple):
    """All that was counted."""

    names: Sequence[str]
    """Of nodes."""
    walk: _Walk
    rows: _Rows
    behind: _Behind


def _behind(walk: _Walk, rows: _Rows) -> _Behind:
    """Count who is behind them, in one pass."""
    n, n_rows = walk.n_nodes, rows.n + 1  # What ends is in row 0, and forgotten.
    number = np.zeros(walk.leaving.size, dtype=np.min_scalar_type(len(rows.edges)))
    number[rows.edges] = np.arange(1, len(rows.edges) + 1)
    sizes = Sizes(int(np.ptp(walk.at)) if len(walk.at) else 0, len(rows.edges) + 1)
    cell = np.empty(len(walk.edge), dtype=np.int32)
    is_by_person, person, session = walk.is_by_person, walk.lined_up.person, walk.session

    def count(part: Part) -> Counts:
        node, edge = walk.node[part.steps], number[walk.edge[part.steps]]
        dwell = np.diff(walk.at[part.steps], append=0)
        dwell[edge == 0] = 0
        cell[part.steps] = edge.astype(np.int32) * sizes.n + sizes.of(dwell)
        row = np.minimum(edge, rows.n) if rows.has_rest else edge
        found, who = [n_distinct(part.case, node, n)], part.case
        if not is_by_person:
            who = (person[part.cases] - np.int64(person[part.cases.start]))[part.case]
            found.append(n_distinct(who, node, n))
        found.append(n_distinct(who, row, n_rows))
        if session is not None:
            found += [n_sessions(session[part.steps], *group) for group in ((node, n), (row, n_rows))]
        return np.concatenate(found)

    lengths = [n] * (1 if is_by_person else 2) + [n_rows] + ([] if session is None else [n, n_rows])
    parts = Parts(walk.lined_up, least=sum(lengths))
    total = np.split(parts.total(count, sum(lengths)), np.cumsum(lengths)[:-1])
    cases, people = total[0], total[0 if is_by_person else 1]
    edge_people, *sessions = total[1 if is_by_person else 2 :]
    dwell, edge_dwell = _dwell(walk, rows, cell, sizes)
    return _Behind(
        cases=cases,
        people=people,
        sessions=sessions[0] if sessions else None,
        edge_people=edge_people[1:],
        edge_sessions=sessions[1][1:] if sessions else None,
        dwell=dwell,
        edge_dwell=edge_dwell,
    )


def _dwell(
    walk: _Walk, rows: _Rows, cell: NDArray[np.int32], sizes: Sizes
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return quantiles of the time to the next step of nodes and of rows of edges, ms.

    Args:
        walk: The steps.
        rows: The rows of edges.
        cell: Shape (n_steps,): (place of the edge among all of them, from 1) * sizes.n + size of the dwell.
        sizes: Of dwells.
    """
    counts = counted(cell, (len(rows.edges) + 1) * sizes.n).reshape(-1, sizes.n)
    of_edges = counts[1:]
    of_nodes = np.zeros((walk.n_nodes, sizes.n), dtype=np.int64)
    np.add.at(of_nodes, rows.source, of_edges)
    ranked = Ranked.of(of_nodes, QUANTILES), Ranked.of(rows.joined(of_edges), QUANTILES)
    row = np.minimum(np.arange(len(of_edges)), rows.n - 1)
    wanted = np.zeros(counts.shape, dtype=np.bool_)
    wanted[1:] = ranked[0].wanted[rows.source] | ranked[1].wanted[row]
    places = places_of(wanted.ravel(), cell)
    edge, size = np.divmod(cell[places].astype(np.int64), sizes.n)
    dwell = walk.at[places + 1] - walk.at[places]

    def quantiles(of: Ranked, group: Counts) -> NDArray[np.float64]:
        own = group[edge - 1] * sizes.n + size
        is_wanted = of.wanted.ravel()[own]
        return of.quantiles(own[is_wanted], dwell[is_wanted])

    found = side_by_side(
        lambda: quantiles(ranked[0], rows.source), lambda: quantiles(ranked[1], row), n=len(cell)
    )
    return found[0], found[1]


def _node_columns(found: _Found, ahead: Chain | None, goal: NDArray[np.bool_]) -> dict[str, Any]:
    names, walk, _, behind = found
    count, repeats = walk.leaving.sum(axis=1), np.diagonal(walk.counts).copy()
    return {
        "name": list(names),
        "kind": ["other" if name == OTHER else "step" for name in names],
        "count": count,
        "people": behind.people,
        "sessions": _or_none(behind.sessions, len(names)),
        "share": behind.cases / max(1, len(walk.lined_up)),
        "starts": walk.starts,
        "ends": walk.ends.copy(),
        "repeats": repeats,
        # A case comes back to a node by entering it once more, after another one.
        "returns": count - repeats - behind.cases,
        **_dwells(behind.dwell),
        **({} if ahead is None else _ahead(ahead, _converted(walk, goal) / np.maximum(behind.cases, 1))),
    }


def _ahead(ahead: Chain, converted: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "converted": converted,
        "conversion": ahead.conversion,
        "steps_to_convert": ahead.steps_to_convert,
        "steps_to_end": ahead.steps_to_end,
    }


def _converted(walk: _Walk, goal: NDArray[np.bool_]) -> Counts:
    """Count the cases at each node that converted at it or later, as it was observed."""

    def count(part: Part) -> Counts:
        node = walk.node[part.steps]
        place = np.flatnonzero(goal[node])
        last = np.full(part.cases.stop - part.cases.start, -1)
        last[part.case[place]] = place  # of several, the last one assigned stays
        before = np.flatnonzero(np.arange(len(node)) <= last[part.case])
        return n_distinct(part.case[before], node[before], walk.n_nodes)

    return Parts(walk.lined_up).total(count, walk.n_nodes)


def _edge_columns(found: _Found, asked: Asked) -> dict[str, Any]:
    """Lay edges out, the most frequent first, and those beyond the limit as one row."""
    names, walk, rows, behind = found
    source, target = (part.tolist() for part in np.divmod(rows.edges[: rows.n_shown], walk.n_nodes + 1))
    rest = [None] * rows.has_rest
    count = rows.joined(walk.leaving.ravel()[rows.edges])
    leaves = np.append(walk.leaving.sum(axis=1), walk.counts.sum())
    return {
        "source": [names[code] for code in source] + rest,
        "target": [names[code] for code in target] + rest,
        "kind": ["step"] * rows.n_shown + ["other"] * rows.has_rest,
        "count": count,
        "people": behind.edge_people,
        "sessions": _or_none(behind.edge_sessions, rows.n),
        "share": count / np.maximum(1, leaves[source + [walk.n_nodes] * rows.has_rest]),
        "direction": [
            _direction(names[a], names[b], asked.ranks) for a, b in zip(source, target, strict=True)
        ]
        + rest,
        **_dwells(behind.edge_dwell),
    }


def _direction(source: str, target: str, ranks: Mapping[str, int]) -> str | None:
    """Tell a step forward from a skip over stages, a way back, and one that stays where it is."""
    if source == target:
        return "repeat"
    if source not in ranks or target not in ranks:
        return None
    ahead = sum(1 for rank in set(ranks.values()) if ranks[source] < rank <= ranks[target])
    if ranks[target] < ranks[source]:
        return "back"
    return ("same", "forward")[ahead] if ahead <= 1 else "skip"


def _or_none(counts: Counts | None, n: int) -> list[int] | list[None]:
    return [None] * n if counts is None else list(counts.tolist())


def _dwells(found: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Name quantiles of the time to the next step, ms; NaN where nothing followed."""
    return {f"dwell_p{share * 100:g}_ms": row for share, row in zip(QUANTILES, found, strict=True)}


def _definition(events: Events, lined_up: Sequences, asked: Asked, *, n_left: int) -> dict[str, Any]:
    return {
        "unit": asked.unit,
        "goal": list(asked.goal),
        "ranks": dict(asked.ranks),
        "repeats": "equal steps right after one another are one" if asked.collapse else "kept",
        "ties": "events at one instant are in the order they came",
        "share": "node: of all cases; edge: of all that leave the source, ends included",
        "converted": "observed: of the cases at a node, those that reached a goal there or later",
        "conversion": "absorbing chain of order 1: a forecast from the step alone, not an effect",
        "dwell": "until the next step of the case",
        "n_steps_in_other": max(0, n_left),
        "n_events": len(events),
        "n_cases": len(lined_up),
        "n_people": events.n_people,
        "left_out": dict(events.left_out),
    }
