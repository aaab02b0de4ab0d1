"""Funnels: what each rule means, one small case at a time."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.analytics.events import Events
from sojourn.analytics.funnel import Exclusion, Funnel, funnel
from sojourn.analytics.funnel.definition import parse_exclusion
from sojourn.analytics.kinds import Kind, parse_kind
from sojourn.model.errors import ConfigError
from tests.analytics.making import MINUTE, events_of, walks_of


def counts(events: Events, *steps: str, **rules: Any) -> list[int]:
    """Count a funnel of steps in words."""
    without = tuple(map(parse_exclusion, rules.pop("without", ())))
    kinds = tuple(map(parse_kind, steps))
    return [step.count for step in funnel(events, Funnel(steps=kinds, without=without, **rules)).steps]


def asked(*steps: str, **rules: Any) -> Funnel:
    """Ask for a funnel of steps in words."""
    return Funnel(steps=tuple(map(parse_kind, steps)), **rules)


SHOP = walks_of("""
    ada: View > Cart > View > Buy
    bob: View > Cart
    cid: Cart > View > Buy
    dan: Help > View
    eve: Help
""")


def test_steps_come_in_order_and_other_events_may_lie_between() -> None:
    """Cid's cart came before his view, and his purchase skips the cart."""
    assert counts(SHOP, "View", "Cart", "Buy") == [4, 2, 1]


def test_the_order_counts_as_much_in_the_drill_down_as_in_the_counts() -> None:
    """A peer listed everybody who ever did the event."""
    answer = funnel(SHOP, asked("View", "Cart", "Buy"))
    assert (answer.people(2), answer.people(2, only_dropped=True), answer.people(3)) == (
        ["ada", "bob"],
        ["bob"],
        ["ada"],
    )


def test_a_strict_funnel_wants_the_very_next_event() -> None:
    """Ada viewed again between cart and purchase."""
    assert counts(SHOP, "View", "Cart", "Buy", order="strict") == [4, 2, 0]
    assert counts(SHOP, "View", "Buy", order="strict") == [4, 2]


def test_in_any_order_all_steps_so_far_are_done() -> None:
    """Cid did all three."""
    assert counts(SHOP, "View", "Cart", "Buy", order="any") == [4, 3, 2]


def test_one_event_is_one_step() -> None:
    """Once viewed is not twice viewed, in whatever order."""
    for order in ("ordered", "strict", "any"):
        assert counts(walks_of("ada: View > Buy > View"), "View", "View", "View", order=order)[2] == 0


def test_in_any_order_events_that_fit_several_steps_are_dealt_out_well() -> None:
    """The first step must leave View to the second, though it could take it."""
    steps = ("View | Cart", "View")
    assert counts(walks_of("ada: View > Cart"), *steps, order="any") == [1, 1]
    assert counts(walks_of("ada: Cart > Cart > Help > View\nbob: View"), *steps, order="any") == [2, 1]


def test_the_window_counts_from_the_latest_first_step_that_will_do() -> None:
    """The first view is too long ago and the second is not; a greedy first match would miss it."""
    events = events_of([("ada", "View", 0), ("ada", "View", 50), ("ada", "Cart", 60), ("ada", "Buy", 100)])
    assert counts(events, "View", "Cart", "Buy", within_ms=50) == [1, 1, 1]
    assert counts(events, "View", "Cart", "Buy", within_ms=49) == [1, 1, 0]


def test_a_window_includes_its_end() -> None:
    """Within a week is a week later at the latest."""
    events = events_of([("ada", "View", 0), ("ada", "Buy", 7)])
    assert [counts(events, "View", "Buy", within_ms=window) for window in (7, 6)] == [[1, 1], [1, 0]]


def test_a_later_step_in_time_does_not_help_when_the_middle_one_is_too_late() -> None:
    """ClickHouse's windowFunnel lost track of the best first step where matches interleave."""
    events = events_of([("ada", step, at) for at, step in enumerate(["A", "B", "A", "C", "B", "C"])])
    assert counts(events, "A", "B", "C", within_ms=3) == [1, 1, 1]
    assert counts(events, "A", "B", "C", within_ms=2) == [1, 1, 0]


