"""The view: what expressions see of a person, where it is drawn and not looked up."""

from __future__ import annotations

from sojourn.engine.state import Enrolment, EntryEvent, Life
from sojourn.engine.statechart import Machine
from sojourn.engine.view import View
from sojourn.model.ids import EnrolmentId
from tests.engine.makers import EMPTY, T0


def drawn(seed: str, *, enrolment: str = "e1", at: int = T0) -> float:
    """Draw a number for one enrolment, at one instant."""
    view = View(Life(), EMPTY, at=at, unit="ann")
    entry = EntryEvent("E", at, at, "m", b"{}")
    view.enrolment = Enrolment(EnrolmentId(enrolment), "j", "v", "", at, entry, Machine())
    return view.draw(seed)


def test_a_draw_is_the_same_for_the_same_enrolment_seed_and_instant() -> None:
    """Replay must wait as long as live did; a second round of a loop, or another person, need not."""
    one = drawn("wait-1")
    assert one == drawn("wait-1")
    others = {drawn("wait-2"), drawn("wait-1", enrolment="e2"), drawn("wait-1", at=T0 + 1)}
    assert len(others | {one}) == 4


def test_draws_are_spread_evenly_from_0_to_below_1() -> None:
    """A wait between one and three hours is two on average."""
    draws = [drawn("wait-1", enrolment=f"e{i}") for i in range(2_000)]
    assert all(0 <= each < 1 for each in draws)
    tenths = [sum(i <= each * 10 < i + 1 for each in draws) for i in range(10)]
    assert min(tenths) > 150
