"""Identity: whose event this is, and what may never be joined."""

from __future__ import annotations

from sojourn.engine.identity import MAX_OWNERS
from sojourn.engine.profile import MAX_IDS
from sojourn.engine.state import Life, Pointer, Tie, decode_life, encode
from sojourn.engine.turn import route, turn
from sojourn.model.event import EXPOSED, OUR_SOURCE
from sojourn.model.fact import Identified, IdentityRefused, StepTaken
from sojourn.model.turn import Aliased, Named
from tests.engine.makers import EMPTY, T0, arrived, event


def at_device(state: Tie | None, *inputs: object, device: str = "d") -> object:
    """Run one turn of stage identity."""
    return turn("identity", device, state, inputs, until=T0, catalogue=EMPTY)  # type: ignore[arg-type]


def test_an_event_with_a_device_enters_at_its_identity() -> None:
    """All that one device does is put in order in one place."""
    assert route(event("Viewed", anonymous_id="d", user_id="u")) == ("identity", "d")


def test_a_server_event_enters_at_its_user() -> None:
    """A server knows the person and no device."""
    assert route(event("Paid", user_id="u")) == ("alias", "u")


def test_an_unnamed_person_lives_at_the_device() -> None:
    """Journeys run for people nobody can name yet."""
    result = at_device(None, arrived("Viewed", anonymous_id="d"))
    assert [type(fact) for fact in result.facts if isinstance(fact, StepTaken)] == [StepTaken]
    assert result.state.life.n_events == 1
    assert result.forward == []


def test_naming_moves_the_whole_life_forward_once() -> None:
    """The unnamed life arrives before the event that named it, and is gone from the device."""
    before = at_device(None, arrived("Viewed", anonymous_id="d")).state
    result = at_device(before, arrived("$identify", at=1, anonymous_id="d", user_id="u"))
    moved, followed = (forward.input for forward in result.forward)
    assert isinstance(moved, Named)
    assert moved.life is not None
    assert decode_life(moved.life).n_events == 1
    assert followed.event.name == "$identify"
    assert (result.state.owner, result.state.life) == ("u", None)


def test_later_events_of_the_device_go_to_its_person() -> None:
    """Track calls after an identify carry no user id."""
    result = at_device(Tie(owner="u", owners=["u"]), arrived("Viewed", anonymous_id="d"))
    assert [(one.stage, one.key) for one in result.forward] == [("alias", "u")]
    assert not result.changed


def test_a_track_with_both_ids_ties_them() -> None:
    """Some products never call identify."""
    result = at_device(None, arrived("Viewed", anonymous_id="d", user_id="u"))
    assert result.forward[0].input.how == "both_ids"


def test_an_alias_names_the_device_it_mentions() -> None:
    """The oldest way to say who somebody turned out to be."""
    before = at_device(None, arrived("Viewed", anonymous_id="d")).state
    result = at_device(before, arrived("$alias", previous_id="d", user_id="u"))
    assert [type(one.input) for one in result.forward] == [Named]


def test_an_alias_of_an_unknown_id_points_the_user_id_too() -> None:
    """`previous_id` may be a person: their events to come go to the new name; nobody's past moves."""
    result = at_device(None, arrived("$alias", previous_id="old", user_id="new"), device="old")
    assert [(one.key, type(one.input)) for one in result.forward] == [("old", Aliased), ("new", Named)]


def test_an_alias_of_an_id_that_was_only_asked_about_points_the_user_id_too() -> None:
    """What an application was told of somebody unknown is said under that id, and is nothing a device did."""
    said = {"experiment": "e", "variant": "a", "propensity": 0.5, "eligible": {"a": 0.5, "b": 0.5}}
    exposed = arrived(EXPOSED, source=OUR_SOURCE, anonymous_id="old", properties=said)
    before = at_device(None, exposed, device="old").state
    assert before.life.met.keys() == {"e"}
    result = at_device(before, arrived("$alias", at=1, previous_id="old", user_id="new"), device="old")
    assert [(one.key, type(one.input)) for one in result.forward] == [("old", Aliased), ("new", Named)]


def test_an_alias_to_oneself_is_refused_and_told() -> None:
    """A browser SDK sends it when nobody was known before."""
    result = at_device(None, arrived("$alias", previous_id="u", user_id="u"), device="u")
    assert [fact.reason for fact in result.facts] == ["self-alias"]
    assert result.forward == []


def test_a_device_that_many_people_name_is_shared_and_ties_nobody() -> None:
    """A kiosk must not make one person of its visitors."""
    state = None
    for index in range(MAX_OWNERS + 1):
        result = at_device(state, arrived("$identify", at=index, anonymous_id="d", user_id=f"u{index}"))
        state = result.state
    assert [fact.reason for fact in result.facts if isinstance(fact, IdentityRefused)] == ["shared-device"]
    assert (state.owner, state.is_shared) == (None, True)


def test_two_people_taking_turns_at_a_device_do_not_make_it_shared() -> None:
    """A family's tablet belongs to whoever said so last."""
    state = None
    for index in range(4 * MAX_OWNERS):
        who = f"u{index % 2}"
        state = at_device(state, arrived("$identify", at=index, anonymous_id="d", user_id=who)).state
    assert (state.owner, state.is_shared) == ("u1", False)


def test_a_pointer_sends_events_to_the_new_name_until_it_is_taken_back() -> None:
    """An alias between people can be undone, because nothing was merged."""
    alias = Aliased(T0, 1, "new", "m1")
    pointed = turn("alias", "old", None, [alias, arrived("Paid", user_id="old")], until=T0, catalogue=EMPTY)
    assert [one.key for one in pointed.forward] == ["new"]
    undo = Aliased(T0, 3, None, "m2")
    back = turn(
        "alias", "old", pointed.state, [undo, arrived("Paid", user_id="old")], until=T0, catalogue=EMPTY
    )
    assert [one.key for one in back.forward] == ["old"]
    assert back.state == Pointer(ever=["new"])


def test_the_ledger_says_how_an_id_was_tied() -> None:
    """Why are these two one person: the fact names the message."""
    named = Named(T0, 1, "d", "identify", "m1", encode(Life(n_events=2, first_seen_at=5, last_seen_at=9)))
    result = turn("profile", "u", None, [named], until=T0, catalogue=EMPTY)
    (fact,) = result.facts
    assert fact == Identified(
        profile_id="u:u", at=T0, position=1, anonymous_id="d", how="identify", message_id="m1"
    )
    assert (result.state.n_events, result.state.first_seen_at) == (2, 5)


def test_a_profile_takes_no_more_devices_than_its_limit() -> None:
    """A user id that every visitor shares is not a person."""
    life = Life(user_ids=["u"], anonymous_ids=[f"d{index}" for index in range(MAX_IDS)])
    named = Named(T0, 1, "one more", "identify", "m1", encode(Life(n_events=7)))
    result = turn("profile", "u", life, [named], until=T0, catalogue=EMPTY)
    assert [fact.reason for fact in result.facts] == ["merge-limit"]
    assert result.state.n_events == 0
