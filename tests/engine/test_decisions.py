"""Decisions: what an application is told of a person, and what asking leaves alone."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import EVERY_JOURNEY, Catalogue, Hold
from sojourn.engine.decisions import Asking, Decision, decide, decide_all, flag_keys
from sojourn.engine.state import Life, encode
from sojourn.engine.turn import turn
from tests.engine.makers import MINUTE, T0, arrived

RESCUE = """
journey: rescue
entry: { on: Started }
goal: { on: Ordered }
holdout: HOLDOUT
states:
  waiting:
    on: { Helped: assisted, Seen: split }
    after: { 30m: split }
  split:
    experiment: { id: offers, variants: { none: 1, free: 3 }, to: { none: offered, free: offered } }
  offered:
    do:
      - { sink: console, channel: web, body: { text: "Free shipping" } }
      - { sink: console, channel: mail, topic: news, body: { to: "{{ profile.user_id }}" } }
      - { sink: console, body: { of: "{{ event.name }}" } }
    after: { 1d: done }
  assisted: { after: { 1d: done } }
"""
BANNER = """
flag: banner
variants: { off: false, on: true }
default: "off"
rules: [ { when: "properties.plan == 'pro'", serve: "on" } ]
"""
SHARE = """
flag: share
variants: { low: 1, high: 2.5 }
default: low
rules: [ { experiment: { id: shares, variants: { low: 1, high: 1 } } } ]
"""


def catalogue(*texts: str, holdout: str = "off", policy: str = "holdout: off") -> Catalogue:
    """Compile definitions; the journey's hold-out and the policy are as they are told."""
    files = [text.replace("HOLDOUT", holdout) for text in texts] + [f"policy: {{ {policy} }}"]
    found = load_definitions([(f"{n}.yaml", text) for n, text in enumerate(files)])
    return build_catalogue(found.journeys, policy=found.policy, flags=found.flags)


def lived(force: Catalogue, *names: str, until: float = 0) -> Life:
    """Let ann do something, a minute apart."""
    inputs = [arrived(name, at=at, position=at + 1, user_id="ann") for at, name in enumerate(names)]
    end = int(T0 + max(until, len(names)) * MINUTE)
    result = turn("profile", "ann", None, inputs, until=end, catalogue=force)
    assert isinstance(result.state, Life)
    return result.state


def ask(force: Catalogue, life: Life | None, key: str, **more: Any) -> Decision:
    """Ask for one flag, which there is."""
    found = decide(life, key, Asking(**{"catalogue": force, "at": T0 + 10 * MINUTE, "unit": "ann"} | more))
    assert found is not None
    return found


def told(force: Catalogue, life: Life | None, key: str, **more: Any) -> tuple[Any, str, str]:
    """Return (value, variant, reason)."""
    found = ask(force, life, key, **more)
    return found.value, found.variant, found.reason


# Where somebody stands


def test_somebody_inside_is_told_their_state() -> None:
    """A rule brought them there, so it is a match and no default."""
    force = catalogue(RESCUE)
    life = lived(force, "Started")
    assert told(force, life, "journey.rescue.state") == ("waiting", "waiting", "TARGETING_MATCH")


def test_node_is_another_name_of_state() -> None:
    """The word of the observed graph."""
    force = catalogue(RESCUE)
    life = lived(force, "Started", "Helped")
    assert ask(force, life, "journey.rescue.node").value == "assisted"


def test_states_of_parallel_regions_are_joined_in_the_order_of_the_document() -> None:
    """One string says all of where somebody stands."""
    both = """
journey: both
entry: { on: Started }
states:
  p:
    regions:
      left: { states: { l1: { on: { X: l2 } }, l2: { after: { 1d: done } } } }
      right: { states: { r1: { after: { 1d: done } } } }
    after: { 2d: done }
"""
    force = catalogue(both)
    assert ask(force, lived(force, "Started"), "journey.both.state").value == "p.left.l1,p.right.r1"


def test_somebody_outside_and_somebody_unknown_are_told_the_same() -> None:
    """The documented defaults."""
    force = catalogue(RESCUE)
    for life in (None, lived(force, "Other")):
        assert told(force, life, "journey.rescue.state") == ("", "outside", "STATIC")
        assert told(force, life, "journey.rescue.variant") == ("", "none", "STATIC")
        assert told(force, life, "journey.rescue.next_action") == ({"kind": "none"}, "outside", "STATIC")
        assert told(force, life, "journey.rescue.in_holdout") == (False, "treated", "STATIC")
        assert told(force, life, "journey.rescue.propensity") == (0.0, "unknown", "UNKNOWN")


def test_of_several_enrolments_the_one_entered_last_is_told() -> None:
    """A person may have two carts."""
    keyed = "journey: carts\nentry: { on: [Started, Again], key: event.name }\nholdout: off\n"
    keyed += "states: { a: { on: { Helped: b }, after: { 1d: done } }, b: { after: { 1d: done } } }"
    force = catalogue(keyed)
    life = lived(force, "Started", "Helped", "Again")
    assert [one.machine.active for one in life.enrolments] == [["b"], ["a"]]
    assert ask(force, life, "journey.carts.state").value == "a"


