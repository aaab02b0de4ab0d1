"""A first walk in a browser, by the words on the screen: from the printed address to a published change.

It is what docs/how-to/walk-the-studio.md tells; nothing here knows an address inside the studio, or its code.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.house import House
from tests.browser.studio import PATIENCE_MS

pytestmark = pytest.mark.browser

REHEARSED_MS = 120_000
LEFT = "Cart Emptied"
JOURNEY = "checkout-rescue"
BEFORE, AFTER = "10s", "5s"


@pytest.fixture
def newcomer(browser: Browser, house: House) -> Iterator[Page]:
    """Somebody on a small screen, who has an address and nothing else."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(house.program.studio)
    yield page
    expect.set_options(timeout=5_000)
    context.close()


def test_a_first_walk_from_the_printed_address_to_a_published_change(
    newcomer: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where people leave, why somebody got nothing, and a change in force, with a mistake on the way."""
    began = time.monotonic()
    see_where_people_leave(newcomer)
    ask_why_somebody_got_nothing(newcomer)
    change_the_wait(newcomer)
    rehearse(newcomer)
    publish(newcomer)
    see_it_in_force(newcomer)
    with capsys.disabled():
        print(f"\na first walk, from the address to the published change: {time.monotonic() - began:.0f} s")


def see_where_people_leave(page: Page) -> None:
    """On the map: all of it is in the window, and a step says how many leave there."""
    legend = page.get_by_role("list", name="Legend")
    for words in ("Reach the goal", "Leave here", "Struggle here"):
        expect(legend.get_by_text(words)).to_be_visible()
    step = page.get_by_role("button", name=re.compile(f"^{LEFT}"))
    goal = page.get_by_role("button", name=re.compile("^Order Completed"))
    expect(goal).to_be_in_viewport(ratio=0.99)
    foot, below = goal.bounding_box(), legend.bounding_box()
    assert foot
    assert below
    assert foot["y"] + foot["height"] <= below["y"], "the legend covers no step"
    step.click()
    panel = page.get_by_role("complementary", name=LEFT)
    expect(panel.get_by_text("They leave")).to_be_visible()
    panel.get_by_role("table", name="Who").get_by_role("link").first.click()


def ask_why_somebody_got_nothing(page: Page) -> None:
    """The answer stands in the window, however long the story above it is."""
    for story in page.get_by_role("button", expanded=False).all():
        story.click()
    other = page.get_by_label("Why not another journey?")
    name = other.locator("option").nth(1).inner_text()
    other.select_option(name)
    answer = page.get_by_role("button", name=name, exact=True)
    expect(answer).to_be_in_viewport()
    expect(page.get_by_text("Never entered.")).to_be_in_viewport()


def change_the_wait(page: Page) -> None:
    """A mistake is told beside its line, and cannot be published."""
    page.get_by_role("link", name="Journeys").click()
    page.get_by_role("link", name=JOURNEY).click()
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_text("Choose a step")).to_be_visible()
    text = page.get_by_role("textbox", name="The definition, as YAML")
    text.get_by_text(BEFORE, exact=True).dblclick()
    page.keyboard.type("5 seconds")
    expect(page.get_by_text("expected a duration such as 30s")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    page.keyboard.press("Control+z")
    text.get_by_text(BEFORE, exact=True).dblclick()
    page.keyboard.type(AFTER)
    expect(page.get_by_text("Checked: no problems")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Draft saved")).to_be_visible()
    expect(page.get_by_text("Esc, then Tab leaves the text")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(text).not_to_be_focused()
    expect(text.get_by_text(AFTER, exact=True)).to_be_visible()


def rehearse(page: Page) -> None:
    """Last week runs through the draft, and it is told what that cannot show."""
    page.get_by_role("button", name="Rehearse").click()
    dialog = page.get_by_role("dialog", name="Rehearse")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_text("People who get something else")).to_be_visible(timeout=REHEARSED_MS)
    expect(dialog.get_by_text("What people did is as it was")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()


def publish(page: Page) -> None:
    """With the policy that takes people inside along."""
    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog", name="Publish")
    dialog.get_by_role("radio", name="Go along", exact=True).click()
    expect(dialog.get_by_text("Those inside move to the state of the same name")).to_be_visible()
    dialog.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Watch it").click()


def see_it_in_force(page: Page) -> None:
    """The journey runs, is one journey wherever it is named, and its versions tell what changed."""
    expect(page.get_by_text("Running", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_role("row", name=re.compile("Open.*went along"))).to_be_visible()
    changed = page.get_by_role("region", name="What changed")
    expect(changed.get_by_text(f"after: {{ {BEFORE}: deciding }}")).to_be_visible()
    expect(changed.get_by_text(f"after: {{ {AFTER}: deciding }}")).to_be_visible()
    page.get_by_role("link", name="Journeys").click()
    expect(page.get_by_role("row", name=re.compile(f"{JOURNEY}.*Running"))).to_have_count(1)
    expect(page.get_by_role("row", name=JOURNEY)).to_have_count(1)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(JOURNEY)
    expect(page.get_by_role("option", name=re.compile(f"^{JOURNEY}"))).to_have_count(1)
