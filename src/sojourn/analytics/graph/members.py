"""Members: whom the numbers of a node or of an edge of the journey graph count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Codes, Events
from sojourn.analytics.graph.journey_graph import Asked, nodes_of
from sojourn.analytics.graph.sequences import Sequences, sequences
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

START, END = "(start)", "(end)"
"""Where a case comes from before its first step, and where it goes after its last."""

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Everybody who was there; a person, or a session, is one row: their last time."""

    count: int
    """How often, as the graph counts it."""
    n_people: int
    n_sessions: int | None
    """None where no sessions are recorded."""
    event: Places
    """Shape (n_rows,): the event of each row, the latest first. Of a transition, the step it came to."""
    person: Codes
    """Shape (n_rows,): an index into the events' `people`."""


def members(events: Events, asked: Asked, *, step: str = "", source: str = "", target: str = "") -> Members:
    """Find who is behind a step, or behind a transition from one step right to another.

    Args:
        events: What the graph is of.
        asked: As the graph was asked for: what is followed, which steps are shown, whether runs are one.
        step: A node's name; empty: a transition is meant.
        source: A node's name, or START.
        target: A node's name, or END.

    Raises:
        ConfigError: The graph has no such node.
    """
    lined_up = sequences(events, asked.unit, collapse=asked.collapse)
    names, node = nodes_of(events, lined_up, asked)
    if step:
        left = reached = np.flatnonzero(node == _code(names, step))
    else:
        left, reached = _gone(lined_up, names, node, (source, target))
    event, case = lined_up.event, lined_up.case()
    person = lined_up.person[case[left]]
    session = None if events.session is None else events.session[event[left]]
    key = person if asked.unit == "person" or session is None else session
    newest = _newest_of_each(events, event[reached], key)
    return Members(
        count=len(left),
        n_people=len(np.unique(person)),
        n_sessions=None if session is None else len(np.unique(session[session != MISSING])),
        event=event[reached][newest],
        person=person[newest],
    )


def _gone(lined_up: Sequences, names: list[str], node: Codes, pair: tuple[str, str]) -> tuple[Places, Places]:
    """Return the steps a transition left, and those it came to; of a case's ends, the step there is."""
    source, target = pair
    is_first = np.zeros(len(node), dtype=np.bool_)
    is_first[lined_up.starts[:-1]] = True
    is_last = np.zeros(len(node), dtype=np.bool_)
    is_last[lined_up.starts[1:] - 1] = True
    if source == START:
        reached = np.flatnonzero(is_first & (node == _code(names, target)))
        return reached, reached
    left = node == _code(names, source)
    if target == END:
        places = np.flatnonzero(left & is_last)
        return places, places
    after = np.zeros(len(node), dtype=np.bool_)
    after[:-1] = node[1:] == _code(names, target)
    places = np.flatnonzero(left & ~is_last & after)
    return places, places + 1


def _code(names: list[str], name: str) -> int:
    if name not in names:
        raise ConfigError(f"the graph has no step {name!r}{did_you_mean(name, names)}")
    return names.index(name)


def _newest_of_each(events: Events, event: Places, key: Codes) -> Places:
    """Return which of some events is the latest of each person or session, the latest of all first."""
    order = np.lexsort((event, events.at[event], key))
    is_last = np.ones(len(order), dtype=np.bool_)
    is_last[:-1] = np.diff(key[order]) != 0
    own = order[is_last]
    return own[np.argsort(-events.at[event[own]], kind="stable")]
