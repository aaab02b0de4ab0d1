"""Journeys from events: as a walk through each person's life gives them, and a case for each rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.attribution import JourneyRules, Paths, attribute, paths_of
from sojourn.analytics.events import Events
from sojourn.analytics.kinds import Kind
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import NO_INTERVALS, ask, conversions_of
from tests.analytics.making import DAY, HOUR, events_of
from tests.soak import tries

ORDER = Kind(("Order",))
VISIT = Kind(("Visit",))

Journey = tuple[str, tuple[str, ...], tuple[int, ...], float | None]
"""(person, touches, ages in ms, value; None: no conversion)."""


def journeys_of(events: Events, paths: Paths) -> list[Journey]:
    """List journeys; people are numbered among those who have any."""
    assert paths.age_ms is not None
    assert paths.sample.person is not None
    found = []
    for i in range(len(paths)):
        part = slice(paths.offsets[i], paths.offsets[i + 1])
        touches = tuple(paths.channels[code] for code in paths.codes[part].tolist())
        ages = tuple(paths.age_ms[part].tolist())
        value = float(paths.value[i]) if paths.conversions[i] else None
        found.append((str(paths.sample.person[i]), touches, ages, value))
    return found


def walked(rows: list[tuple[Any, ...]], rules: JourneyRules) -> list[Journey]:
    """Walk through each person's rows, in plain Python."""
    found: list[Journey] = []
    people = list(dict.fromkeys(row[0] for row in rows))
    for person in people:
        own = sorted((row for row in rows if row[0] == person), key=lambda row: row[2])
        met: list[tuple[str, int]] = []
        since: list[tuple[str, int]] = []
        journeys: list[tuple[tuple[str, ...], tuple[int, ...], float | None]] = []
        for _, step, at, extra in own:
            if step == "Visit" and "channel" in extra:
                met.append((extra["channel"], at))
                since.append((extra["channel"], at))
            if step == "Order":
                journeys.append((*cut(since if rules.reset else met, at, rules), extra.get("revenue", 0.0)))
                since = []
        if since and rules.nulls:
            journeys.append((*cut(since, since[-1][1], rules), None))
        if journeys:
            number = str(len({one[0] for one in found}))
            found += [(number, *journey) for journey in journeys]
    return found