def test_what_happens_at_one_instant_is_in_the_order_it_came() -> None:
    """Without a sequence an answer would change from run to run."""
    assert counts(events_of([("ada", "View", 0), ("ada", "Buy", 0)]), "View", "Buy") == [1, 1]
    assert counts(events_of([("ada", "Buy", 0), ("ada", "View", 0)]), "View", "Buy") == [1, 0]


def test_an_excluded_event_between_two_steps_breaks_the_pass_and_no_other() -> None:
    """Bob began anew after it, so he did buy without it."""
    events = walks_of("ada: View > Help > Buy\nbob: View > Help > View > Buy\ncid: View > Buy > Help")
    assert counts(events, "View", "Buy", without=["Help"]) == [3, 2]


def test_an_exclusion_may_hold_between_some_steps_only() -> None:
    """Help on the way to the cart is fine; help at the checkout is not."""
    events = walks_of("ada: View > Help > Cart > Buy\nbob: View > Cart > Help > Buy")
    assert counts(events, "View", "Cart", "Buy", without=["Help @2-3"]) == [2, 2, 1]
    assert counts(events, "View", "Cart", "Buy", without=["Help @1-2"]) == [2, 1, 1]


def test_a_later_match_is_found_where_the_nearest_is_excluded() -> None:
    """The first cart is followed by help; the second one is not."""
    events = walks_of("ada: View > Cart > Help > Cart > Buy")
    answer = funnel(events, asked("View", "Cart", "Buy", without=(Exclusion(Kind(("Help",)), 2),)))
    assert [int(i) for i in answer.relevant.event[answer.moments[:, 0]]] == [0, 3, 4]


def test_excluding_in_any_order_is_from_the_first_event_to_the_last() -> None:
    """There is no between of two steps that may come either way round."""
    events = walks_of("ada: Buy > Help > View\nbob: Buy > View")
    assert counts(events, "View", "Buy", order="any", without=["Help"]) == [2, 1]


def test_a_step_may_have_several_names_and_conditions() -> None:
    """The app says Basket where the site says Cart."""
    rows = [
        ("ada", "Basket", 0, {"country": "SE", "total": 10.0}),
        ("bob", "Cart", 0, {"country": "DE", "total": 60.0}),
        ("cid", "Cart", 0, {}),
    ]
    events = events_of(rows)
    assert counts(events, "Cart | Basket") == [3]
    assert counts(events, "Cart | Basket [country=SE]") == [1]
    assert counts(events, "Cart | Basket [country!=SE]") == [2]
    assert counts(events, "Cart [country=DE, total>=50]") == [1]
    assert counts(events, "Cart | Basket [country=SE|DE]") == [2]
    assert counts(events, "*", "*") == [3, 0]


def test_per_session_a_pass_ends_with_the_session() -> None:
    """Ada needed two visits; sessions that overlap are each their own case."""
    rows = [
        ("ada", "View", 0, {"session": "a"}),
        ("ada", "View", 1, {"session": "b"}),
        ("ada", "Help", 2, {"session": "a"}),
        ("ada", "Buy", 3, {"session": "b"}),
        ("ada", "Buy", 4, {}),
    ]
    answer = funnel(events_of(rows), asked("View", "Buy", per="session"))
    assert [(step.count, step.people) for step in answer.steps] == [(2, 1), (1, 1)]
    assert answer.passes(2).to_dicts() == [
        {"person": "ada", "session": 1, "got_to": 2, "began_at": 1, "got_there_at": 3}
    ]


def test_where_no_sessions_are_recorded_a_silence_ends_one() -> None:
    """And the definition says so."""
    events = events_of([("ada", "View", 0), ("ada", "Cart", 30 * MINUTE), ("ada", "Buy", 61 * MINUTE)])
    answer = funnel(events, asked("View", "Cart", "Buy", per="session"))
    assert [step.count for step in answer.steps] == [1, 1, 0]
    assert "silence above 30 min" in answer.definition["case"]
    assert answer.passes(1).names == ["person", "got_to", "began_at", "got_there_at"]


def test_repeated_passes_are_each_an_attempt() -> None:
    """Counted by person, the two purchases were one."""
    events = walks_of("ada: View > Buy > View > View > Buy > View > Cart")
    assert counts(events, "View", "Buy", per="attempt") == [4, 2]
    assert counts(events, "View", "Buy", per="person") == [1, 1]


