"""A second catalogue for the laws: segments, schedules, groups, calls and goals that outlive their runs."""

from __future__ import annotations

from random import Random

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.policy import Policy
from sojourn.model.event import OUR_SOURCE, Entry, Event
from tests.laws.histories import MINUTE, RESCUE, history

SEGMENTS = """
segments:
  busy: "count('Viewed', within='1h') >= 2"
  waning: { when: "since('Viewed') > minutes(40) and count('Viewed', within='1d') > 0" }
  paying: "trait.plan in ['pro', 'team']"
  target: "in_segment('busy') or (in_segment('paying') and since('Order Completed') == null)"
  recent: "profile.first_seen_at != null and count('Shipping') < 3"
"""

BUSY = """
journey: busy-help
entry: { segment: busy, when: "trait.plan != 'team'" }
group: help
priority: 2
goal: { on: Order Completed, within: 3h, value: properties.revenue }
exit: [ { when: "in_segment('waning')" } ]
states:
  waiting: { after: { 20m: helped } }
  helped:
    do: [ { webhook: support, body: { since: "{{ entry.properties.segment }}" } } ]
    after: { 10m: done }
  done: {}
"""

NUDGE = """
journey: nudge
entry: { on: Viewed, segment: target, reentry: { cooldown: 50m } }
group: help
priority: 1
goal: { on: [Order Completed, $delivered], within: 5h }
states:
  looking:
    on: { Shipping: { to: done, when: "in_segment('paying')" } }
    after: { 15m: { to: done, when: "not in_segment('waning')" }, 2h: done }
  done: {}
"""

DIGEST = """
journey: digest
entry: { schedule: { rule: "FREQ=HOURLY;INTERVAL=3", zone: Asia/Kolkata }, segment: recent, reentry: always }
goal: { on: Shipping, within: 2h }
states:
  told: { do: [ { webhook: shop, body: { n: "{{ profile.user_id }}" } } ], after: { 1m: done } }
  done: {}
"""

WEEKLY = """
journey: weekly
entry: { schedule: "FREQ=DAILY;BYHOUR=1,9,17;BYMINUTE=30", when: "in_segment('waning')" }
priority: -1
exit: { when: "since('Viewed') < minutes(5)" }
states: { told: { after: { 1h: done } }, done: {} }
"""

CHILD = """
journey: child
entry: { api: true, key: properties.cart, reentry: { cooldown: 10m } }
group: called
states:
  working:
    do: [ { webhook: support, body: { cart: "{{ entry.properties.cart }}" } } ]
    exit_do: [ { webhook: shop, body: { left: "{{ entry.properties.cart }}" } } ]
    on: { Help Opened: done }
    after: { 25m: done }
  done: {}
"""

RIVAL = """
journey: rival
entry: { on: Help Opened }
group: called
priority: 3
states: { inside: { after: { 12m: done } }, done: {} }
"""

ECHO = """
journey: echo
entry: { on: [$delivered, $delivery_failed, $delivery_expired], reentry: always }
steps: [ { send: { webhook: shop, body: { heard: "{{ event.name }}" } } } ]
"""


PARENT = """
journey: parent
entry: { on: Checkout Started, reentry: after_exit }
goal: { on: Order Completed, within: 6h }
exit: [ { on: Cart Emptied } ]
states:
  calling:
    steps: [ { call: { journey: child, key: entry.properties.cart } } ]
    on: { done.state.calling: resting, Shipping: done }
  resting: { on: { Viewed: done }, after: { 5m: calling } }
  done: {}
"""


def rich_catalogue() -> Catalogue:
    """Compile all of it, with a journey that the first catalogue has too."""
    texts = (SEGMENTS, BUSY, NUDGE, DIGEST, WEEKLY, CHILD, PARENT, RIVAL, RESCUE)
    definitions = load_definitions((f"{index}.yaml", text) for index, text in enumerate(texts))
    return build_catalogue(
        definitions.journeys,
        segments=definitions.segments,
        policy=Policy(time_zone="America/New_York"),
        ranks={"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3},
        session_gap_ms=20 * MINUTE,
    )


def rich_history(random: Random, *, n_events: int) -> list[Entry]:
    """Draw a log in which, now and then, the API lets somebody enter, or somebody pretends that it does."""
    return [
        replace(entry, event=_call(random, entry)) if random.random() < 0.06 else entry
        for entry in history(random, n_events=n_events)
    ]


def _call(random: Random, entry: Entry) -> Event:
    said = {
        "journey": random.choice(("child", "child", "nudge")),
        "properties": {"cart": random.randrange(2)},
    }
    if random.random() < 0.5:
        said["key"] = "k"
    who = {"user_id": f"u{random.randrange(3)}"} if random.random() < 0.7 else {"anonymous_id": "d1"}
    return Event(
        kind="track",
        name="$enter",
        source=random.choice((OUR_SOURCE, OUR_SOURCE, "web")),
        message_id=f"enter{entry.position}",
        occurred_at=entry.at,
        received_at=entry.at,
        properties=Raw(msgspec.json.encode(said)),
        **who,
    )
