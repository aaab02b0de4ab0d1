"""Steps: what each kind becomes, and what is refused with its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.chart import Assign, Chart, State, Want
from sojourn.definitions.compile import check_journey, compile_journey
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.journey import Call, Do
from sojourn.definitions.schema import journey_schema
from sojourn.definitions.steps import MAX_STEPS
from sojourn.definitions.yaml import load, plain
from tests.definitions.test_schema import flaws
from tests.soak import tries

HEAD = "journey: j\nentry: {on: E}\nsteps:\n"
"""Steps under test begin in line 4."""


def chart_of(steps: str) -> Chart:
    """Compile steps."""
    return compile_journey(HEAD + steps).chart


def ways(chart: Chart, name: str) -> list[tuple[str, str, str]]:
    """Return the ways out of a state as (event, guard, target)."""
    return [
        (
            "".join(way.names),
            way.when.source if way.when else "",
            ", ".join(chart.states[target].id for target in way.targets),
        )
        for way in state(chart, name).transitions
    ]


def state(chart: Chart, name: str) -> State:
    """Return a state by its id."""
    return chart.states[chart.by_id[name]]


def wanted(chart: Chart, name: str) -> list[Any]:
    """Return what a state wants on entry."""
    return [content.body for content in state(chart, name).entry if isinstance(content, Want)]


def said(steps: str) -> list[str]:
    """Return problems and warnings of steps, each as `line:column code`."""
    found = check_journey(HEAD + steps, file="j.yaml")
    return [f"{each.line}:{each.column} {each.code}" for each in (*found.problems, *found.warnings)]


def test_steps_are_named_by_their_kind_and_number_and_fall_through() -> None:
    """The second wait stays the second wait when a send is put before it."""
    chart = chart_of("- wait: 1h\n- send: {console: }\n- wait: 2h")
    assert [*chart.by_id] == ["", "wait-1", "send-1", "wait-2", "done"]
    assert ways(chart, "wait-1") == [("after(wait-1,3600000)", "", "send-1")]
    assert ways(chart, "send-1") == [("", "", "wait-2")]
    assert ways(chart, "wait-2") == [("after(wait-2,7200000)", "", "done")]


def test_a_named_step_keeps_its_name_and_takes_none_from_the_others() -> None:
    """A derived name gives way to one an author wrote."""
    chart = chart_of("- wait: 1h\n- {name: wait-1, wait: 2h}\n- {name: last, wait: 3h}")
    assert [*chart.by_id] == ["", "wait-2", "wait-1", "last", "done"]


def test_a_send_carries_its_channel_topic_and_duty() -> None:
    """Consent, caps and hold-outs ask for them."""
    chart = chart_of(
        "- send: {webhook: crm, channel: email, topic: news, transactional: true, expires: 1h}\n- wait: 1h"
    )
    (do,) = wanted(chart, "send-1")
    assert isinstance(do, Do)
    assert (do.sink, do.channel, do.topic, do.is_transactional, do.expires_ms) == (
        "crm",
        "email",
        "news",
        True,
        3_600_000,
    )


def test_a_wait_for_has_a_way_for_each_event_and_one_for_the_time() -> None:
    """`then` and `timeout` lead to steps of their own, which lead on."""
    chart = chart_of(
        "- wait_for: {on: [A, B], match: [cart, 'a b'], within: 1h, then: {wait: 1m}, timeout: exit}\n"
        "- wait: 1d"
    )
    guard = "properties.cart == entry.properties.cart) and properties['a b'] == entry.properties['a b']"
    assert ways(chart, "wait-for-1") == [
        ("A", "(" + guard, "wait-for-1-then.wait-1"),
        ("B", "(" + guard, "wait-for-1-then.wait-1"),
        ("after(wait-for-1,3600000)", "", "done"),
    ]
    assert ways(chart, "wait-for-1-then.wait-1") == [("after(wait-for-1-then.wait-1,60000)", "", "wait-1")]


def test_a_branch_takes_the_first_case_and_goes_on_where_none_is_true() -> None:
    """No `otherwise` is needed."""
    chart = chart_of(
        "- branch: [{when: trait.a, steps: {wait: 1h}}, {when: trait.b, to: exit}, {when: trait.c}]\n"
        "- wait: 1d"
    )
    assert ways(chart, "branch-1") == [
        ("", "trait.a", "branch-1-1.wait-1"),
        ("", "trait.b", "done"),
        ("", "trait.c", "wait-1"),
        ("", "", "wait-1"),
    ]


def test_a_split_is_an_experiment_named_after_journey_and_step() -> None:
    """The first variant is the control, and leads on without a condition."""
    chart = chart_of("- split: {variants: {a: 3, b: 1}, steps: {b: {wait: 1h}}}\n- wait: 1d")
    assert wanted(chart, "split-1") == [Experiment(id="j.split-1", variants=("a", "b"), weights=(0.75, 0.25))]
    assert ways(chart, "split-1") == [
        ("", "variant('j.split-1') == 'b'", "split-1-b.wait-1"),
        ("", "", "wait-1"),
    ]


def test_a_repeat_counts_its_rounds_from_nothing_at_each_entry() -> None:
    """The counter is the chart's own variable."""
    chart = chart_of("- repeat: {times: 2, until: trait.paid, steps: [{wait: 1h}]}\n- wait: 1d")
    assert [content.name for content in state(chart, "repeat-1").entry if isinstance(content, Assign)] == [
        "repeat-1"
    ]
    assert ways(chart, "repeat-1.round") == [
        ("", "trait.paid", "wait-1"),
        ("", "rounds >= 2", "wait-1"),
        ("", "", "repeat-1.wait-1"),
    ]


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ("", ["done.state.parallel-1"]),
        ("\n  join: all", ["done.state.parallel-1"]),
        ("\n  join: any", ["done.state.parallel-1.path-1", "done.state.parallel-1.path-2"]),
    ],
)
def test_parallel_steps_are_regions_that_are_joined(join: str, expected: list[str]) -> None:
    """By SCXML's own done events."""
    chart = chart_of(
        f"- parallel: [{{wait: 1h}}, [{{wait: 2h}}, exit]]{join}\n- wait: 1d".replace(", exit", "")
    )
    assert state(chart, "parallel-1").kind == "parallel"
    assert [(event, to) for event, _, to in ways(chart, "parallel-1")] == [
        (each, "wait-1") for each in expected
    ]


