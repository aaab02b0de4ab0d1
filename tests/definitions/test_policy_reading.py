"""Reading a policy: what its words come to, and what is refused, where."""

from __future__ import annotations

import pytest

from sojourn.definitions.catalogue import CheckedFiles, check_definitions, load_definitions
from sojourn.definitions.churn import ChurnModel
from sojourn.definitions.compile import check_journey
from sojourn.definitions.friction_rules import FrictionRules
from sojourn.definitions.policy import DEFAULT_HOLDOUT, Cap, Channel, Policy, Quiet
from sojourn.definitions.policy_reading import MAX_CAPS, MAX_CHANNELS

FULL = """\
policy:
  holdout: 1%
  time_zone: Europe/Berlin
  quiet: { from: "22:00", to: "08:00" }
  caps: [ { most: 5, per: day } ]
  channels:
    email: { sinks: [crm], caps: [ { most: 3, per: 7d } ], quiet: off, holdout: 2% }
    push:  { consent: opt_in, quiet: { from: 12:00, to: 13:30, then: drop } }
    sms:
"""
NIGHT = Quiet(start_min=22 * 60, end_min=8 * 60)


def check(text: str) -> CheckedFiles:
    """Check one file."""
    return check_definitions([("policy.yaml", text)])


def read(text: str) -> Policy:
    """Read a policy that is good."""
    return load_definitions([("policy.yaml", text)]).policy


def found(checked: CheckedFiles) -> list[str]:
    """Name each problem by its place and code."""
    return [f"{problem.line}:{problem.column} {problem.code}" for problem in checked.problems]


def test_a_policy_is_read_as_it_is_written() -> None:
    """What a channel leaves out it has from the policy; what it says of its own stands."""
    assert read(FULL) == Policy(
        channels={
            "email": Channel(
                sinks=frozenset({"crm"}), caps=(Cap(most=3, within_ms=604_800_000),), holdout=0.02
            ),
            "push": Channel(consent="opt_in", quiet=Quiet(start_min=720, end_min=810, then="drop")),
            "sms": Channel(quiet=NIGHT),
        },
        caps=(Cap(most=5, calendar="day"),),
        quiet=NIGHT,
        holdout=0.01,
        time_zone="Europe/Berlin",
    )


def test_a_policy_says_what_friction_and_churn_are() -> None:
    """They hold for all journeys, so they stand where all journeys look; `friction: {}` keeps it for all."""
    text = "policy: { friction: { tau: 5m, weights: { rage: 2 } }, churn: { r: 1, alpha: 4, a: 1, b: 2 } }"
    policy = read(text)
    assert policy.friction.is_named
    assert policy.friction.tau_ms == 300_000
    assert policy.friction.weights["rage"] == 2
    assert policy.churn == ChurnModel(r=1.0, alpha=4.0, a=1.0, b=2.0)
    assert read("policy: { friction: {} }").friction == FrictionRules(is_named=True)
    assert not read("policy: {}").friction.is_named


def test_a_policy_that_says_nothing_keeps_the_documented_share_back() -> None:
    """Hold-outs are on unless somebody says off: nobody can hold people back afterwards."""
    assert read("policy: {}").holdout == DEFAULT_HOLDOUT
    assert read("policy: {holdout: off}").holdout == 0
    assert read("policy: {holdout: 0%}").holdout == 0


def test_a_sink_belongs_to_its_channel_and_others_to_none() -> None:
    """So an action that names only a sink is paced."""
    policy = read(FULL)
    assert [policy.channel_of(sink) for sink in ("crm", "console")] == ["email", ""]


