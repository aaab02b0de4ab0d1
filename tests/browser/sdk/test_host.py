"""What a page feels of the SDK: nothing, whatever the page is, does and forbids."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.sdk.pages import Numbers, Pages, Shop, count, open_page, script, visitor

pytestmark = pytest.mark.browser

# Objects that throw wherever they are touched, and one whose text is never to be had.
HOSTILE = """() => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const shy = { get secret() { throw new Error("shy") } };
  const deep = {}; let inner = deep;
  for (let n = 0; n < 50000; n++) inner = inner.next = {};
  const odd = [revoked.proxy, shy, deep, { toJSON() { throw 1 } }, document.body, window, 7n, Symbol()];
  for (const one of odd) {
    for (const call of ["track", "page", "identify", "group", "alias"]) {
      sojourn[call](one);
      sojourn[call]("Odd", one);
    }
    sojourn.consent(one);
  }
}"""


def test_no_argument_breaks_a_page_or_the_next_call(
    shop: Shop, pages: Pages, visit: BrowserContext, numbers: Numbers
) -> None:
    """Nothing is thrown, and what comes next is told as ever."""
    page = open_page(visit, pages, "/odd", head=script(shop.setup, shop.program.address))
    page.evaluate(HOSTILE)
    taken = numbers.take(1)
    count(page, taken)
    shop.has(taken)


def test_a_page_with_the_tag_twice_tells_everything_once(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """A tag manager's and the template's own: one page view, one event for a click."""
    tag = script(shop.setup, shop.program.address, "sojourn.full.min.js", autocapture="")
    page = open_page(visit, pages, "/twice", head=tag + tag, body="<button>Buy</button>")
    page.get_by_role("button").click()
    page.wait_for_timeout(300)
    assert page.evaluate("sojourn.flush()")
    who = visitor(page)
    assert [event.name for event in shop.events() if event.anonymous_id == who] == ["$page", "$click"]


def test_a_frame_in_a_sandbox_is_told_of_and_breaks_nothing(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """It may touch neither cookies nor storage, nor name its origin."""
    pages.put("/boxed", "ad", head=script(shop.setup, shop.program.address))
    page = visit.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if "sojourn" in message.text else None)
    address = pages.put("/around", '<iframe sandbox="allow-scripts" src="/boxed"></iframe>')
    page.goto(address)
    shop.wait(lambda _: any(each["path"] == "/boxed" for each in shop.named("$page")))
    assert broken == []


def test_a_no_where_a_yes_is_presumed_holds_on_the_next_page(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """The refusal is kept, and nothing else; a yes ends it."""
    page = open_page(visit, pages, "/opt-out", head=script(shop.setup, shop.program.address))
    page.evaluate("sojourn.consent(false)")
    page.reload()
    page.evaluate("sojourn.track('Unwanted')")
    page.wait_for_timeout(500)
    assert json.loads(page.evaluate("JSON.stringify(Object.values(localStorage))")) == ["no"]
    assert visit.cookies() == []
    assert shop.named("Unwanted") == []
    page.evaluate("sojourn.consent(true)")
    page.evaluate("sojourn.track('Wanted Again')")
    shop.wait(lambda _: bool(shop.named("Wanted Again")))