def test_a_call_waits_for_its_own_end_or_goes_on() -> None:
    """The engine says when what was called is over."""
    chart = chart_of("- call: other\n- call: {journey: other, key: entry.key, wait: false}\n- wait: 1d")
    first, second = (*wanted(chart, "call-1"), *wanted(chart, "call-2"))
    assert first == Call(journey="other")
    assert (second.is_awaited, second.key.source) == (False, "entry.key")
    assert ways(chart, "call-1") == [("done.call.call-1", "", "call-2")]
    assert ways(chart, "call-2") == [("", "", "wait-1")]


def test_jumps_lead_where_they_say() -> None:
    """`goto` to a named step, `exit` to the end, `resume` to where one was."""
    chart = chart_of(
        "- {name: loop, repeat: {times: 2, steps: [{wait: 1h}]}}\n"
        "- wait_for: {on: A, then: {resume: loop}, within: 1d, timeout: {goto: loop}}"
    )
    assert [to for _, _, to in ways(chart, "wait-for-1")] == ["loop.resume", "loop"]
    assert (state(chart, "loop.resume").kind, state(chart, "loop.resume").is_deep) == ("history", True)


def test_needs_of_steps_are_those_of_their_expressions() -> None:
    """A profile keeps what a wait or a match asks for."""
    journey = compile_journey(
        HEAD + "- wait: {until: trait.ends}\n- wait_for: {on: A, when: \"count('B') > 1\", match: c}\n"
    )
    assert (journey.needs.traits, journey.needs.counts) == (frozenset({"ends"}), {"B": 0})


