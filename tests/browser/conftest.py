"""A real browser, and a real server over the demo's week, shared by all tests of the studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from demo.place import prepare, remember
from demo.program import Program
from tests.browser.chromium import started
from tests.browser.house import House

ROOT = Path(__file__).parents[2]
STUDIO = ROOT / "src/sojourn/server/studio/index.html"
SEED = 7
"""Of the week before: every run looks at the same people."""


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
    setup = prepare(tmp_path_factory.mktemp("demo") / "house", sinks={"shop": {"type": "console"}})
    remember(setup, seed=SEED)
    with Program(setup) as program:
        yield House(program, setup)
        program.stop()


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    """Open the studio, signed in as its operator; fail where it told an error or broke its own policy."""
    context = browser.new_context(base_url=house.address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto(f"/studio/#token={house.setup.admin_token}")
    page.get_by_role("navigation").wait_for()  # who goes on before is not signed in
    yield page
    context.close()
    assert broken == [], "the page's own console tells no error, and no breach of its Content-Security-Policy"
