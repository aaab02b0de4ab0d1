"""Delivery of the browser SDK: whatever network, server and page do, each event is stored once."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from tests.browser.sdk.line import Fault, Line
from tests.browser.sdk.pages import Numbers, Pages, Shop, count, open_page, script

pytestmark = pytest.mark.browser

# A page without TLS has neither.
WITHOUT_LOCKS = "delete Navigator.prototype.locks; delete Crypto.prototype.randomUUID"
WITHOUT_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }"
WITHOUT_KEEPALIVE = "delete Request.prototype.keepalive"


def open_sending(visit: BrowserContext, pages: Pages, shop: Shop, line: Line, **data: str) -> Page:
    """Open the shop's page, its tracker sending by the line."""
    return open_page(visit, pages, "/", head=script(shop.setup, line.url, **data))


# A browser takes half an answer for one where its first line is whole, and a 200 is a 200: that breaks once.
@pytest.mark.parametrize(("fault", "n"), [("request", 3), ("answer", 3), ("half", 1), ("503", 3)])
def test_a_batch_whose_network_breaks_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, fault: Fault, n: int
) -> None:
    """Cut before the server had it, after it had stored it, within its answer; or refused for now."""
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(45)
    line.breaks(*[fault] * n)
    count(page, taken)
    assert line.has_broken()
    shop.has(taken)


def test_a_backlog_goes_batch_after_batch_without_a_pause(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Requests that outlive a page share 64 KiB: one that was answered must not take room from the next."""
    page = open_sending(visit, pages, shop, line)
    assert page.evaluate("sojourn.flush()")
    taken = numbers.take(500)
    before = line.n_posts
    count(page, taken)
    assert page.evaluate("sojourn.flush()")
    shop.has(taken)
    assert line.n_posts - before == 5


def test_what_a_reload_interrupts_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Twice: while the network is cut, and at once after the calls."""
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(60)
    line.cut()
    count(page, range(taken.start, taken.start + 30))
    page.reload()
    line.mend()
    count(page, range(taken.start + 30, taken.stop))
    page.reload()
    shop.has(taken)


def test_what_a_closed_tab_leaves_is_sent_as_it_closes(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The batch has not been waited for, and nobody opens the site again."""
    page = open_sending(visit, pages, shop, line, flush_ms="60000", flush_at="1000")
    taken = numbers.take(20)
    count(page, taken)
    page.close(run_before_unload=True)
    shop.has(taken)


def test_what_a_tab_could_not_send_as_it_closed_is_sent_by_the_next(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The network is gone while the tab closes; the site is opened again later."""
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(20)
    line.cut()
    count(page, taken)
    page.close(run_before_unload=True)
    line.mend()
    open_sending(visit, pages, shop, line)
    shop.has(taken)


def test_a_tab_that_closes_without_keepalive_sends_a_beacon(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """As in browsers whose fetch ends with the page."""
    visit.add_init_script(WITHOUT_KEEPALIVE)
    page = open_sending(visit, pages, shop, line, flush_ms="60000", flush_at="1000")
    taken = numbers.take(20)
    count(page, taken)
    page.close(run_before_unload=True)
    shop.has(taken)


def test_what_is_done_offline_is_stored_once_when_the_network_is_back(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The browser itself says that it is offline."""
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(50)
    visit.set_offline(True)
    count(page, taken)
    page.wait_for_timeout(800)
    visit.set_offline(False)
    shop.has(taken)


tls = pytest.mark.parametrize("without", ["", WITHOUT_LOCKS], ids=["locks", "lease"])


@tls
def test_two_tabs_send_each_event_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, without: str
) -> None:
    """Each sends its own, though both see all: nothing goes over the wire twice."""
    visit.add_init_script(without)
    one, other = (open_sending(visit, pages, shop, line) for _ in range(2))
    for page in (one, other):
        assert page.evaluate("sojourn.flush()")
    before = shop.n_duplicates()
    taken = numbers.take(120)
    for start in range(taken.start, taken.stop, 20):
        count(one, range(start, start + 10))
        count(other, range(start + 10, start + 20))
    shop.has(taken)
    assert shop.n_duplicates() == before


@tls
def test_what_a_tab_that_crashed_has_left_is_sent_once_by_one_of_the_others(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, without: str
) -> None:
    """The tab dies without a word while it tries to send; two others find what it left, and take turns."""
    visit.add_init_script(without)
    first, second, victim = (open_sending(visit, pages, shop, line) for _ in range(3))
    for page in (first, second, victim):
        assert page.evaluate("sojourn.flush()")
    before = shop.n_duplicates()
    taken = numbers.take(25)
    line.cut()
    count(victim, taken)
    with suppress(Error):
        victim.goto("chrome://crash")
    line.mend()
    for page in (first, second):
        count(page, numbers.take(1))
    shop.has(taken)
    assert shop.n_duplicates() == before


def test_without_storage_events_are_stored_once_while_the_page_lives(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Storage that is full or forbidden: they wait in memory."""
    visit.add_init_script(WITHOUT_STORAGE)
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(30)
    line.breaks("answer", "request")
    count(page, taken)
    assert line.has_broken()
    shop.has(taken)


def test_a_server_that_is_restarted_gets_everything_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Events of before, meanwhile and after."""
    page = open_sending(visit, pages, shop, line)
    taken = numbers.take(30)
    count(page, range(taken.start, taken.start + 10))
    shop.program.stop()
    count(page, range(taken.start + 10, taken.start + 20))
    shop.program.start()
    count(page, range(taken.start + 20, taken.stop))
    shop.has(taken)


def test_an_event_that_is_refused_for_good_holds_up_no_other(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """A batch that the server cannot read is cut in halves until the one at fault stands alone."""
    page = open_sending(visit, pages, shop, line, flush_ms="500")
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    taken = numbers.take(12)
    count(page, range(taken.start, taken.start + 6))
    prefix = f"sojourn_{shop.setup.write_key}_q_"
    page.evaluate("name => localStorage.setItem(name, 'no JSON: }{')", prefix + "zz-broken")
    count(page, range(taken.start + 6, taken.stop))
    shop.has(taken)
    page.wait_for_function(
        "head => !Object.keys(localStorage).some((key) => key.startsWith(head))", arg=prefix
    )
    assert [text for text in warnings if "refused-400" in text]
