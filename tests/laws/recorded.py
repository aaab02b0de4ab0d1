"""Recorded histories as entries of a log: half a year of a shop's, and a week of the demo's invented one."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from demo.history import events as demo_events
from sojourn.definitions.publishing import InForce
from sojourn.model.event import Entry, Event
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import judge, open_parcel
from tests.laws.edited import in_force_of

ROOT = Path(__file__).resolve().parents[2]
ECOM = [folder / "shared/data/ecom_events/ecom_events.csv.gz" for folder in Path(__file__).resolve().parents]
SIGNED_IN = {"account_page", "payment_details", "purchase"}
"""Steps at which a visitor of the shop says who they are."""
CART = """
journey: cart
entry: { on: add_to_cart, reentry: after_exit }
goal: { on: purchase, within: 7d }
exit: [ { on: support_chat } ]
states:
  waiting:
    on: { payment_error: helped }
    after: { 1h: deciding }
  deciding:
    branch:
      - { when: "visits('product_view') >= 3", to: offered }
      - { to: reminded }
  reminded:
    do: [ { webhook: shop, body: { say: reminded } } ]
    after: { 1d: offered }
  offered:
    do: [ { webhook: shop, body: { say: offered } } ]
    after: { 2d: done }
  helped:
    do: [ { webhook: shop, body: { say: helped } } ]
    after: { 1h: done }
"""
N_EVENTS = 1_500

History = tuple[list[Entry], InForce]


def ecom() -> History:
    """Return the first visits of the shared data set `ecom_events`; skip where it is not beside this clone.

    A visit is a device's until it says whose it is, so that people come together of several.
    """
    path = next((place for place in ECOM if place.exists()), None)
    if path is None:
        pytest.skip("the shared data set ecom_events is not beside this clone")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(islice(csv.DictReader(lines), N_EVENTS))
    stamped = sorted((_ms(row["timestamp"]), n, row) for n, row in enumerate(rows))
    events = (
        Event(
            source="shop", message_id=f"ecom-{n}", kind="track", name=row["event"],
            anonymous_id=row["session_id"], user_id=row["user_id"] if row["event"] in SIGNED_IN else None,
            occurred_at=at, received_at=at,
        )
        for at, n, row in stamped
    )  # fmt: skip
    return _entries(events), in_force_of([CART])


def invented() -> History:
    """Return what people of the demo's shop did, with its journeys."""
    until_s = datetime(2026, 3, 8, tzinfo=UTC).timestamp()
    messages = list(islice(demo_events(until_s, seed=3), N_EVENTS))
    stamped = sorted((_ms(one["timestamp"]), n, one) for n, one in enumerate(messages))
    events = (
        event
        for at, n, message in stamped
        for event in judge(
            open_parcel(json.dumps({"batch": [message]}).encode()),
            Request(source="web", received_at=at, arrival=str(n)),
        ).events
    )
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "demo/journeys").glob("*.yaml"))]
    return _entries(events), in_force_of(texts)


def _entries(events: Iterable[Event]) -> list[Entry]:
    """Give each its place; what was sent again has none, as in every log."""
    first = {(event.source, event.message_id): event for event in reversed(list(events))}
    stamped = sorted(first.values(), key=lambda event: event.received_at)
    return [Entry(position=n, at=event.received_at, event=event) for n, event in enumerate(stamped, 1)]


def _ms(text: str) -> int:
    stamp = datetime.fromisoformat(text)
    return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1_000)


HISTORIES = {"a shop's half year": ecom, "the demo's week": invented}
