"""What comes home of a cluster, and what of it is nobody's any more."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from sojourn.definitions.controls import (
    LEFT,
    MOVED,
    STOP,
    Forgetting,
    Holding,
    control_event,
    forget_event,
    read_forgetting,
)
from sojourn.definitions.publishing import Arrival, InForce, is_all_held
from sojourn.engine.records import Saved, encode_saved, mark_name
from sojourn.model.event import Entry, Event, is_erased
from sojourn.model.fact import Identified, StepTaken
from sojourn.model.ids import ProfileId
from sojourn.runtime.moving.homeward import (
    Marks,
    is_done,
    is_kept,
    owner_of,
    standing_of,
    state_of,
    taken_home,
)

T0 = 1_700_000_000_000


def event(name: str = "Seen", *, message_id: str = "m", source: str = "web", **ids: str) -> Event:
    """Make an event."""
    return Event(
        kind="track", name=name, source=source, message_id=message_id, received_at=T0, occurred_at=T0, **ids
    )


def entry(position: int, given: Event) -> Entry:
    """Give an event a place."""
    return Entry(position=position, at=T0 + position, event=given)


FORGETTING = Forgetting(request="r", users=["ann"], devices=["d1", "d2"], shared=["d2"])
CONTROLS = [
    entry(1, control_event(STOP, Holding(), after=0, now=T0)),
    entry(5, forget_event(FORGETTING, now=T0)),
    entry(9, control_event(LEFT, {}, after=5, now=T0)),
    entry(12, control_event("$release", Holding(), after=9, now=T0)),
]


def test_controls_count_up_to_where_it_parts() -> None:
    """What comes behind that is for whoever is there next."""
    standing = standing_of(CONTROLS, InForce())
    assert standing.left == (T0 + 9, 9)
    assert is_all_held(standing.in_force)
    assert standing_of(CONTROLS[:1], InForce()).left is None


def test_what_was_in_force_elsewhere_is_in_force() -> None:
    """Whatever the first control here says of before."""
    there = InForce(revision=7, ranks={"Seen": 1})
    arrival = Arrival(move="m", in_force=there, documents={"tallies": b"{}"})
    standing = standing_of([entry(1, control_event(MOVED, arrival, after=0, now=T0))], InForce())
    assert standing.in_force == there
    assert (standing.arrival, standing.arrived_at) == (arrival, T0 + 1)


@pytest.mark.parametrize(
    ("position", "ids", "is_gone"),
    [
        (4, {"user_id": "ann"}, True),
        (4, {"anonymous_id": "d1"}, True),
        (4, {"anonymous_id": "d2"}, False),
        (4, {"user_id": "bob", "previous_id": "ann"}, True),
        (6, {"user_id": "ann"}, False),
        (4, {"user_id": "bob"}, False),
    ],
)
def test_who_was_forgotten_leaves_nothing(position: int, ids: dict[str, str], is_gone: bool) -> None:
    """Up to the control; devices of others stay, and who comes later begins anew."""
    standing = standing_of(CONTROLS, InForce())
    given = entry(position, event(**ids))
    found = taken_home(given, standing)
    assert (found.position, found.at) == (given.position, given.at)
    assert is_erased(found.event) is is_gone
    assert found == given or is_gone


def test_the_control_that_forgot_comes_home_without_the_ids() -> None:
    """And its facts do not come at all."""
    standing = standing_of(CONTROLS, InForce())
    bare = read_forgetting(taken_home(CONTROLS[1], standing).event)
    assert bare is not None
    assert (bare.users, bare.devices, bare.shared) == ([], [], ["d2"])
    steps = [
        StepTaken(
            profile_id=ProfileId(whose), at=at, position=1, source="web", message_id="m", name="Seen",
            occurred_at=T0,
        )
        for whose, at in (("u:ann", T0 + 5), ("u:ann", T0 + 6), ("a:d2", T0), ("a:d1", T0))
    ]  # fmt: skip
    assert [is_kept(one, standing) for one in steps] == [False, True, True, False]


def test_shards_are_awaited_until_each_stage_of_them_has_come() -> None:
    """A mark of an earlier control is none."""
    marks = Marks(2, (T0, 5))
    for stage in ("identity", "alias", "profile"):
        marks.take(mark_name(stage, 0), encode_saved(Saved(b"", 0, T0, 5)))
        marks.take(mark_name(stage, 1), encode_saved(Saved(b"", 0, T0, 4)))
    assert marks.awaited == {"mark|identity|1", "mark|alias|1", "mark|profile|1"}
    for stage in ("identity", "alias", "profile"):
        marks.take(mark_name(stage, 1), encode_saved(Saved(b"", 0, T0 + 1, 1)))
    assert not marks.awaited


def test_a_record_of_the_states_is_a_write() -> None:
    """Of a key with a bar in it, too; no value takes the state away, and a mark is no state."""
    write = state_of("profile|a|b", encode_saved(Saved(b"state", 0, T0, 5)))
    assert write is not None
    assert (write.key, write.state, write.wake) == (("profile", "a|b"), b"state", None)
    gone = state_of("identity|d", None)
    assert gone is not None
    assert (gone.state, gone.forget) == (None, True)
    assert state_of("mark|profile|3", encode_saved(Saved(b"", 0, T0, 5))) is None


def test_facts_go_to_whoever_told_them() -> None:
    """A pointer of an alias tells of the user it points to; a profile, of the device that came."""
    common = {"at": T0, "position": 1, "message_id": "m"}
    pointed = Identified(profile_id=ProfileId("u:ann"), user_id="bob", how="alias", **common)  # type: ignore[arg-type]
    named = Identified(profile_id=ProfileId("u:ann"), anonymous_id="d", how="alias", **common)  # type: ignore[arg-type]
    lived = msgspec.structs.replace(named, profile_id=ProfileId("a:d"))
    assert [owner_of(one) for one in (pointed, named, lived)] == [
        ("alias", "ann"), ("profile", "ann"), ("identity", "d")
    ]  # fmt: skip


def test_what_the_log_says_was_done_waits_no_more() -> None:
    """An outcome is the house's own; somebody else's event of that name says nothing."""
    outcome = event("$delivered", message_id="a1:delivered", source="sojourn", user_id="7")
    assert is_done(outcome, {"a1"}) == "a1"
    assert is_done(outcome, {"a2"}) is None
    assert is_done(msgspec.structs.replace(outcome, source="web"), {"a1"}) is None
    assert is_done(msgspec.structs.replace(outcome, name="Seen", properties=Raw(b"{}")), {"a1"}) is None
