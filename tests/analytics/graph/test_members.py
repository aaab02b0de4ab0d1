"""Members: those behind a node or an edge are as many as the graph says, and they are the right ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.cases import Unit
from sojourn.analytics.events import Events
from sojourn.analytics.graph.journey_graph import OTHER, Asked, journey_graph
from sojourn.analytics.graph.members import END, START, Members, members
from sojourn.analytics.questions import Graph, People, ask
from sojourn.model.errors import ConfigError
from tests.analytics.making import MINUTE, Row, events_of

WHO = ["ada", "bob", "eve", "kim"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(WHO),
        st.sampled_from("ABCDE"),
        st.integers(0, 30),
        st.sampled_from(["", "s1", "s2"]),
        st.sampled_from(["mail", "ads"]),
    ),
    min_size=1,
    max_size=40,
)
"""(person, step, minute, session, channel)."""


class Step(NamedTuple):
    """One step, as the naive reader has it."""

    who: str
    name: str
    at: int
    session: str


def made(rows: list[Any]) -> tuple[Events, list[Step]]:
    """Return events, and the same as plain steps in order; instants differ, so that there are no ties."""
    placed: list[Row] = []
    steps: list[Step] = []
    for number, (who, name, minute, session, channel) in enumerate(rows):
        at = minute * MINUTE + number
        extra = {"channel": channel} | ({"session": session} if session else {})
        placed.append((who, name, at, extra))
        steps.append(Step(who, name, at, session))
    return events_of(placed), sorted(steps, key=lambda step: (step.who, step.at))


def cases(steps: list[Step], unit: Unit, *, collapse: bool) -> Iterator[list[Step]]:
    """Yield the steps of each person, or of each session."""
    keys = sorted({(step.who, step.session if unit == "session" else "") for step in steps})
    for who, session in keys:
        if unit == "session" and not session:
            continue
        own = [s for s in steps if s.who == who and (unit == "person" or s.session == session)]
        kept = [s for i, s in enumerate(own) if not (collapse and i and own[i - 1].name == s.name)]
        yield kept


def there(lines: list[list[Step]], source: str, target: str) -> list[tuple[Step, Step]]:
    """Return what left `source` for `target` right after, and what it came to."""
    found = []
    for line in lines:
        if source == START and line[0].name == target:
            found.append((line[0], line[0]))
        if target == END and line[-1].name == source:
            found.append((line[-1], line[-1]))
        found += [(a, b) for a, b in pairwise(line) if (a.name, b.name) == (source, target)]
    return found


def ids_of(found: Members, events: Events) -> list[str]:
    """Return who they are, in their order."""
    return [events.people[person] for person in found.person.tolist()]


@given(ROWS, st.sampled_from(["person", "session"]), st.booleans())
def test_whoever_is_behind_a_node_or_an_edge_is_whom_the_graph_counts(
    rows: list[Any], unit: Unit, collapse: bool
) -> None:
    """Counts are the graph's own, members those that a plain reader finds, the latest first."""
    events, steps = made(rows)
    if events.session is None or (unit == "session" and all(not step.session for step in steps)):
        return
    lines = list(cases(steps, unit, collapse=collapse))
    asked = Asked(unit=unit, collapse=collapse)
    graph = journey_graph(events, asked)
    for node in graph.nodes.to_dicts():
        found = members(events, asked, step=node["name"])
        assert (found.count, found.n_people, found.n_sessions) == (
            node["count"], node["people"], node["sessions"],
        )  # fmt: skip
        same = [(s, s) for line in lines for s in line if s.name == node["name"]]
        assert_rows(found, same, events, unit)
        for source, target, column in ((START, node["name"], "starts"), (node["name"], END, "ends")):
            found = members(events, asked, source=source, target=target)
            assert found.count == node[column]
            assert_rows(found, there(lines, source, target), events, unit)
    for edge in graph.edges.to_dicts():
        found = members(events, asked, source=edge["source"], target=edge["target"])
        assert (found.count, found.n_people, found.n_sessions) == (
            edge["count"], edge["people"], edge["sessions"],
        )  # fmt: skip
        assert_rows(found, there(lines, edge["source"], edge["target"]), events, unit)