def test_a_channel_that_only_actions_name_is_held_to_what_holds_for_all() -> None:
    """A forgotten line in the policy must not wake anybody at night."""
    assert read(FULL).channel("whatsapp") == Channel(quiet=NIGHT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("policy: 3", ["1:9 bad-type"]),
        ("policy: {chanels: {}}", ["1:10 unknown-keyword"]),
        ("policy: {holdout: 100%}", ["1:19 bad-value"]),
        ("policy: {time_zone: Europe/Berln}", ["1:21 unknown-zone"]),
        ("policy: {time_zone: ../Berlin}", ["1:21 unknown-zone"]),
        ('policy: {quiet: {from: "22:00"}}', ["1:17 missing"]),
        ('policy: {quiet: {from: "22:00", to: "24:00"}}', ["1:37 bad-value"]),
        ('policy: {quiet: {from: "8:00", to: "09:00"}}', ["1:24 bad-value"]),
        ('policy: {quiet: {from: "08:00", to: "08:00"}}', ["1:17 blocks-every-send"]),
        ('policy: {quiet: {from: "08:00", to: "09:00", then: latr}}', ["1:52 bad-value"]),
        ("policy: {caps: {most: 3, per: day}}", ["1:16 bad-type"]),
        ("policy: {caps: [{most: 3}]}", ["1:17 missing"]),
        ("policy: {caps: [{most: 3, per: year}]}", ["1:32 bad-duration"]),
        ("policy: {caps: [{most: 201, per: day}]}", ["1:24 bad-value"]),
        ("policy: {caps: [{most: 1.5, per: day}]}", ["1:24 bad-value"]),
        ("policy: {friction: {weigths: {}}}", ["1:21 unknown-keyword"]),
        ("policy: {friction: {weights: {rang: 1}}}", ["1:31 unknown-name"]),
        ("policy: {friction: {tau: soon}}", ["1:26 bad-duration"]),
        ("policy: {friction: 3}", ["1:20 bad-type"]),
        ("policy: {churn: {r: 1}}", ["1:17 missing"]),
        ("policy: {churn: {unit: month}}", ["1:24 bad-value"]),
        ("policy: {channels: {Email: {}}}", ["1:21 bad-name"]),
        ("policy: {channels: {all: {}}}", ["1:21 bad-name"]),
        ("policy: {channels: {email: {consent: yes}}}", ["1:38 bad-value"]),
        ("policy: {channels: {email: {sinks: crm}}}", ["1:36 bad-type"]),
        ("policy: {channels: {a: {sinks: [x]}, b: {sinks: [x]}}}", ["1:38 duplicate-sink"]),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(text: str, expected: list[str]) -> None:
    """An author is told where to look."""
    assert found(check(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{time_zone: Europe/Berln}", "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        (
            "{channels: {e: {consent: optin}}}",
            "expected opt_out or opt_in, got 'optin'; did you mean 'opt_in'?",
        ),
        ('{quiet: {from: 22, to: "08:00"}}', 'expected a time of day from "00:00" to "23:59", got \'22\''),
    ],
)
def test_a_message_says_what_was_expected_and_what_came(text: str, message: str) -> None:
    """A message that only says no is half a message."""
    assert [problem.message for problem in check("policy: " + text).problems] == [message]


def test_the_bounds_of_a_policy_are_refused_beyond() -> None:
    """Each cap is asked for every message."""
    channels = ", ".join(f"c{n}: {{}}" for n in range(MAX_CHANNELS + 1))
    caps = ", ".join(["{most: 1, per: day}"] * (MAX_CAPS + 1))
    assert found(check(f"policy: {{channels: {{{channels}}}}}")) == ["1:20 bad-value"]
    assert found(check(f"policy: {{caps: [{caps}]}}")) == ["1:16 bad-value"]


def test_a_cap_of_nothing_is_warned_of() -> None:
    """It is allowed, as a switch; it is rarely meant."""
    checked = check("policy: {caps: [{most: 0, per: day}]}")
    assert checked.problems == []
    assert [warning.code for warning in checked.warnings] == ["blocks-every-send"]


def journey(action: str) -> str:
    """Write a journey with one action."""
    return f"journey: a\nentry: {{on: E}}\nstates: {{s: {{do: [{action}]}}}}"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("{sink: crm}", []),
        ("{sink: crm, topic: news}", []),
        ("{sink: console, channel: push, topic: news}", []),
        ("{sink: console, topic: news}", ["topic-without-channel"]),
        ("{sink: console, channel: pusch}", ["unknown-channel"]),
    ],
)
def test_an_action_the_policy_does_not_pace_as_meant_is_warned_of(action: str, expected: list[str]) -> None:
    """A misspelt channel would have consent of its own, which nobody ever gives or refuses."""
    checked = check_journey(journey(action), policy=read(FULL))
    assert [warning.code for warning in checked.warnings] == expected


def test_without_a_policy_nobody_can_know_the_channels() -> None:
    """One journey is checked alone, in an editor."""
    assert check_journey(journey("{sink: console, channel: pusch, topic: x}")).warnings == []


@pytest.mark.parametrize(
    "action", ["{sink: a, channel: E-Mail}", "{sink: a, topic: 3}", "{sink: a, transactional: 1}"]
)
def test_an_actions_own_words_are_read_strictly(action: str) -> None:
    """`transactional: 1` is no yes."""
    assert check_journey(journey(action)).problems
