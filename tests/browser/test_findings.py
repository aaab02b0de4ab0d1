"""People, what is found about them, and operating, in a real browser: pages say what the API answers."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.house import House
from tests.browser.studio import PATIENCE_MS, ask, send

pytestmark = pytest.mark.browser

STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
QUESTION_MS = 90_000
"""Questions are answered one at a time, and a browser works beside them on the same cores."""
PASSWORD = "six small words do here"


@pytest.fixture
def signed_in(page: Page) -> Page:
    """Wait until the page knows who is signed in."""
    expect(page.get_by_role("navigation")).to_be_visible(timeout=PATIENCE_MS)
    return page


def test_a_person_s_messages_stand_with_what_decided_them(signed_in: Page, house: House) -> None:
    """Why did they get this, or not? At a glance, and the same as the explanation says."""
    who, profile = _nudged(house)
    signed_in.goto(f"/studio/people/{quote(who, safe='')}")
    expect(signed_in.get_by_role("heading", level=1)).to_contain_text(who, timeout=PATIENCE_MS)
    for fact in profile["timeline"]:
        if fact["type"] == "action_withheld":
            row = signed_in.get_by_role("row").filter(has_text=f"{fact['journey']}, in {fact['state']}")
            expect(row.first).to_contain_text("Not sent", timeout=PATIENCE_MS)
    for journey in {fact["journey"] for fact in profile["timeline"] if fact["type"] == "entered"}:
        expect(signed_in.get_by_role("button", name=journey, exact=True)).to_be_visible()


def test_a_journey_somebody_never_met_says_what_its_entry_asks(signed_in: Page, house: House) -> None:
    """*Why not?* is asked more often than *why?*."""
    who = f"stranger-{time.time_ns()}"
    send(house, {"type": "track", "event": "Products Searched", "userId": who, "messageId": who})
    _until(lambda: _has(house, who))
    signed_in.goto(f"/studio/people/{who}?why=support-escalation")
    expect(signed_in.get_by_text("Never entered.").first).to_be_visible(timeout=PATIENCE_MS)
    explained = ask(house, f"/api/v1/journeys/support-escalation/explanation?person={who}")
    for hint in explained["hints"]:
        expect(signed_in.get_by_text(hint)).to_be_visible(timeout=PATIENCE_MS)


def test_whoever_is_to_be_forgotten_is_typed_first_and_then_gone(signed_in: Page, house: House) -> None:
    """Nothing brings them back, so a click is not enough."""
    who = f"leaver:{time.time_ns()}?"  # an id with what an address would read otherwise
    send(house, {"type": "track", "event": "Products Searched", "userId": who, "messageId": who})
    _until(lambda: _has(house, who))
    signed_in.goto(f"/studio/people/{quote(who, safe='')}")
    signed_in.get_by_role("button", name="Forget this person").click(timeout=PATIENCE_MS)
    dialog = signed_in.get_by_role("dialog")
    go = dialog.get_by_role("button", name="Forget for good")
    expect(go).to_be_disabled()
    would = ask(house, f"/api/v1/profiles/{quote(who, safe='')}")
    counted = dialog.get_by_role("definition").first  # before anything goes
    expect(counted).to_have_text(str(would["n_events"]), timeout=PATIENCE_MS)
    assert _has(house, who)
    dialog.get_by_label("to confirm").fill(who)
    dialog.get_by_label("Reason").fill("asked to")
    go.click()
    expect(signed_in.get_by_text("They are gone").first).to_be_visible(timeout=PATIENCE_MS)
    signed_in.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(signed_in.get_by_role("heading", name="People", level=1)).to_be_visible(timeout=PATIENCE_MS)
    _until(lambda: not _has(house, who))
    signed_in.goto("/studio/operate?tab=forgotten")
    row = signed_in.get_by_role("row").filter(has_text="asked to").first
    expect(row).to_contain_text("erased", timeout=QUESTION_MS)
    expect(row).not_to_contain_text(who)


def test_a_funnel_has_the_numbers_of_the_api_and_lists_who_dropped(signed_in: Page, house: House) -> None:
    """From a bar to the people behind it."""
    query = "&".join(f"step={quote(step)}" for step in STEPS)
    told = ask(house, f"/api/v1/analytics/funnel?{query}")
    signed_in.goto(f"/studio/funnels?{query}")
    steps = signed_in.get_by_role("listitem")
    for step in told["steps"]:
        counted = steps.filter(has_text=f"{step['count']:,} ·").filter(has_text=step["step"])
        expect(counted.first).to_be_visible(timeout=QUESTION_MS)
    signed_in.get_by_role("button", name="Who?").first.click()
    person = signed_in.get_by_role("dialog").locator("a[href*='/studio/people/']").first
    expect(person).to_be_visible(timeout=QUESTION_MS)


def test_attribution_says_which_of_its_numbers_are_no_effect(signed_in: Page, house: House) -> None:
    """Credit beside effect, each under its name; every channel with what the API credits it."""
    told = ask(house, "/api/v1/analytics/attribution?conversion=Order%20Completed&model=last&replicates=0")
    signed_in.goto("/studio/attribution?conversion=Order+Completed&model=last&model=markov")
    expect(signed_in.get_by_text("is not causal").first).to_be_visible(timeout=QUESTION_MS)
    for one in told["channels"]:
        row = signed_in.get_by_role("row").filter(has=signed_in.get_by_role("cell", name=one["channel"]))
        expect(row.filter(has_text=f"{one['conversions']:,.0f}").first).to_be_visible(timeout=QUESTION_MS)
    expect(signed_in.get_by_role("heading", name="What not to conclude")).to_be_visible()


def test_friction_has_what_the_api_found_the_costliest_first(signed_in: Page, house: House) -> None:
    """With a goal that is guessed from what people do, and can be changed."""
    told = ask(house, "/api/v1/analytics/friction?goal=Order%20Completed&limit=40")
    signed_in.goto("/studio/friction")
    expect(signed_in.get_by_label("Goal")).to_have_value("Order Completed", timeout=QUESTION_MS)
    text = f"{len(told['findings'])} of {told['n_findings']} findings"
    expect(signed_in.get_by_text(text)).to_be_visible(timeout=QUESTION_MS)


def test_retention_s_cohorts_are_those_of_the_api(signed_in: Page, house: House) -> None:
    """A row for each day on which somebody came first, with how many they were."""
    told = ask(house, "/api/v1/analytics/retention?period=day&periods=14")
    signed_in.goto("/studio/retention")
    for name, people in {each["cohort"]: each["people"] for each in told["cohorts"]}.items():
        row = signed_in.get_by_role("row").filter(has=signed_in.get_by_role("rowheader", name=name))
        expect(row).to_contain_text(f"{people:,}", timeout=QUESTION_MS)


def test_a_failed_event_is_shown_with_what_came_and_can_be_tried_again(signed_in: Page, house: House) -> None:
    """The reason, the bytes, and a door that reads them anew."""
    name = f"Nobody Did {time.time_ns()}"
    send(house, {"type": "track", "event": name, "messageId": name})
    signed_in.goto("/studio/operate?tab=failed")
    signed_in.get_by_role("row").filter(has_text="missing-id").last.get_by_role("button").click(
        timeout=PATIENCE_MS
    )
    dialog = signed_in.get_by_role("dialog")
    expect(dialog).to_contain_text("Nobody Did", timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Try again").click()
    expect(signed_in.get_by_text("fails as before").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_journey_is_paused_only_after_a_word_and_goes_on_again(signed_in: Page, house: House) -> None:
    """What stands still is said by the page and by the API."""
    signed_in.goto("/studio/operate?tab=holds")
    row = signed_in.get_by_role("row").filter(has_text="welcome")
    row.get_by_role("button", name="Pause").click(timeout=PATIENCE_MS)
    assert not _is_paused(house, "welcome"), "nothing happens before it is confirmed"
    signed_in.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused", timeout=PATIENCE_MS)
    assert _is_paused(house, "welcome")
    row.get_by_role("button", name="Resume").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("running", timeout=PATIENCE_MS)


def test_who_may_only_look_sees_no_button_that_would_be_refused(
    signed_in: Page, browser: Browser, house: House
) -> None:
    """An account made on the page signs in, and finds nothing to change."""
    name = f"looker{time.time_ns()}"
    signed_in.goto("/studio/operate?tab=accounts")
    signed_in.get_by_role("button", name="Add an account").click(timeout=PATIENCE_MS)
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(signed_in.get_by_role("row").filter(has_text=name)).to_contain_text("viewer", timeout=PATIENCE_MS)

    context = _context_of(browser, house, name)
    try:
        looker = context.pages[0]
        looker.goto("/studio/operate?tab=holds")
        expect(looker.get_by_text("Your role may look")).to_be_visible(timeout=PATIENCE_MS)
        expect(looker.get_by_role("button", name=re.compile("Pause|Stop"))).to_have_count(0)
        expect(looker.get_by_role("tab", name=re.compile("Accounts|Forgotten"))).to_have_count(0)
        looker.goto(f"/studio/people/{quote(_nudged(house)[0], safe='')}")
        expect(looker.get_by_role("tab", name="Timeline")).to_be_visible(timeout=PATIENCE_MS)
        expect(looker.get_by_role("button", name="Forget")).to_have_count(0)
    finally:
        context.close()


def _context_of(browser: Browser, house: House, name: str) -> BrowserContext:
    """Open a browser of somebody else, who signs in by name."""
    context = browser.new_context(base_url=house.address)
    page = context.new_page()
    page.goto("/studio/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation")).to_be_visible(timeout=PATIENCE_MS)
    return context


def _nudged(house: House) -> tuple[str, dict[str, Any]]:
    """Return somebody a journey wanted to send something to, and their profile."""
    for found in ask(house, "/api/v1/people?query=shopper-&limit=100"):
        profile: dict[str, Any] = ask(house, f"/api/v1/profiles/{quote(found['id'], safe='')}")
        if any(fact["type"] == "action_withheld" for fact in profile["timeline"]):
            return str(found["user_ids"][0]), profile
    raise AssertionError("no journey wanted to send anything in the week before")


def _has(house: House, who: str) -> bool:
    found = ask(house, f"/api/v1/people?query={quote(who, safe='')}")
    return any(who in each["user_ids"] for each in found)


def _is_paused(house: House, journey: str) -> bool:
    return any(each["name"] == journey and each["is_paused"] for each in ask(house, "/api/v1/journeys"))


def _until(holds: Any) -> None:
    """Wait for what was sent to be processed."""
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
