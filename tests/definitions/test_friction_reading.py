"""Reading `friction:` and `churn:` of a policy: settings, and what is refused where it is wrong."""

from __future__ import annotations

import re

import pytest

from sojourn.definitions.churn import ChurnModel, p_alive
from sojourn.definitions.friction_reading import read_churn, read_friction
from sojourn.definitions.friction_rules import RAGE_PRESETS, SIGNALS, FrictionRules
from sojourn.definitions.friction_schema import CHURN_SCHEMA, FRICTION_SCHEMA
from sojourn.definitions.reading import Reading
from sojourn.definitions.yaml import load, plain
from tests.definitions.test_schema import flaws

FULL = """
rage: posthog
tau: 20m
weights: { rage: 2, dead: 0 }
clicks: Button Clicked
effects: [ Panel Opened, $page ]
dead_after: 3s
stalls: { /pay: 3m }
ignored_targets: [ "#plus", "#minus" ]
ignored_properties: is_zoom
"""


def friction(text: str) -> FrictionRules:
    """Read settings that must be right."""
    reading = Reading("policy.yaml")
    rules = read_friction(load(text, file="policy.yaml"), reading)
    assert reading.problems == []
    return rules


def refused(text: str, *, churn: bool = False) -> list[str]:
    """Return what is wrong: line, column and code of each problem."""
    reading = Reading("policy.yaml")
    read = read_churn if churn else read_friction
    read(load(text, file="policy.yaml"), reading)
    return [f"{one.line}:{one.column} {one.code}" for one in reading.problems]


def test_settings_are_read_and_the_rest_stays_as_it_is() -> None:
    """Named lists take the place of the defaults; weights and ignored properties add to them."""
    rules = friction(FULL)
    assert rules.is_named
    assert rules.rage == RAGE_PRESETS["posthog"]
    assert (rules.tau_ms, rules.dead_ms, rules.cart_ms) == (1_200_000, 3_000, 3_600_000)
    assert rules.roles["Button Clicked"] == {"click"}
    assert rules.roles["$page"] == {"effect", "step"}
    assert "$click" not in rules.roles
    assert (rules.seeks("rage"), rules.seeks("dead"), rules.weights["loop"]) == (True, False, 0.5)
    assert rules.has_effects
    assert (rules.stall_of("/pay"), rules.stall_of("/home")) == (180_000, 0)
    assert rules.ignored_targets == {"#plus", "#minus"}
    assert rules.ignored_properties == {"text_selected", "is_stepper", "is_zoom"}


def test_naming_it_is_enough() -> None:
    """`friction: {}` keeps it for everybody, with the defaults."""
    assert friction("{}") == FrictionRules(is_named=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rage: posthoc", ["1:7 bad-value"]),
        ("weights: { range: 1 }", ["1:12 unknown-name"]),
        ("weights: { rage: much }", ["1:18 bad-value"]),
        ("weights: { rage: -1 }", ["1:18 bad-value"]),
        ("weights: { rage: true }", ["1:18 bad-value"]),
        ("tau: ten minutes", ["1:6 bad-duration"]),
        ("click: X", ["1:1 unknown-keyword"]),
        ("stalls: [a]", ["1:9 bad-type"]),
        ("- rage", ["1:1 bad-type"]),
    ],
)
def test_wrong_settings_are_refused_where_they_are_wrong(text: str, expected: list[str]) -> None:
    """Each at its own place."""
    assert refused(text) == expected


def test_a_misspelt_preset_is_told_the_nearest() -> None:
    """A message says what to do."""
    reading = Reading("policy.yaml")
    read_friction(load("rage: posthoc", file="policy.yaml"), reading)
    assert "did you mean 'posthog'" in reading.problems[0].message


def test_a_fit_of_churn_is_read_whole() -> None:
    """Parameters of two fits do not mix."""
    reading = Reading("policy.yaml")
    node = load("{r: 0.5, alpha: 6, a: 1.5, b: 3, unit: day}", file="policy.yaml")
    assert read_churn(node, reading) == ChurnModel(r=0.5, alpha=6.0, a=1.5, b=3.0, unit="day")
    assert reading.problems == []
    assert refused("{r: 0.5, alpha: 6}", churn=True) == ["1:1 missing"]
    assert refused("{r: 0, alpha: 6, a: 1, b: 1}", churn=True) == ["1:5 bad-value"]
    assert refused("{unit: month}", churn=True) == ["1:8 bad-value"]
    assert refused("{}", churn=True) == []


def test_the_closed_form_of_being_alive_is_the_papers() -> None:
    """Fader, Hardie and Lee (2005): the customer of CDNOW with x = 2, t_x = 30.43, T = 38.86 weeks."""
    assert p_alive(ChurnModel(), n_repeats=2, last=30.43, now=38.86) == pytest.approx(0.726609, abs=1e-6)
    assert p_alive(ChurnModel(), n_repeats=0, last=0, now=500) == 1
    assert p_alive(ChurnModel(), n_repeats=5_000, last=1, now=500) == 0  # and no overflow


def test_schema_and_reader_agree() -> None:
    """What an editor completes is what is read; what it underlines is refused."""
    assert flaws(plain(load(FULL, file="x")), FRICTION_SCHEMA) == []
    assert flaws(plain(load("rage: posthoc", file="x")), FRICTION_SCHEMA)
    assert flaws(plain(load("weights: {rang: 1}", file="x")), FRICTION_SCHEMA)
    assert flaws(plain(load("unit: month", file="x")), CHURN_SCHEMA)
    assert all(re.fullmatch("[a-z_]+", signal) for signal in SIGNALS)
