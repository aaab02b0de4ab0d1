"""The journey map in a browser: what the API says, live, narrowed, compared, and large."""

from __future__ import annotations

import re
import time
from urllib.error import HTTPError
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.looking import look, serious
from tests.browser.studio import PATIENCE_MS, ask, send

pytestmark = pytest.mark.browser

LOOK_MS = 3_000
"""After so long the API is asked anew what the page should show."""


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


def variants(house: House) -> list[str]:
    """Wait until somebody met the experiment; return its variants."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while True:
        try:
            (one,) = ask(house, "/api/v1/experiments")["experiments"]
        except HTTPError:
            assert time.monotonic() < until, "nobody meets the experiment"
            time.sleep(0.2)
        else:
            return list(one["variants"])


def test_two_variants_of_an_experiment_are_compared(page: Page, house: House) -> None:
    """Treatment against control is what is offered; shares and numbers are the API's."""
    assert set(variants(house)) == {"free_shipping", "reminder"}
    look(page, "/map?rare=0&view=table")
    page.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Compare")
    dialog.get_by_label("Attribute").select_option("variant:rescue-offer", timeout=PATIENCE_MS)
    expect(dialog.get_by_text("what came before cannot be its effect")).to_be_visible()
    assert serious(page) == []
    treatment, control = (field.input_value() for field in dialog.get_by_label("Value").all())
    dialog.get_by_role("button", name="Compare", exact=True).click()
    asked = f"/api/v1/analytics/graph?compare=variant:rescue-offer={treatment}:{control}"
    shows_what_differs_most(page, house, asked)
    expect(page).to_have_url(re.compile("compare=variant"))
    look(page, f"/map?rare=0&compare=variant%3Arescue-offer%3D{treatment}%3A{control}")
    expect(page.get_by_text(f"More often in {treatment}")).to_be_visible(timeout=PATIENCE_MS)


def shows_what_differs_most(page: Page, house: House, asked: str) -> None:
    """Wait until the first difference that the API tells is on the page: people still come to either side."""
    moves = page.get_by_role("table", name="Moves").locator("tbody tr")
    until = time.monotonic() + PATIENCE_MS / 1000
    while True:
        edges = ask(house, asked)["edges"]
        first = next((each for each in edges if each["source"] != each["target"]), None)
        try:
            assert first is not None, "too few have met the experiment to be compared"
            row = moves.filter(has_text=first["source"]).filter(has_text=first["target"]).first
            for side in ("share_one", "share_other"):
                expect(row).to_contain_text(
                    f"{first[side] * 100:.1f}".removesuffix(".0") + "%", timeout=LOOK_MS
                )
        except AssertionError:
            if time.monotonic() > until:
                raise
        else:
            return


def test_the_map_is_narrowed_to_a_segment_and_to_a_variant(page: Page, house: House) -> None:
    """By names that were met; what is chosen stands in the address, and is what is asked."""
    look(page, "/map?rare=0&view=table")
    page.get_by_role("button", name="Filter", exact=True).click()
    dialog = page.get_by_role("dialog", name="Filter")
    dialog.get_by_label("Attribute").select_option("segment", timeout=PATIENCE_MS)
    dialog.get_by_label("Value").select_option("buyers")
    expect(dialog.get_by_text("at some instant of the selected time")).to_be_visible()
    dialog.get_by_role("button", name="Add filter").click()
    told = ask(house, "/api/v1/analytics/graph?segment=buyers")
    rows = page.get_by_role("table", name="Steps").locator("tbody tr")
    expect(rows).to_have_count(len(told["nodes"]), timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Remove filter: Segment is buyers")).to_be_visible()
    variant = variants(house)[0]
    look(page, f"/map?rare=0&view=table&variant=rescue-offer%3D{variant}")
    told = ask(house, f"/api/v1/analytics/graph?variant=rescue-offer%3D{variant}")
    expect(rows).to_have_count(len(told["nodes"]), timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name=f"Experiment rescue-offer is {variant}")).to_be_visible()


@pytest.mark.parametrize("view", ["sankey", "funnel"])
def test_the_same_selection_is_shown_as_flow_and_funnel(page: Page, view: str) -> None:
    """Each drawing has its table, for who cannot look."""
    look(page, f"/map?where=channel%3Demail&view={view}")
    page.locator("[data-ready]").wait_for(timeout=PATIENCE_MS)
    assert serious(page) == []
    page.locator("figure").get_by_role("button", name="Table").click()
    expect(page.locator("figure").get_by_role("table")).to_be_visible()
