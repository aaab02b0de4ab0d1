"""What an import does to journeys: they move at its own time, and nothing that it does is sent."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import Change, Publishing, control_event
from sojourn.definitions.publishing import catalogue_of
from sojourn.model.event import Event
from sojourn.model.fact import ActionDecided, ActionDeferred, ActionWithheld, Entered
from sojourn.runtime.importing import Player, end_play
from tests.engine.makers import MINUTE, T0, event
from tests.runtime import test_sweeping
from tests.stories.world import World

HOUR, DAY = 60, 1_440
NOON = (12 * HOUR - (T0 // MINUTE) % DAY) % DAY
"""Minutes from the start to noon, UTC."""

DIGEST = """
journey: digest
entry: { schedule: { rule: "FREQ=DAILY;BYHOUR=12", zone: UTC } }
holdout: off
steps: [ { send: { webhook: mail, body: {} } } ]
"""

ASLEEP = """
journey: asleep
entry: { segment: asleep }
holdout: off
steps: [ { send: { webhook: mail, body: {} } } ]
"""

SEGMENTS = "segments: { asleep: \"since('Viewed') > hours(24)\", keen: \"count('Viewed') >= 2\" }"

NUDGE = """
journey: nudge
entry: { on: Started, reentry: always }
holdout: off
states:
  waiting: { on: { Asked: told }, after: { 2h: told } }
  told:
    do: [ { webhook: mail, channel: mail, body: {} } ]
    exit_do: [ { webhook: mail, body: {} } ]
    after: { 3d: done }
"""

CART = """
journey: cart
entry: { on: $friction.cart_abandon }
holdout: off
steps: [ { send: { webhook: mail, body: {} } } ]
"""


class House(test_sweeping.House):
    """A house into which files are imported; it serves in between."""

    def __init__(self, *texts: str, shared: tuple[str, ...] = (SEGMENTS,)) -> None:
        super().__init__(*texts)
        self.first = replace(self.first, shared=list(shared))
        self.start()

    def play(self, *events: Event) -> None:
        """Import events at their own time."""
        with Player(self.driver, now=lambda: T0 + 365 * DAY * MINUTE) as player:
            player.append(events, [])

    def serve(self, at: float) -> None:
        """Begin to serve, and let time pass until an instant."""
        end_play(self.driver)
        clock, _ = self.log.seal(T0 + int(at * MINUTE))
        self.driver.settle([], until=clock)

    def reasons(self) -> list[str]:
        """Say of each action, in order of time, why it was withheld; empty where it was not."""
        acts = [*self.facts(ActionDecided), *self.facts(ActionWithheld)]
        return [getattr(fact, "reason", "") for fact in sorted(acts, key=lambda fact: fact.at)]


def viewed(who: str, at: float, name: str = "Viewed", **fields: Any) -> Event:
    """Let somebody look at something, so many minutes after the start."""
    return event(name, at=at, user_id=who, message_id=f"{who}{name}{at}", **fields)


def test_who_enters_by_the_clock_in_an_import_is_a_shadow() -> None:
    """Three noons of a history are three entries, and no message; the next noon, live, is one for each."""
    house = House(DIGEST)
    house.play(viewed("ann", NOON - 10), viewed("bob", NOON + 2 * DAY + 10))
    assert [fact.at // MINUTE % DAY for fact in house.facts(Entered)] == [12 * HOUR] * 3
    assert (house.reasons(), len(house.store.letters)) == (["history"] * 3, 0)
    house.serve(NOON + 3 * DAY)
    assert house.reasons() == ["history"] * 3 + [""] * 2


def test_who_enters_by_a_segment_in_an_import_is_a_shadow() -> None:
    """Ann falls asleep while history goes on; Bob, after it."""
    house = House(ASLEEP)
    house.play(viewed("ann", 0), viewed("bob", 2 * DAY))
    assert house.reasons() == ["history"]
    house.serve(3 * DAY + 1)
    assert house.reasons() == ["history", ""]


def test_a_shadow_stays_one_when_the_import_is_over() -> None:
    """A timer that history began is due today: nobody gets last month's reminder."""
    house = House(NUDGE)
    house.play(viewed("ann", 0, "Started"))
    house.serve(DAY)
    assert house.reasons() == ["history"]


def test_a_timer_of_somebody_who_was_there_before_fires_as_at_any_start() -> None:
    """It is not the import that wanted it: without one, the next start would have done the same."""
    house = House(NUDGE)
    house.do(viewed("ann", 0, "Started"))
    house.play(viewed("bob", 3 * HOUR))
    assert house.reasons() == [""]


def test_what_was_put_off_before_an_import_goes_in_it() -> None:
    """The end of quiet hours is a timer like any other."""
    quiet = "policy: { channels: { mail: { quiet: { from: '00:00', to: '23:59' } } } }"
    house = House(NUDGE, shared=(quiet,))
    house.do(viewed("ann", 0, "Started"))
    house.do(viewed("ann", 1, "Asked"), at=1)
    assert [fact.reason for fact in house.facts(ActionDeferred)] == ["quiet-hours"]
    house.play(viewed("bob", 2 * DAY))
    assert house.reasons() == [""]


