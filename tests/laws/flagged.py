"""Flags, experiments and hold-outs of nodes for the laws, and people who meet them."""

from __future__ import annotations

from random import Random

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.policy import Policy
from sojourn.model.event import OUR_SOURCE, Entry, Event
from tests.laws.histories import history

BUTTON = """
flag: button
variants: { calm: buy, bold: "buy now", loud: "BUY" }
default: calm
rules:
  - { when: "trait.plan == 'team'", serve: loud }
  - when: "count('Viewed') > 1 or properties.cart == 1"
    experiment:
      variants: { calm: 1, bold: 1 }
      allocation: adaptive
      reward: { on: [Order Completed, Shipping], when: "trait.plan != 'free'", within: 40m }
      by: ["count('Viewed', within='1h') > 2", trait.plan]
      holdout: 10%
  - experiment:
      id: rest
      variants: { calm: 1, loud: 2 }
      coverage: 70%
      namespace: { id: all, from: 0, to: 0.8 }
"""

PRICE = """
flag: price.shown
type: number
variants: { list: 10, less: 9.5 }
default: list
rules:
  - experiment:
      id: price
      variants: { list: 1, less: 1 }
      version: 2
      min_version: 1
      sticky: false
      hash: v1
"""

FLAGS = (BUTTON, PRICE)

TUNED = """
journey: tuned
entry: { on: Viewed, when: "variant('button') != 'calm' or count('Viewed') > 2", reentry: always }
goal: { on: Order Completed, within: 2h }
holdout: 10%
states:
  choosing:
    experiment:
      id: tuned
      variants: { plain: 2, warm: 1 }
      coverage: 80%
      allocation: adaptive
      by: "trait.plan == 'pro'"
      to: { plain: waiting, warm: greeted }
  greeted:
    do:
      - { webhook: shop, holdout: 60%, body: { n: "{{ entry.name }}" } }
      - { sink: own, holdout: 90%, body: {} }
    after: { 5m: waiting }
  waiting:
    on: { Shipping: { to: greeted, when: "variant('button') == 'bold' or variant('tuned') == 'warm'" } }
    after: { 25m: done }
  done: {}
"""

ALLOCATIONS = (
    {"tuned": {"true": [0.2, 0.8], "false": [0.9, 0.1]}, "button": {"(other)": [0.05, 0.95]}},
    {"tuned": {"true": [0.95, 0.05]}, "button": {'true|"pro"': [1.0, 0.0], "(other)": [0.5, 0.5]}},
)
"""What may be learnt."""


def flagged_catalogue() -> Catalogue:
    """Compile all of it."""
    files = [(f"{n}.yaml", text) for n, text in enumerate((*FLAGS, TUNED))]
    definitions = load_definitions(files)
    built = build_catalogue(
        definitions.journeys, flags=definitions.flags, policy=Policy(holdout=0.1), session_gap_ms=20 * 60_000
    )
    return replace(built, allocations=ALLOCATIONS[0])


def flagged_history(random: Random, *, n_events: int) -> list[Entry]:
    """Draw a log in which decisions and applications expose people, and somebody pretends to be the house."""
    return [
        replace(entry, event=_exposing(random, entry)) if random.random() < 0.2 else entry
        for entry in history(random, n_events=n_events)
    ]


def _exposing(random: Random, entry: Entry) -> Event:
    who = {"user_id": f"u{random.randrange(3)}"} if random.random() < 0.5 else {}
    if not who or random.random() < 0.3:
        who["anonymous_id"] = f"d{random.randrange(4)}"
    name = random.choice(("$exposed", "$exposed", "Flag Exposed", "$feature_flag_called"))
    variant = random.choice(("calm", "bold"))
    said: dict[str, object] = {"flag": random.choice(("button", "button", "price.shown", "none"))}
    if name == "$exposed":
        said |= {
            "experiment": random.choice(("button", "rest")),
            "variant": variant,
            "propensity": 0.5,
            "eligible": {"calm": 0.5, "bold": 0.5},
            "decision_id": f"x{entry.position}",
            "context": random.choice(("", 'true|"pro"')),
        }
    elif random.random() < 0.5:
        said |= {"variant": variant, "cart": random.randrange(2)}
    return Event(
        kind="track",
        name=name,
        source=random.choice((OUR_SOURCE, OUR_SOURCE, "web")) if name == "$exposed" else "web",
        message_id=f"exposed{entry.position}",
        occurred_at=entry.at,
        received_at=entry.at,
        properties=Raw(msgspec.json.encode(said)),
        **who,
    )
