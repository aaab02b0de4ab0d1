"""Compiling journeys: what a definition becomes, and every message with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.compile import check_journey, compile_journey
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.expression import Needs
from sojourn.definitions.journey import Do
from sojourn.model.errors import DefinitionError
from tests.soak import tries

JOURNEYS = Path(__file__).parents[2] / "journeys"

RESCUE = """\
journey: checkout-rescue
entry:   { on: Checkout Started, key: properties.cart_id, reentry: after_exit }
goal:    { on: Order Completed, within: 7d, value: properties.revenue }
exit:    [ { on: Cart Emptied } ]
holdout: 10%
states:
  waiting:
    on:    { Help Opened: assisted }
    after: { 30m: deciding }
  deciding:
    branch:
      - { when: "visits('Shipping') >= 3", to: assisted }
      - { when: "trait.plan == 'pro'", to: offer }
      - { to: reminded }
  offer:
    experiment:
      id: rescue-offer
      variants: { none: 1, free_shipping: 3 }
      to: { none: done, free_shipping: reminded }
  reminded:
    do:    [ { console: , body: { text: hi }, expires: 6h } ]
    after: { 1d: done }
  assisted:
    do:    [ { webhook: support, body: { user: "{{ profile.user_id }}" } } ]
    after: { 1d: done }
"""


def journey(states: str) -> str:
    """Return a journey's text around its states, which begin in line 2."""
    return f"{{journey: x, entry: {{on: E}}, states: {{\n{states}\n}}}}"


def problems(text: str) -> list[str]:
    """Return what is wrong, each as `line:column code`."""
    return [f"{each.line}:{each.column} {each.code}" for each in check_journey(text, file="j.yaml").problems]


def test_the_designs_own_example_compiles() -> None:
    """What the design shows is what authors will try first."""
    rescue = compile_journey(RESCUE)
    assert (rescue.name, rescue.holdout, rescue.entry.names) == (
        "checkout-rescue",
        0.1,
        frozenset({"Checkout Started"}),
    )
    assert [*rescue.chart.by_id] == ["", "waiting", "deciding", "offer", "reminded", "assisted", "done"]


def test_rules_are_compiled() -> None:
    """Entry, goal and exit carry what the engine asks for."""
    rescue = compile_journey(RESCUE)
    assert rescue.goal is not None
    assert rescue.goal.within_ms == 7 * 86_400_000
    assert [each.names for each in rescue.exits] == [frozenset({"Cart Emptied"})]
    assert rescue.entry.key is not None
    assert rescue.entry.key.source == "properties.cart_id"


def test_needs_of_all_expressions_are_merged() -> None:
    """A profile keeps what the journeys in force ask for, the experiment's variant too."""
    assert compile_journey(RESCUE).needs == Needs(
        visits=frozenset({"Shipping"}), traits=frozenset({"plan"}), experiments=frozenset({"rescue-offer"})
    )


def test_an_experiment_is_wanted_on_entry_and_its_control_needs_no_condition() -> None:
    """Who has a variant of an older version is not stuck."""
    rescue = compile_journey(RESCUE)
    offer = rescue.chart.states[rescue.chart.by_id["offer"]]
    experiment = Experiment(id="rescue-offer", variants=("none", "free_shipping"), weights=(0.25, 0.75))
    assert [content.body for content in offer.entry] == [experiment]
    assert [way.when.source if way.when else None for way in offer.transitions] == [
        "variant('rescue-offer') == 'free_shipping'",
        None,
    ]


def test_actions_name_their_sink_either_way() -> None:
    """`webhook: support`, `console:` and `sink: support` are the three forms."""
    text = journey("a: {do: [{webhook: support}, {console: , expires: 6h}, {sink: mail}], after: {1h: done}}")
    state = compile_journey(text).chart.states[1]
    wanted = [content.body for content in state.entry if isinstance(getattr(content, "body", None), Do)]
    assert [(do.sink, do.expires_ms) for do in wanted] == [
        ("support", 86_400_000),
        ("console", 21_600_000),
        ("mail", 86_400_000),
    ]


