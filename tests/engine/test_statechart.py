"""The statechart kernel: what one event does to one machine."""

from __future__ import annotations

import pytest

from sojourn.definitions.chart import Chart
from sojourn.engine.statechart import (
    Machine,
    Moved,
    Step,
    Timer,
    Wanted,
    fire,
    leave,
    listens,
    next_due,
    send,
    start,
)
from tests.engine.charts import (
    ChartOnly,
    Tree,
    after,
    begin,
    chart,
    final,
    hear,
    history,
    moves,
    parallel,
    state,
    wants,
)


def fire_next(made: Chart, machine: Machine) -> Step:
    """Fire the earliest timer at the instant it is due."""
    due = next_due(machine)
    assert due is not None
    return fire(made, machine, ChartOnly(), at=due)


def race() -> Chart:
    """Wait for a purchase, an hour at most."""
    waiting = state(
        "waiting",
        on={"Order Completed": "bought"},
        transitions=[{"after_ms": 3_600_000, "target": ["nudged"]}],
    )
    return chart(waiting, state("bought"), state("nudged"))


def player(**fields: bool) -> Chart:
    """Play a film that an alarm interrupts: a compound state that remembers, and one inside it."""
    slow = state("slow", on={"faster": "fast"})
    playing = state("playing", slow, state("fast"))
    film = state(
        "film", history("back", "playing", **fields), playing, state("credits"), on={"alarm": "stopped"}
    )
    return chart(film, state("stopped", on={"go on": "back"}))


def test_an_event_moves_a_machine_and_tells_how() -> None:
    """The smallest macrostep: left, entered, and by what."""
    made = chart(state("a", on={"e": "b"}), state("b"))
    step = send(made, begin(made), "e", ChartOnly(), at=5)
    assert step == Step(Machine(active=["b"]), [Moved(["a"], ["b"], "e")], [])


def test_an_event_nobody_answers_gives_the_very_machine_back() -> None:
    """The caller can see at once that there is nothing to store."""
    made = chart(state("a", on={"e": "b"}), state("b"))
    machine = begin(made)
    assert send(made, machine, "x", ChartOnly(), at=0).machine is machine


def test_a_start_tells_where_it_entered() -> None:
    """The first move has no source and no event."""
    made = chart(state("a", state("a1"), state("a2"), initial=["a2"]))
    assert start(made, ChartOnly(), at=0).effects == [Moved([], ["a2"], "")]


def test_the_purchase_that_comes_first_wins_and_the_timeout_is_gone() -> None:
    """Of an event and a timeout racing each other exactly one wins."""
    made = race()
    machine = hear(made, begin(made), "Order Completed")
    assert (machine.active, next_due(machine)) == (["bought"], None)


def test_the_timeout_that_comes_first_wins_and_the_purchase_is_not_heard() -> None:
    """The same race, the other way round."""
    made = race()
    machine = fire_next(made, begin(made)).machine
    assert hear(made, machine, "Order Completed").active == ["nudged"]


def test_a_timer_is_due_its_length_after_the_entry() -> None:
    """Time is an argument; the timer is data in the machine."""
    name = "after(waiting,3600000)"
    assert begin(race(), at=1_000).timers == [Timer(3_601_000, 0, name, name)]


def test_a_timer_that_is_not_due_must_not_be_fired() -> None:
    """A bug is loud."""
    made = race()
    with pytest.raises(AssertionError, match="due at 3600000"):
        fire(made, begin(made), ChartOnly(), at=3_599_999)


def test_of_two_timers_due_at_once_the_one_sent_first_fires_first() -> None:
    """A tie must not be broken by chance."""
    made = chart(state("a", entry=[{"send": "y", "after_ms": 9}, {"send": "x", "after_ms": 9}]))
    assert [timer.event for timer in begin(made).timers] == ["y", "x"]


def test_a_state_entered_again_waits_its_whole_time_again() -> None:
    """Leaving cancels, entering starts."""
    made = chart(state("a", on={"again": "a"}, transitions=[{"after_ms": 10, "target": ["b"]}]), state("b"))
    machine = hear(made, begin(made, at=0), "again", at=7)
    assert [timer.due for timer in machine.timers] == [17]


