"""A journey in a browser: its chart with its people, and its other views."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.looking import look, serious
from tests.browser.studio import ask

pytestmark = pytest.mark.browser


def test_the_list_says_what_the_api_says(page: Page, house: House) -> None:
    """Names, and how many entered each."""
    look(page, "/journeys")
    entered: Counter[str] = Counter()
    for version in ask(house, "/api/v1/journeys"):
        entered[version["name"]] += version["entered"]
    for name, n_people in entered.items():
        row = page.get_by_role("row", name=name)
        expect(row.get_by_role("cell").nth(3)).to_have_text(f"{n_people:,}")
    assert serious(page) == []


def test_a_journey_is_drawn_with_all_its_states_and_who_took_its_ways(page: Page, house: House) -> None:
    """Each state of the chart is there; a click on one says how long people stay."""
    chart = ask(house, "/api/v1/journeys/checkout-rescue/chart")
    look(page, "/journeys/checkout-rescue")
    page.locator("[data-state]").first.wait_for()
    drawn = {each.get_attribute("data-state") for each in page.locator("[data-state]").all()}
    assert drawn == {state["id"] for state in chart["states"]}
    page.locator("[data-state=waiting]").click()
    panel = page.get_by_role("complementary", name="waiting")
    expect(panel.get_by_text(f"{_entered(house, 'waiting'):,}", exact=True).first).to_be_visible()
    assert serious(page) == []


def _entered(house: House, state: str) -> int:
    """Count who entered a state of the version that is drawn: nobody yet, where another test published it."""
    states = ask(house, "/api/v1/journeys/checkout-rescue/traffic")["states"]
    return int(states.get(state, {}).get("entered", 0))


def test_who_is_where_times_and_versions_have_their_addresses(page: Page) -> None:
    """Each view of a journey can be shared."""
    for view, name in (("people", "Who is where"), ("times", "Time in state"), ("versions", "Versions")):
        look(page, f"/journeys/checkout-rescue?view={view}")
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        page.get_by_role("tabpanel").locator("table, [class*=empty]").first.wait_for()
        assert serious(page) == []