def test_a_version_is_named_after_the_meaning_not_the_layout() -> None:
    """A comment or a reformat is no new version; another order of states is."""
    text = "journey: x\nentry: {on: E}\nstates: {a: {after: {1h: done}}, done: {}}"
    again = "# why\njourney: 'x'\nentry:\n  on: E\nstates: {a: {after: {1h: done}}, done: {}}\n"
    other = text.replace("1h", "2h")
    versions = [compile_journey(each).version for each in (text, again, other)]
    assert versions[0] == versions[1] != versions[2]
    assert len(versions[0]) == 12


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("True", "true"), ("1.00", "1.0"), ("1e1", "10.0")])
def test_names_that_only_look_like_one_value_are_two_versions(one: str, other: str) -> None:
    """As numbers they are equal; as events they are not, and a name is what is written."""
    text = "journey: j\nentry: {{ on: {} }}\nsteps: [ {{ wait: 1d }} ]"
    first, second = (compile_journey(text.format(each)) for each in (one, other))
    assert first.entry.names != second.entry.names
    assert first.version != second.version


def test_a_target_is_the_nearest_state_of_that_name() -> None:
    """A sibling wins over an ancestor's sibling; a unique name is found anywhere."""
    text = journey(
        "a: {states: {x: {on: {N: y, O: z, P: deep}}, y: {on: {Q: x}}}}\n"
        ",b: {states: {y: {on: {Q: deep}}, deep: {on: {R: b.y, S: z}}}}\n,y: {on: {T: z}},z: {on: {U: y}}"
    )
    chart = compile_journey(text).chart
    inner = chart.states[chart.by_id["a.x"]]
    ids = [chart.states[way.targets[0]].id for way in inner.transitions]
    assert ids == ["a.y", "z", "b.deep"]