def assert_rows(found: Members, expected: list[tuple[Step, Step]], events: Events, unit: Unit) -> None:
    """Compare who is there, when last, and in which order."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for left, reached in expected:
        key = (left.who, left.session if unit == "session" else "")
        newest[key] = max(newest.get(key, (0, "")), (reached.at, left.who))
    rows = sorted(newest.values(), reverse=True)
    assert [
        (int(at), who) for at, who in zip(events.at[found.event], ids_of(found, events), strict=True)
    ] == rows


@given(ROWS, st.integers(0, 4))
def test_of_a_graph_that_shows_some_steps_the_rest_is_one(rows: list[Any], shown: int) -> None:
    """As on the map, where somebody clicks the node `(other)`."""
    events, _ = made(rows)
    graph = journey_graph(events, Asked(limit=shown))
    for node in graph.nodes.to_dicts():
        found = members(events, Asked(limit=shown), step=node["name"])
        assert (found.count, found.n_people) == (node["count"], node["people"])
    for edge in graph.edges.to_dicts():
        found = members(events, Asked(limit=shown), source=edge["source"], target=edge["target"])
        assert (found.count, found.n_people) == (edge["count"], edge["people"])


SHOP = events_of(
    [
        ("ann", "View", 0, {"session": "a1", "channel": "mail", "land": "SE"}),
        ("ann", "Buy", MINUTE, {"session": "a1", "land": "SE"}),
        ("ann", "View", 100 * MINUTE, {"session": "a2", "channel": "ads", "land": "SE"}),
        ("bob", "View", 50 * MINUTE, {"session": "b1", "channel": "ads", "land": "DE"}),
    ]
)


def test_an_answer_lists_each_person_once_with_their_last_time_there() -> None:
    """The session is told by when it began, the channel is that of the event."""
    told = ask(People(step="View"), SHOP, {}).told()
    assert told["items"] == [
        {"id": "ann", "session": 100 * MINUTE, "at": 100 * MINUTE, "channel": "ads"},
        {"id": "bob", "session": 50 * MINUTE, "at": 50 * MINUTE, "channel": "ads"},
    ]
    assert (told["n"], told["count"], told["people"], told["sessions"]) == (2, 3, 2, 3)
    assert told["is_cut"] is False


def test_the_session_began_before_the_time_that_is_asked_about() -> None:
    """Else it would be another one than the profile shows."""
    told = ask(People(step="Buy", since="60"), SHOP, {}).told()
    assert told["items"] == [{"id": "ann", "session": 0, "at": MINUTE, "channel": None}]


def test_a_limit_cuts_the_list_and_says_so() -> None:
    """The number stays whole."""
    told = ask(People(step="View", by="session", limit=1), SHOP, {}).told()
    assert (told["n"], len(told["items"]), told["is_cut"]) == (3, 1, True)


@pytest.mark.parametrize(
    ("selection", "step", "people"),
    [
        ({"where": ("land=SE",)}, "View", 1),
        ({"never": ("Buy",)}, "View", 1),
        ({"did": ("Buy",)}, "View", 1),
        ({"until": "60"}, "View", 1),
        ({}, "View", 2),
    ],
)
def test_a_selection_is_the_graphs_own(selection: dict[str, Any], step: str, people: int) -> None:
    """The same words, the same people."""
    graph = ask(Graph(**selection), SHOP, {}).told()
    told = ask(People(step=step, **selection), SHOP, {}).told()
    (node,) = [each for each in graph["nodes"] if each["name"] == step]
    assert (told["people"], told["count"], told["sessions"]) == (people, node["count"], node["sessions"])
    assert told["people"] == node["people"]


def test_a_node_that_the_graph_does_not_show_is_refused() -> None:
    """With the nearest."""
    with pytest.raises(ConfigError, match="no step 'Veiw'; did you mean 'View'"):
        ask(People(step="Veiw"), SHOP, {})
    with pytest.raises(ConfigError, match=f"no step '{OTHER}'".replace("(", r"\(").replace(")", r"\)")):
        ask(People(step=OTHER), SHOP, {})
