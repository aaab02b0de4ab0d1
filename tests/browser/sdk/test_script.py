"""One script tag, as the documentation shows it: the server hands the script out, and takes what it sends."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from sojourn.server.scripts import FOLDER
from tests.browser.sdk.pages import Pages, Shop

pytestmark = pytest.mark.browser

STRICT = "default-src 'none'; script-src {0}; connect-src {0}"


def test_a_page_of_another_origin_needs_one_tag(shop: Shop, pages: Pages, visit: BrowserContext) -> None:
    """Under a strict policy that allows the server's origin and nothing else; no inline script."""
    if not FOLDER.is_dir():
        pytest.skip("the studio is not built: make studio")
    address = shop.program.address
    policy = f'<meta http-equiv="Content-Security-Policy" content="{STRICT.format(address)}">'
    tag = (
        f'<script async src="{address}/sdk/sojourn.full.min.js" data-write-key="{shop.setup.write_key}" '
        "data-autocapture data-vitals></script>"
    )
    page = visit.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(pages.put("/one-tag", "<button>Buy</button>", head=policy + tag))
    page.wait_for_function("window.sojourn?.user")
    page.get_by_role("button").click()
    shop.wait(lambda _: any(click.get("text") == "Buy" for click in shop.named("$click")))
    assert any(each["path"] == "/one-tag" for each in shop.named("$page"))
    assert [text for text in errors if "favicon" not in text] == []
