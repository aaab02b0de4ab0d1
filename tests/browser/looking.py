"""Looking: a page of the studio by its address, and what axe finds serious in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def serious(page: Page) -> list[str]:
    """Return what axe finds serious: the rule, and where."""
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
    """Open a page of the studio by its address, once somebody is signed in."""
    page.get_by_role("navigation").wait_for()
    page.goto(f"/studio{path}")
    page.get_by_role("navigation").wait_for()
