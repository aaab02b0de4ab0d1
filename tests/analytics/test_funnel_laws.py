"""Funnels: whatever people did, what is counted is what enumerating every pass finds."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.analytics.events import Events
from sojourn.analytics.funnel import Exclusion, Funnel, funnel
from sojourn.analytics.kinds import Kind
from tests.analytics.making import events_of, rows_of
from tests.analytics.oracles_funnel import all_passes, as_naive, cases_by_hand, count_by_hand, most_disjoint
from tests.soak import tries

NAMES = "ABCX"


@st.composite
def histories(draw: st.DrawFn) -> Events:
    """People with a few events each, many of them at one instant, in sessions that may overlap."""
    rows = []
    for person in range(draw(st.integers(1, 3))):
        at = 0
        for _ in range(draw(st.integers(1, 8))):
            at += draw(st.sampled_from([0, 0, 1, 2]))
            session = draw(st.sampled_from([None, "s", "t"]))
            extra = {"country": draw(st.sampled_from(["SE", "DE"]))} if draw(st.booleans()) else {}
            extra |= {"session": session} if session else {}
            rows.append((f"p{person}", draw(st.sampled_from(NAMES)), at, extra))
    # Every name and every session's column is there, whatever was drawn.
    rows += [("all", name, i, {"session": "u", "country": "SE"}) for i, name in enumerate(NAMES)]
    return events_of(rows)


@st.composite
def funnels(draw: st.DrawFn) -> Funnel:
    """Funnels of every order, unit, window and exclusion."""
    kinds = st.lists(st.sampled_from("ABC"), min_size=1, max_size=2, unique=True).map(
        lambda names: Kind(tuple(names))
    )
    steps = tuple(draw(st.lists(kinds, min_size=1, max_size=4)))
    order = draw(st.sampled_from(["ordered", "strict", "any"]))
    without = []
    if order != "strict" and len(steps) > 1 and draw(st.booleans()):
        after = 1 if order == "any" else draw(st.integers(1, len(steps) - 1))
        before = None if order == "any" else draw(st.sampled_from([None, *range(after + 1, len(steps) + 1)]))
        without = [Exclusion(Kind((draw(st.sampled_from("XXXB")),)), after, before)]
    return Funnel(
        steps=steps,
        order=order,
        within_ms=draw(st.sampled_from([None, 0, 1, 3])),
        without=tuple(without),
        per=draw(st.sampled_from(["person", "session", "attempt"])),
    )


@given(histories(), funnels())
@settings(max_examples=tries(400), deadline=None)
def test_what_is_counted_is_what_enumerating_every_pass_finds(events: Events, asked: Funnel) -> None:
    """Depth, beginning, every step's event and where they left: of each case and attempt."""
    assert as_naive(funnel(events, asked)) == count_by_hand(events, asked)


@given(histories(), funnels())
@settings(max_examples=tries(200), deadline=None)
def test_no_later_step_has_more_than_an_earlier_one_and_views_add_up(events: Events, asked: Funnel) -> None:
    """Peers show more people at step 3 than at step 2; here every view is made of the same passes."""
    answer = funnel(events, asked)
    counts = [step.count for step in answer.steps]
    assert counts == sorted(counts, reverse=True)
    for k, step in enumerate(answer.steps, start=1):
        assert len(answer.passes(k)) == step.count
        assert len(answer.people(k)) == step.people
        assert len(answer.passes(k, only_dropped=True)) == step.dropped
    for limit in (0, 1, 10):
        by_country, went_to = Counter(), Counter()  # type: ignore[var-annotated]
        for row in answer.by_attribute("country", limit=limit).to_dicts():
            by_country[row["n"]] += row["count"]
        for row in answer.went_to(limit=limit).to_dicts():
            went_to[row["n"]] += row["count"]
        assert [by_country[k] for k in range(1, len(counts) + 1)] == counts
        assert [went_to[k] for k in range(1, len(counts) + 1)] == [step.dropped for step in answer.steps]


@given(histories(), funnels())
@settings(max_examples=tries(150), deadline=None)
def test_attempts_are_as_many_as_fit_and_as_deep_as_people_get(events: Events, asked: Funnel) -> None:
    """The greedy choice is the best one, and whoever completes a funnel has a complete attempt."""
    asked = replace(asked, per="attempt")
    answer = funnel(events, asked)
    people = funnel(events, replace(asked, per="person"))
    deepest: dict[int, int] = {}
    for person, depth in zip(answer.person.tolist(), answer.counted.depth.tolist(), strict=True):
        deepest[person] = max(deepest.get(person, 0), depth)
    assert deepest == dict(zip(people.person.tolist(), people.counted.depth.tolist(), strict=True))
    n_steps = len(asked.steps)
    for person, case in cases_by_hand(events, "person"):
        complete = {
            (p.events[0], p.events[-1]) for p in all_passes(events, case, asked) if p.depth == n_steps
        }
        n_chosen = sum(answer.counted.depth[answer.person == person] == n_steps)
        assert n_chosen == most_disjoint(complete)


@given(histories(), funnels(), st.randoms(use_true_random=False))
@settings(max_examples=tries(150), deadline=None)
def test_neither_names_nor_the_order_of_people_matter(events: Events, asked: Funnel, random: Random) -> None:
    """Renaming steps and shuffling the rows of different people changes no count."""
    rows = rows_of(events)
    names = dict(zip(NAMES, random.sample(["z", "a", "m", "Q"], 4), strict=True))
    people = sorted({row[0] for row in rows}, key=lambda _: random.random())
    renamed = [(f"q{people.index(p)}", names[s], at, extra) for p, s, at, extra in rows]
    renamed.sort(key=lambda row: (row[2], row[0]))

    def rename(kind: Kind) -> Kind:
        return Kind(tuple(names[name] for name in kind.names))

    without = tuple(replace(one, kind=rename(one.kind)) for one in asked.without)
    other = replace(asked, steps=tuple(map(rename, asked.steps)), without=without)
    before = [(step.count, step.people, step.from_start) for step in funnel(events, asked).steps]
    assert [
        (step.count, step.people, step.from_start) for step in funnel(events_of(renamed), other).steps
    ] == before
