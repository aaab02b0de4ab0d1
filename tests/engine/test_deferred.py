"""Deferred: bounds of what waits, and who goes first of those that waited for the same instant."""

from __future__ import annotations

import pytest
from msgspec import structs

from sojourn.definitions.journey import Catalogue, Hold
from sojourn.engine import deferred, due
from sojourn.engine.deferred import MAX_DEFERRED, cancel, merge_deferred, next_deferred, put_off, take_due
from sojourn.engine.ledger import Ledger
from sojourn.engine.pacing import Stop
from sojourn.engine.state import Life, Wanted
from sojourn.model.fact import ActionDeferred, ActionWithheld
from sojourn.model.ids import EnrolmentId, user_profile
from tests.engine.makers import EMPTY, catalogue


def wanted(action_id: str, *, journey: str = "j", body: bytes = b"{}") -> Wanted:
    """Want something."""
    return Wanted(0, action_id, "crm", "email", "", 99, EnrolmentId("e-" + journey), journey, "v", "s", body)


def ledger_of(known: Catalogue = EMPTY) -> Ledger:
    """Stand before a person."""
    return Ledger(known, user_profile("ann"))


def waiting(*several: tuple[str, int]) -> Life:
    """Put actions off to instants."""
    life = Life()
    for action_id, until in several:
        put_off(life, wanted(action_id), Stop("quiet-hours", "", until), ledger_of())
    return life


def ids(life: Life) -> list[str]:
    """Name what waits, in order."""
    return [one.action_id for one in life.pacing.deferred] if life.pacing else []


def test_what_is_due_first_stands_first() -> None:
    """And what was wanted first, of those due together."""
    life = waiting(("a", 7), ("b", 5), ("c", 7), ("d", 5))
    assert ids(life) == ["b", "d", "a", "c"]
    assert next_deferred(life, ledger_of()) == 5


def test_of_those_due_together_the_journey_with_the_higher_priority_goes_first() -> None:
    """They may share a cap: the morning is not a lottery."""
    text = "journey: NAME\nentry: { on: E }\nstates: { a: { after: { 1d: done } } }"
    known = catalogue(text.replace("NAME", "low"), text.replace("NAME", "high"))
    versions = {
        (name, "v"): structs.replace(known.journeys[name], priority=priority)
        for name, priority in (("low", 0), ("high", 5))
    }
    life = Life()
    ledger = ledger_of(structs.replace(known, versions=versions))
    for action_id, journey in (("a", "low"), ("b", "high"), ("c", "gone"), ("d", "high")):
        put_off(life, wanted(action_id, journey=journey), Stop("quiet-hours", "", 5), ledger)
    ledger.at = 5
    assert [take_due(life, ledger).action_id for _ in range(4)] == ["b", "d", "a", "c"]


def test_what_a_journey_put_off_waits_while_it_stands_still() -> None:
    """Paused is paused: nothing of it goes out in the morning; what others put off does."""
    life = Life()
    for action_id, journey in (("a", "held"), ("b", "stopped"), ("c", "free")):
        put_off(life, wanted(action_id, journey=journey), Stop("quiet-hours", "", 5), ledger_of())
    holds = {"held": (Hold(3, 9),), "stopped": (Hold(3),)}
    ledger = ledger_of(structs.replace(EMPTY, holds=holds))
    found = []
    while ledger.at < 100 and (at := next_deferred(life, ledger)):
        ledger.at = at
        found.append((at, take_due(life, ledger).action_id))
    assert found == [(5, "c"), (9, "a")]
    assert ids(life) == ["b"]


def test_so_many_wait_and_no_more() -> None:
    """The next one is withheld, and says why."""
    life = waiting(*((f"a{n}", n + 1) for n in range(MAX_DEFERRED)))
    ledger = ledger_of()
    put_off(life, wanted("more"), Stop("quiet-hours", "", 3), ledger)
    assert len(ids(life)) == MAX_DEFERRED
    assert [fact.reason for fact in ledger.facts if isinstance(fact, ActionWithheld)] == ["bound"]


def test_so_many_bytes_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies are kept in the person's state."""
    monkeypatch.setattr(deferred, "MAX_DEFERRED_BYTES", 100)
    life = Life()
    ledger = ledger_of()
    for action_id in ("a", "b"):
        put_off(life, wanted(action_id, body=b"x" * 60), Stop("quiet-hours", "", 5), ledger)
    assert ids(life) == ["a"]
    assert [type(fact) for fact in ledger.facts] == [ActionDeferred, ActionWithheld]


def test_what_an_enrolment_waits_to_send_can_be_called_off() -> None:
    """And only that."""
    life = Life()
    for action_id, journey in (("a", "one"), ("b", "two"), ("c", "one")):
        put_off(life, wanted(action_id, journey=journey), Stop("quiet-hours", "", 5), ledger_of())
    ledger = ledger_of()
    cancel(life, "e-one", ledger, detail="goal")
    assert ids(life) == ["b"]
    told = [fact for fact in ledger.facts if isinstance(fact, ActionWithheld)]
    assert [(fact.action_id, fact.reason, fact.detail) for fact in told] == [
        ("a", "left", "goal"),
        ("c", "left", "goal"),
    ]


def test_what_two_lives_put_off_waits_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the bound; what does not fit says so."""
    monkeypatch.setattr(deferred, "MAX_DEFERRED", 3)
    life, other = waiting(("a", 5), ("b", 9)), waiting(("c", 5), ("d", 6))
    ledger = ledger_of()
    merge_deferred(life, other, ledger)
    assert ids(life) == ["a", "c", "b"]
    assert [fact.action_id for fact in ledger.facts if isinstance(fact, ActionWithheld)] == ["d"]


def test_what_was_put_off_is_decided_before_a_timer_due_at_the_same_instant() -> None:
    """It was wanted first; the table says the order, and nothing else does."""
    names = [source.name for source in due.SOURCES]
    assert names.index("deferred") < names.index("timers")
