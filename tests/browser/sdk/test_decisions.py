"""Decisions in a page: OpenFeature's own web SDK with our provider, told anew when an event changes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.sdk.pages import MODULES, Pages, Shop, open_page, opened_shop, script

pytestmark = pytest.mark.browser

PAGE_KEY = "a-key-that-is-in-the-page"
AWAY_PATIENCE_MS = 90_000
"""A page that found a slow machine's server away for long asks again after up to a minute."""
RESCUE = """
journey: rescue
entry: { on: Checkout Started }
holdout: off
states:
  waiting:
    on: { Help Opened: assisted }
    after: { 30m: done }
  assisted:
    do: [ { console: , channel: web, body: { text: "May we help?" } } ]
    after: { 1d: done }
"""
BANNER = """
flag: banner
variants: { none: "", free: Free shipping }
default: none
rules:
  - experiment: { id: banners, variants: { free: 1 } }
"""
HEAD = """
<script type="importmap">
  { "imports": {
    "@openfeature/web-sdk": "/modules/@openfeature/web-sdk/dist/esm/index.js",
    "@openfeature/core": "/modules/@openfeature/core/dist/esm/index.js"
  } }
</script>
<script type="module">
  import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
  import { SojournProvider } from "/sdk/openfeature.js";
  const client = OpenFeature.getClient();
  window.client = client;
  window.heard = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, (details) => heard.push(details.flagsChanged));
  const provider = new SojournProvider({ url: "<url>", key: "<page key>", sojourn });
  window.running = OpenFeature.setProviderAndWait(provider).then(() => "running", (error) => error.message);
  window.begun = true;
</script>"""


@pytest.fixture(scope="module")
def deciding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Serve a shop that decides."""
    if not (MODULES / "@openfeature/web-sdk").is_dir():
        pytest.skip("the packages of web/ are not installed: make studio")
    keys = {"page": {"key": PAGE_KEY, "kind": "browser", "flags": ["journey.rescue.*", "banner"]}}
    journeys = {"rescue.yaml": RESCUE, "banner.yaml": BANNER}
    folder = tmp_path_factory.mktemp("decisions") / "shop"
    with opened_shop(folder, journeys=journeys, decisions={"keys": keys}) as shop:
        yield shop


def open_deciding(visit: BrowserContext, pages: Pages, shop: Shop, *, key: str = PAGE_KEY) -> Page:
    """Open a page with the provider."""
    head = HEAD.replace("<url>", shop.program.address).replace("<page key>", key)
    page = open_page(visit, pages, "/decide", head=script(shop.setup, shop.program.address) + head)
    page.wait_for_function("window.begun")
    return page


def test_a_page_hears_of_a_decision_that_its_own_event_has_changed(
    deciding: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """Nobody asks again: the server's stream says so. Each change once, by the flags that changed."""
    page = open_deciding(visit, pages, deciding)
    assert page.evaluate("running") == "running"
    assert page.evaluate("client.getStringValue('journey.rescue.state', '?')") == ""
    page.evaluate("sojourn.track('Checkout Started')")
    page.wait_for_function("client.getStringValue('journey.rescue.state', '?') === 'waiting'")
    page.evaluate("sojourn.track('Help Opened')")
    page.wait_for_function("client.getObjectValue('journey.rescue.next_action', {}).kind === 'act'")
    assert page.evaluate("heard.every((flags) => flags.includes('journey.rescue.state'))")


def test_a_flag_that_a_page_uses_is_an_exposure_once(
    deciding: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """Asking for all of them is none."""
    page = open_deciding(visit, pages, deciding)
    assert page.evaluate("running") == "running"
    assert page.evaluate("sojourn.flush()")
    assert deciding.named("Flag Exposed") == []
    values = page.evaluate("[1, 2, 3].map(() => client.getStringValue('banner', '?'))")
    assert values == ["Free shipping"] * 3
    deciding.wait(lambda _: bool(deciding.named("Flag Exposed")))
    [told] = deciding.named("Flag Exposed")
    assert (told["flag"], told["variant"]) == ("banner", "free")


def test_what_is_asked_as_another_type_or_is_not_there_is_the_applications_own(
    deciding: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """With the codes of OpenFeature."""
    page = open_deciding(visit, pages, deciding)
    page.evaluate("running")
    codes = page.evaluate(
        "[client.getNumberDetails('banner', 7), client.getBooleanDetails('nothing', true)]"
        ".map(({ value, errorCode }) => [value, errorCode])"
    )
    assert codes == [[7, "TYPE_MISMATCH"], [True, "FLAG_NOT_FOUND"]]


def test_a_wrong_key_is_told_at_the_start(deciding: Shop, pages: Pages, visit: BrowserContext) -> None:
    """The SDK hears that it is of no use to go on."""
    page = open_deciding(visit, pages, deciding, key="no-such-key")
    assert "401" in page.evaluate("running")
    assert page.evaluate("client.providerStatus") == "FATAL"


def test_a_page_that_began_without_a_server_has_its_answers_later(
    deciding: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """The application's own answers hold until then, and it hears when they change."""
    deciding.program.stop()
    page = open_deciding(visit, pages, deciding)
    assert page.evaluate("running") == "sojourn: no decisions: no answer"
    assert page.evaluate("client.getStringValue('banner', 'mine')") == "mine"
    deciding.program.start()
    page.wait_for_function("client.providerStatus === 'READY'")
    assert page.evaluate("client.getStringValue('banner', 'mine')") == "Free shipping"


def test_a_page_listens_again_after_the_server_was_away(
    deciding: Shop, pages: Pages, visit: BrowserContext
) -> None:
    """Its stream belonged to the server that stopped; the new one names another."""
    page = open_deciding(visit, pages, deciding)
    assert page.evaluate("running") == "running"
    deciding.program.stop()
    deciding.program.start()
    page.evaluate("sojourn.track('Checkout Started')")
    page.wait_for_function(
        "client.getStringValue('journey.rescue.state', '?') === 'waiting'", timeout=AWAY_PATIENCE_MS
    )