def test_an_unfinished_attempt_inside_a_complete_one_is_part_of_it() -> None:
    """As many complete passes as can be, even where an attempt began anew in the middle."""
    assert counts(walks_of("ada: A > B > A > C > A"), "A", "B", "C", per="attempt") == [2, 1, 1]


def test_attempts_of_a_funnel_that_comes_back_to_its_first_step() -> None:
    """The last step of a pass is not the first of the next: what is left of the first walk is one bare A."""
    assert counts(walks_of("ada: A > B > A > B > A"), "A", "B", "A", per="attempt") == [2, 1, 1]
    assert counts(walks_of("ada: A > B > A > A > B > A"), "A", "B", "A", per="attempt") == [2, 2, 2]


def test_where_they_went_is_what_came_right_after_the_last_time() -> None:
    """Bob came back to the cart; then came help."""
    events = walks_of("""
        ada: View > Cart > Buy
        bob: View > Cart > View > Cart > Help > View
        cid: View > Cart
        dan: View > Help > Help
    """)
    rows = funnel(events, asked("View", "Cart", "Buy")).went_to().to_dicts()
    assert [(row["after"], row["kind"], row["next"], row["count"], row["share"]) for row in rows] == [
        ("View", "step", "Help", 1, 1.0),
        ("Cart", "step", "Help", 1, 0.5),
        ("Cart", "ended", None, 1, 0.5),
    ]


def test_where_they_went_keeps_what_is_rare_as_other() -> None:
    """Nothing is cut off in silence."""
    events = walks_of(
        "\n".join(f"p{i}: View > {'Help' if i < 3 else f'Odd{i}'}\n" for i in range(6)) + "q: Buy"
    )
    rows = funnel(events, asked("View", "Buy")).went_to(limit=1).to_dicts()
    assert [(row["kind"], row["next"], row["count"], row["people"]) for row in rows] == [
        ("step", "Help", 3, 3),
        ("other", None, 3, 3),
    ]


def test_whose_they_were_is_read_where_the_pass_began() -> None:
    """Ada bought at her desk; values beyond the limit and missing ones have their rows."""
    rows = [
        ("ada", "View", 0, {"device": "phone"}),
        ("ada", "Buy", 1, {"device": "desk"}),
        ("bob", "View", 0, {"device": "phone"}),
        ("cid", "View", 0, {"device": "tablet"}),
        ("dan", "View", 0, {"device": "watch"}),
        ("eve", "View", 0, {}),
    ]
    table = funnel(events_of(rows), asked("View", "Buy")).by_attribute("device", limit=1)
    assert [(row["kind"], row["device"], row["step"], row["count"]) for row in table.to_dicts()] == [
        ("value", "phone", "View", 2),
        ("value", "phone", "Buy", 1),
        ("other", None, "View", 2),
        ("other", None, "Buy", 0),
        ("none", None, "View", 1),
        ("none", None, "Buy", 0),
    ]


def test_times_are_from_the_pass_that_ended_first_begun_as_late_as_can_be() -> None:
    """Ada looked twice before the cart, and changed it once: from her second look 2 and 4 minutes."""
    rows = [
        ("ada", step, i * MINUTE) for i, step in enumerate(["View", "View", "Help", "Cart", "Cart", "Buy"])
    ]
    row = funnel(events_of(rows), asked("View", "Cart", "Buy")).times((0.5,)).to_dicts()
    assert row == [
        {
            "n": 2,
            "step": "Cart",
            "count": 1,
            "from_previous_p50_ms": 2 * MINUTE,
            "from_start_p50_ms": 2 * MINUTE,
        },
        {
            "n": 3,
            "step": "Buy",
            "count": 1,
            "from_previous_p50_ms": 2 * MINUTE,
            "from_start_p50_ms": 4 * MINUTE,
        },
    ]


def test_a_step_nobody_reached_took_no_time() -> None:
    """A quantile of nothing is nothing, and not zero."""
    row = funnel(SHOP, asked("Help", "Buy")).times((0.5,)).to_dicts()[0]
    assert (row["count"], row["from_start_p50_ms"]) == (0, None)


