"""Flags in files: what they may say, what they come to, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, check_definitions, load_definitions
from sojourn.definitions.controls import Publishing
from sojourn.definitions.experiment import DEFAULT_FLOOR, Flag, Namespace
from sojourn.definitions.experiment_reading import GOAL_WINDOW_MS
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.planning import Request, difference, plan
from sojourn.definitions.publishing import InForce, catalogue_of, rests_on_the_last
from sojourn.model.errors import DefinitionError

DAY_MS = 86_400_000
GALLERY = Path(__file__).parents[2] / "journeys/checkout-button.yaml"

JOURNEY = """
journey: j
entry: { on: E }
goal: { on: G, within: 3d }
states:
  a: { experiment: { id: x, variants: { one: 1, two: 3 }, SETTINGS to: { one: done, two: done } } }
"""


def flag(rules: str = "", *, variants: str = "{ off: false, on: true }", default: str = "off") -> str:
    """Write a flag; each rule stands on a line of its own, from the fifth on."""
    head = f"flag: f\nvariants: {variants}\ndefault: {default}\n"
    return head + (f"rules:\n{rules}" if rules else "")


def loaded(text: str) -> Flag:
    """Compile one flag."""
    (found,) = load_definitions([("f.yaml", text)]).flags
    return found


def problems(*texts: str) -> list[str]:
    """Return `file:line:column code` of each problem."""
    found = check_definitions([(f"{n}.yaml", text) for n, text in enumerate(texts)]).problems
    return [f"{each.file}:{each.line}:{each.column} {each.code}" for each in found]


def built(*texts: str) -> Catalogue:
    """Build the catalogue of some files."""
    found = load_definitions([(f"{n}.yaml", text) for n, text in enumerate(texts)])
    return build_catalogue(found.journeys, segments=found.segments, policy=found.policy, flags=found.flags)


def test_the_flag_of_the_gallery_says_all_that_a_flag_can() -> None:
    """It is the one that people copy."""
    found = loaded(GALLERY.read_text("utf-8"))
    (experiment,) = found.experiments
    assert (found.name, found.type, found.default, len(found.rules)) == (
        "checkout-button",
        "string",
        "plain",
        2,
    )
    assert experiment.namespace == Namespace("checkout", 0.0, 0.5)
    assert (experiment.allocation, experiment.floor, experiment.holdout) == ("adaptive", 0.1, 0.05)
    assert experiment.reward is not None
    assert (experiment.reward.names, experiment.reward.within_ms) == ({"Order Completed"}, DAY_MS)
    assert [one.source for one in experiment.by] == ["friction.score > 0.5"]
    assert experiment.seed == "checkout-button"


@pytest.mark.parametrize(
    ("variants", "kind", "values"),
    [
        ("{ off: false, on: true }", "boolean", [False, True]),
        ("{ off: 1, b: 2 }", "integer", [1, 2]),
        ("{ off: 1, b: 2.5 }", "number", [1.0, 2.5]),
        ("{ off: a, b: '1' }", "string", ["a", "1"]),
        ("{ off: { x: [1] }, b: {} }", "object", [{"x": [1]}, {}]),
    ],
)
def test_the_type_of_a_flag_is_that_of_its_values(variants: str, kind: str, values: list[object]) -> None:
    """A number is a float everywhere: SDKs refuse an integer where a float was asked."""
    found = loaded(flag(variants=variants))
    assert (found.type, [*found.variants.values()]) == (kind, values)
    assert [type(value) for value in found.variants.values()] == [type(value) for value in values]


def test_a_later_version_of_an_experiment_is_another_one() -> None:
    """It keeps the seed, so that nobody moves who need not; who met one that does not count is left out."""
    rule = "  - experiment: { id: e, variants: { off: 1, on: 1 }, version: 3, min_version: 2 }\n"
    (experiment,) = loaded(flag(rule)).experiments
    assert (experiment.id, experiment.seed, experiment.excludes) == ("e__3", "e", ("e", "e__1"))


def test_what_is_left_out_of_an_experiment_is_usual() -> None:
    """The flag's name, everybody, fixed shares."""
    (experiment,) = loaded(flag("  - experiment: { variants: { off: 1, on: 3 } }\n")).experiments
    assert (experiment.id, experiment.weights, experiment.coverage) == ("f", (0.25, 0.75), 1.0)
    assert (experiment.allocation, experiment.floor, experiment.is_sticky) == ("fixed", DEFAULT_FLOOR, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flag: journey.x\nvariants: { a: 1 }\ndefault: a", ["0.yaml:1:7 bad-name"]),
        ("flag: a/b\nvariants: { a: 1 }\ndefault: a", ["0.yaml:1:7 bad-name"]),
        ("flag: f\nvariants: { a: 1 }", ["0.yaml:1:1 missing"]),
        ("flag: f\nvariants: { a: 1 }\ndefault: b", ["0.yaml:3:10 unknown-name"]),
        ("flag: f\nvariants: { a: 1, b: x }\ndefault: a", ["0.yaml:2:22 bad-type"]),
        ("flag: f\nvariants: { a: [1] }\ndefault: a", ["0.yaml:2:16 bad-type"]),
        ("flag: f\ntype: float\nvariants: { a: 1.5 }\ndefault: a", ["0.yaml:2:7 bad-value"]),
        ("flag: f\nvariant: { a: 1 }\ndefault: a", ["0.yaml:1:1 missing", "0.yaml:2:1 unknown-keyword"]),
        (flag("  - { when: \"event.name == 'X'\", serve: on }\n"), ["0.yaml:5:14 unknown-name"]),
        (flag('  - { when: "entry.key == 1", serve: on }\n'), ["0.yaml:5:14 unknown-name"]),
        (flag("  - { when: \"in_segment('s')\", serve: on }\n"), ["0.yaml:5:25 unknown-segment"]),
        (flag("  - { serve: on }\n  - { serve: off }\n"), ["0.yaml:6:5 shadowed"]),
        (flag("  - { when: trait.x }\n"), ["0.yaml:5:5 bad-value"]),
        (flag("  - { serve: onn }\n"), ["0.yaml:5:14 unknown-name"]),
        (flag("  - experiment: { variants: { off: 1, no: 1 } }\n"), ["0.yaml:5:39 unknown-name"]),
        (flag("  - experiment: { variants: { off: 1, on: 1 }, coverage: 0% }\n"), ["0.yaml:5:58 bad-value"]),
        (flag("  - experiment: { variants: { on: 1 }, floor: 1% }\n"), ["0.yaml:5:47 bad-value"]),
        (flag("  - experiment: { variants: { on: 1 }, allocation: adaptive }\n"), ["0.yaml:5:52 missing"]),
        (flag("  - experiment: { variants: { on: 1 }, hash: v3 }\n"), ["0.yaml:5:46 bad-value"]),
        (
            flag("  - experiment: { variants: { on: 1 }, version: 1, min_version: 2 }\n"),
            ["0.yaml:5:65 bad-value"],
        ),
        (
            flag("  - experiment: { variants: { on: 1 }, namespace: { id: n, from: 0.5, to: 0.5 } }\n"),
            ["0.yaml:5:75 bad-value"],
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(text: str, expected: list[str]) -> None:
    """A flag with a slip is refused when it is loaded, not when somebody asks."""
    assert problems(text) == expected


ADAPTIVE = "allocation: adaptive, reward: { on: G, within: 1d }"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (f"{ADAPTIVE}, floor: 60%", "60%"),
        (f"{ADAPTIVE}, by: \"variant('f') == 'on'\"", "variant"),
        ("allocation: adaptive, reward: { within: 1d }", "reward"),
        ("allocation: adaptive, reward: { on: G }", "reward"),
        (f"{ADAPTIVE}, by: [trait.a, trait.b, trait.c, trait.d]", "at most 3"),
        ("allocation: adaptiv", "adaptive"),
    ],
)
def test_mistakes_of_adaptive_allocation_are_told(settings: str, expected: str) -> None:
    """What it is for must be said, and its floor must leave something to share out."""
    rule = f"  - experiment: {{ variants: {{ off: 1, on: 1 }}, {settings} }}\n"
    (problem,) = check_definitions([("f.yaml", flag(rule))]).problems
    assert problem.line == 5
    assert expected in problem.message or expected in rule[problem.column - 1 :]