def test_a_journey_that_stands_still_is_disabled() -> None:
    """Where people stand is told on; that nothing happens there, too."""
    force = catalogue(RESCUE)
    life = lived(force, "Started")
    for name in ("rescue", EVERY_JOURNEY):
        held = msgspec.structs.replace(force, holds={name: (Hold(since=T0),)})
        assert told(held, life, "journey.rescue.state") == ("waiting", "waiting", "DISABLED")


def test_no_flag_of_another_name_is_answered() -> None:
    """A slip is FLAG_NOT_FOUND, and no empty answer."""
    force = catalogue(RESCUE, BANNER)
    asking = Asking(catalogue=force, at=T0, unit="ann")
    for key in ("journey.rescue.stat", "journey.resque.state", "journey.rescue", "journey.", "", "banners"):
        assert decide(None, key, asking) is None, key


# What comes next


def test_the_next_action_says_what_moves_a_person_on() -> None:
    """Events by name, time by its instant, and where each leads."""
    force = catalogue(RESCUE)
    assert told(force, lived(force, "Started"), "journey.rescue.next_action") == (
        {
            "kind": "wait",
            "state": "waiting",
            "on": [{"event": "Helped", "to": ["assisted"]}, {"event": "Seen", "to": ["split"]}],
            "at": T0 + 30 * MINUTE,
            "to": ["split"],
        },
        "wait",
        "TARGETING_MATCH",
    )


def test_the_next_action_says_what_the_state_does_with_texts_filled_where_they_can_be() -> None:
    """A text of the event that brought the person there cannot be: there is none when somebody asks."""
    force = catalogue(RESCUE)
    found = ask(force, lived(force, "Started", "Seen"), "journey.rescue.next_action").value
    assert (found["kind"], found["actions"]) == (
        "act",
        [
            {"sink": "console", "channel": "web", "body": {"text": "Free shipping"}},
            {"sink": "console", "channel": "mail", "topic": "news", "body": {"to": "ann"}},
            {"sink": "console"},
        ],
    )


def test_who_may_be_anybody_is_told_no_text_of_a_person() -> None:
    """A key in a page is everybody's."""
    force = catalogue(RESCUE)
    life = lived(force, "Started", "Seen")
    found = ask(force, life, "journey.rescue.next_action", is_trusted=False).value
    assert [one.get("body") for one in found["actions"]] == [{"text": "Free shipping"}, None, None]


# Hold-outs


def test_whoever_is_held_out_is_answered_as_somebody_outside_and_the_answer_says_so() -> None:
    """An application that shows what a state says keeps the hold-out whole without asking for it."""
    force = catalogue(RESCUE, holdout="99.99%")
    life = lived(force, "Started", "Seen")
    for attribute, value in (("state", ""), ("node", ""), ("variant", ""), ("next_action", {"kind": "none"})):
        found = ask(force, life, f"journey.rescue.{attribute}")
        assert (found.value, found.variant, found.reason) == (value, "held-out", "SPLIT")
        assert (found.metadata["held_out"], found.metadata["holdout"]) == (True, "journey")
        assert found.metadata["node"] == "offered"
    assert told(force, life, "journey.rescue.in_holdout") == (True, "held-out", "SPLIT")


def test_a_hold_out_is_foretold_as_it_comes_to_be() -> None:
    """Whoever asks before the person enters hears what they are when they have."""
    force = catalogue(RESCUE, holdout="30%", policy="holdout: 20%")
    kinds = set()
    for n in range(60):
        unit = f"p{n}"
        before = ask(force, None, "journey.rescue.in_holdout", unit=unit).metadata
        result = turn("profile", unit, None, [arrived("Started", user_id=unit)], until=T0, catalogue=force)
        (enrolment,) = result.state.enrolments
        assert before.get("holdout", "") == enrolment.holdout
        kinds.add(enrolment.holdout)
    assert kinds == {"", "global", "journey"}


def test_the_propensity_of_a_hold_out_counts_both_that_may_keep_somebody_back() -> None:
    """They are independent: 1 - 0.8 x 0.7."""
    force = catalogue(RESCUE, holdout="30%", policy="holdout: 20%")
    choice = ask(force, None, "journey.rescue.in_holdout").choice
    assert choice is not None
    assert {name: round(share, 9) for name, share in choice.eligible.items()} == {
        "held-out": 0.44,
        "treated": 0.56,
    }
    assert choice.propensity == choice.eligible[choice.variant]


def test_a_hold_out_that_nothing_is_drawn_of_any_more_is_no_exposure() -> None:
    """A report divides by the propensity: whoever a share of zero keeps back was drawn by another one."""
    force = catalogue(RESCUE, holdout="99%")
    life = lived(force, "Started")
    now = structs.replace(life.enrolments[0], holdout="global")
    life.enrolments = [now]
    off = structs.replace(
        force,
        versions={key: structs.replace(one, holdout=0.0) for key, one in force.versions.items()},
    )
    found = ask(off, life, "journey.rescue.in_holdout")
    assert (found.value, found.choice) == (True, None)


