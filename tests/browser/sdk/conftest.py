"""Fixtures of the SDKs' tests: a server, pages of another origin, a line between them, a browser profile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.sdk.line import Line
from tests.browser.sdk.pages import Numbers, Pages, Shop, opened_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Serve one shop, empty at first, for all tests that need no other."""
    with opened_shop(tmp_path_factory.mktemp("sdk") / "shop") as shop:
        yield shop


@pytest.fixture(scope="session")
def numbers() -> Numbers:
    """Number the events in that shop's log."""
    return Numbers()


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    """Serve the shop's pages, on an origin of their own."""
    pages = Pages()
    yield pages
    pages.close()


@pytest.fixture
def line(shop: Shop) -> Iterator[Line]:
    """Lay a line to the shop, of this test's own."""
    line = Line(shop.setup.port)
    yield line
    line.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    """Open a browser profile of this test's own: what pages store stays until the test ends."""
    context = browser.new_context()
    yield context
    context.close()