def test_a_variant_that_nobody_gets_is_probably_forgotten() -> None:
    """It is allowed: an experiment may be over."""
    checked = check_definitions([("f.yaml", flag("  - { when: trait.x, serve: off }\n"))])
    assert [(one.code, one.column) for one in checked.warnings] == [("unused-variant", 25)]
    assert checked.problems == []


def test_two_flags_of_one_name_and_two_experiments_of_one_id_are_refused() -> None:
    """Whoever met an experiment has one variant, everywhere."""
    assert problems(flag(), flag()) == ["1.yaml:1:7 duplicate-flag"]
    other = flag("  - experiment: { id: x, variants: { off: 1, on: 1 } }\n")
    with pytest.raises(DefinitionError, match="duplicate-experiment"):
        built(JOURNEY.replace("SETTINGS", ""), other)
    same = f"  - experiment: {{ id: x, variants: {{ off: 1, on: 1 }}, {ADAPTIVE}, by: trait.a }}\n"
    twice = [flag(same), flag(same).replace("flag: f", "flag: g")]
    assert len(built(*twice).flags) == 2


def test_the_catalogue_keeps_what_flags_ask() -> None:
    """Else a counter that only a flag needs would not be kept; and it knows what rewards whom."""
    rule = (
        "  - { when: \"count('X', within='1h') > 1 and friction.score > 0.5\", "
        f"experiment: {{ id: e, variants: {{ off: 1, on: 1 }}, {ADAPTIVE}, by: \"since('Y') > 60\" }} }}\n"
    )
    catalogue = built(flag(rule))
    assert catalogue.needs.counts == {"X": 3_600_000}
    assert (catalogue.needs.since, catalogue.needs.friction) == (frozenset({"Y"}), True)
    assert {name: [one.id for one in each] for name, each in catalogue.rewards.items()} == {"G": ["e"]}
    assert (set(catalogue.adaptive), catalogue.goal_rewards) == ({"e"}, {})


