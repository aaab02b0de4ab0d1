"""Leaving what one writes, in a browser: by a link, while the server is away, when the session ends."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.looking import look

pytestmark = pytest.mark.browser

FILE = "journeys/welcome.yaml"


def write(page: Page, text: str) -> None:
    """Type at the end of the first line."""
    page.locator(".cm-line").first.click()
    page.keyboard.press("End")
    page.keyboard.type(text)


def open_file(page: Page) -> None:
    """Open the file, and wait for its text."""
    look(page, f"/author/{FILE}")
    page.locator(".cm-line").first.wait_for()


def drop(page: Page) -> None:
    """Let the draft go."""
    page.get_by_role("button", name="Drop the draft").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop the draft").click()
    expect(page.get_by_role("heading", name="Author")).to_be_visible()


def test_the_last_letters_are_there_after_one_left_at_once(page: Page) -> None:
    """A link is clicked before the text was quiet for long enough to be saved."""
    open_file(page)
    write(page, " # in haste")
    page.get_by_role("link", name="Experiments").click()
    page.get_by_role("link", name="Author").click()
    page.get_by_role("link", name=FILE).click()
    expect(page.locator(".cm-line").first).to_contain_text("# in haste")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    drop(page)


def test_a_text_waits_for_the_server_and_is_saved_when_it_is_back(page: Page) -> None:
    """The failure is told meanwhile."""
    open_file(page)
    page.route("**/api/v1/drafts/**", lambda route: route.abort())
    write(page, " # far out")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    page.unroute("**/api/v1/drafts/**")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    drop(page)


def test_who_is_signed_out_in_mid_work_finds_their_text_again(page: Page, house: House) -> None:
    """The session ends behind one's back; the page says so, and goes on where it was."""
    open_file(page)
    page.context.clear_cookies()
    write(page, " # half a thought")
    expect(page.get_by_text("Your session ended")).to_be_visible()
    page.get_by_role("radio", name="Admin token").click()
    page.get_by_label("Token", exact=True).fill(house.setup.admin_token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".cm-line").first).to_contain_text("# half a thought")
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    drop(page)
