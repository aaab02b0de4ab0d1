"""The journey graph: steps people take, how they go from one to the next, and how many stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.chunks import left_of, side_by_side, taken
from sojourn.analytics.events import MISSING, Codes, Events
from sojourn.analytics.graph.chain import Chain, chain_of
from sojourn.analytics.graph.grouping import Groups
from sojourn.analytics.graph.sequences import Sequences, n_people, sequences
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
    names, node = _nodes(events, lined_up, asked)
    known_steps("goal", asked.goal, events.steps)
    known_steps("rank", asked.ranks, events.steps)
    goal = np.array([name in asked.goal for name in names], dtype=np.bool_)
    walk = _Walk.of(events, lined_up, node, len(names))
    ahead = chain_of(walk.counts, walk.ends, goal) if asked.goal else None
    definition = _definition(events, lined_up, asked, n_left=len(events.steps) + 1 - len(names))
    nodes, edges = side_by_side(
        lambda: Table(_node_columns(walk, names, ahead, goal), definition),
        lambda: Table(_edge_columns(walk, names, asked), definition),
        n=len(node),
    )
    return JourneyGraph(nodes, edges, definition, walk.counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Sequences in which each step is a node; arrays are (n_steps,), or (n_transitions,) from `edge` on."""

    lined_up: Sequences
    node: Codes
    n_nodes: int
    case: NDArray[np.int32]
    session: NDArray[np.int32] | None
    edge: Codes
    """source node * n_nodes + target node."""
    edges: Groups
    """Transitions by edge."""
    dwell: Counts
    counts: Counts
    starts: Counts
    ends: Counts

    @classmethod
    def of(cls, events: Events, lined_up: Sequences, node: Codes, n_nodes: int) -> _Walk:
        at = lined_up.of_events(events.at)
        first, last = lined_up.starts[:-1], lined_up.starts[1:] - 1
        n_edges = n_nodes * n_nodes

        def number(source: slice, target: slice) -> Codes:
            edge = node[source].astype(np.int32) * n_nodes + node[target]
            return edge.astype(np.min_scalar_type(n_edges), copy=False)

        edge = _of_transitions(number, last)
        edges = Groups.of(edge, n_edges)
        return cls(
            lined_up=lined_up,
            node=node,
            n_nodes=n_nodes,
            case=lined_up.case(),
            session=None if events.session is None else lined_up.of_events(events.session),
            edge=edge,
            edges=edges,
            dwell=_of_transitions(lambda source, target: at[target] - at[source], last),
            counts=edges.sizes.reshape(n_nodes, n_nodes),
            starts=np.bincount(node[first], minlength=n_nodes),
            ends=np.bincount(node[last], minlength=n_nodes),
        )

    def of_sources(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the source of each transition has, of values of the shape (n_steps,)."""
        return _of_transitions(lambda source, _: values[source], self.lined_up.starts[1:] - 1)

    @property
    def is_by_person(self) -> bool:
        """Whether each case is a person's only one."""
        return bool((np.diff(self.lined_up.person) > 0).all())

    def person(self) -> NDArray[np.int32]:
        """Return a number of the person of each step; they ascend."""
        return self.case if self.is_by_person else self.lined_up.person[self.case]


def _of_transitions(make: Callable[[slice, slice], NDArray[Any]], last: Counts) -> NDArray[Any]:
    """Return a value of each transition.

    Args:
        make: Called with the sources and the targets of some steps and those right after them.
        last: Shape (n_cases,): the last step of each case, which nothing follows.
    """
    n = int(last[-1]) if len(last) else 0
    return left_of(lambda part: make(part, slice(part.start + 1, part.stop + 1)), n, last[:-1])


def _nodes(events: Events, lined_up: Sequences, asked: Asked) -> tuple[list[str], Codes]:
    """Return the names of nodes, the most frequent first and the rest last, and each step's node."""
    sizes = np.bincount(lined_up.step, minlength=len(events.steps))
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


def _node_columns(
    walk: _Walk, names: Sequence[str], ahead: Chain | None, goal: NDArray[np.bool_]
) -> dict[str, Any]:
    n, node = walk.n_nodes, walk.node
    groups = Groups.of(node, n)
    cases = groups.n_distinct(walk.case)
    # A case comes back to a node by entering it once more, after another one.
    entries: Counts = groups.sizes - np.diagonal(walk.counts)
    return {
        "name": list(names),
        "kind": ["other" if name == OTHER else "step" for name in names],
        "count": groups.sizes,
        "people": cases if walk.is_by_person else groups.n_distinct(walk.person()),
        "sessions": _sessions(groups, node, walk.session),
        "share": cases / max(1, len(walk.lined_up)),
        "starts": walk.starts,
        "ends": walk.ends,
        "repeats": np.diagonal(walk.counts).copy(),
        "returns": entries - cases,
        # Of quantiles the order does not matter: the edges of one source lie side by side.
        **_dwells(Groups(walk.edges.order, walk.edges.starts[:: max(n, 1)]), walk.dwell),
        **({} if ahead is None else _ahead(ahead, _converted(walk, goal) / np.maximum(cases, 1))),
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
    place = np.flatnonzero(goal[walk.node])
    last = np.full(len(walk.lined_up), -1, dtype=np.int64)
    last[walk.case[place]] = place
    before = np.flatnonzero(np.arange(len(walk.node)) <= last[walk.case])
    return Groups.of(walk.node[before], walk.n_nodes).n_distinct(walk.case[before])


def _edge_columns(walk: _Walk, names: Sequence[str], asked: Asked) -> dict[str, Any]:
    """Lay edges out, the most frequent first, and those beyond the limit as one row."""
    n = walk.n_nodes
    sizes = walk.edges.sizes
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    n_shown = len(order) if asked.edge_limit is None else min(max(asked.edge_limit, 0), len(order))
    shown, has_rest = order[:n_shown], n_shown < len(order)
    row_of = np.full(n * n, n_shown, dtype=np.int32)
    row_of[shown] = np.arange(n_shown, dtype=np.int32)
    source, target = (part.tolist() for part in np.divmod(shown, n))
    groups = walk.edges.joined(shown, order[n_shown:])
    leaves = np.append(walk.counts.sum(axis=1) + walk.ends, walk.counts.sum())
    rest = [None] * has_rest
    return {
        "source": [names[code] for code in source] + rest,
        "target": [names[code] for code in target] + rest,
        "kind": ["step"] * n_shown + ["other"] * has_rest,
        "count": groups.sizes,
        "people": groups.n_distinct(walk.of_sources(walk.person())),
        "sessions": [None] * len(groups.sizes)
        if walk.session is None
        else _sessions(groups, row_of[walk.edge], walk.of_sources(walk.session)),
        "share": groups.sizes / np.maximum(1, leaves[source + [n] * has_rest]),
        "direction": [
            _direction(names[a], names[b], asked.ranks) for a, b in zip(source, target, strict=True)
        ]
        + rest,
        **_dwells(groups, walk.dwell),
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


def _sessions(groups: Groups, group: Codes, session: NDArray[np.int32] | None) -> list[int] | list[None]:
    """Count the distinct sessions of each group; `group` and `session` are of the things grouped."""
    n_groups = len(groups.sizes)
    if session is None:
        return [None] * n_groups
    stretches = np.append(session[:-1][session[1:] != session[:-1]], session[-1:])
    n_stretches = np.bincount(stretches + 1, minlength=1)  # What is MISSING is counted first.
    # The few sessions that others run into do not stay together; the last entry is where MISSING points.
    is_whole = np.append(n_stretches[1:] == 1, False)
    found = groups.n_distinct(session, of=None if is_whole[:-1].all() and not n_stretches[0] else is_whole)
    if not is_whole[:-1].all():
        split = np.flatnonzero(~is_whole[session] & (session != MISSING))
        found = found + n_people(group[split].astype(np.int64), session[split], n_groups)
    return list(found.tolist())


def _dwells(groups: Groups, dwell: Counts) -> dict[str, NDArray[np.float64]]:
    """Return quantiles of the time to the next step, ms; NaN where nothing followed."""
    found = groups.quantiles(dwell, QUANTILES)
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