def test_what_an_imported_event_makes_somebody_want_who_was_there_before_is_not_sent() -> None:
    """The journey moves, as the event says; the message would be of an event long gone."""
    house = House(NUDGE)
    house.do(viewed("ann", 0, "Started"))
    house.play(viewed("ann", 30, "Asked"))
    assert (house.reasons(), house.states()) == (["history"], [["told"]])
    house.serve(4 * DAY)
    assert house.reasons() == ["history", ""]  # what is wanted on leaving, by time that passes live


def test_a_signal_of_friction_that_an_import_brings_about_sends_nothing() -> None:
    """A cart that history left is no reason to write today, also where the hour is over only now."""
    house = House(CART)
    house.play(viewed("ann", 0, "Product Added"), viewed("bob", DAY - 10, "Product Added"))
    house.serve(2 * DAY)
    assert house.reasons() == ["history", "history"]


def test_a_click_of_an_import_that_is_found_dead_later_sends_nothing() -> None:
    """It is known by the next thing that happens to the person, who is live by then."""
    dead = CART.replace("cart_abandon", "dead")
    house = House(dead, shared=("policy: { friction: { effects: [Changed] } }",))
    house.play(viewed("ann", 0, "$click", kind="track"))
    house.serve(1)
    house.do(viewed("ann", 5), at=5)
    assert house.reasons() == ["history"]


def test_whose_two_lives_become_one_in_an_import_enters_as_a_shadow() -> None:
    """Each looked once; together they are keen. So it is without any control, too."""
    world = World(SEGMENTS, ASLEEP.replace("segment: asleep", "segment: keen"))
    world.when("Viewed", "ann", imported=True)
    world.when("Viewed", "?phone", imported=True, message_id="m-phone")
    world.minute += 1
    world.when("$identify", "ann", anonymous_id="phone", imported=True)
    assert ([fact.reason for fact in world.facts(ActionWithheld)], world.sent()) == (["history"], [])


def test_an_import_that_was_cut_goes_on_as_history() -> None:
    """What the log has is processed at the next start, of an import or of a server; then it is live again."""
    house = House(DIGEST)
    with suppress(KeyboardInterrupt), Player(house.driver, now=lambda: T0 + DAY * MINUTE) as player:
        player.append([viewed("ann", NOON - 10)], [])
        player.append([viewed("ann", NOON + 10)], [])
        raise KeyboardInterrupt
    assert house.facts(Entered) == []
    house.start().catch_up()
    assert house.reasons() == ["history"]
    house.play(viewed("ann", NOON + 10), viewed("ann", NOON + DAY + 10))
    assert house.reasons() == ["history"] * 2
    house.serve(NOON + 2 * DAY)
    assert house.reasons() == ["history", "history", ""]


def test_imports_in_a_row_are_one_play() -> None:
    """The second import of a file leaves nothing in the log; whoever serves says once that it is over."""
    house = House(DIGEST)
    for _ in range(2):
        house.play(viewed("ann", 0))
        assert house.log.end() == 2
    house.serve(0)
    house.serve(1)
    names = [entry.event.name for entry in house.log.read(0, 10)]
    assert names == ["$play", "Viewed", "$played"]


def test_an_import_of_nothing_says_nothing() -> None:
    """A file of rows that all fail plays nothing."""
    house = House(DIGEST)
    house.play()
    assert house.log.end() == 0


def test_an_import_begins_when_everybody_was_asked_about_what_was_published_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else who is asked late would enter in the import what they should have entered before it."""
    monkeypatch.setattr(test_sweeping.sweeping.Sweep.take, "__defaults__", (1,))
    house = House(NUDGE, shared=())
    people = [f"p{n}" for n in range(5)]
    house.do(*(viewed(who, 0) for who in people))
    journey = compile_journey(DIGEST)
    change = Change(journey=journey.name, version=journey.version, text=DIGEST)
    house.do(control_event("$publish", Publishing(changes=[change]), after=house.log.end(), now=T0), at=1)
    house.do(viewed("p0", NOON + 1), at=NOON + 1)
    house.play(viewed("ann", NOON + 2))
    assert len(house.facts(Entered)) == len(people)
    assert house.reasons() == [""] * len(people)


def test_what_is_in_force_says_whether_imports_were_played_last() -> None:
    """So that a process that comes later knows."""
    house = House(DIGEST)
    house.play(viewed("ann", 0))
    assert house.driver.controls is not None
    assert catalogue_of(house.driver.controls.in_force)[0].is_playing
    assert house.start().catalogue.is_playing
    house.serve(1)
    assert not house.start().catalogue.is_playing
