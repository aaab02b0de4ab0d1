"""Traffic: the requests the bench sends, encoded once and stamped anew each time they are sent.

One event is about 800 bytes, as analytics.js writes it. People come in visits: a few thousand are active at a
time, each does about eight things, then somebody else takes the place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, TypeVar

BATCH = 100  # events in a request, as the issue asks.
ACTIVE = 2_500  # people in the middle of a visit at any time.
VISIT = 8  # events in a visit.
N_TEMPLATES = 400  # requests encoded beforehand: 40,000 events of 5,000 visits, 34 MB.

T = TypeVar("T")

ROUND = b"~round~"
"""Stands where the number of the round goes: in every message id and every person, so that each is new."""
SECOND = b"~~~~~second~~~~~~~~"
"""Stands where the second of sending goes; the milliseconds are the event's own."""

# Event name -> share of all events. The last eight are those the bench's journeys listen to: a third.
MIX = {
    "$page": 0.25,
    "Product Viewed": 0.28,
    "Products Searched": 0.14,
    "Product Added": 0.11,
    "Checkout Started": 0.06,
    "Shipping Viewed": 0.05,
    "Payment Viewed": 0.04,
    "Order Completed": 0.03,
    "Signed Up": 0.02,
    "Help Opened": 0.01,
    "Cart Emptied": 0.01,
}

AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
    for version in range(118, 132)
]
PATHS = ["/", "/tea", "/tea/green", "/tea/black", "/cups", "/checkout", "/checkout/shipping", "/help"]


def templates(*, seed: int, n_templates: int = N_TEMPLATES, n_known: int = 0) -> list[bytes]:
    """Encode requests whose people come in visits.

    Each round of them is about other people; with `n_known`, about people drawn from so many known ones.
    """
    random = Random(seed)
    stream = visits(random, known(random, n_known) if n_known else lambda n: f"{ROUND.decode()}-{n}", event)
    return [encode([next(stream) for _ in range(BATCH)]) for _ in range(n_templates)]


def known(random: Random, n_people: int) -> Callable[[int], str]:
    """Return a name for each visitor: one of so many people, whom it may have seen before."""
    return lambda _: f"p{random.randrange(n_people)}"


def visits(random: Random, name: Callable[[int], str], write: Callable[[Random, str, int], T]) -> Iterator[T]:
    """Yield events for ever, in visits: `name` names the n-th visitor, `write` writes a person's event."""
    # At the beginning everybody stands somewhere in their visit, not all at its start.
    active = [(name(n), random.randrange(VISIT)) for n in range(ACTIVE)]
    n_visits = ACTIVE
    for n in count():
        place = random.randrange(ACTIVE)
        person, n_done = active[place]
        yield write(random, person, n)
        if n_done + 1 < VISIT:
            active[place] = (person, n_done + 1)
        else:
            active[place] = (name(n_visits), 0)
            n_visits += 1


def event(random: Random, person: str, n: int) -> dict[str, Any]:
    """Write one event of a person, as analytics.js does; `n` numbers it within the round."""
    name = random.choices(list(MIX), list(MIX.values()))[0]
    path = random.choice(PATHS)
    written: dict[str, Any] = {
        "type": "page" if name == "$page" else "track",
        "messageId": f"ajs-next-1795423271-{ROUND.decode()}-{n:08d}-5f0c2b",
        "anonymousId": f"8f3a1c52-{person}",
        "userId": f"user-{person}",
        "timestamp": f"{SECOND.decode()}.{random.randrange(1000):03d}Z",
        "properties": properties(random, name, person),
        "context": {
            "library": {"name": "analytics.js", "version": "npm:next-1.76.0"},
            "userAgent": random.choice(AGENTS),
            "locale": random.choice(["en-GB", "de-DE", "fr-FR"]),
            "timezone": "Europe/Berlin",
            "campaign": {"source": "newsletter", "medium": "email", "name": "november-tea"},
            "page": {
                "path": path,
                "referrer": "https://www.google.com/",
                "search": "",
                "title": "A shop for tea",
                "url": f"https://shop.example{path}",
            },
        },
        "integrations": {},
    }
    if name != "$page":
        written["event"] = name
    return written


def properties(random: Random, name: str, person: str) -> dict[str, Any]:
    """Write the properties of one event."""
    price = round(random.uniform(3, 80), 2)
    if name in ("$page", "Products Searched"):
        return {"query": random.choice(["green tea", "teapot", "cups"]), "n_results": random.randrange(90)}
    common = {"cart_id": f"cart-{person}", "value": round(price * 1.8, 2), "currency": "EUR", "coupon": None}
    if name == "Order Completed":
        return common | {"order_id": f"order-{person}", "revenue": price, "shipping": 4.9, "tax": 1.1}
    return common | {"product_id": f"sku-{random.randrange(5_000)}", "price": price, "category": "Tea"}


def encode(events: list[dict[str, Any]]) -> bytes:
    """Encode one request."""
    body = {"batch": events, "sentAt": f"{SECOND.decode()}.999Z"}
    return json.dumps(body, separators=(",", ":")).encode()


def stamped(template: bytes, *, round_name: str) -> bytes:
    """Return the request as it is sent now, in a round of its own: its people and messages are new."""
    second = datetime.fromtimestamp(int(time.time()) - 1, UTC).isoformat()[:19]
    return template.replace(ROUND, round_name.encode()).replace(SECOND, second.encode())
