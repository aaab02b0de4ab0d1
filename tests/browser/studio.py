"""The studio's pages as tests and pictures go through them: where each is, and how one knows it is drawn."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.house import House

PATIENCE_MS = 30_000
"""For one thing to appear: a busy machine answers questions of analytics in seconds."""
CONVERSION = "Order Completed"
CHECKOUT = "step=Product+Added&step=Checkout+Started&step=Order+Completed"


@dataclass(frozen=True)
class Screen:
    """One page with something on it."""

    name: str
    path: str
    title: str
    shows: str
    """A text that is there once its data is."""


def screens(house: House) -> list[Screen]:
    """Return every page of the studio, each over the house's own people."""
    person = somebody(house)
    return [
        Screen("map", "/map", "Journey map", "Wider: more people"),
        Screen("funnels", f"/funnels?{CHECKOUT}", "Funnels", "Checkout Started"),
        Screen("retention", "/retention", "Retention", "Cohort"),
        Screen("friction", "/friction", "Friction", "people"),
        Screen("attribution", f"/attribution?conversion={quote(CONVERSION)}", "Attribution", "paid_search"),
        Screen("journeys", "/journeys", "Journeys", "checkout-rescue"),
        Screen("journey", "/journeys/checkout-rescue", "checkout-rescue", "waiting"),
        Screen("author", "/author", "Author", "checkout-rescue.yaml"),
        Screen("edit", "/author/journeys/checkout-rescue.yaml", "checkout-rescue.yaml", "waiting"),
        Screen("experiments", "/experiments", "Experiments", "rescue-offer"),
        Screen("experiment", "/experiments/rescue-offer", "rescue-offer", "free_shipping"),
        Screen("people", "/people", "People", "shopper-"),
        Screen("person", f"/people/{quote(person, safe='')}", person, "checkout-rescue"),
        Screen("operate", "/operate", "Operate", "Listening"),
        Screen("sinks", "/operate?tab=sinks", "Operate", "delivered"),
    ]


def ask(house: House, path: str) -> Any:
    """Return what the API answers its operator."""
    request = urllib.request.Request(house.address + path)
    request.add_header("Authorization", f"Bearer {house.setup.admin_token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def send(house: House, *events: dict[str, Any]) -> None:
    """Send events as an SDK would; return when they are acknowledged."""
    body = json.dumps({"batch": list(events), "writeKey": house.setup.write_key}).encode()
    request = urllib.request.Request(house.address + "/v1/batch", data=body, method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def somebody(house: House) -> str:
    """Return a person who went through a journey."""
    found = ask(house, "/api/v1/people?query=shopper-&limit=50")
    assert found, "the week before has people with names"
    for each in found:
        profile = ask(house, f"/api/v1/profiles/{quote(each['id'], safe='')}")
        if any(fact.get("journey") == "checkout-rescue" for fact in profile["timeline"]):
            return str(each["user_ids"][0])
    raise AssertionError("nobody of them started a checkout")


def sign_in(page: Page, house: House) -> None:
    """Open the studio as its operator, and wait until it is open."""
    page.goto(f"/studio/#token={house.setup.admin_token}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)


def visit(page: Page, screen: Screen) -> None:
    """Open a page and wait until its data is drawn."""
    page.goto(f"/studio{screen.path}")
    expect(page.get_by_role("heading", name=screen.title, level=1)).to_be_visible(timeout=PATIENCE_MS)
    shown = page.get_by_text(screen.shows).locator("visible=true")
    expect(shown.first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Loading…")).to_have_count(0, timeout=PATIENCE_MS)
