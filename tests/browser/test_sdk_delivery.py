"""The browser SDK's delivery: whatever the network, the server or the page does, each event is stored once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser.sdk_line import Fault, Line
from tests.browser.sdk_pages import (
    Pages,
    Shop,
    count,
    opened_line,
    opened_pages,
    opened_shop,
    script,
    visiting,
)

pytestmark = pytest.mark.browser

WITHOUT_LOCKS = "delete Navigator.prototype.locks"
WITHOUT_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }"
WITHOUT_KEEPALIVE = "delete Request.prototype.keepalive"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Serve one shop for all tests of this file."""
    with opened_shop(tmp_path_factory.mktemp("sdk") / "shop") as shop:
        yield shop


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """Serve the shop's pages."""
    with opened_pages() as pages:
        yield pages


@pytest.fixture
def line(shop: Shop) -> Iterator[Line]:
    """Lay a line of this test's own."""
    with opened_line(shop.setup) as line:
        yield line


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    """Open a browser profile of this test's own."""
    with visiting(browser) as visit:
        yield visit


class Numbers:
    """Hands out numbers that no other test of this log uses."""

    def __init__(self) -> None:
        self.next = 0

    def take(self, n: int) -> range:
        """Return the next `n`."""
        self.next += n
        return range(self.next - n, self.next)


@pytest.fixture(scope="module")
def numbers() -> Numbers:
    """Number the events of this file."""
    return Numbers()


def open_page(visit: BrowserContext, pages: Pages, shop: Shop, line: Line, **data: str) -> Page:
    """Open the shop's page, its tracker sending by the line."""
    address = pages.put("/", "hello", head=script(shop.setup, line.url, **data))
    page = visit.new_page()
    page.goto(address)
    return page


def stored(shop: Shop, taken: range) -> None:
    """Assert that exactly these are in the log, each once."""
    wanted = set(taken)
    shop.wait(lambda _: wanted <= {each["n"] for each in shop.named("Counted")})
    found = [each["n"] for each in shop.named("Counted") if each["n"] in wanted]
    assert sorted(found) == sorted(wanted)


# A browser takes half an answer for one where its first line is whole, and a 200 is a 200: that breaks once.
@pytest.mark.parametrize(("fault", "n"), [("request", 3), ("answer", 3), ("half", 1), ("503", 3)])
def test_a_batch_whose_network_breaks_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, fault: Fault, n: int
) -> None:
    """Cut before the server had it, after it had stored it, in the middle of its answer; or refused for now."""
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(45)
    line.breaks(*[fault] * n)
    count(page, taken)
    assert line.has_broken()
    stored(shop, taken)


def test_what_a_reload_interrupts_is_stored_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Twice: while the network is cut, and at once after the calls."""
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(60)
    line.cut()
    count(page, range(taken.start, taken.start + 30))
    page.reload()
    line.mend()
    count(page, range(taken.start + 30, taken.stop))
    page.reload()
    stored(shop, taken)


def test_what_a_closed_tab_leaves_is_sent_as_it_closes(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The batch has not been waited for, and nobody opens the site again."""
    page = open_page(visit, pages, shop, line, flush_ms="60000", flush_at="1000")
    taken = numbers.take(20)
    count(page, taken)
    page.close(run_before_unload=True)
    stored(shop, taken)


def test_what_a_tab_could_not_send_as_it_closed_is_sent_by_the_next(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The network is gone while the tab closes; the site is opened again later."""
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(20)
    line.cut()
    count(page, taken)
    page.close(run_before_unload=True)
    line.mend()
    open_page(visit, pages, shop, line)
    stored(shop, taken)


def test_a_tab_that_closes_without_keepalive_sends_a_beacon(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """As in browsers whose fetch ends with the page."""
    visit.add_init_script(WITHOUT_KEEPALIVE)
    page = open_page(visit, pages, shop, line, flush_ms="60000", flush_at="1000")
    taken = numbers.take(20)
    count(page, taken)
    page.close(run_before_unload=True)
    stored(shop, taken)


def test_what_is_done_offline_is_stored_once_when_the_network_is_back(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The browser itself says that it is offline."""
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(50)
    visit.set_offline(True)
    count(page, taken)
    page.wait_for_timeout(800)
    visit.set_offline(False)
    stored(shop, taken)


@pytest.mark.parametrize("without", ["", WITHOUT_LOCKS], ids=["locks", "lease"])
def test_two_tabs_send_each_event_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers, without: str
) -> None:
    """Each sends its own, though both see all: nothing goes over the wire twice."""
    visit.add_init_script(without)
    one, other = (open_page(visit, pages, shop, line) for _ in range(2))
    for page in (one, other):
        assert page.evaluate("sojourn.flush()")
    before = shop.n_duplicates()
    taken = numbers.take(120)
    for start in range(taken.start, taken.stop, 20):
        count(one, range(start, start + 10))
        count(other, range(start + 10, start + 20))
    stored(shop, taken)
    assert shop.n_duplicates() == before


def test_what_a_tab_that_crashed_has_left_is_sent_once_by_one_of_the_others(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """The tab dies without a word while it tries to send; two others find what it left, and take turns."""
    first, second, victim = (open_page(visit, pages, shop, line) for _ in range(3))
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
    stored(shop, taken)
    assert shop.n_duplicates() == before


def test_without_storage_events_are_stored_once_while_the_page_lives(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Storage that is full or forbidden: they wait in memory."""
    visit.add_init_script(WITHOUT_STORAGE)
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(30)
    line.breaks("answer", "request")
    count(page, taken)
    assert line.has_broken()
    stored(shop, taken)


def test_a_server_that_is_restarted_gets_everything_once(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """Events of before, meanwhile and after."""
    page = open_page(visit, pages, shop, line)
    taken = numbers.take(30)
    count(page, range(taken.start, taken.start + 10))
    shop.program.stop()
    count(page, range(taken.start + 10, taken.start + 20))
    shop.program.start()
    count(page, range(taken.start + 20, taken.stop))
    stored(shop, taken)


def test_an_event_that_is_refused_for_good_holds_up_no_other(
    shop: Shop, pages: Pages, line: Line, visit: BrowserContext, numbers: Numbers
) -> None:
    """A batch that the server cannot read is cut in halves until the one at fault stands alone."""
    page = open_page(visit, pages, shop, line, flush_ms="500")
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    taken = numbers.take(12)
    count(page, range(taken.start, taken.start + 6))
    prefix = f"sojourn_{shop.setup.write_key}_q_"
    page.evaluate("name => localStorage.setItem(name, 'no JSON: }{')", prefix + "zz-broken")
    count(page, range(taken.start + 6, taken.stop))
    stored(shop, taken)
    page.wait_for_function(
        "head => !Object.keys(localStorage).some((key) => key.startsWith(head))", arg=prefix
    )
    assert [text for text in warnings if "refused-400" in text]
