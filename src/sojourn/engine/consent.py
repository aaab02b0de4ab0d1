"""Consent: what a person allowed and forbade, by channel and topic, and whether a message may go.

A scope is a channel (`email`), a topic of one (`email/newsletter`), or every channel (`all`). Of each the
newest word is kept, whatever the order of arrival; imported history counts, for who said no has said no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sojourn.definitions.policy import EVERYTHING
from sojourn.engine.enrich import Enrichment
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import read_object
from sojourn.engine.state import Consent, Life, Pacing
from sojourn.model.event import Event
from sojourn.model.fact import ConsentChanged

CONSENT_UPDATED = "Consent Updated"
"""The event that says what a person allows; its properties: `channel`, `topic`, `granted`; or `consent`."""

OWED = "transactional"
"""The topic of what is owed to a person: who forbids it by name gets no receipt (a STOP to text messages)."""

MAX_SCOPES = 100  # of one person: all channels of a product, and a dozen topics of each.

_WORD = r"[a-z][a-z0-9_-]{0,49}"
_SCOPE = re.compile(f"{_WORD}(/{_WORD})?", re.ASCII)


def hear_consent(
    life: Life, event: Event, enrichment: Enrichment, *, message_id: str, ledger: Ledger
) -> None:
    """Take in what an event says of consent; what names no scope, or neither yes nor no, says nothing."""
    said = dict(_scopes(enrichment.consent))
    if event.kind == "track" and event.name == CONSENT_UPDATED:
        said |= _told(read_object(event.properties))
    for scope, granted in said.items():
        _keep_newer(life, scope, Consent(event.occurred_at, message_id, granted), ledger)


def merge_consent(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring in what was said in another life."""
    for scope, word in (other.pacing.consent if other.pacing else {}).items():
        _keep_newer(life, scope, word, ledger)


def objection(
    life: Life, channel: str, topic: str, *, rule: Literal["opt_out", "opt_in"], is_owed: bool
) -> str:
    """Return what forbids a message, such as `email/newsletter is forbidden`; empty where it may go.

    The newer word on the channel and on all of them counts. Who takes a channel back does not take back a
    topic they refused. What is owed needs no consent (GDPR art. 6 (1) b, CAN-SPAM's transactional messages).
    """
    words = life.pacing.consent if life.pacing is not None else {}
    if is_owed:
        return _refusal(words, f"{channel}/{OWED}")
    scope = _newer(words, channel)
    about = f"{channel}/{topic}" if topic else ""
    refusal = _refusal(words, scope) or _refusal(words, about)
    if refusal or rule == "opt_out" or scope in words or about in words:
        return refusal
    return f"{channel} is not allowed yet"


def _newer(words: Mapping[str, Consent], channel: str) -> str:
    """Return whose word on a channel is the newer one: its own, or that on all."""
    own, every = words.get(channel), words.get(EVERYTHING)
    if every is None or (own is not None and (own.at, own.message_id) >= (every.at, every.message_id)):
        return channel
    return EVERYTHING


def _refusal(words: Mapping[str, Consent], scope: str) -> str:
    word = words.get(scope)
    return "" if word is None or word.granted else f"{scope} is forbidden"


def _told(properties: Mapping[str, Any]) -> dict[str, bool]:
    """Read the properties of `Consent Updated`."""
    several = properties.get("consent")
    said = dict(_scopes(several.items())) if isinstance(several, dict) else {}
    channel, topic = properties.get("channel"), properties.get("topic")
    if isinstance(channel, str):
        scope = f"{channel}/{topic}" if isinstance(topic, str) and topic else channel
        said |= _scopes([(scope, properties.get("granted"))])
    return said


def _scopes(said: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, bool]]:
    for name, granted in said:
        scope = name.strip().lower()
        if isinstance(granted, bool) and _SCOPE.fullmatch(scope):
            yield scope, granted


def _keep_newer(life: Life, scope: str, new: Consent, ledger: Ledger) -> None:
    if life.pacing is None:
        life.pacing = Pacing()
    words = life.pacing.consent
    old = words.get(scope)
    if old is None and len(words) >= MAX_SCOPES:
        return
    if old is not None and (new.at, new.message_id) <= (old.at, old.message_id):
        return
    words[scope] = new
    if old is None or old.granted is not new.granted:
        ledger.note(ConsentChanged, scope=scope, granted=new.granted, message_id=new.message_id)