def test_a_cancelled_event_never_comes() -> None:
    """`cancel` forgets by id, and only that."""
    entry = [{"send": "x", "after_ms": 5, "id": "k"}, {"send": "y", "after_ms": 6, "id": "l"}]
    made = chart(state("a", entry=entry, on={"stop": {"actions": [{"cancel": "k"}]}}))
    assert [timer.event for timer in hear(made, begin(made), "stop").timers] == ["y"]


def test_an_event_sent_without_delay_waits_until_the_machine_is_stable() -> None:
    """The external queue comes after the internal one, whatever was put in first."""
    actions = [{"send": "outer"}, {"raise": "inner"}]
    made = chart(
        state("a", on={"e": {"target": ["b"], "actions": actions}}),
        state("b", on={"outer": "wrong", "inner": "c"}),
        state("c", on={"outer": "d"}),
        state("wrong"),
        state("d"),
    )
    assert after(made, "e") == ["d"]


def test_an_eventless_chain_runs_to_its_end_in_one_step() -> None:
    """A branch is a state nobody rests in."""
    made = chart(
        state("a", on={"e": "b"}),
        state("b", transitions=[{"when": "x > 5", "target": ["wrong"]}, {"target": ["c"]}]),
        state("c", on={"": "d"}),
        state("d"),
        state("wrong"),
        data={"x": 1},
    )
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert moves(step) == [(["a"], ["b"], "e"), (["b"], ["c"], ""), (["c"], ["d"], "")]


def test_what_needs_no_event_goes_before_what_was_raised() -> None:
    """SCXML's order inside a macrostep."""
    made = chart(
        state("a", entry=[{"raise": "r"}], on={"": "b", "r": "wrong"}),
        state("b", on={"r": "c"}),
        state("c"),
        state("wrong"),
    )
    assert after(made) == ["c"]


def test_a_guard_that_turned_true_outside_is_asked_at_the_next_event() -> None:
    """Guards ask a profile that changes with events the chart does not name."""
    made = chart(state("a", transitions=[{"when": "x > 0", "target": ["b"]}]), state("b"), data={"x": 0})
    changed = Machine(active=["a"], data={"x": 1})
    assert hear(made, changed, "anything").active == ["b"]


def test_the_innermost_transition_answers_first() -> None:
    """A child overrides its parent."""
    made = chart(state("p", state("c", on={"e": "inner"}), on={"e": "outer"}), state("inner"), state("outer"))
    assert after(made, "e") == ["inner"]


def test_a_parent_answers_what_its_child_declines() -> None:
    """A false guard is no answer."""
    declined = state("c", on={"e": {"target": ["inner"], "when": "False"}})
    made = chart(state("p", declined, on={"e": "outer"}), state("inner"), state("outer"))
    assert after(made, "e") == ["outer"]


def test_exits_run_inside_out_then_the_transition_then_entries_outside_in() -> None:
    """The order effects are numbered by."""

    def told(name: str, *inside: dict[str, object], **fields: object) -> dict[str, object]:
        return state(name, *inside, entry=[{"want": f"+{name}"}], exit=[{"want": f"-{name}"}], **fields)

    made = chart(
        told("p", told("a", on={"e": {"target": ["b"], "actions": [{"want": "e"}]}})), told("q", told("b"))
    )
    assert wants(send(made, begin(made), "e", ChartOnly(), at=0)) == ["-a", "-p", "e", "+q", "+b"]


def test_what_is_wanted_names_its_state() -> None:
    """A fact about an action says whose it was."""
    made = chart(state("a", on={"e": "b"}), state("b", entry=[{"want": {"mail": 1}}]))
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert step.effects == [Moved(["a"], ["b"], "e"), Wanted("b", {"mail": 1})]


def test_an_external_transition_into_a_child_leaves_the_parent() -> None:
    """SCXML's default, other than XState's since its version 5."""
    made = chart(state("p", state("a"), state("b"), exit=[{"want": "left"}], on={"e": "b"}))
    assert wants(send(made, begin(made), "e", ChartOnly(), at=0)) == ["left"]


