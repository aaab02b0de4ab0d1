"""Asking: what the API says, as a test compares it with what a page shows; and what axe finds in a page."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import House

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def ask(house: House, path: str, method: str = "GET") -> Any:
    """Ask the API as its operator."""
    request = urllib.request.Request(
        house.address + path,
        method=method,
        headers={"Authorization": f"Bearer {house.setup.admin_token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def send(house: House, *events: dict[str, Any]) -> None:
    """Send events as an SDK does."""
    key = b64encode(f"{house.setup.write_key}:".encode()).decode()
    request = urllib.request.Request(
        house.address + "/v1/batch",
        data=json.dumps({"batch": list(events)}).encode(),
        headers={"Authorization": f"Basic {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def serious(page: Page) -> list[str]:
    """Return what axe finds serious in the page as it is: the rule, and where."""
    # Evaluated, and no script element: the page's policy lets none in.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((run) => run.violations)")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def look(page: Page, path: str) -> None:
    """Open a page of the studio by its address; who is signed in stays so."""
    page.get_by_role("navigation").wait_for()
    page.goto(f"/studio{path}")
    page.get_by_role("navigation").wait_for()