def cut(
    touches: list[tuple[str, int]], end: int, rules: JourneyRules
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Look back."""
    kept = touches[-rules.lookback_touches :] if rules.lookback_touches else touches
    kept = [one for one in kept if rules.lookback_ms is None or end - one[1] <= rules.lookback_ms]
    return tuple(channel for channel, _ in kept), tuple(end - at for _, at in kept)


ROWS = st.lists(
    st.tuples(
        st.sampled_from("xyz"),
        st.sampled_from(["Visit", "Visit", "Order", "Other"]),
        st.integers(0, 12),
        st.fixed_dictionaries(
            {"revenue": st.sampled_from([1.0, 2.5])}, optional={"channel": st.sampled_from("abc")}
        ),
    ),
    min_size=1,
    max_size=14,
)
RULES = st.builds(
    lambda reset, ms, touches, nulls: JourneyRules(
        conversion=ORDER,
        touch=VISIT,
        channel="channel",
        value="revenue",
        reset=reset,
        lookback_ms=ms,
        lookback_touches=touches,
        nulls=nulls,
    ),
    st.booleans(),
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 3),
    st.booleans(),
)


@settings(max_examples=tries(200), deadline=None)
@given(rows=ROWS, rules=RULES)
def test_journeys_are_those_that_a_walk_through_each_life_finds(
    rows: list[tuple[Any, ...]], rules: JourneyRules
) -> None:
    """Ties in time, no touches, no conversions, windows of both kinds: row by row."""
    whole = [*rows, ("x", "Visit", 0, {"channel": "a"}), ("y", "Order", 20, {"revenue": 1.0})]
    events = events_of(whole)
    assert journeys_of(events, paths_of(events, rules)) == walked(whole, rules)


def shop(*rows: tuple[Any, ...], **rules: Any) -> Paths:
    """Build paths from rows (person, step, at, attributes)."""
    return paths_of(events_of(rows), JourneyRules(conversion=ORDER, **rules))


def lines(paths: Paths) -> list[str]:
    """Write each path as a line: its touches, and + where it converted."""
    return [
        " > ".join(paths.channels[code] for code in paths.codes[begin:end].tolist())
        + ("+" if converted else "")
        for begin, end, converted in zip(paths.offsets, paths.offsets[1:], paths.conversions, strict=False)
    ]


def visit(channel: str, at: int, person: str = "ada", **extra: Any) -> tuple[Any, ...]:
    """Visit by a channel."""
    return (person, "Visit", at, {"channel": channel, **extra})


def order(at: int, person: str = "ada", **extra: Any) -> tuple[Any, ...]:
    """Order."""
    return (person, "Order", at, extra)


def test_a_path_begins_anew_after_a_conversion() -> None:
    """What led to the first order is not what led to the second."""
    paths = shop(visit("ads", 1), order(2), visit("email", 3), order(4))
    assert lines(paths) == ["ads+", "email+"]


def test_without_reset_touches_count_for_each_later_conversion() -> None:
    """By a rule that was asked for, and is told."""
    paths = shop(visit("ads", 1), order(2), visit("email", 3), order(4), reset=False)
    assert lines(paths) == ["ads+", "ads > email+"]
    assert paths.rules["several conversions"] == "a touch counts for each conversion after it"


def test_touches_after_the_last_conversion_are_a_path_to_none() -> None:
    """Who comes back and does not buy is somebody who did not convert."""
    assert lines(shop(visit("ads", 1), order(2), visit("email", 3))) == ["ads+", "email"]


def test_paths_to_none_can_be_left_out() -> None:
    """And the definition says so."""
    paths = shop(visit("ads", 1), order(2), visit("email", 3), visit("ads", 1, "bob"), nulls=False)
    assert lines(paths) == ["ads+"]
    assert paths.rules["nulls"] == "left out"


def test_a_conversion_before_any_touch_is_nobodys() -> None:
    """It is credited to `(none)`, by every model, and the total keeps it."""
    paths = shop(order(1), visit("ads", 2), order(3))
    assert lines(paths) == ["+", "ads+"]
    models = ["first", "linear", "markov", "shapley", "shapley-rate"]
    for answer in attribute(paths, models, bootstrap=NO_INTERVALS):
        assert conversions_of(answer) == pytest.approx({"(none)": 1.0, "ads": 1.0})


def test_an_event_that_is_both_is_first_the_touch() -> None:
    """An order that came by an advertisement was led to by it."""
    assert lines(shop(("ada", "Order", 1, {"channel": "ads"}))) == ["ads+"]


def test_a_touch_at_the_instant_of_a_conversion_counts_as_the_events_lie() -> None:
    """The order of what happened at one instant is the file's."""
    assert lines(shop(visit("ads", 5), order(5), visit("email", 5), order(5))) == ["ads+", "email+"]


def test_a_window_counts_back_from_the_conversion() -> None:
    """Its edge is inside."""
    paths = shop(
        visit("old", 0), visit("edge", 1 * DAY), visit("new", 2 * DAY), order(8 * DAY), lookback_ms=7 * DAY
    )
    assert lines(paths) == ["edge > new+"]
    assert paths.rules["window"] == "7d before the conversion (a null path: before its last touch)"


def test_the_window_of_a_path_to_none_counts_back_from_its_last_touch() -> None:
    """There is no conversion to count from."""
    paths = shop(order(0), visit("old", 1), visit("new", 9 * HOUR), lookback_ms=HOUR)
    assert lines(paths) == ["+", "new"]


def test_touches_of_one_session_and_channel_can_be_one() -> None:
    """Ten pages of one visit are one visit."""
    rows = [visit("ads", 1, session="s"), visit("ads", 2, session="s"), visit("email", 3, session="s")]
    rows += [visit("email", 4, session="t"), order(5)]
    assert lines(shop(*rows, repeats="session")) == ["ads > email > email+"]


def test_one_touch_a_session_needs_sessions() -> None:
    """Where there are none, nobody could tell."""
    with pytest.raises(ConfigError, match="these events have no sessions"):
        shop(visit("ads", 1), order(2), repeats="session")


def test_events_can_be_touches_by_their_names() -> None:
    """Who asks for steps, and names no attribute, has the steps' names as channels."""
    rows = [("ada", "Ad Clicked", 1), ("ada", "Mail Opened", 2), ("ada", "Order", 3)]
    assert lines(shop(*rows, touch=Kind(("Ad Clicked", "Mail Opened")))) == ["Ad Clicked > Mail Opened+"]


def test_time_decay_takes_the_times_of_events() -> None:
    """A day is a day, wherever it lies in the path."""
    paths = shop(visit("ads", 0), visit("email", 2 * DAY), order(2 * DAY))
    credit = conversions_of(ask(paths, "time-decay", half_life_ms=DAY))
    assert credit == pytest.approx({"ads": 0.2, "email": 0.8})


def test_a_touch_that_direct_traffic_is_merged_into_is_as_new_as_its_last_part() -> None:
    """Somebody who came back by typing the address was still there."""
    rows = [visit("ads", 0), visit("direct", 2 * DAY), visit("email", 2 * DAY), order(2 * DAY)]
    paths = shop(*rows, direct="merge")
    assert lines(paths) == ["ads > email+"]
    assert paths.age_ms is not None
    assert paths.age_ms.tolist() == [0, 0]


def test_a_conversion_without_a_value_is_worth_nothing_and_is_counted() -> None:
    """It is still a conversion."""
    paths = shop(visit("ads", 1), order(2, revenue=5.0), visit("ads", 3), order(4), value="revenue")
    assert paths.value.tolist() == [5.0, 0.0]
    assert paths.left_out == {"conversions-without-value": 1}


def test_a_value_below_zero_is_refused() -> None:
    """A refund cannot be shared among those who led to the order."""
    with pytest.raises(ConfigError, match="a conversion of 'ada' has the revenue -5"):
        shop(visit("ads", 1), order(2, revenue=-5.0), value="revenue")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"channel": "chanel"}, "no attribute is called 'chanel'.*did you mean 'channel'"),
        ({"touch": Kind(("Vist",))}, "no event is called 'Vist'.*did you mean 'Visit'"),
        ({"value": "revenue"}, "no number is called 'revenue'"),
        ({"lookback_ms": 0}, "the lookback is 0 ms"),
        ({"lookback_touches": 0}, "the lookback is 0 touches"),
    ],
)
def test_rules_that_do_not_fit_are_refused(rules: dict[str, Any], message: str) -> None:
    """With what was meant, where that can be told."""
    with pytest.raises(ConfigError, match=message):
        shop(visit("ads", 1), order(2), **rules)


def test_events_without_a_channel_are_asked_for_one() -> None:
    """Nothing is taken for a touch that nobody named."""
    with pytest.raises(ConfigError, match="no attribute is called 'channel'"):
        shop(order(1))


def test_people_behind_a_channel_are_counted_once() -> None:
    """However often they meet it, and convert."""
    rows = [visit("ads", 1), visit("ads", 2), order(3), visit("ads", 4), order(5), visit("ads", 1, "bob")]
    (answer,) = attribute(shop(*rows), ["last"], bootstrap=NO_INTERVALS)
    (ads,) = answer.channels
    assert (ads.people, ads.converting, ads.journeys, answer.totals.people) == (1, 2.0, 3.0, 2)


def test_people_are_those_who_have_a_path() -> None:
    """Their numbers have no gaps, or a bootstrap would draw nobodies."""
    paths = shop(("zed", "Other", 1), visit("ads", 1), ("eve", "Other", 2), order(1, "bob"))
    assert paths.sample.person is not None
    assert np.unique(paths.sample.person).tolist() == [0, 1]