def test_nested_states_are_asked_for_by_their_own_names() -> None:
    """`In('quiet')` and `done.state.usage` are resolved to ids."""
    text = journey(
        "p: {regions: {usage: {states: {quiet: {on: {E: busy}}, busy: {on: {F: end}}, end: {type: final}}}"
        ", clock: {states: {t: {after: {1d: [{when: \"In('quiet')\", to: out}]}}}}}"
        ", on: {done.state.usage: out}}\n,out: {}"
    )
    chart = compile_journey(text).chart
    assert chart.states[chart.by_id["p"]].transitions[0].names == frozenset({"done.state.p.usage"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("journey: a b\nentry: {on: E}\nstates: {a: {}}", ["1:10 bad-name"]),
        ("journey: a\nstates: {a: {}}", ["1:1 missing"]),
        ("journey: a\nentry: {on: E}", ["1:1 missing"]),
        ("journey: a\nentry: {on: E}\nstates: {}", ["3:9 missing"]),
        ("[]", ["1:1 bad-type"]),
        ("journey: a\nentree: {on: E}\nentry: {on: E}\nstates: {a: {}}", ["2:1 unknown-keyword"]),
        ("journey: a\nentry: {on: [E, '*']}\nstates: {a: {}}", ["2:17 not-allowed"]),
        ("journey: a\nentry: {on: []}\nstates: {a: {}}", ["2:13 missing"]),
        ("journey: a\nentry: {on: E, key: entry.key}\nstates: {a: {}}", ["2:21 unknown-name"]),
        ("journey: a\nentry: {on: E, when: 'In(''a'')'}\nstates: {a: {}}", ["2:23 unknown-name"]),
        ("journey: a\nentry: {on: E, reentry: often}\nstates: {a: {}}", ["2:25 bad-value"]),
        ("journey: a\nentry: {on: E}\ngoal: {on: G, within: 7}\nstates: {a: {}}", ["3:23 bad-duration"]),
        ("journey: a\nentry: {on: E}\nexit: {on: G, when: data.x}\nstates: {a: {}}", ["3:21 unknown-name"]),
        ("journey: a\nentry: {on: E}\nholdout: 100%\nstates: {a: {}}", ["3:10 bad-value"]),
        ("journey: a\nentry: {on: E}\nholdout: true\nstates: {a: {}}", ["3:10 bad-value"]),
    ],
)
def test_a_wrong_head_is_refused_where_it_is_wrong(text: str, expected: list[str]) -> None:
    """Every message points at what the author must change."""
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("1a: {}", ["2:1 bad-name"]),
        ("a: {on: {F: nowhere}}", ["2:13 unknown-state"]),
        ("a: {on: {F: {when: 'true'}}}", ["2:13 missing"]),
        ("a: {on: {F: [b, c]}}, b: {}, c: {}", ["2:17 shadowed"]),
        ("a: {on: {F: [{to: b, when: true}, {to: c}]}}, b: {}, c: {}", ["2:35 shadowed"]),
        ("a: {after: {60m: b, 1h: b}}, b: {}", ["2:21 duplicate-key"]),
        ("a: {after: {11y: b}}, b: {}", ["2:13 bad-duration"]),
        ("a: {after: {3651d: b}}, b: {}", ["2:13 bad-duration"]),
        ("a: {branch: b}, b: {}", ["2:13 bad-type"]),
        ("a: {on: {F: {to: b, when: 'nope > 1'}}}, b: {}", ["2:28 unknown-name"]),
        ("a: {on: {F: {to: b, when: 'properties.x and false'}}}, b: {}", ["2:27 never-true"]),
        ("a: {on: {F: {to: b, when: 'friction.scores > 1'}}}, b: {}", ["2:28 unknown-name"]),
        ("a: {on: {F: {to: b, when: 'In(''z'')'}}}, b: {}", ["2:31 unknown-state"]),
        ("a: {on: {done.state.z: b}}, b: {}", ["2:10 unknown-state"]),
        ("a: {do: [{webhook: x, console: y}], on: {F: b}}, b: {}", ["2:10 bad-value"]),
        ("a: {do: [{body: {}}], on: {F: b}}, b: {}", ["2:10 missing"]),
        ("a: {do: [{webhook: x, body: text}], on: {F: b}}, b: {}", ["2:29 bad-type"]),
        ("a: {do: [{webhook: x, body: {t: 'a {{ b'}}], on: {F: b}}, b: {}", ["2:36 template"]),
        ("a: {do: [{webhook: x, body: {t: 'a {{ b.c }}'}}], on: {F: b}}, b: {}", ["2:39 unknown-name"]),
        ("a: {experiment: {id: e, variants: {u: 1, v: 0}, to: {u: b, w: b}}}, b: {}", None),
        ("a: {experiment: {id: e, variants: {u: 1}, to: {u: b}}, branch: [b]}, b: {}", ["2:64 bad-value"]),
        ("a: {type: parallel}", ["2:11 bad-value"]),
        ("a: {on: {F: b}}, b: {type: final, on: {F: a}}", ["2:39 unknown-keyword"]),
        ("a: {deep: true, on: {F: b}}, b: {}", ["2:11 unknown-keyword"]),
        ("a: {initial: b, on: {F: b}}, b: {}", ["2:14 bad-value"]),
        ("a: {states: {x: {}}, regions: {y: {}}}", ["2:1 bad-value"]),
        (
            "a: {states: {b: {on: {F: z}}}, on: {F: c}}, c: {states: {z: {}}}, d: {states: {z: {}}}",
            ["2:26 ambiguous-state"],
        ),
        ("a: {onn: {F: b}, on: {F: b}}, b: {}", ["2:5 unknown-keyword"]),
    ],
)
def test_a_wrong_state_is_refused_where_it_is_wrong(states: str, expected: list[str] | None) -> None:
    """The column points into the line, also inside guards and templates."""
    if expected is None:
        expected = ["2:45 bad-value", "2:53 missing", "2:60 unknown-name"]
    assert sorted(problems(journey(states))) == sorted(expected)


def test_all_problems_of_a_file_are_told_in_its_order() -> None:
    """An author corrects a file in one go."""
    with pytest.raises(DefinitionError) as caught:
        compile_journey("journey: a b\nentry: {on: E, reentry: x}\nstates: {a: {on: {F: z}}}", file="j.yaml")
    assert [str(each).split(": ")[0] for each in caught.value.problems] == [
        "j.yaml:1:10",
        "j.yaml:2:25",
        "j.yaml:3:22",
    ]


