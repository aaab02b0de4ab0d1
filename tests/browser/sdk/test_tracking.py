"""What the browser SDK says of a visit: pages, campaigns, people, consent; and where it keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from sojourn.model.event import Event
from tests.browser.sdk.pages import Numbers, Pages, Shop, count, open_page, script, visitor

pytestmark = pytest.mark.browser

SNIPPET = """
<script>
  (function (q, names) {
    window.sojourn = q;
    names.forEach(function (name) {
      q[name] = function () { q.push([name, Date.now()].concat([].slice.call(arguments))); };
    });
    q.load("<key>", { host: "<host>" });
    q.identify("early-bird", { plan: "pro" });
    q.track("Early Click", { n: 1 });
  })([], ["load", "track", "page", "identify", "group", "alias", "reset", "consent", "flush", "ready"]);
</script>"""


def open_shop(visit: BrowserContext, pages: Pages, shop: Shop, path: str, **data: str) -> Page:
    """Open a page whose tracker sends to the shop."""
    return open_page(visit, pages, path, head=script(shop.setup, shop.program.address, **data))


def of_person(shop: Shop, page: Page, n: int) -> list[Event]:
    """Wait for `n` events of whoever uses a page; return them."""
    who = visitor(page)
    shop.wait(lambda events: len([event for event in events if event.anonymous_id == who]) >= n)
    return [event for event in shop.events() if event.anonymous_id == who]


def properties(event: Event) -> dict[str, Any]:
    """Read an event's properties."""
    found: dict[str, Any] = json.loads(bytes(event.properties))
    return found


def context(event: Event) -> dict[str, Any]:
    """Read an event's context."""
    found: dict[str, Any] = json.loads(bytes(event.context))
    return found


