"""The journey map in a browser: what the API says, live, narrowed, compared, and large."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.looking import look, serious
from tests.browser.studio import PATIENCE_MS, ask, send

pytestmark = pytest.mark.browser


def test_the_map_shows_the_steps_and_people_that_the_api_counts(page: Page, house: House) -> None:
    """Every step of the answer is a node with its people."""
    look(page, "/map?rare=0")
    page.locator(".react-flow__node").first.wait_for(timeout=PATIENCE_MS)
    told = {node["name"]: node["people"] for node in ask(house, "/api/v1/analytics/graph")["nodes"]}
    look(page, "/map?rare=0&view=table")
    rows = page.get_by_role("table", name="Steps").locator("tbody tr")
    expect(rows).to_have_count(len(told), timeout=PATIENCE_MS)
    shown = {
        row.locator("td").nth(0).inner_text(): row.locator("td").nth(1).inner_text() for row in rows.all()
    }
    assert shown["Checkout Started"] == str(told["Checkout Started"])
    assert serious(page) == []


def test_an_event_is_on_the_map_without_loading_it_again(page: Page, house: House) -> None:
    """A step that nobody took before appears by itself, and with it who took it."""
    name = f"Wished {uuid4().hex[:6]}"
    look(page, "/map?rare=0")
    page.locator(".react-flow__node").first.wait_for(timeout=PATIENCE_MS)
    send(house, {"type": "track", "event": name, "userId": "wisher", "messageId": uuid4().hex})
    page.locator(".react-flow__node", has_text=name).wait_for(timeout=PATIENCE_MS)
    page.get_by_role("button", name=name).click()
    panel = page.get_by_role("complementary", name=name)
    expect(panel.get_by_role("link", name="wisher")).to_be_visible(timeout=PATIENCE_MS)
    assert serious(page) == []


def test_what_is_narrowed_and_compared_stands_in_the_address_and_is_what_is_asked(
    page: Page, house: House
) -> None:
    """A shared address is the same view: the same selection of the same events."""
    look(page, "/map?where=channel%3Demail&compare=device_kind%3Dmobile%3Adesktop&view=table&rare=0")
    told = ask(house, "/api/v1/analytics/graph?where=channel%3Demail")
    rows = page.get_by_role("table", name="Steps").locator("tbody tr")
    expect(rows).to_have_count(len(told["nodes"]), timeout=PATIENCE_MS)
    chip = page.get_by_role("button", name="Remove filter: Channel is email")
    expect(page.get_by_role("columnheader", name="Difference")).to_be_visible(timeout=PATIENCE_MS)
    chip.click()
    expect(page).not_to_have_url("where=")
    assert "where=" not in page.url


@pytest.mark.parametrize("view", ["sankey", "funnel"])
def test_the_same_selection_is_shown_as_flow_and_funnel(page: Page, view: str) -> None:
    """Each drawing has its table, for who cannot look."""
    look(page, f"/map?where=channel%3Demail&view={view}")
    page.locator("[data-ready]").wait_for(timeout=PATIENCE_MS)
    assert serious(page) == []
    page.locator("figure").get_by_role("button", name="Table").click()
    expect(page.locator("figure").get_by_role("table")).to_be_visible()
