"""Consent: whose word counts, and what it forbids."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from sojourn.engine import consent
from sojourn.engine.consent import CONSENT_UPDATED, hear_consent, merge_consent, objection
from sojourn.engine.enrich import enrich
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Consent, Life, Pacing
from sojourn.model.event import Event
from sojourn.model.fact import ConsentChanged
from sojourn.model.ids import user_profile
from tests.engine.makers import EMPTY, event


def hear(life: Life, *events: Event) -> Ledger:
    """Let a person say something."""
    ledger = Ledger(EMPTY, user_profile("ann"))
    for each in events:
        enrichment = enrich(bytes(each.context))
        hear_consent(life, each, enrichment, message_id=each.message_id, ledger=ledger)
    return ledger


def said(at: float = 0, **properties: Any) -> Event:
    """Say it with the event made for it."""
    return event(CONSENT_UPDATED, at=at, properties=properties)


def words(life: Life) -> dict[str, bool]:
    """Return what is kept."""
    return {scope: word.granted for scope, word in (life.pacing.consent if life.pacing else {}).items()}


def forbids(life: Life, channel: str = "email", topic: str = "", **how: Any) -> str:
    """Ask, of a channel that may be used until somebody objects."""
    return objection(life, channel, topic, **({"rule": "opt_out", "is_owed": False} | how))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"channel": "email", "granted": False}, {"email": False}),
        ({"channel": "email", "topic": "news", "granted": True}, {"email/news": True}),
        ({"consent": {"email": True, "email/news": False}}, {"email": True, "email/news": False}),
        ({"channel": "all", "granted": False}, {"all": False}),
        ({"channel": " Email ", "granted": False}, {"email": False}),
        ({"channel": "email", "granted": "no"}, {}),
        ({"channel": "e mail", "granted": False}, {}),
        ({"channel": 7, "granted": False}, {}),
        ({"consent": [1]}, {}),
        ({}, {}),
    ],
)
def test_the_event_says_it_by_scope(properties: dict[str, Any], expected: dict[str, bool]) -> None:
    """One scope at a time, or several; what is neither yes nor no says nothing."""
    life = Life()
    hear(life, said(**properties))
    assert words(life) == expected


def test_segments_categories_are_heard_on_any_event() -> None:
    """A consent banner writes them into the context of everything; odd fields beside them do no harm."""
    life = Life()
    context = {
        "consent": {"categoryPreferences": {"email": False, "C0001": True, "x y": True, "z": 1}},
        "locale": 3,
    }
    hear(life, event("Viewed", context=context))
    assert words(life) == {"email": False, "c0001": True}


def test_the_newest_word_wins_in_every_order() -> None:
    """A yes that arrives late does not undo the no that came after it."""
    events = [
        said(1, channel="email", granted=True),
        said(2, channel="email", granted=False),
        said(0, channel="email", granted=True),
    ]
    for order in permutations(events):
        life = Life()
        hear(life, *order)
        assert words(life) == {"email": False}


def test_a_fact_tells_only_a_change() -> None:
    """A banner says the same with every event."""
    life = Life()
    ledger = hear(
        life, *(said(at, channel="email", granted=granted) for at, granted in enumerate((True, True, False)))
    )
    told = [(fact.scope, fact.granted) for fact in ledger.facts if isinstance(fact, ConsentChanged)]
    assert told == [("email", True), ("email", False)]


def test_a_bounded_number_of_scopes_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it nothing new is learnt, and what is known can still change."""
    monkeypatch.setattr(consent, "MAX_SCOPES", 2)
    life = Life()
    hear(life, said(0, consent={"a": True, "b": True, "c": True}), said(1, consent={"a": False}))
    assert words(life) == {"a": False, "b": True}


def test_two_lives_come_to_the_newest_word() -> None:
    """And a fact says what is new to the one that stays."""
    life = Life(pacing=Pacing(consent={"email": Consent(1, "m1", True), "push": Consent(9, "m9", True)}))
    other = Life(pacing=Pacing(consent={"email": Consent(2, "m2", False), "push": Consent(3, "m3", False)}))
    ledger = Ledger(EMPTY, user_profile("ann"))
    merge_consent(life, other, ledger)
    assert words(life) == {"email": False, "push": True}
    assert [fact.scope for fact in ledger.facts if isinstance(fact, ConsentChanged)] == ["email"]


def test_who_said_nothing_may_be_written_to_where_the_rule_is_opt_out() -> None:
    """And not where it is opt-in."""
    assert forbids(Life()) == ""
    assert forbids(Life(), "push", rule="opt_in") == "push is not allowed yet"


@pytest.mark.parametrize(
    ("said_by", "expected"),
    [
        ({"push": True}, ""),
        ({"push/news": True}, ""),
        ({"all": True}, ""),
        ({"push/other": True}, "push is not allowed yet"),
        ({"push": True, "push/news": False}, "push/news is forbidden"),
    ],
)
def test_an_opt_in_is_given_for_a_channel_a_topic_or_everything(
    said_by: dict[str, bool], expected: str
) -> None:
    """Permission for one topic is none for another."""
    life = Life()
    hear(life, said(consent=said_by))
    assert forbids(life, "push", "news", rule="opt_in") == expected


def test_a_topic_refused_stays_refused_when_the_channel_is_taken_back() -> None:
    """Who wants mail again does not ask for the newsletter they once left."""
    life = Life()
    hear(life, said(0, consent={"email": False, "email/news": False}), said(1, channel="email", granted=True))
    assert [forbids(life, topic=topic) for topic in ("", "tips", "news")] == [
        "",
        "",
        "email/news is forbidden",
    ]


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ({"email": True}, {"all": False}, "all is forbidden"),
        ({"all": False}, {"email": True}, ""),
        ({"email": False}, {"all": True}, ""),
        ({"all": False, "email": True}, {}, ""),
    ],
)
def test_of_a_channel_and_all_channels_the_newer_word_counts(
    first: dict[str, bool], then: dict[str, bool], expected: str
) -> None:
    """Said at once, that on the channel: it is the more exact one."""
    life = Life()
    hear(life, said(0, consent=first), said(1, consent=then))
    assert forbids(life) == expected


def test_what_is_owed_needs_no_consent_and_can_be_forbidden_by_name() -> None:
    """A receipt goes to who left the newsletter; after a STOP to text messages nothing does."""
    life = Life()
    hear(life, said(consent={"sms": False, "all": False}))
    assert forbids(life, "sms", is_owed=True) == ""
    hear(life, said(1, channel="sms", topic="transactional", granted=False))
    assert forbids(life, "sms", is_owed=True) == "sms/transactional is forbidden"