def test_a_split_inside_a_journey_may_learn_from_its_goal() -> None:
    """Within the goal's own window, where it has one."""
    catalogue = built(JOURNEY.replace("SETTINGS", "allocation: adaptive, coverage: 50%,"))
    (experiment,) = catalogue.goal_rewards["j"]
    assert experiment.reward is not None
    assert (experiment.reward.within_ms, experiment.reward.names) == (3 * DAY_MS, frozenset())
    endless = built(JOURNEY.replace("SETTINGS", "allocation: adaptive,").replace(", within: 3d", ""))
    reward = endless.adaptive["x"].reward
    assert reward is not None
    assert reward.within_ms == GOAL_WINDOW_MS
    aimless = JOURNEY.replace("SETTINGS", "allocation: adaptive,").replace(
        "goal: { on: G, within: 3d }\n", ""
    )
    assert problems(aimless) == ["0.yaml:5:71 missing"]


def test_a_hold_out_of_what_is_owed_is_a_contradiction() -> None:
    """A receipt goes to everybody."""
    text = "journey: j\nentry: { on: E }\nsteps:\n  - send: { sink: s, holdout: 10%, transactional: true }\n"
    assert problems(text) == ["0.yaml:4:31 bad-value"]


# -- Publishing: a flag is in force by itself; the others stand by.


def in_force(*texts: str) -> InForce:
    """Bring shared texts into force."""
    return InForce(shared=list(texts))


def test_publishing_one_flag_leaves_the_others_in_force() -> None:
    """A file that is published replaces what it names, and no more."""
    other = flag().replace("flag: f", "flag: g")
    changed = flag().replace("default: off", "default: on")
    segments = "segments: { s: trait.x }"
    definitions = load_definitions([("f.yaml", changed)], shared=[flag(), other, segments])
    publishing = difference(in_force(flag(), other, segments), definitions, is_whole=False)
    assert publishing == Publishing(shared=[changed, other, segments])


def test_a_folder_without_a_flag_takes_it_out_of_force() -> None:
    """The folder is all there is."""
    definitions = load_definitions([("s.yaml", "segments: { s: trait.x }")])
    publishing = difference(in_force(flag()), definitions, is_whole=True)
    assert publishing == Publishing(shared=["segments: { s: trait.x }"])


LEARNT = InForce(
    shared=[flag(f"  - experiment: {{ id: e, variants: {{ off: 1, on: 1 }}, {ADAPTIVE} }}\n")],
    allocations={"e": {"": [0.2, 0.8], "x": [1.0]}},
    arms={"e": ["off", "on"]},
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("off: 1, on: 1", "off: 1, on: 3", {"e": {"": [0.2, 0.8]}}),
        ("off: 1, on: 1", "on: 1, off: 1", {"e": {"": [0.8, 0.2]}}),
        ("on: 1", "neither: 1", {}),
        ("id: e", "id: other", {}),
    ],
)
def test_what_was_learnt_holds_for_the_variants_it_was_learnt_of(
    before: str, after: str, expected: dict[str, dict[str, list[float]]]
) -> None:
    """Whoever edits the variants must not hand one's weight to another."""
    variants = "{ off: false, on: true, neither: false }"
    text = LEARNT.shared[0].replace("{ off: false, on: true }", variants).replace(before, after)
    catalogue, problems = catalogue_of(replace(LEARNT, shared=[text]))
    assert (catalogue.allocations, problems) == (expected, [])


def test_a_change_of_weights_waits_until_everybody_was_asked_about_the_last_change() -> None:
    """Who is asked late must see the weights that were in force then."""
    before, _ = catalogue_of(LEARNT)
    after, _ = catalogue_of(replace(LEARNT, allocations={"e": {"": [0.5, 0.5]}}))
    assert rests_on_the_last(before, after, at=1)
    assert not rests_on_the_last(before, before, at=1)


def test_a_plan_tells_of_flags_that_come_change_and_go() -> None:
    """Whoever publishes sees it first; another layout changes nothing."""
    before = [flag().replace("flag: f", f"flag: {name}") for name in ("f", "g", "h")]
    after = [before[0].replace("default: off", "default: on"), before[1] + "# the same\n", before[2]]
    after[2] = after[2].replace("flag: h", "flag: i")
    definitions = load_definitions([(f"{n}.yaml", text) for n, text in enumerate(after)])
    planned = plan(
        in_force(*before), built(*before), definitions, people={}, is_whole=True, request=Request()
    )
    assert [(one.what, one.change) for one in planned.view.shared] == [
        ("flag f", "changed"), ("flag h", "removed"), ("flag i", "new"),
    ]  # fmt: skip
