"""Authoring on the chart, in a browser: steps that are added there, and journeys that begin there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.house import House
from tests.browser.looking import look, serious
from tests.browser.studio import ask

pytestmark = pytest.mark.browser

REHEARSED = 120_000  # ms: a week through a child process
FILE = "journeys/checkout-rescue.yaml"


@pytest.fixture
def other(browser: Browser, house: House) -> Iterator[Page]:
    """Somebody else, in a browser of their own."""
    context = browser.new_context(base_url=house.address)
    page = context.new_page()
    page.goto(f"/studio/#token={house.setup.admin_token}")
    yield page
    context.close()


def open_file(page: Page, file: str = FILE) -> None:
    """Open a file, and wait for its chart."""
    look(page, f"/author/{file}")
    page.locator("[data-state]").first.wait_for()


def write(page: Page, after: str, text: str) -> None:
    """Type at the end of the first line that has some text."""
    page.locator(".cm-line", has_text=after).first.click()
    page.keyboard.press("End")
    page.keyboard.type(text)


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


def test_two_people_at_once_do_not_overwrite_each_other(page: Page, other: Page, house: House) -> None:
    """Who saves second is shown what the first wrote, and nothing of either is lost."""
    file = "journeys/welcome.yaml"
    open_file(page, file)
    open_file(other, file)
    write(page, "journey: welcome", "  # by the first")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    write(other, "journey: welcome", "  # by the second")
    dialog = other.get_by_role("dialog", name="Somebody else saved this meanwhile")
    dialog.wait_for()
    assert "by the first" in ask(house, f"/api/v1/files/{file}")["draft"]["text"]
    dialog.get_by_role("button", name="Take theirs").click()
    expect(other.locator(".cm-content").first).to_contain_text("by the first")
    drop(page)


def test_a_draft_is_seen_first_and_then_published(page: Page, house: House) -> None:
    """From a line of text to a version in force, and the file in the folder is the source."""
    before = {each["name"]: each["version"] for each in ask(house, "/api/v1/journeys")}
    open_file(page, "journeys/support-escalation.yaml")
    write(page, "journey: support-escalation", "\npriority: 7")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(before["support-escalation"]).first.wait_for()
    dialog.get_by_role("button", name="Publish").click()
    dialog.get_by_role("link", name="Watch it").click()
    page.locator("[data-state]").first.wait_for()
    after = {each["name"]: each["version"] for each in ask(house, "/api/v1/journeys")}
    assert after["support-escalation"] != before["support-escalation"]
    file = house.setup.config.parent / "journeys/support-escalation.yaml"
    assert "priority: 7" in file.read_text(encoding="utf-8")
