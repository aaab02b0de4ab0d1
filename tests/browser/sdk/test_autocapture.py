"""Autocapture on a real page: what is told of a person's clicks and forms, what never is, and friction."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.sdk.pages import Pages, Shop, open_page, opened_shop, script, visitor

pytestmark = pytest.mark.browser

BODY = """
<h1>Checkout</h1>
<button id="buy">Buy now</button> <button id="works">Show more</button>
<button id="breaks">Pay</button> <button id="more" aria-label="Increase">+</button>
<p id="plain" onclick="">Not a button</p> <p id="shown"></p>
<form id="address">
  <label>Name <input name="name"></label>
  <input type="password" name="password">
  <select name="country"><option>DE</option><option>FR</option></select>
  <textarea name="note" data-sojourn-mask></textarea>
  <button>Send</button>
</form>
<form id="newsletter"><input name="email"><button>Join</button></form>
<div data-sojourn-ignore><button id="hidden">Internal</button></div>
<script>
  works.onclick = () => { shown.textContent = "more" };
  breaks.onclick = () => { throw new TypeError("card 4242 of ada@example.com") };
  address.onsubmit = (event) => event.preventDefault();
</script>"""

RESCUE = """
journey: rescue
entry: { on: $friction.rage }
holdout: off
states:
  in: { after: { 1d: done } }
"""
SECRETS = ("Ada Lovelace", "hunter2", "FR", "ring twice", "4242", "ada@example.com")
SIGNALS = ("$rageclick", "$dead_click", "$error_click", "$quick_back", "$form_abandon")


def open_checkout(visit: BrowserContext, pages: Pages, shop: Shop) -> Page:
    """Open the checkout, with all captured."""
    head = script(shop.setup, shop.program.address, "sojourn.full.min.js", autocapture="")
    return open_page(visit, pages, "/checkout", head=head, body=BODY)


def told(shop: Shop, page: Page) -> list[tuple[str, dict[str, Any]]]:
    """Send what waits, and return everything that was told of whoever uses a page."""
    assert page.evaluate("sojourn.flush()")
    who = visitor(page)
    return [
        (event.name, json.loads(bytes(event.properties)))
        for event in shop.events()
        if event.anonymous_id == who
    ]


def named(events: list[tuple[str, dict[str, Any]]], name: str) -> list[dict[str, Any]]:
    """Return the properties of the events of a name."""
    return [properties for each, properties in events if each == name]


def signals(events: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    """Return every signal of friction: its name, and of what."""
    return [
        (name, properties.get("target") or properties["form_id"])
        for name, properties in events
        if name in SIGNALS
    ]


def test_a_click_is_told_with_its_element_and_never_with_more(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """Words that are the page's, and the way to the element; nothing where the page says so."""
    page = open_checkout(visit, pages, shop)
    page.click("#works")
    page.click("#hidden")
    [click] = named(told(shop, page), "$click")
    assert {name: click[name] for name in ("target", "tag", "text")} == {
        "target": "button#works", "tag": "button", "text": "Show more",
    }  # fmt: skip
    assert {"x", "y"} <= click.keys()


def test_what_is_typed_and_chosen_is_told_by_nobody(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """Not in any event, not in any part of one: the whole log is searched."""
    page = open_checkout(visit, pages, shop)
    page.fill("[name=name]", "Ada Lovelace")
    page.fill("[name=password]", "hunter2")
    page.select_option("[name=country]", "FR")
    page.fill("[name=note]", "ring twice")
    page.click("#breaks")
    page.click("#address button")
    events = told(shop, page)
    assert named(events, "Form Started") == [{"form_id": "address"}]
    assert named(events, "Form Submitted") == [{"form_id": "address"}]
    changed = [change["tag"] for change in named(events, "$change")]
    assert sorted(changed) == ["input", "input", "select", "textarea"]
    log = json.dumps(events, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in log] == []


def test_clicks_that_nothing_answers_are_rage_and_dead(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """One burst is one signal of each; what works, a stepper, a link or a field, is none."""
    page = open_checkout(visit, pages, shop)
    page.click("#buy", click_count=4, delay=20)
    page.wait_for_timeout(2_700)
    page.click("#works")
    page.click("[name=name]")
    page.wait_for_timeout(2_700)
    for _ in range(5):
        page.click("#more")
    page.wait_for_timeout(2_700)
    assert signals(told(shop, page)) == [("$rageclick", "button#buy"), ("$dead_click", "button#buy")]


def test_a_click_that_breaks_something_is_an_error_click(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """The error is told by its kind and place, never by its words."""
    page = open_checkout(visit, pages, shop)
    page.click("#breaks")
    events = told(shop, page)
    assert signals(events) == [("$error_click", "button#breaks")]
    [error] = named(events, "$error")
    assert (error["name"], error["file"]) == ("TypeError", pages.url + "/checkout")


def test_who_turns_back_at_once_is_noticed(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """Inside the page, there and back again."""
    page = open_checkout(visit, pages, shop)
    page.evaluate("history.pushState({}, '', '/checkout/terms')")
    page.wait_for_timeout(600)
    page.evaluate("history.back()")
    page.wait_for_timeout(600)
    assert signals(told(shop, page)) == [("$quick_back", "/checkout/terms")]


def test_a_form_that_is_begun_and_left_is_abandoned(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """It is told as the page goes away, and says how far somebody came."""
    page = open_checkout(visit, pages, shop)
    page.fill("#newsletter [name=email]", "ada@example.com")
    page.goto("about:blank")
    shop.wait(lambda _: bool(shop.named("$form_abandon")))
    assert {"form_id": "newsletter", "n_fields": 1} in shop.named("$form_abandon")


def test_the_engine_hears_the_same_signals(
    pages: Pages, visit: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its own rules see the same clicks: one burst is one signal, whoever found it first."""
    folder = tmp_path_factory.mktemp("friction") / "shop"
    with opened_shop(folder, journeys={"rescue.yaml": RESCUE}) as shop:
        page = open_checkout(visit, pages, shop)
        page.click("#buy", click_count=4, delay=20)
        assert page.evaluate("sojourn.flush()")
        assert shop.profile(visitor(page), '"signal":"rage"').count('"signal":"rage"') == 1