def test_an_action_that_a_channels_hold_out_keeps_back_is_not_told() -> None:
    """The turn withholds it; an application that showed it would undo that."""
    force = catalogue(RESCUE, policy="holdout: off, channels: { web: { holdout: 99.99% } }")
    found = ask(force, lived(force, "Started", "Seen"), "journey.rescue.next_action")
    assert [one.get("channel") for one in found.value["actions"]] == ["mail", None]
    assert (found.metadata["held_out"], found.metadata["holdout"]) == (True, "channel")


# Splits and forecasts


def test_the_variant_is_told_once_the_person_came_to_the_split() -> None:
    """Before, nothing was drawn for them that would count."""
    force = catalogue(RESCUE)
    assert ask(force, lived(force, "Started"), "journey.rescue.variant").value == ""
    life = lived(force, "Started", "Seen")
    found = ask(force, life, "journey.rescue.variant")
    assert (found.value, found.reason) == (life.variants["offers"], "SPLIT")
    assert found.metadata["experiment"] == "offers"
    assert found.metadata["propensity"] == {"none": 0.25, "free": 0.75}[found.value]
    assert found.choice is None  # the split itself has said so


def test_the_propensity_is_a_float_of_the_likeliest_goal() -> None:
    """SDKs tell 1 from 1.0."""
    force = msgspec.structs.replace(catalogue(RESCUE), forecasts={"Ordered": {"Started": 1}})
    value, variant, reason = told(force, lived(force, "Started"), "journey.rescue.propensity")
    assert (value, type(value), variant, reason) == (1.0, float, "forecast", "TARGETING_MATCH")


# Stand-alone flags


def test_guards_of_a_flag_see_what_the_application_sends_as_properties() -> None:
    """It changes the answer, and nothing that is kept."""
    force = catalogue(BANNER)
    life = lived(force, "Started")
    before = encode(life)
    assert told(force, life, "banner", context={"plan": "pro"}) == (True, "on", "TARGETING_MATCH")
    assert told(force, life, "banner", context={"plan": "free"}) == (False, "off", "STATIC")
    assert encode(life) == before


def test_a_choice_of_a_flag_is_told_with_what_it_was_drawn_from() -> None:
    """What off-policy evaluation divides by later."""
    found = ask(catalogue(SHARE), None, "share")
    assert (found.reason, type(found.value)) == ("SPLIT", float)
    assert found.choice is not None
    assert (found.choice.experiment, found.choice.eligible) == ("shares", {"low": 0.5, "high": 0.5})
    assert found.metadata["propensity"] == 0.5


# All of them


def test_all_flags_are_answered_as_each_alone() -> None:
    """Bulk and single must never differ."""
    force = catalogue(RESCUE, BANNER, SHARE, holdout="10%")
    life = lived(force, "Started", "Seen")
    asking = Asking(catalogue=force, at=T0 + MINUTE, unit="ann")
    assert decide_all(life, asking) == [decide(life, key, asking) for key in flag_keys(force)]


def test_asking_changes_nothing_of_a_person() -> None:
    """No id is kept for a hold-out, no variant, nothing."""
    force = catalogue(RESCUE, BANNER, SHARE, holdout="10%", policy="holdout: 5%")
    for names in ((), ("Other",), ("Started",), ("Started", "Seen")):
        life = lived(force, *names) if names else Life(anonymous_ids=["ann"])
        before = encode(life)
        decide_all(life, Asking(catalogue=force, at=T0 + 60 * MINUTE, unit="ann"))
        assert encode(life) == before


def test_the_same_answer_has_the_same_id_and_another_one_another() -> None:
    """Ids are derived from causes: whoever joins answers to what came of them needs no clock."""
    force = catalogue(RESCUE)
    life = lived(force, "Started")
    one = ask(force, life, "journey.rescue.state")
    assert ask(force, life, "journey.rescue.state", at=T0 + MINUTE) == one
    later = ask(force, lived(force, "Started", "Helped"), "journey.rescue.state")
    other = ask(force, life, "journey.rescue.state", unit="bob")
    assert len({each.metadata["decision_id"] for each in (one, later, other)}) == 3


def test_the_next_action_of_another_state_is_another_answer() -> None:
    """Both wait, under one variant; they wait for something else."""
    force = catalogue(RESCUE)
    told = [
        ask(force, lived(force, *names), "journey.rescue.next_action")
        for names in (("Started",), ("Started", "Helped"))
    ]
    assert [one.variant for one in told] == ["wait", "wait"]
    assert len({one.metadata["decision_id"] for one in told}) == 2


def test_metadata_is_flat() -> None:
    """OFREP allows texts, numbers and truths."""
    force = catalogue(RESCUE, SHARE, holdout="10%")
    asking = Asking(catalogue=force, at=T0, unit="ann")
    values = [value for one in decide_all(lived(force, "Started"), asking) for value in one.metadata.values()]
    assert {type(value) for value in values} <= {str, float, int, bool}
