"""Random histories: people, devices, servers and imports doing everything the engine must put in order."""

from __future__ import annotations

from random import Random

import msgspec
from msgspec import Raw

from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import OUR_SOURCE, Entry, Event

T0 = 1_700_000_000_000
MINUTE = 60_000

RESCUE = """
journey: rescue
entry: { on: Checkout Started, key: properties.cart, reentry: after_exit }
goal: { on: Order Completed, within: 7d, value: properties.revenue }
exit: [ { on: Cart Emptied } ]
holdout: 20%
states:
  waiting:
    on: { Help Opened: assisted }
    after: { 30m: deciding }
  deciding:
    branch:
      - { when: "visits('Shipping') >= 2 or count('Viewed', within='1h') > 2", to: assisted }
      - { when: "trait.plan == 'pro'", to: offer }
      - { to: reminded }
  offer:
    experiment: { id: offer, variants: { none: 1, free: 1 }, allocation: fixed, to: { none: reminded, free:
    assisted } }
  reminded:
    do: [ { webhook: shop, body: { user: "{{ profile.user_id }}", cart: "{{ entry.properties.cart }}" } } ]
    on: { Viewed: waiting }
    after: { 1h: done }
  assisted:
    do: [ { webhook: support, body: { n: "{{ session.n_events }}" } } ]
    after: { 20m: { to: waiting, when: "since('Viewed') < minutes(15)" }, 45m: done }
  done: {}
"""

PATHS = """
journey: paths
entry: { on: Viewed, reentry: always }
states:
  browsing:
    regions:
      pace:
        states:
          slow: { on: { Viewed: quick }, after: { 40m: idle } }
          quick: { after: { 5m: slow } }
          idle: { type: final }
      depth:
        states:
          shallow: { on: { Shipping: deep } }
          deep: { on: { "$page": shallow, "Order Completed": bought } }
          bought: { type: final }
    after: { 3h: done }
  done:
    type: final
"""

ONCE = """
journey: once
entry: { on: "$identify", when: "trait.plan != 'free'", reentry: never }
states:
  start:
    after: { 10m: told }
  told:
    do: [ { webhook: shop, body: { plan: "{{ trait.plan }}", seen: "{{ profile.first_seen_at }}" } } ]
    after: { 10m: done }
  done: {}
"""


PATIENT = """
journey: patient
entry: { on: "Help Opened", key: properties.cart, reentry: never }
holdout: 50%
goal: { on: $delivered, when: "properties.journey == 'rescue'", within: 1h }
states:
  sending:
    do: [ { webhook: support, body: { n: "{{ profile.anonymous_id }}" } } ]
    on:
      $delivered: { to: thanked, when: "count('$delivery_failed', within='1d') < 2" }
      $delivery_failed: { to: resting, when: "since('$delivery_failed') < 60" }
    after: { 3h: done }
  resting:
    after: { 30m: sending }
  thanked:
    experiment: { id: thanks, variants: { none: 3, card: 1 }, to: { none: done, card: resting } }
  done: {}
"""


def catalogue() -> Catalogue:
    """Compile four journeys that between them use timers, races, regions, keys, counts and experiments."""
    journeys = [
        compile_journey(text, file=f"{index}.yaml")
        for index, text in enumerate((RESCUE, PATHS, ONCE, PATIENT))
    ]
    return build_catalogue(
        journeys,
        ranks={"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3},
        session_gap_ms=20 * MINUTE,
    )


NAMES = (
    "Viewed",
    "Viewed",
    "Viewed",
    "Shipping",
    "Checkout Started",
    "Help Opened",
    "Cart Emptied",
    "Order Completed",
)


STEPS_MS = (0, 1, 1_000, MINUTE, 7 * MINUTE, 31 * MINUTE, 70 * MINUTE)


def history(
    random: Random,
    *,
    n_events: int,
    is_one_user_per_device: bool = False,
    steps_ms: tuple[int, ...] = STEPS_MS,
) -> list[Entry]:
    """Draw a log: entries in order of arrival, some late, some from servers, some aliases, some imported."""
    clock = T0
    entries = []
    for position in range(1, n_events + 1):
        clock += random.choice(steps_ms)
        event = _event(random, position, clock, is_one_user_per_device=is_one_user_per_device)
        entries.append(
            Entry(
                position=position,
                at=clock,
                event=event,
                is_history=random.random() < 0.05,
                is_shadow=random.random() < 0.05,
            )
        )
    return entries


def _event(random: Random, position: int, clock: int, *, is_one_user_per_device: bool) -> Event:
    device = random.randrange(4)
    user_id = f"u{device % 2}" if is_one_user_per_device else f"u{random.randrange(3)}"
    late_ms = random.choice((0, 0, 0, 2_000, 20 * MINUTE, 50 * MINUTE))
    fields: dict[str, object] = {
        "source": ("web", "app")[position % 2],
        "message_id": f"m{position // 2}",  # one only within its source
        "occurred_at": clock - late_ms,
        "received_at": clock,
        "anonymous_id": f"d{device}",
    }
    dice = random.random()
    if dice < 0.1:
        traits = {"plan": random.choice(("free", "pro", "team"))}
        return Event(kind="identify", name="$identify", user_id=user_id, traits=_raw(traits), **fields)  # type: ignore[arg-type]
    if dice < 0.13 and not is_one_user_per_device:
        previous = random.choice((f"d{device}", f"u{random.randrange(3)}", user_id))
        fields["anonymous_id"] = None
        undo = {"undo": random.random() < 0.3}
        return Event(
            kind="alias",
            name="$alias",
            user_id=user_id,
            previous_id=previous,
            properties=_raw(undo),
            **fields,  # type: ignore[arg-type]
        )
    if dice < 0.2:
        return Event(kind="page", name="$page", session_id=f"s{device}" if dice < 0.16 else None, **fields)  # type: ignore[arg-type]
    if dice > 0.93:
        told = {"journey": random.choice(("patient", "rescue", "other")), "enrolment_id": "e"}
        name = random.choice(("$delivered", "$delivery_failed", "$delivery_expired"))
        owner = {"user_id": user_id, "anonymous_id": None} if dice < 0.97 else {}
        outcome = fields | owner | {"source": OUR_SOURCE, "message_id": f"o{position}"}
        return Event(kind="track", name=name, properties=_raw(told), **outcome)  # type: ignore[arg-type]
    if dice < 0.3:
        fields["user_id"] = user_id
        if dice < 0.25:
            fields["anonymous_id"] = None  # from a server
    properties = {"cart": random.randrange(2), "revenue": random.randrange(100)}
    return Event(kind="track", name=random.choice(NAMES), properties=_raw(properties), **fields)  # type: ignore[arg-type]


def _raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
