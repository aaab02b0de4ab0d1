"""Authoring in a real browser: draft, check, rehearse, publish; and two people at one file."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.house import House
from tests.browser.studio import PATIENCE_MS, ask

pytestmark = pytest.mark.browser

FILE = "/studio/author/journeys/welcome.yaml"
REHEARSED_MS = 120_000
"""A week is played through the engine, beside whatever else the machine does."""


def open_file(page: Page, path: str = FILE) -> None:
    """Open a file and wait until it is checked."""
    page.goto(path)
    expect(editor(page)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Checked: no problems")).to_be_visible(timeout=PATIENCE_MS)


def editor(page: Page):  # type: ignore[no-untyped-def]
    """Return where the text is written."""
    return page.locator(".cm-content").first


def append(page: Page, text: str) -> None:
    """Write at the end of the text."""
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(text)


def test_a_change_is_checked_rehearsed_previewed_and_published(page: Page, house: House) -> None:
    """The whole way of a growth engineer, in the studio and nowhere else."""
    before = _version(house)
    open_file(page)
    append(page, "\nnonsense: 1\n")
    expect(page.get_by_text("nonsense").nth(1)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Checked: no problems")).to_be_visible(timeout=PATIENCE_MS)

    append(page, "\npriority: 7\n")
    expect(page.get_by_text("Draft saved")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Checked: no problems")).to_be_visible(timeout=PATIENCE_MS)

    page.get_by_role("button", name="Rehearse").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("People who get something else")).to_be_visible(timeout=REHEARSED_MS)
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("changed", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("is in force")).to_be_visible(timeout=PATIENCE_MS)
    assert _version(house) != before
    file = house.setup.config.parent / "journeys/welcome.yaml"
    assert "priority: 7" in file.read_text(encoding="utf-8"), "files remain the source"


def test_two_people_at_one_file_do_not_overwrite_each_other(browser: Browser, house: House) -> None:
    """Who saves second sees what is there now, beside what they wrote, and decides."""
    path = "/studio/author/journeys/support-escalation.yaml"
    contexts = [_signed_in(browser, house) for _ in range(2)]
    try:
        first, second = (context.pages[0] for context in contexts)
        open_file(first, path)
        open_file(second, path)
        append(first, "\n# by the first\n")
        expect(first.get_by_text("Draft saved")).to_be_visible(timeout=PATIENCE_MS)
        append(second, "\n# by the second\n")
        dialog = second.get_by_role("dialog")
        expect(dialog).to_contain_text("Somebody else saved this meanwhile", timeout=PATIENCE_MS)
        draft = ask(house, "/api/v1/files/journeys/support-escalation.yaml")["draft"]["text"]
        assert "# by the first" in draft
        assert "# by the second" not in draft
        dialog.get_by_role("button", name="Keep the right side").click()
        expect(second.get_by_text("Draft saved")).to_be_visible(timeout=PATIENCE_MS)
        draft = ask(house, "/api/v1/files/journeys/support-escalation.yaml")["draft"]["text"]
        assert "# by the second" in draft, "they saw the other's, and chose"
    finally:
        for context in contexts:
            context.close()


def _signed_in(browser: Browser, house: House) -> BrowserContext:
    context = browser.new_context(base_url=house.address)
    page = context.new_page()
    page.goto(f"/studio/#token={house.setup.admin_token}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
    return context


def _version(house: House) -> str:
    found = ask(house, "/api/v1/journeys")
    return next(str(each["version"]) for each in found if each["name"] == "welcome" and each["is_open"])