def test_the_head_says_priority_group_and_conditions_that_end_it() -> None:
    """An exit may be a condition alone."""
    journey = compile_journey(
        "journey: j\nentry: {on: E}\npriority: 10\ngroup: offers\n"
        "exit: {when: trait.churned}\nsteps: [{wait: 1d}]"
    )
    assert (journey.priority, journey.group) == (10, "offers")
    assert [(each.names, each.when is not None) for each in journey.exits] == [(frozenset(), True)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("  {}", ["4:3 missing"]),
        ("- wait", ["4:3 bad-type"]),
        ("- {name: a}", ["4:3 missing"]),
        ("- {wait: 1h, send: {console: }}", ["4:3 bad-value"]),
        ("- {wiat: 1h}", ["4:4 unknown-keyword"]),
        ("- {wait: 1h, join: all}", ["4:20 bad-value"]),
        ("- {wait: 1h, name: 1a}", ["4:20 bad-name"]),
        ("- {wait: 1h, name: done}", ["4:20 bad-name"]),
        ("- {wait: 1h, name: a}\n- {wait: 1h, name: a}", ["5:20 duplicate-name"]),
        (
            "- branch: [{when: trait.a, steps: {wait: 1h}}]\n- {wait: 1h, name: branch-1-1}",
            ["5:3 duplicate-name"],
        ),
        ("- {wait: 1h, name: finished}", ["4:20 bad-name"]),
        ("- parallel: {}", ["4:13 bad-type"]),
        ("- parallel: {x y: {wait: 1h}, done: {wait: 1h}}", ["4:14 bad-name", "4:31 bad-name"]),
        ("- wait: 1 hour", ["4:9 bad-duration"]),
        ("- wait: {for: 1h}", ["4:10 unknown-keyword", "4:9 bad-value"]),
        ("- wait: {until: '09:00', window: '9:00-10:00'}", ["4:9 bad-value"]),
        ("- wait: {until: '09:00', offset: 1h}", ["4:34 bad-value"]),
        ("- wait: {until: '9:61'}", ["4:17 bad-time"]),
        ("- wait: {until: trait.x, days: [mon]}", ["4:32 bad-value"]),
        ("- wait: {until: trait.x, at: noon}", ["4:30 bad-time"]),
        ("- wait: {until: 2026-02-30}", ["4:17 bad-date"]),
        ("- wait: {until: trait.x, offset: soon}", ["4:34 bad-duration"]),
        ("- wait: {until: trait.x, offset: +-3d}", ["4:34 bad-duration"]),
        ("- wait: {until: trait.x, offset: --3d}", ["4:34 bad-duration"]),
        ("- wait_for: {when: 1 == 1, within: 3d}", ["4:20 always-true"]),
        ("- wait: {until: '09:00', days: [monday]}", ["4:33 bad-value"]),
        ("- wait: {until: '09:00', zone: Mars/Base}", ["4:32 unknown-zone"]),
        ("- wait: {window: '09:00'}", ["4:18 bad-time"]),
        ("- wait: {window: '09:00-10:00', at: '09:00'}", ["4:37 bad-value"]),
        ("- wait: {between: [3h, 1h]}", ["4:19 bad-value"]),
        ("- wait: {between: [1h]}", ["4:19 bad-value"]),
        ("- wait_for: A", ["4:13 bad-type"]),
        ("- wait_for: {on: done.call.x}", ["4:18 not-allowed"]),
        ("- wait_for: {within: 1h}", ["4:13 missing"]),
        ("- wait_for: {when: trait.a}", ["4:13 missing"]),
        ("- wait_for: {on: A, timeout: exit}", ["4:30 missing"]),
        ("- wait_for: {when: trait.a, match: b, within: 1h}", ["4:36 missing"]),
        ("- wait_for: [{on: A, within: 1h}, {on: B, within: 2h}]", ["4:51 duplicate-key"]),
        ("- wait_for: [{on: A}, {on: [B, A]}]", ["4:28 shadowed"]),
        ("- wait_for: [{on: A}, {within: 1h, then: exit}]", ["4:42 bad-value"]),
        ("- branch: [{steps: {wait: 1h}}, {to: exit}]", ["4:33 shadowed"]),
        ("- branch: [{when: trait.a, steps: {wait: 1h}, to: exit}]", ["4:12 bad-value"]),
        ("- branch: [{when: \"trait.a == 'x' and trait.a == 'y'\", to: exit}]", ["4:19 never-true"]),
        ("- split: {variants: {a: 0}}", ["4:25 bad-value"]),
        ("- split: {variants: {a: 1}, steps: {b: exit}}", ["4:21 unknown-name"]),
        ("- split: {variants: {a: 1}, steps: {a: exit}, to: {a: exit}}", ["4:55 bad-value"]),
        ("- repeat: {times: 101, steps: [{wait: 1h}]}", ["4:19 bad-value"]),
        ("- repeat: {steps: [{wait: 1h}]}", ["4:11 missing"]),
        ("- repeat: {times: 2, until: true, steps: [{wait: 1h}]}", ["4:29 always-true"]),
        ("- parallel: [[{wait: 1h}]]\n  join: some", ["5:9 bad-value"]),
        ("- call: j", ["4:9 bad-value"]),
        ("- goto: nowhere", ["4:9 unknown-state"]),
        ("- {name: a, wait: 1h}\n- resume: a", ["5:11 bad-value"]),
        ("- exit: now", ["4:9 bad-value"]),
        ("- send: {console: , transactional: maybe}", ["4:36 bad-type"]),
        ("- send: {console: , channel: a b}", ["4:30 bad-name"]),
    ],
)
def test_a_wrong_step_is_refused_where_it_is_wrong(steps: str, expected: list[str]) -> None:
    """Every message points at what the author must change."""
    assert sorted(said(steps)) == sorted(expected)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- exit\n- wait: 1h\n- send: {console: }", ["5:3 unreachable"]),
        ("- {name: a, send: {console: }}\n- goto: a", ["4:3 loop-without-wait"]),
        ("- repeat: {times: 2, steps: [{send: {console: }}]}", ["4:3 loop-without-wait"]),
        ("- repeat: {times: 2, steps: [{wait: {until: trait.x}}]}", ["4:3 loop-without-wait"]),
        ("- repeat: {times: 2, steps: [{wait: {window: '9:00-10:00'}}]}", ["4:3 loop-without-wait"]),
        (
            "- repeat: {times: 2, steps: [{branch: [{when: trait.a, steps: {wait: 1h}}]}]}",
            ["4:3 loop-without-wait"],
        ),
        ("- {name: a, call: x}\n- goto: a", ["4:3 loop-without-wait"]),
        (
            "- {name: a, parallel: [{send: {console: }}, {do: [{console: }]}]}\n- goto: a",
            ["5:3 loop-without-wait"],
        ),
        ("- {name: a, parallel: [{send: {console: }}, {wait: 1h}]}\n- goto: a", []),
        (
            "- {name: a, parallel: [{send: {console: }}, {wait: 1h}], join: any}\n- goto: a",
            ["4:24 loop-without-wait"],
        ),
        ("- repeat: {times: 2, steps: [{wait: {until: '09:00'}}]}", []),
        ("- repeat: {times: 2, steps: [{wait: {between: [1s, 2s]}}]}", []),
        ("- {name: a, wait: 1h}\n- goto: a", []),
        ("- parallel: [[{name: a, wait: 1h}, {goto: a}], [{wait: 1h}]]\n- wait: 1h", ["4:3 never-done"]),
        (
            "- parallel: [[{name: a, wait: 1h}], [{wait: 2h}, {goto: a}]]\n  join: any\n- wait: 1h",
            ["4:3 never-done", "4:57 restarts-regions"],
        ),
    ],
)
def test_a_graph_of_steps_is_checked_as_one_of_states(steps: str, expected: list[str]) -> None:
    """Each problem where the step stands."""
    assert said(steps) == expected