def test_a_page_inside_the_page_is_a_page(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """Pushed, replaced by itself (no new page), and gone back to; each with its title and its referrer."""
    page = open_shop(visit, pages, shop, "/spa")
    page.evaluate("history.pushState({}, '', '/spa/cart?step=1'); document.title = 'Cart'")
    page.wait_for_timeout(50)
    page.evaluate("history.replaceState({ seen: true }, '', location.href)")
    page.wait_for_timeout(50)
    page.evaluate("history.back()")
    seen = [properties(event) for event in of_person(shop, page, 3)]
    assert [(each["path"], each["search"], each["title"]) for each in seen] == [
        ("/spa", "", "Shop"),
        ("/spa/cart", "?step=1", "Cart"),
        ("/spa", "", "Cart"),
    ]
    assert seen[1]["referrer"] == pages.url + "/spa"


def test_a_campaign_comes_with_the_event(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """UTM and click ids; the server knows the channel by them."""
    page = open_shop(visit, pages, shop, "/land?utm_source=news&utm_medium=email&utm_campaign=May&gclid=abc")
    [event] = of_person(shop, page, 1)
    assert context(event)["campaign"] == {
        "source": "news", "medium": "email", "name": "May", "gclid": "abc",
    }  # fmt: skip
    assert shop.profile(str(event.anonymous_id), '"channel":"email"')


def test_an_event_has_its_times_and_its_device(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """The device's clock, when it was sent, and an address cut as for every person's own device."""
    page = open_shop(visit, pages, shop, "/clock")
    [event] = of_person(shop, page, 1)
    assert event.timestamp is not None
    assert event.sent_at is not None
    assert 0 <= event.sent_at - event.timestamp < 10_000
    assert (event.ip, event.device is not None) == ("127.0.0.0", True)
    assert context(event)["library"]["name"] == "sojourn-javascript"


def test_calls_before_the_script_is_there_are_kept(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """The snippet's, in their order and with their times; the script comes a while later."""
    head = SNIPPET.replace("<key>", shop.setup.write_key).replace("<host>", shop.program.address)
    page = open_page(visit, pages, "/early", head=head)
    before = page.evaluate("Date.now()")
    page.wait_for_timeout(100)
    page.add_script_tag(url="/sdk/sojourn.min.js")
    events = of_person(shop, page, 3)
    [early] = [event for event in events if event.name == "Early Click"]
    assert [event.name for event in events if event.name != "$page"] == ["$identify", "Early Click"]
    assert early.timestamp is not None
    assert (early.user_id, early.timestamp <= before) == ("early-bird", True)


def test_a_script_that_is_told_to_load_again_goes_on(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """One tracker, one page view, one event for a click."""
    data = {"autocapture": "", "vitals": ""}
    head = script(shop.setup, shop.program.address, "sojourn.full.min.js", **data)
    page = open_page(visit, pages, "/again", head=head, body="<button>Twice</button>")
    page.evaluate("key => sojourn.load(key)", shop.setup.write_key)
    page.get_by_role("button").click()
    assert page.evaluate("sojourn.flush()")
    assert [event.name for event in of_person(shop, page, 2)] == ["$page", "$click"]


def test_who_somebody_is_outlives_the_page_and_its_storage(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """A reload keeps the user; a cleared storage still has the cookie's id; a reset makes somebody new."""
    page = open_shop(visit, pages, shop, "/id")
    page.evaluate("sojourn.identify('ada-id', { plan: 'pro' })")
    first = page.evaluate("sojourn.user()")
    page.reload()
    assert page.evaluate("sojourn.user()") == first
    page.evaluate("sojourn.flush().then(() => localStorage.clear())")
    page.reload()
    cleared = page.evaluate("sojourn.user()")
    assert (cleared["anonymousId"], cleared["userId"]) == (first["anonymousId"], None)
    page.evaluate("sojourn.reset()")
    assert visitor(page) != first["anonymousId"]


def test_tabs_agree_on_who_it_is(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """One signs in; the other's next event is that user's."""
    one = open_shop(visit, pages, shop, "/tabs")
    other = open_shop(visit, pages, shop, "/tabs")
    one.evaluate("sojourn.identify('tabs-ada')")
    other.wait_for_function("sojourn.user().userId === 'tabs-ada'")
    other.evaluate("sojourn.track('Told By The Other')")
    shop.wait(lambda events: any(event.name == "Told By The Other" for event in events))
    [event] = [event for event in shop.events() if event.name == "Told By The Other"]
    assert event.user_id == "tabs-ada"


def stored(page: Page, visit: BrowserContext) -> tuple[int, list[str]]:
    """Return how many names are in storage, and the names of cookies."""
    n: int = page.evaluate("localStorage.length + sessionStorage.length")
    return n, [cookie.get("name", "") for cookie in visit.cookies()]


def test_before_consent_nothing_is_stored_or_sent(
    shop: Shop, pages: Pages, visit: BrowserContext, numbers: Numbers
) -> None:
    """Not one name, not one request; after a yes, everything since the start; after a no, nothing is left."""
    page = visit.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    pages.put("/consent", "hello", head=script(shop.setup, shop.program.address, consent="required"))
    page.goto(pages.url + "/consent")
    taken = numbers.take(3)
    count(page, taken)
    page.evaluate("sojourn.flush()")
    page.wait_for_timeout(600)
    assert stored(page, visit) == (0, [])
    assert [url for url in requests if url.startswith(shop.program.address)] == []
    page.evaluate("sojourn.consent({ analytics: true, email: false })")
    shop.has(taken)
    page.reload()
    again = numbers.take(1)
    count(page, again)
    shop.has(again)
    page.evaluate("sojourn.consent(false)")
    count(page, numbers.take(1))
    assert stored(page, visit) == (0, [])


def test_a_no_in_one_tab_is_a_no_in_all(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """And so is a yes."""
    one, other = (open_shop(visit, pages, shop, "/word", consent="required") for _ in range(2))
    one.evaluate("sojourn.consent(true)")
    other.wait_for_function("localStorage.length > 0")
    other.evaluate("sojourn.track('Allowed Elsewhere')")
    shop.wait(lambda events: any(event.name == "Allowed Elsewhere" for event in events))
    one.evaluate("sojourn.consent(false)")
    other.wait_for_timeout(300)
    other.evaluate("sojourn.track('Forbidden Elsewhere')")
    assert other.evaluate("sojourn.flush()")
    assert "Forbidden Elsewhere" not in [event.name for event in shop.events()]
    assert stored(other, visit) == (0, [])


def test_a_browser_that_asks_not_to_be_tracked_is_heard(
    shop: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """Where the page wants it so: Global Privacy Control, and Do Not Track."""
    visit.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    page = open_shop(visit, pages, shop, "/gpc", respect_gpc="true")
    page.evaluate("sojourn.track('Unwanted')")
    page.wait_for_timeout(500)
    assert stored(page, visit) == (0, [])
    heedless = open_shop(visit, pages, shop, "/heedless")
    assert of_person(shop, heedless, 1)


def test_web_vitals_are_told_as_the_page_is_left(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """Those that this browser measures."""
    head = script(shop.setup, shop.program.address, "sojourn.full.min.js", vitals="")
    page = open_page(visit, pages, "/vitals", head=head, body="<h1>hello</h1><button>Press</button>")
    page.get_by_role("button").click()
    page.wait_for_timeout(200)
    who = visitor(page)
    page.goto("about:blank")

    def told_by(events: list[Event]) -> list[Event]:
        return [event for event in events if (event.name, event.anonymous_id) == ("Web Vitals", who)]

    [event] = told_by(shop.wait(lambda events: bool(told_by(events))))
    told = properties(event)
    assert {"lcp", "fcp", "ttfb", "cls"} <= told.keys()
    assert 0 <= told["ttfb"] <= told["fcp"] <= told["lcp"] < 10_000
