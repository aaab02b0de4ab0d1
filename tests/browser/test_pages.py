"""Every page of the studio over a real server: it draws what the API says, and everybody can use it."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.house import House
from tests.browser.looking import serious
from tests.browser.studio import PATIENCE_MS, ask, screens, send, somebody, visit

pytestmark = pytest.mark.browser


def test_every_page_shows_its_data_in_light_and_dark_and_axe_finds_nothing_serious(
    page: Page, house: House
) -> None:
    """Contrast, names and roles are what people who do not see well, or use no mouse, live on."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for screen in screens(house):
            visit(page, screen)
            found += [f"{screen.name}, {scheme}: {each}" for each in serious(page)]
    assert found == []


def test_a_step_of_the_map_leads_to_the_people_on_it(page: Page, house: House) -> None:
    """Whoever sees that many stop somewhere wants to see one of them."""
    page.goto("/studio/map?rare=0")
    page.get_by_role("button", name="Help Opened").first.click(timeout=PATIENCE_MS)
    link = page.locator("a[href*='/studio/people/']").first
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    who = link.get_attribute("href") or ""
    link.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
    assert page.url.endswith(who), "the address can be shared"


def test_a_person_is_found_by_their_id_and_what_they_got_is_explained(page: Page, house: House) -> None:
    """Support asks: who is it, what did they get, and why?"""
    who = somebody(house)
    profile = ask(house, f"/api/v1/profiles/{quote(who, safe='')}")
    page.goto("/studio/people")
    page.get_by_role("searchbox").or_(page.get_by_role("textbox")).first.fill(who)
    page.get_by_role("link", name=who).first.click(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", level=1)).to_contain_text(who, timeout=PATIENCE_MS)
    for anonymous_id in profile["anonymous_ids"]:
        expect(page.get_by_text(anonymous_id).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(profile["traits"]["email"]).first).to_be_visible(timeout=PATIENCE_MS)


def test_an_event_that_comes_now_stands_in_the_tail_with_its_verdict(page: Page, house: House) -> None:
    """Whoever puts an SDK into a page wants to see its first event arrive."""
    page.goto("/studio/operate")
    expect(page.get_by_role("heading", name="Operate", level=1)).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(1_000)  # the stream is open
    name = f"Tail Tried {time.time_ns()}"
    send(house, {"type": "track", "event": name, "userId": "tail", "messageId": name})
    expect(page.get_by_text(name).first).to_be_visible(timeout=PATIENCE_MS)


def test_nobody_sees_anything_before_they_sign_in(browser: Browser, house: House) -> None:
    """The studio's files are everybody's; people's data is not."""
    context = browser.new_context(base_url=house.address)
    try:
        page = context.new_page()
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status) if "/api/" in answer.url else None)
        page.goto("/studio/people")
        expect(page.get_by_label("Password").or_(page.get_by_label("Admin token")).first).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert set(answers) <= {401}
    finally:
        context.close()
