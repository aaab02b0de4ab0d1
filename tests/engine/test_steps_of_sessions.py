"""Steps of sessions: the last one of each, the one before, and how many visits there were."""

from __future__ import annotations

from random import Random

from sojourn.engine.sessions import Visit, merge, visit
from sojourn.engine.state import Session
from sojourn.engine.turn import turn
from sojourn.model.event import Event
from sojourn.model.turn import Arrived
from tests.engine.makers import EMPTY, MINUTE, T0, event


def seen(at: int, step: str = "", client_id: str = "") -> Visit:
    """Make one event, `at` minutes after the start."""
    message = f"{at}{step}{client_id}"
    return Visit(at=T0 + at * MINUTE, message_id=message, person="ann", client_id=client_id, taken=step)


def random_events(random: Random) -> list[Visit]:
    """Draw events of a day, some with a client's session id, some that are no step."""
    minutes = random.sample(range(700), k=random.randrange(1, 25))
    steps = ("", "Viewed", "Cart", "Shipping")
    return [seen(at, random.choice(steps), random.choice(("", "", "s1", "s2"))) for at in minutes]


def cut(events: list[Visit]) -> tuple[list[Session], int]:
    """Cut events into sessions; return them, and how many there are by what each event changed."""
    sessions: list[Session] = []
    n_sessions = 0
    for each in events:
        done = visit(sessions, each)
        assert done is not None
        n_sessions += 1 - done.n_touched
    return sessions, n_sessions


def test_the_last_step_and_the_number_of_visits_do_not_depend_on_the_order_of_arrival() -> None:
    """Late events bridge and begin sessions; what is known in the end is the same."""
    for seed in range(400):
        random = Random(seed)
        events = random_events(random)
        expected, n_expected = cut(sorted(events, key=lambda each: each.at))
        random.shuffle(events)
        found, n_found = cut(events)
        assert found == expected, f"seed {seed}"
        assert n_found == n_expected == len(expected), f"seed {seed}"


def test_sessions_of_two_lives_are_counted_once_where_they_meet() -> None:
    """What bridges two visits makes one of them."""
    mine, n_mine = cut([seen(0, "Viewed"), seen(50, "Cart"), seen(200)])
    others, n_others = cut([seen(25, "Shipping"), seen(400)])
    n_together = n_mine + n_others - sum(each.n_touched for each in merge(mine, others))
    assert n_together == len(mine) == 3
    assert mine[0].last_step == "Cart"


def test_the_step_before_is_the_latest_of_the_same_visit() -> None:
    """Not of another visit, and not for an event that came late."""
    sessions: list[Session] = []
    events = [
        seen(0, "Viewed"),
        seen(1),
        seen(2, "Cart"),
        seen(1, "Help"),
        seen(90, "Viewed"),
        seen(91, "Cart"),
    ]
    cuts = [visit(sessions, each) for each in events]
    assert [each.previous if each else None for each in cuts] == ["", "", "Viewed", "", "", "Viewed"]


def test_the_step_a_person_is_in_does_not_depend_on_the_order_of_arrival() -> None:
    """What is no step may be newer and have come first: forecasts go by the step all the same."""
    names = ("Viewed", "Cart", "$identify", "$alias")
    for seed in range(100):
        random = Random(seed)
        fields = {"user_id": "ann", "previous_id": "x"}
        events = [event(random.choice(names), at=at, **fields) for at in random.sample(range(300), k=8)]
        expected = step_of(sorted(events, key=lambda each: each.occurred_at))
        assert step_of(events) == expected, f"seed {seed}"


def step_of(events: list[Event]) -> str:
    """Let one person live through events as they come; return where they are."""
    at = T0 + 300 * MINUTE
    given = [Arrived(at, position, each) for position, each in enumerate(events, start=1)]
    return str(turn("profile", "ann", None, given, until=at, catalogue=EMPTY).state.step)
