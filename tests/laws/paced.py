"""Random histories under a policy: the same people, who also allow, forbid, travel and sleep."""

from __future__ import annotations

from random import Random

import msgspec
from msgspec import Raw, structs

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Entry, Event, Geo
from tests.laws.histories import MINUTE, ONCE, PATHS, PATIENT, RESCUE, history

POLICY = """
policy:
  holdout: 10%
  time_zone: Europe/Berlin
  quiet: { from: "00:30", to: "06:45" }
  caps: [ { most: 4, per: day }, { most: 6, per: 20h } ]
  channels:
    email: { sinks: [shop], caps: [ { most: 2, per: 3h } ], holdout: 10% }
    call:  { sinks: [support], consent: opt_in, caps: [ { most: 3, per: week } ] }
    inapp: { quiet: { from: "12:00", to: "15:00", then: drop } }
"""

NIGHTLY = """
journey: nightly
entry: { on: [Viewed, Shipping], key: properties.revenue, reentry: always }
goal: { on: Order Completed }
exit: [ { on: Cart Emptied } ]
holdout: 10%
states:
  telling:
    do:
      - { sink: shop, topic: news, expires: 6h, body: { n: "{{ entry.key }}" } }
      - { sink: own, channel: inapp, body: {} }
      - { sink: own, channel: push, body: {} }
      - { sink: shop, topic: receipt, transactional: true, body: {} }
    exit_do: [ { sink: shop, body: { bye: "{{ entry.key }}" } } ]
    after: { 4h: done }
"""

_SCOPES = ("email", "email/news", "call", "push", "all", "email/transactional")
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "nowhere")


def paced_catalogue() -> Catalogue:
    """Compile five journeys with everything a policy can ask in force."""
    texts = (RESCUE, PATHS, ONCE, PATIENT, NIGHTLY)
    journeys = [compile_journey(text, file=f"{index}.yaml") for index, text in enumerate(texts)]
    journeys[-1] = structs.replace(journeys[-1], priority=1)
    return build_catalogue(
        journeys,
        ranks={"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3},
        session_gap_ms=20 * MINUTE,
        policy=load_definitions([("policy.yaml", POLICY)]).policy,
    )


def paced_history(random: Random, *, n_events: int) -> list[Entry]:
    """Draw a log in which some events speak of consent, and some of where the person is."""
    entries = history(random, n_events=n_events)
    return [structs.replace(entry, event=_speaking(random, entry.event)) for entry in entries]


def _speaking(random: Random, event: Event) -> Event:
    dice = random.random()
    granted = random.random() < 0.6
    if dice < 0.15 and event.kind == "track" and not event.name.startswith("$"):
        channel, _, topic = random.choice(_SCOPES).partition("/")
        told = {"channel": channel, "topic": topic, "granted": granted}
        return structs.replace(event, name="Consent Updated", properties=_raw(told))
    if dice < 0.25:
        preferences = {"email": granted, "Analytics": True}
        context = {"timezone": random.choice(_ZONES), "consent": {"categoryPreferences": preferences}}
        return structs.replace(event, context=_raw(context))
    if dice < 0.3:
        return structs.replace(event, geo=Geo(time_zone=random.choice(_ZONES)))
    if event.kind == "identify" and dice < 0.6:
        return structs.replace(event, traits=_raw({"plan": "pro", "timezone": random.choice(_ZONES)}))
    return event


def _raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