def test_a_loop_whose_wait_may_be_over_at_once_says_so() -> None:
    """The author sees a wait there, and wonders."""
    found = check_journey(HEAD + "- repeat: {times: 2, steps: [{wait: {until: trait.x}}]}", file="j.yaml")
    assert found.problems[0].message == (
        "round -> wait-1 -> round is a loop without a wait; add an event or a time to it "
        "(a call, and a wait until a date or a window, may be over at once)"
    )


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- wait: 8d", ["4:9 after-goal"]),
        ("- wait: 5d\n- wait: 5d\n- wait: 5d", ["5:9 after-goal"]),
        ("- wait: {between: [8d, 9d]}", ["4:9 after-goal"]),
        ("- wait_for: {on: A, within: 6d}\n- wait: 1d", []),
    ],
)
def test_waits_that_end_after_the_goals_window_are_warned_of(steps: str, expected: list[str]) -> None:
    """Alone, or with those on the way to them: the first one is told."""
    text = f"journey: j\nentry: {{on: E}}\ngoal: {{on: G, within: 7d}}\nsteps:\n{steps}"
    found = check_journey(text, file="j.yaml")
    assert [f"{each.line - 1}:{each.column} {each.code}" for each in found.warnings] == expected


def test_a_journey_has_so_many_steps_and_no_more() -> None:
    """Far from what the kernel takes at once, so that nobody meets that bound."""
    assert said("- wait: 1h\n" * MAX_STEPS) == []
    assert said("- wait: 1h\n" * (MAX_STEPS + 2)) == [f"{MAX_STEPS + 4}:3 too-long"]


