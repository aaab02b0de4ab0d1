"""Reading: one person is found by any of their ids, and told as the facts have it."""

from __future__ import annotations

from sojourn.adapters.memory import MemoryStore
from sojourn.model.fact import Entered, Identified, StepTaken
from sojourn.runtime.reading import MAX_TIMELINE, find_profile
from tests.stories.world import World

WAIT = """
journey: wait
entry: { on: Started }
states: { waiting: { after: { 30m: done } }, done: {} }
"""


def world() -> World:
    """Ann came without a name, said who she is, and began to wait."""
    made = World(WAIT)
    made.when("Seen", "?phone")
    made.after(1)
    made.when("$identify", "ann", anonymous_id="phone", traits={"plan": "pro"})
    made.after(1)
    made.when("Started", "ann")
    return made


def test_a_person_is_found_by_a_user_id_and_by_a_device() -> None:
    """Whoever asks has whichever id their own system has."""
    store = world().store
    assert find_profile(store, "ann") == find_profile(store, "phone")


def test_a_person_nobody_can_name_is_found_by_their_device() -> None:
    """They are a person too."""
    made = World(WAIT)
    made.when("Started", "?laptop")
    found = made.profile("laptop")
    assert (found.id, [one.state for one in found.enrolments]) == ("a:laptop", [["waiting"]])


def test_nobody_is_found_where_nobody_is() -> None:
    """Which is no error."""
    assert find_profile(MemoryStore(), "ann") is None


def test_the_view_says_who_they_are_and_where_they_stand() -> None:
    """What support asks first."""
    found = world().profile("ann")
    (enrolment,) = found.enrolments
    assert (found.id, found.user_ids, found.anonymous_ids) == ("u:ann", ["ann"], ["phone"])
    assert (found.traits, found.n_events) == ({"plan": "pro"}, 3)
    assert (enrolment.journey, enrolment.state, enrolment.held_out) == ("wait", ["waiting"], False)
    assert enrolment.next_timer_at == enrolment.entered_at + 30 * 60_000


def test_the_timeline_is_in_order_and_has_what_happened_before_the_name() -> None:
    """The facts of a device are kept with the device, and told with the person."""
    timeline = world().profile("ann").timeline
    steps = [fact.name for fact in timeline if isinstance(fact, StepTaken)]
    kinds = [type(fact) for fact in timeline]
    assert steps == ["Seen", "Started"]
    assert kinds.index(Identified) < kinds.index(Entered)
    assert [fact.at for fact in timeline] == sorted(fact.at for fact in timeline)


def test_a_limit_keeps_the_newest_facts() -> None:
    """A person of ten years has a hundred thousand."""
    made = world()
    whole = made.profile("ann").timeline
    found = find_profile(made.store, "ann", limit=2)
    assert found is not None
    assert found.timeline == whole[-2:]


def test_no_limit_is_above_the_bound() -> None:
    """One answer must not read the whole store."""
    made = World(WAIT)
    for _ in range(MAX_TIMELINE + 5):
        made.when("Seen", "ann")
    found = find_profile(made.store, "ann", limit=1 << 30)
    assert found is not None
    assert len(found.timeline) == MAX_TIMELINE
