"""Authoring on the chart, in a browser: steps that are added there, and journeys that begin there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import look, serious

pytestmark = pytest.mark.browser

REHEARSED = 120_000  # ms: a week through a child process
FILE = "journeys/checkout-rescue.yaml"


def open_file(page: Page, file: str = FILE) -> None:
    """Open a file, and wait for its chart."""
    look(page, f"/author/{file}")
    page.locator("[data-state]").first.wait_for()


def drop(page: Page) -> None:
    """Let the draft go."""
    page.get_by_role("button", name="Drop the draft").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop the draft").click()
    expect(page.get_by_role("heading", name="Author")).to_be_visible()


def test_a_step_is_added_on_the_chart_and_a_rehearsal_counts_on_it(page: Page) -> None:
    """What is clicked is text, and what would come of it stands where it would."""
    open_file(page)
    page.locator("[data-state=reminded]").click()
    page.get_by_role("button", name="Wait", exact=True).click()
    page.locator("[data-state=waiting-2]").wait_for()
    expect(page.locator(".cm-content").first).to_contain_text("waiting-2:")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()

    page.get_by_role("button", name="Rehearse").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_text("People who get something else")).to_be_visible(timeout=REHEARSED)
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_text("The numbers on the chart are of this rehearsal")).to_be_visible()

    assert serious(page) == []
    drop(page)


def test_a_new_journey_begins_with_a_draft_that_is_right(page: Page) -> None:
    """The template has no problems, and is nothing but a draft."""
    look(page, "/author")
    page.get_by_role("button", name="New journey").click()
    page.get_by_label("Name").fill("come-back")
    page.get_by_role("button", name="Create the draft").click()
    page.locator("[data-state=reminded]").wait_for()
    expect(page.get_by_text("Checked: no problems")).to_be_visible()
    drop(page)
