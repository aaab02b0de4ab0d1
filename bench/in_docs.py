"""The studio in docs/benchmarks.md: `python -m bench.in_docs` takes its figures from bench/latest.json."""

from __future__ import annotations

import json
from typing import Any

from bench.figures import LATEST, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- figures of the studio: `make docs` writes them from bench/latest.json -->\n"
END = "<!-- end of the figures -->\n"
MEASURED = {
    "studio_first_paint_ms": "first paint of the map's page",
    "studio_map_shown_ms": "the map with its steps: the first useful paint",
    "studio_event_on_map_ms": "an event, from its 200 until its step is on the map",
    "studio_frame_p50_ms": "a frame of a large map while it is zoomed, p50",
    "studio_frame_p95_ms": "a frame of a large map while it is zoomed, p95",
    "studio_first_page_kb": "what the map's page loads before it is there",
    "studio_layout_kb": "what it loads beside, to lay steps out",
    "sdk_kb": "the browser SDK, core",
    "sdk_full_kb": "the browser SDK, with everything",
    "check_ms": "a check of a large definition while its author types",
    "check_first_ms": "the same, when it is opened",
}
"""Figure -> what it is, in words; in the order of the table."""


def table(latest: dict[str, Any]) -> str:
    """Write the figures that were measured as a table; a quick look's are marked."""
    rows = [
        _row(words, latest["figures"][name]) for name, words in MEASURED.items() if name in latest["figures"]
    ]
    head = ["| What | Figure | Beside it | Commit | Processor |", "| --- | --- | --- | --- | --- |"]
    machine = latest["machine"]
    where = f"On {machine['cores']} cores, Python {machine['python']}:"
    return "\n".join([where, "", *head, *rows]) + "\n"


def page(text: str, latest: dict[str, Any]) -> str:
    """Return the page with the figures as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(latest)}\n{END}{after}"


def _row(words: str, figure: dict[str, Any]) -> str:
    short = " (a quick look)" if figure["quick"] else ""
    value = f"{figure['value']:,} {figure['unit']}{short}"
    return f"| {words} | {value} | {figure['limit']} | {figure['commit']} | {figure['cpu']} |"


if __name__ == "__main__":
    latest = json.loads(LATEST.read_text(encoding="utf-8"))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), latest), encoding="utf-8")
