"""A real browser, and a real server over the demo's week, shared by all tests of the studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.chromium import started
from tests.browser.house import House, opened
from tests.browser.studio import sign_in

ROOT = Path(__file__).parents[2]
STUDIO = ROOT / "src/sojourn/server/studio/index.html"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one browser for all tests; each page has a profile of its own."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Serve the demo's week from a folder of its own."""
    if not STUDIO.exists():
        pytest.skip("the studio is not built: make studio")
    with opened(tmp_path_factory.mktemp("demo") / "house") as house:
        yield house


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    """Open the studio, signed in as its operator; fail where it told an error or broke its own policy."""
    context = browser.new_context(base_url=house.address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if is_broken(message) else None)
    page.on(
        "response",
        lambda answer: broken.append(f"{answer.status} {answer.url}") if answer.status == 500 else None,
    )
    sign_in(page, house)
    yield page
    context.close()
    assert broken == [], "the page's own console tells no error, and no breach of its Content-Security-Policy"


def is_broken(message: ConsoleMessage) -> bool:
    """Tell whether a page complains; that it was refused something (422: no hold-out yet) is no complaint."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")
