"""Unmodified SDKs of peers in a real browser: what they send is stored once, whatever breaks.

Their settings are those of docs/how-to/segment-sdk.md and rudderstack-sdk.md, and else their defaults. What
their own queues lose is told in docs/how-to/browser-sdk.md.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.sdk.line import Fault, Line
from tests.browser.sdk.pages import MODULES, Numbers, Pages, Shop, count, open_page

pytestmark = pytest.mark.browser

SEGMENT = """
<script src="/modules/@segment/analytics-next/dist/umd/index.js"></script>
<script>
  const sdk = AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: "<key>", cdnURL: "<url>" },
    { integrations: { "Segment.io": { apiHost: "<host>/v1", protocol: "http" } } },
  );
  window.running = sdk.ready();
</script>"""
RUDDERSTACK = """
<script src="/modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"></script>
<script>
  const sdk = new rudderanalytics.RudderAnalytics();
  sdk.load("<key>", "<url>", { configUrl: "<url>" });
  window.running = new Promise((resolve) => sdk.ready(resolve));
</script>"""
SDKS = {"segment": SEGMENT, "rudderstack": RUDDERSTACK}

sdks = pytest.mark.parametrize("sdk", SDKS)


def open_sending(visit: BrowserContext, pages: Pages, shop: Shop, line: Line, *, sdk: str) -> Page:
    """Open a page with a peer's SDK that sends by the line, and wait until it runs."""
    if not (MODULES / "@segment/analytics-next").is_dir():
        pytest.skip("the packages of web/ are not installed: make studio")
    head = SDKS[sdk].replace("<key>", shop.setup.write_key).replace("<url>", line.url)
    head = head.replace("<host>", line.url.removeprefix("http://"))
    page = open_page(visit, pages, f"/{sdk}", head=head)
    page.evaluate("running.then(() => null)")
    return page


@sdks
@pytest.mark.parametrize("fault", ["request", "answer", "503"])
def test_what_a_broken_network_interrupts_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, sdk: str, fault: Fault
) -> None:
    """Cut before the server had it, after it had stored it; or refused for now."""
    page = open_sending(visit, pages, shop, line, sdk=sdk)
    taken = numbers.take(10)
    line.breaks(fault, fault, fault)
    count(page, taken, sdk="sdk")
    assert line.has_broken()
    shop.has(taken)


@sdks
def test_what_is_done_offline_is_stored_once_when_the_network_is_back(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, sdk: str
) -> None:
    """The browser itself says that it is offline."""
    page = open_sending(visit, pages, shop, line, sdk=sdk)
    taken = numbers.take(10)
    visit.set_offline(True)
    count(page, taken, sdk="sdk")
    page.wait_for_timeout(500)
    visit.set_offline(False)
    shop.has(taken)


@sdks
def test_what_a_reload_interrupts_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, sdk: str
) -> None:
    """The network is cut before, and mended after."""
    page = open_sending(visit, pages, shop, line, sdk=sdk)
    taken = numbers.take(10)
    line.cut()
    count(page, taken, sdk="sdk")
    page.wait_for_timeout(500)
    line.mend()
    page.reload()
    page.evaluate("running.then(() => null)")
    shop.has(taken)


@sdks
def test_two_tabs_are_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, sdk: str
) -> None:
    """Both send."""
    tabs = [open_sending(visit, pages, shop, line, sdk=sdk) for _ in range(2)]
    taken = numbers.take(20)
    for tab, start in zip(tabs, (taken.start, taken.start + 10), strict=True):
        count(tab, range(start, start + 10), sdk="sdk")
    shop.has(taken)


@sdks
def test_what_a_tab_has_tracked_before_it_closes_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, sdk: str
) -> None:
    """It had a moment to send."""
    page = open_sending(visit, pages, shop, line, sdk=sdk)
    taken = numbers.take(10)
    count(page, taken, sdk="sdk")
    page.wait_for_timeout(1000)
    page.close(run_before_unload=True)
    shop.has(taken)