def test_an_internal_transition_into_a_child_spares_the_parent() -> None:
    """Its timers run on."""
    inward = {"e": {"target": ["b"], "internal": True}}
    made = chart(state("p", state("a"), state("b"), exit=[{"want": "left"}], on=inward))
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert (step.machine.active, wants(step)) == (["b"], [])


def test_a_transition_without_target_acts_and_stays() -> None:
    """Nothing is left, nothing entered, so nothing moved."""
    made = chart(state("a", on={"e": {"actions": [{"assign": {"x": "x + 1"}}]}}), data={"x": 1})
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert (step.machine.data, step.effects) == ({"x": 2}, [])


def test_regions_answer_one_event_together() -> None:
    """One microstep, told as one move."""
    made = chart(
        parallel(
            "p",
            state("a", state("a1", on={"e": "a2"}), state("a2")),
            state("b", state("b1", on={"e": "b2"}), state("b2")),
        )
    )
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert moves(step) == [(["a1", "b1"], ["a2", "b2"], "e")]


def two_regions() -> list[Tree]:
    """Make two regions, of which the first moves on `e`."""
    return [state("a", state("a1", on={"e": "a2"}), state("a2")), state("b", state("b1"))]


def nested(inner: str, outer: str) -> Chart:
    """Two regions, the first with two of its own; `inner` and `outer` are where the last two go on `e`."""
    first = state("c", state("c1", on={"e": inner}), state("c2"))
    second = state("d", state("d1", on={"e": outer}), state("d2"))
    return chart(
        parallel(
            "p",
            state("a", parallel("q", first, second)),
            state("b", state("b1", on={"e": "b2"}), state("b2")),
        ),
        state("out"),
    )


def test_a_transition_out_of_a_parallel_state_pre_empts_later_regions() -> None:
    """Both would leave the same states: document order decides."""
    assert after(nested(inner="out", outer="d2"), "e") == ["out"]


def test_an_earlier_region_pre_empts_a_transition_out() -> None:
    """The same, the other way round: the one that comes first stays inside, and wins."""
    assert after(nested(inner="c2", outer="out"), "e") == ["c2", "d1", "b2"]


def test_a_descendants_transition_pre_empts_its_ancestors() -> None:
    """Region `a` has no answer of its own and would leave all by `p`; region `b` inside `p` knows better."""
    made = chart(
        parallel(
            "p",
            state("a", state("a1")),
            state("b", state("b1", on={"e": "b2"}), state("b2")),
            on={"e": "out"},
        ),
        state("out"),
    )
    assert after(made, "e") == ["a1", "b2"]


def test_regions_answer_in_the_order_of_the_chart_in_force() -> None:
    """A machine stored under an earlier version may name its states in another order."""
    made = nested(inner="c2", outer="d2")
    assert hear(made, Machine(active=["b1", "d1", "c1"]), "e").active == ["c2", "d2", "b2"]


def test_one_region_looks_into_another() -> None:
    """`In` sees the configuration as it is at that moment."""
    made = chart(
        parallel(
            "p",
            state("a", state("a1", on={"e": "a2"}), state("a2")),
            state("b", state("b1", transitions=[{"when": "In('a2')", "target": ["b2"]}]), state("b2")),
        )
    )
    assert after(made, "e") == ["a2", "b2"]


def test_shallow_history_remembers_the_child_and_not_what_is_inside() -> None:
    """`fast` is forgotten."""
    assert after(player(deep=False), "faster", "alarm", "go on") == ["slow"]


def test_deep_history_remembers_to_the_leaf() -> None:
    """`fast` comes back."""
    assert after(player(deep=True), "faster", "alarm", "go on") == ["fast"]


def test_history_that_remembers_nothing_takes_its_default() -> None:
    """The first time, there was no last time."""
    made = chart(state("a", on={"e": "h"}), state("p", state("p1"), state("p2"), history("h", "p2")))
    assert after(made, "e") == ["p2"]