def test_so_many_waits_may_be_over_at_once_and_no_more() -> None:
    """Each of them is an event the chart sends itself, and of those a machine takes a hundred."""
    assert said("- wait: {until: trait.x}\n" * 50) == []
    assert said("- wait: {until: trait.x}\n" * 52) == ["54:9 too-long"]


FORMS = [
    "- send: {webhook: crm, body: {a: 1}, channel: email, topic: news, transactional: true, expires: 1h}",
    "- do: [{console: }, {sink: x}]",
    "- wait: 1d",
    "- wait: {until: trait.ends, offset: -3d, at: '09:00', zone: Europe/Berlin}",
    "- wait: {until: 2026-12-24T18:00}",
    "- wait: {until: 09:00, days: [mon, fri], zone: UTC}",
    "- wait: {window: 09:00-18:00, days: sat}",
    "- wait: {between: [1h, 3h]}",
    "- wait_for: {on: A, when: trait.x, match: [a, b], within: 1d, then: [{wait: 1h}, exit], timeout: exit}",
    "- wait_for: [{on: [A, B], then: {wait: 1h}}, {on: C}, {within: 1d, timeout: [{exit: }]}]",
    "- wait_for: {when: trait.x, within: 1d}",
    "- branch: [{when: trait.x, steps: [{wait: 1h}]}, {when: trait.y, to: exit}, {when: trait.z}]",
    "- branch: [{when: trait.x, to: exit}, {steps: {wait: 1h}}]",
    "- split: {id: e, variants: {a: 1, b: 1, c: 1}, steps: {a: [{wait: 1h}]}, to: {b: exit}}",
    "- repeat: {times: 3, until: trait.x, steps: [{wait: 1h}]}",
    "- parallel: [[{wait: 1h}], {wait: 2h}]\n  join: any",
    "- parallel: {one: [{wait: 1h}], two: {wait: 2h}}",
    "- call: other",
    "- call: {journey: other, key: entry.key, wait: false}",
    "- {name: here, wait: 1h}\n- goto: here",
    "- {name: here, repeat: {times: 2, steps: {wait: 1h}}}\n- wait_for: {on: A, then: {resume: here}}",
    "- {wait: 1h}\n- exit",
    "- {wait: 1h}\n- exit: {}",
]


@pytest.mark.parametrize("steps", FORMS)
def test_every_form_of_a_step_is_valid_for_the_schema_and_the_compiler(steps: str) -> None:
    """An editor must not underline what the compiler takes."""
    assert flaws(plain(load(HEAD + steps, file="f")), journey_schema()) == []
    assert check_journey(HEAD + steps).problems == []


