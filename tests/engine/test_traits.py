"""Traits and counters: what is known of a person, whatever the order it was learnt in."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sojourn.engine.state import Counter, Trait
from sojourn.engine.traits import MAX_TIMES, count_within, learn, merge_counters, merge_traits, tally

sayings = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from("abcd"),
        st.dictionaries(st.sampled_from("xyz"), st.integers(-(2**63), 2**63)),
    ),
    max_size=12,
    unique_by=lambda saying: saying[:2],
)


@given(sayings, st.randoms(use_true_random=False))
def test_the_newest_saying_wins_whatever_the_order(
    said: list[tuple[int, str, dict[str, int]]], random: Random
) -> None:
    """A late identify does not bring an old plan back."""
    expected: dict[str, int] = {}
    for _, _, values in sorted(said, key=lambda one: one[:2]):
        expected |= values
    random.shuffle(said)
    traits: dict[str, Trait] = {}
    for at, message_id, values in said:
        learn(traits, values, at=at, message_id=message_id)
    assert {name: trait.value for name, trait in traits.items()} == expected


@given(sayings, sayings)
def test_merged_traits_are_those_of_one_life(mine: list, theirs: list) -> None:
    """An unnamed life's traits move forward with it."""
    one: dict[str, Trait] = {}
    two: dict[str, Trait] = {}
    both: dict[str, Trait] = {}
    for at, message_id, values in mine:
        learn(one, values, at=at, message_id="a" + message_id)
        learn(both, values, at=at, message_id="a" + message_id)
    for at, message_id, values in theirs:
        learn(two, values, at=at, message_id="b" + message_id)
        learn(both, values, at=at, message_id="b" + message_id)
    merge_traits(one, two)
    assert one == both


@given(st.lists(st.integers(0, 1_000), max_size=60), st.integers(1, 300), st.randoms(use_true_random=False))
def test_a_windowed_count_is_what_counting_says(times: list[int], window: int, random: Random) -> None:
    """Counts kept step by step equal counts over the whole history, at any later instant."""
    random.shuffle(times)
    counters: dict[str, Counter] = {}
    for at in times:
        tally(counters, "x", at=at, window_ms=window)
    now = max(times, default=0)
    counter = counters.get("x", Counter())
    assert counter.n == len(times)
    assert count_within(counter, at=now, within_ms=window) == sum(now - window < at <= now for at in times)


@given(st.lists(st.integers(0, 99), max_size=30), st.lists(st.integers(0, 99), max_size=30))
def test_merged_counters_are_those_of_one_life(mine: list[int], theirs: list[int]) -> None:
    """An unnamed life's counts move forward with it."""
    one: dict[str, Counter] = {}
    two: dict[str, Counter] = {}
    both: dict[str, Counter] = {}
    for counters, times in ((one, mine), (two, theirs), (both, mine + theirs)):
        for at in times:
            tally(counters, "x", at=at, window_ms=40)
    merge_counters(one, two, {"x": 40})
    assert one == both


def test_an_integer_that_no_state_can_hold_is_kept_as_text() -> None:
    """JSON has no bound for numbers; what is stored has."""
    traits: dict[str, Trait] = {}
    learn(traits, {"big": 2**70, "deep": {"n": [2**70]}, "small": 7}, at=1, message_id="m")
    assert {name: trait.value for name, trait in traits.items()} == {
        "big": str(2**70),
        "deep": f'{{"n":[{2**70}]}}',
        "small": 7,
    }


def test_a_windowed_count_saturates_at_its_bound() -> None:
    """A robot's million clicks must not make a profile of megabytes."""
    counters: dict[str, Counter] = {}
    for at in range(MAX_TIMES + 50):
        tally(counters, "x", at=at, window_ms=1_000_000)
    assert (counters["x"].n, len(counters["x"].times)) == (MAX_TIMES + 50, MAX_TIMES)


def test_a_document_is_no_trait() -> None:
    """Whoever may send traits must not be able to fill our memory, nor to keep an old value in force."""
    traits: dict[str, Trait] = {}
    learn(traits, {"plan": "pro", "tags": ["a"]}, at=1, message_id="a")
    learn(traits, {"plan": "x" * 5_000, "tags": ["x" * 5_000], "n" * 5_000: 1}, at=2, message_id="b")
    assert {name: trait.value for name, trait in traits.items()} == {"plan": None, "tags": None}