def test_a_start_by_default_runs_its_content_after_the_parents_entry() -> None:
    """SCXML's `<initial>`; a transition straight to a child does not run it."""
    initial = {"target": ["b"], "actions": [{"want": "initial"}]}
    entry = [{"want": "entry"}]
    made = chart(state("a", on={"e": "p", "f": "b"}), state("p", state("b"), initial=initial, entry=entry))
    by_default, by_name = [send(made, begin(made), event, ChartOnly(), at=0) for event in ("e", "f")]
    assert (wants(by_default), wants(by_name)) == (["entry", "initial"], ["entry"])


def test_history_of_a_parallel_state_brings_every_region_back() -> None:
    """Without a default it leads where the regions would start."""
    keeper = {"id": "h", "kind": "history", "deep": True}
    made = chart(
        state("out", on={"back": "h"}),
        parallel("p", keeper, *two_regions(), on={"stop": "out"}),
    )
    first = hear(made, begin(made), "back")
    assert (first.active, hear(made, first, "e", "stop", "back").active) == (["a1", "b1"], ["a2", "b1"])


def test_a_final_child_says_that_its_parent_is_done() -> None:
    """`done.state.<id>` on the internal queue."""
    made = chart(
        state("p", state("a", on={"e": "f"}), final("f"), on={"done.state.p": "next"}), state("next")
    )
    assert after(made, "e") == ["next"]


def two_regions_done() -> Chart:
    """Join two regions."""
    return chart(
        parallel(
            "p",
            state("a", state("a1", on={"x": "fa"}), final("fa")),
            state("b", state("b1", on={"y": "fb"}), final("fb")),
            on={"done.state.p": "joined"},
        ),
        state("joined"),
    )


def test_a_parallel_state_is_not_done_while_a_region_runs() -> None:
    """A join waits."""
    assert after(two_regions_done(), "x") == ["fa", "b1"]


def test_a_parallel_state_is_done_when_all_its_regions_are() -> None:
    """And joins once."""
    assert after(two_regions_done(), "x", "y") == ["joined"]


def test_a_machine_at_a_top_level_final_state_is_done_and_deaf() -> None:
    """Its timers are gone, and no event wakes it."""
    waiting = state("a", entry=[{"send": "late", "after_ms": 9}], on={"e": "end"})
    made = chart(
        waiting, final("end", exit=[{"want": "bye"}]), transitions=[{"event": ["x"], "target": ["a"]}]
    )
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert step.machine == Machine(active=["end"], n_timers=1, is_done=True)
    assert (wants(step), after(made, "e", "x")) == (["bye"], ["end"])


def test_a_transition_of_the_root_interrupts_from_any_state() -> None:
    """How a chart says: whatever you do, stop."""
    deep = state("p", state("q", state("r", exit=[{"want": "clean up"}])))
    made = chart(deep, final("out"), transitions=[{"event": ["stop"], "target": ["out"]}])
    step = send(made, begin(made), "stop", ChartOnly(), at=0)
    assert (step.machine.active, wants(step)) == (["out"], ["clean up"])


def test_leaving_runs_all_exit_content_inside_out_and_ends() -> None:
    """A goal interrupts at once, and nothing is left to fire."""
    inner = state("a", exit=[{"want": "a"}], transitions=[{"after_ms": 5, "target": ["p"]}])
    made = chart(state("p", inner, exit=[{"want": "p"}]))
    step = leave(made, begin(made), ChartOnly(), at=3)
    assert step == Step(Machine(n_timers=1, is_done=True), [Wanted("a", "a"), Wanted("p", "p")], [])


@pytest.mark.parametrize(
    ("event", "is_heard"), [("e", True), ("up", True), ("other", False), ("elsewhere", False)]
)
def test_a_machine_listens_to_what_its_active_states_answer(event: str, is_heard: bool) -> None:
    """Most events pass most machines by: asking must be cheap, and right."""
    made = chart(state("p", state("a", on={"e": "b"}), on={"up": "b"}), state("b", on={"elsewhere": "a"}))
    assert listens(made, begin(made), event) is is_heard


def test_a_machine_that_waits_for_a_guard_listens_to_everything() -> None:
    """Any event may turn the guard true."""
    made = chart(state("a", transitions=[{"when": "x > 0", "target": ["b"]}]), state("b"), data={"x": 0})
    assert made.is_listening_to_any
    assert listens(made, begin(made), "anything")
