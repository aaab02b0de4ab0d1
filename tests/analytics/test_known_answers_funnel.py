"""Known answers: funnels of real data, which independent code has counted."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.analytics.events import Events
from sojourn.analytics.funnel import Funnel, FunnelAnswer, funnel
from sojourn.analytics.kinds import Kind
from tests.analytics.known import ecom_events, helpdesk

SHOP = ("catalog", "product_view", "add_to_cart", "shipping_details", "payment_details", "purchase")
TICKET = ("Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed")


def ask(events: Events, steps: tuple[str, ...], **rules: Any) -> FunnelAnswer:
    """Ask for a funnel of plain names."""
    return funnel(events, Funnel(steps=tuple(Kind((step,)) for step in steps), **rules))


def test_the_shop_by_user() -> None:
    """README of ecom_events."""
    answer = ask(ecom_events(), SHOP)
    assert [step.count for step in answer.steps] == [600, 596, 502, 390, 272, 139]


def test_the_shop_by_session() -> None:
    """README of ecom_events."""
    answer = ask(ecom_events(), SHOP, per="session")
    assert [step.count for step in answer.steps] == [2_837, 2_108, 602, 236, 80, 21]


def test_the_tickets() -> None:
    """README of helpdesk."""
    assert [step.count for step in ask(helpdesk(), TICKET).steps] == [4_495, 4_207, 4_199, 4_189]


@pytest.mark.parametrize("per", ["person", "session", "attempt"])
def test_every_view_of_the_shop_adds_up(per: Any) -> None:
    """To the last person, in every breakdown and drill-down."""
    answer = ask(ecom_events(), SHOP, per=per, within_ms=7 * 86_400_000)
    for n, step in enumerate(answer.steps, start=1):
        assert len(answer.passes(n)) == step.count
        assert len(answer.people(n)) == step.people
        for name in ("platform", "channel"):
            rows = answer.by_attribute(name, limit=2).to_dicts()
            assert sum(row["count"] for row in rows if row["n"] == n) == step.count
        rows = answer.went_to(limit=3).to_dicts()
        assert sum(row["count"] for row in rows if row["n"] == n) == step.dropped