@pytest.mark.parametrize(
    "steps",
    [
        "  {}",
        "- wait",
        "- {name: a}",
        "- {wiat: 1h}",
        "- {name: 1a, wait: 1h}",
        "- wait: 1 hour",
        "- wait: {for: 1h}",
        "- wait: {until: trait.x, at: noon}",
        "- wait: {until: trait.x, offset: soon}",
        "- wait: {until: '09:00', days: [monday]}",
        "- wait: {window: '09:00'}",
        "- wait: {between: [1h]}",
        "- wait_for: {on: A, timeout: []}",
        "- branch: []",
        "- split: {variants: {a: 0}}",
        "- split: {steps: {a: exit}}",
        "- repeat: {times: 101, steps: [{wait: 1h}]}",
        "- repeat: {times: 2}",
        "- {parallel: [[{wait: 1h}]], join: some}",
        "- call: {}",
        "- exit: now",
        "- send: {console: , transactional: maybe}",
    ],
)
def test_schema_and_compiler_refuse_the_same_steps(steps: str) -> None:
    """What an editor lets pass and the compiler refuses is a surprise."""
    assert flaws(plain(load(HEAD + steps, file="f")), journey_schema())
    assert check_journey(HEAD + steps).problems


@pytest.mark.parametrize(
    "text",
    [
        "journey: j\nentry: {on: E}\nsteps: [{wait: 1h}]\nstates: {a: {}}",
        "journey: j\nentry: {on: E}\nsteps: [{wait: 1h}]\ninitial: a",
        "journey: j\nentry: {on: E}\nsteps: [{wait: 1h}]\npriority: high",
        "journey: j\nentry: {on: E}\nsteps: [{wait: 1h}]\ngroup: a b",
        "journey: j\nentry: {on: E}\nsteps: [{wait: 1h}]\nexit: {}",
        "journey: j\nentry: {on: E}\nstates: {a: {steps: [{wait: 1h}], states: {b: {}}}}",
        "journey: j\nentry: {on: E}\nstates: {a: {steps: [{wait: 1h}]}}",
        "journey: j\nentry: {on: E}\nstates: {a: {on: {F: {to: a, resume: a}}}}",
    ],
)
def test_a_head_or_a_mixture_that_means_nothing_is_refused(text: str) -> None:
    """One journey has states or steps."""
    assert check_journey(text).problems


WORDS = st.sampled_from(
    [
        *[
            "send",
            "do",
            "wait",
            "wait_for",
            "branch",
            "split",
            "repeat",
            "parallel",
            "call",
            "goto",
            "resume",
        ],
        *["exit", "name", "join", "until", "offset", "at", "days", "zone", "window", "between", "on", "when"],
        *["match", "within", "then", "timeout", "steps", "to", "id", "variants", "times", "journey", "key"],
        *["console", "body", "a", "b", "mon", "all", "any", "1h", "-1h", "09:00", "09:00-10:00", "x y", "1"],
        *["trait.x", "trait.x == 'a'", "2026-01-01", "round", "finished", "done", "wait-1", "j", ""],
    ]
)
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-1, 200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
KINDS = st.sampled_from(
    ["send", "wait", "wait_for", "branch", "split", "repeat", "parallel", "call", "goto", "resume", "exit"]
)
STEPS = st.lists(st.dictionaries(KINDS, TREES, min_size=1, max_size=1), min_size=1, max_size=4)


@settings(max_examples=tries(500), deadline=None)
@given(steps=STEPS | TREES, is_inside=st.booleans())
def test_any_tree_is_steps_or_refused(steps: object, is_inside: bool) -> None:
    """Law 8: a bad definition is refused with its line; nothing else happens."""
    tree: dict[str, object] = {"journey": "j", "entry": {"on": "E"}, "steps": steps}
    if is_inside:
        tree = {**tree, "states": {"a": {"steps": steps, "on": {"F": {"resume": "a"}}}}}
        del tree["steps"]
    checked = check_journey(msgspec.json.encode(tree).decode(), file="j.yaml")
    assert (checked.journey is None) == bool(checked.problems)


def test_the_reference_shows_steps_that_compile() -> None:
    """What the reference shows is copied."""
    page = (Path(__file__).parents[2] / "docs/reference/journey.md").read_text()
    (shown,) = [block for block in page.split("```")[1::2] if "\nsteps:" in block]
    checked = check_journey(shown.removeprefix("yaml\n"), file="journey.md")
    assert (checked.problems, checked.warnings) == ([], [])