def test_unknown_names_come_with_the_nearest_known_one() -> None:
    """Most are typing errors."""
    checked = check_journey(journey("waiting: {on: {F: waitng}}"), file="j.yaml")
    assert checked.problems[0].message == "no state is named 'waitng'; did you mean 'waiting'?"


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ("a: {on: {F: don}}", "no state is named 'don'; did you mean 'done'?"),
        ("a: {on: {F: }}", "expected the name of a state; got nothing"),
        ("a: {after: 1d}", "expected an object: duration -> where it leads; got '1d'"),
        ("a: {on: [F]}", "expected an object: event -> where it leads; got a list"),
        (
            "a: {do: [{sink: x, bdy: {}}], on: {F: done}}",
            "expected one destination, such as sink: console, and body, expires, channel, topic, holdout or "
            "transactional; got bdy and sink; "
            "did you mean 'body'?",
        ),
        ("a: {do: [{sink: x, body: {t: {{ trait.name }}}}], on: {F: done}}", None),
    ],
)
def test_a_message_says_what_came_and_what_to_write(states: str, message: str | None) -> None:
    """A newcomer's first slips: `done` is known unasked, and a template looks like YAML to YAML."""
    if message is None:
        message = 'a key must be text; put a template in quotes, as in "{{ trait.name }}"'
    checked = check_journey(journey(states), file="j.yaml")
    assert [each.message for each in checked.problems] == [message]


def test_states_that_are_a_list_are_blamed_once() -> None:
    """Two messages about one slip are one too many."""
    assert problems("journey: a\nentry: {on: E}\nstates: [a, b]") == ["3:9 bad-type"]


def test_a_wrong_share_is_shown() -> None:
    """`holdout: 10` is meant as a percentage."""
    checked = check_journey("journey: a\nentry: {on: E}\nholdout: 10\nstates: {a: {}}", file="j.yaml")
    assert (
        checked.problems[0].message
        == "expected a share from 0% to below 100%, such as 10% or 0.1, or off; got '10'"
    )


@pytest.mark.parametrize(
    "path",
    sorted(path for path in JOURNEYS.glob("*.yaml") if path.stem not in ("house", "checkout-button")),
    ids=lambda path: path.stem,
)
def test_the_example_journeys_have_no_problems(path: Path) -> None:
    """Examples are copied."""
    checked = check_journey(path.read_text(), file=path.name)
    assert (checked.problems, checked.warnings) == ([], [])
    assert checked.journey is not None
    assert checked.journey.name == path.stem


WORDS = st.sampled_from(
    [
        *[
            "journey",
            "entry",
            "on",
            "when",
            "to",
            "states",
            "a",
            "b",
            "done",
            "after",
            "1h",
            "branch",
            "do",
            "x",
        ],
        *[
            "experiment",
            "id",
            "variants",
            "regions",
            "type",
            "final",
            "history",
            "deep",
            "initial",
            "goal",
            "exit",
        ],
        *[
            "webhook",
            "body",
            "{{ profile.id }}",
            "{{ nope",
            "properties.x > 1",
            "1 +",
            "10%",
            "",
            "holdout",
            "within",
        ],
    ]
)
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-1, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
STATES = st.dictionaries(st.sampled_from(["a", "b", "c"]), TREES, min_size=1, max_size=3)


@settings(max_examples=tries(400), deadline=None)
@given(states=STATES | TREES, extra=st.dictionaries(WORDS, TREES, max_size=2))
def test_any_tree_is_a_journey_or_refused(states: object, extra: dict[str, object]) -> None:
    """Law 8: a bad definition is refused with its line; nothing else happens."""
    import msgspec

    tree = {"journey": "x", "entry": {"on": "E"}, "states": states, **extra}
    checked = check_journey(msgspec.json.encode(tree).decode(), file="j.yaml")
    assert (checked.journey is None) == bool(checked.problems)


@settings(max_examples=tries(200), deadline=None)
@given(st.integers(0, len(RESCUE)), st.text(max_size=5), st.integers(0, 20))
def test_a_damaged_file_is_a_journey_or_refused(at: int, inserted: str, n_lost: int) -> None:
    """A slip of the editor must not crash the check."""
    checked = check_journey(RESCUE[:at] + inserted + RESCUE[at + n_lost :], file="j.yaml")
    assert (checked.journey is None) == bool(checked.problems)
