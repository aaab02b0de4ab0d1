"""Incremental: after any late event and any merge, every view is what counting everything anew gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.attribution.journeys import JourneyRules
from sojourn.analytics.funnel import Funnel
from sojourn.analytics.incremental import FunnelView, GraphView, Kept, MarkovView, New, View
from sojourn.analytics.kinds import Kind
from tests.analytics.making import MINUTE, events_of

PEOPLE = ["ada", "bob", "eve", "kim"]
STEPS = ["Ad", "Cart", "Help", "Buy"]
FUNNEL = Funnel(steps=(Kind(("Ad",)), Kind(("Cart",)), Kind(("Buy",))), within_ms=9 * MINUTE)
VIEWS: dict[str, View] = {
    "graph": GraphView(),
    "funnel": FunnelView(FUNNEL),
    "strict": FunnelView(Funnel(steps=(Kind(("Cart",)), Kind(("Buy",))), order="strict")),
    "markov": MarkovView(JourneyRules(conversion=Kind(("Buy",)), value="revenue")),
}

EVENTS = st.builds(
    New,
    person=st.sampled_from(PEOPLE),
    step=st.sampled_from(STEPS),
    at=st.integers(0, 12).map(lambda n: n * MINUTE),
    texts=st.sampled_from([{}, {"channel": "email"}, {"channel": "ads"}, {"channel": "direct"}]),
    amounts=st.sampled_from([{}, {"revenue": 9.99}, {"revenue": 0.1}]),
)
MERGES = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
CHANGES = st.lists(st.lists(EVENTS, min_size=1, max_size=6) | MERGES, max_size=8)


def _keep(arrived: list[New], owner: dict[str, str]) -> Kept:
    """Read everything anew, each event as its person's of today."""
    first_seen = list(dict.fromkeys(owner[event.person] for event in arrived))
    rows = sorted(enumerate(arrived), key=lambda row: (first_seen.index(owner[row[1].person]), row[1].at))
    events = events_of(
        (owner[event.person], event.step, event.at, {**event.texts, **event.amounts}) for _, event in rows
    )
    sequence = np.array([i for i, _ in rows], dtype=np.int64)
    return Kept(events, VIEWS, texts=["channel"], amounts=["revenue"], sequence=sequence)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=20), CHANGES)
def test_what_is_kept_is_what_counting_anew_gives(first: list[New], changes: list[Any]) -> None:
    owner = {person: person for person in PEOPLE}
    arrived = list(first)
    kept = _keep(first, owner)
    for change in changes:
        if isinstance(change, tuple):
            source, target = (owner[person] for person in change)
            kept.merge(source, target)
            owner = {person: target if one == source else one for person, one in owner.items()}
        else:
            events = [New(**{**_fields(event), "person": owner[event.person]}) for event in change]
            kept.add(events)
            arrived += [*change]
        assert kept.counts == _keep(arrived, owner).counts
        assert kept.n_events == len(arrived)


def _fields(event: New) -> dict[str, Any]:
    return {name: getattr(event, name) for name in New.__struct_fields__}


def test_all_events_can_be_had_as_if_read_anew() -> None:
    kept = Kept(events_of([("ada", "Ad", 0), ("bob", "Cart", 5)]), {"graph": GraphView()})
    kept.add([New(person="ada", step="Buy", at=9), New(person="kim", step="Help", at=1)])
    kept.merge("bob", "ada")
    whole = kept.events()
    assert list(whole.people) == ["ada", "kim"]
    assert [whole.steps[code] for code in whole.step] == ["Ad", "Cart", "Buy", "Help"]
    assert kept.counts["graph"]["edge", "Cart", "Buy"] == 1


def test_merging_with_oneself_changes_nothing() -> None:
    kept = Kept(events_of([("ada", "Ad", 0)]), {"graph": GraphView()})
    before = dict(kept.counts["graph"])
    kept.merge("ada", "ada")
    assert kept.counts["graph"] == before


def test_an_empty_beginning_is_one() -> None:
    kept = Kept(events_of([]), VIEWS, texts=["channel"], amounts=["revenue"])
    kept.add(
        [New(person="ada", step="Ad", at=0, texts={"channel": "ads"}), New(person="ada", step="Buy", at=1)]
    )
    assert kept.counts["markov"]["move", "ads", "(conversion)"] == 1