def test_shares_carry_their_interval_and_what_they_are_of() -> None:
    """Two of four is not 50 % for sure."""
    share = funnel(SHOP, asked("View", "Cart")).steps[1].from_start
    assert (share.count, share.of, share.share) == (2, 4, 0.5)
    assert (share.low, share.high) == (pytest.approx(0.15003899), pytest.approx(0.84996101))


def test_sessions_of_one_person_do_not_make_an_interval_narrow() -> None:
    """A hundred visits of two people, who always or never buy, say little about people."""
    rows: list[Any] = []
    for i in range(50):
        rows += [(who, "View", i * 10, {"session": f"s{i}"}) for who in ("ada", "bob")]
        rows += [("ada", "Buy", i * 10 + 1, {"session": f"s{i}"})]
    rows.append(("bob", "Buy", 10_000, {"session": "last"}))
    share = funnel(events_of(rows), asked("View", "Buy", per="session")).steps[1].from_start
    assert (share.share, share.of) == (0.5, 100)
    assert share.low is not None
    assert share.low < 0.15


def test_the_definition_says_what_decides_the_number() -> None:
    """A number without its question cannot be compared."""
    definition = funnel(SHOP, asked("View", "Buy", within_ms=604_800_000)).table().definition
    assert {name: definition[name] for name in ("steps", "order", "within", "per", "n_people")} == {
        "steps": ["View", "Buy"],
        "order": "ordered",
        "within": "7d",
        "per": "person",
        "n_people": 5,
    }


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"steps": ()}, "at least one step"),
        ({"order": "sideways"}, "expected an order of ordered, strict, any"),
        ({"within_ms": -1}, "shorter than nothing"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"order": "strict", "without": (Exclusion(Kind(("Help",))),)}, "nothing can lie"),
        ({"order": "any", "without": (Exclusion(Kind(("Help",)), 1, 2),)}, "no between"),
        (
            {"without": (Exclusion(Kind(("Help",)), 2, 2),)},
            "Help @2-2: expected a step and a later one, of 1 to 2",
        ),
        ({"without": (Exclusion(Kind(("Help",)), 1, 3),)}, "of 1 to 2"),
        ({"steps": tuple(Kind((str(i),)) for i in range(65))}, "at most 64"),
    ],
)
def test_what_is_no_funnel_is_refused(rules: dict[str, Any], message: str) -> None:
    """Better no number than one that answers another question."""
    with pytest.raises(ConfigError, match=message):
        Funnel(**{"steps": (Kind(("View",)), Kind(("Buy",))), **rules})


def test_what_the_data_does_not_know_is_refused() -> None:
    """A misspelt step would be a funnel of nobody."""
    with pytest.raises(ConfigError, match="no event is called 'Veiw'; did you mean 'View'"):
        counts(SHOP, "Veiw")
    with pytest.raises(ConfigError, match="steps 1 to 2, not 3"):
        funnel(SHOP, asked("View", "Buy")).people(3)
    with pytest.raises(ConfigError, match="no attribute of text is called 'device'"):
        funnel(SHOP, asked("View", "Buy")).by_attribute("device")
    with pytest.raises(ConfigError, match="9 steps share events"):
        counts(SHOP, *["View"] * 9, order="any")


def test_no_events_make_an_empty_funnel() -> None:
    """The first day of a shop has no division by zero."""
    empty = events_of([("ada", "View", 0), ("ada", "Buy", 1)])
    answer = funnel(empty, asked("Buy", "View"))
    assert [(step.count, step.from_previous.share) for step in answer.steps] == [(1, 1.0), (0, 0.0)]
    nobody = funnel(events_of([]), asked("*", "*"))
    assert [(step.count, step.from_start.share) for step in nobody.steps] == [(0, None), (0, None)]
    assert len(nobody.times()) + len(nobody.went_to()) == 1


def test_an_exclusion_is_written_as_it_is_read() -> None:
    """The definition a result prints can be given back."""
    for text in ("Help", "Help | Ask [country=SE] @2-3", "Help @2-"):
        assert str(parse_exclusion(text)) == text
    assert parse_exclusion("Help @1-2", ["Help @1-2"]).kind == Kind(("Help @1-2",))
