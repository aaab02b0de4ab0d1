"""The studio in a browser: how soon it is there, how soon an event is on the map, how smooth a large map is.

It needs the studio built, and a Chromium.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page

from bench.figures import Figure, Figures, NotMeasuredError, middle
from demo.place import prepare, remember
from demo.program import Program, Setup
from tests.browser.chromium import NAMES, started

STUDIO = Path(__file__).parents[1] / "src/sojourn/server/studio"
SDK = {"sojourn": "sdk", "sojourn.full": "sdk_full"}
"""A script, and what its figure is called."""
SEED = 7
N_TIMES = 5
WAIT_MS = 60_000
SCRIPTS = """performance.getEntriesByType('resource')
  .filter((each) => new URL(each.name).pathname.endsWith('.js'))
  .map((each) => [new URL(each.name).pathname, each.encodedBodySize])"""
FRAMES = """async (move) => {
  const times = []
  let last = performance.now()
  let isOver = false
  const look = (now) => { times.push(now - last); last = now; if (!isOver) requestAnimationFrame(look) }
  requestAnimationFrame(look)
  const pane = document.querySelector('.react-flow__pane')
  for (let n = 0; n < 90; n += 1) {
    await new Promise(requestAnimationFrame)
    pane.dispatchEvent(new WheelEvent('wheel', {
      clientX: 700, clientY: 450, deltaY: n < 45 ? -30 : 30, bubbles: true, cancelable: true, view: window,
    }))
  }
  isOver = true
  return times.slice(5).sort((a, b) => a - b)
}"""


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Open it, send it events, and look at a map of 200 steps and 2,000 moves.

    Raises NotMeasuredError where there is nothing to open, or nothing to open it with.
    """
    if not any(map(shutil.which, NAMES)):
        raise NotMeasuredError("no Chromium is installed; on Debian: apt install chromium")
    if not (STUDIO / "index.html").exists():
        raise NotMeasuredError("the studio is not built: make studio")
    n_times = 2 if is_quick else N_TIMES
    with _house(folder) as (program, setup), started() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{program.address}/studio/#token={setup.admin_token}")
        page.locator(".react-flow__node").first.wait_for(timeout=WAIT_MS)
        shown = [_paint(page, f"{program.address}/studio/map?rare=0") for _ in range(n_times)]
        scripts: list[tuple[str, int]] = page.evaluate(SCRIPTS)
        seen = [_appears(page, program, setup) for _ in range(n_times)]
        _fill(program, setup)
        page.goto(f"{program.address}/studio/map?rare=0")
        page.locator(".react-flow__node", has_text="Large").first.wait_for(timeout=WAIT_MS)
        page.wait_for_timeout(2_000)
        frames: list[float] = page.evaluate(FRAMES)
    return _shown(shown) | _seen(seen) | _smooth(frames) | _sizes(scripts)


@contextlib.contextmanager
def _house(folder: Path) -> Iterator[tuple[Program, Setup]]:
    setup = prepare(folder / "studio", sinks={"shop": {"type": "console"}})
    remember(setup, seed=SEED)
    with Program(setup) as program:
        yield program, setup
        program.stop()


def _paint(page: Page, address: str) -> tuple[float, float]:
    """Load the map anew; return when anything was painted, and when its steps were there, in ms."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(".react-flow__node").first.wait_for(timeout=WAIT_MS)
    shown_ms = (time.perf_counter() - began) * 1_000
    paint_ms = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
    )
    return float(paint_ms), shown_ms


def _appears(page: Page, program: Program, setup: Setup) -> float:
    """Send a step that nobody took; return when it is on the map, in ms from the answer that it is kept."""
    name = f"Seen {uuid4().hex[:6]}"
    _send(program, setup, [{"type": "track", "event": name, "userId": "eve", "messageId": uuid4().hex}])
    began = time.perf_counter()
    page.locator(".react-flow__node", has_text=name).wait_for(timeout=WAIT_MS)
    return (time.perf_counter() - began) * 1_000


def _fill(program: Program, setup: Setup) -> None:
    walks = [
        {
            "type": "track", "event": f"Large {(walk * 37 + n * (walk % 13 + 1)) % 200:03}",
            "userId": f"w-{walk}", "messageId": uuid4().hex,
            "timestamp": f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z",
        }
        for walk in range(300)
        for n in range(40)
    ]  # fmt: skip
    for at in range(0, len(walks), 1_000):
        _send(program, setup, walks[at : at + 1_000])


def _send(program: Program, setup: Setup, events: list[dict[str, Any]]) -> None:
    key = b64encode(f"{setup.write_key}:".encode()).decode()
    request = urllib.request.Request(
        program.address + "/v1/batch",
        data=json.dumps({"batch": events}).encode(),
        headers={"Authorization": f"Basic {key}"},
    )
    urllib.request.urlopen(request, timeout=60).close()


def _shown(shown: list[tuple[float, float]]) -> Figures:
    paints, maps = zip(*shown, strict=True)
    return {
        "studio_first_paint_ms": Figure(round(middle(list(paints))), "ms", "goal: under 1,500; warm server"),
        "studio_map_shown_ms": Figure(
            round(middle(list(maps))), "ms", "the map with its steps, from the address"
        ),
    }


def _seen(seen: list[float]) -> Figures:
    return {
        "studio_event_on_map_ms": Figure(
            round(middle(seen)), "ms", "goal: under 1,000; a new step, from its 200"
        )
    }


def _smooth(frames: list[float]) -> Figures:
    """Say how long frames took, shortest first."""
    return {
        "studio_frame_p50_ms": Figure(
            round(frames[len(frames) // 2], 1), "ms", "200 steps, 2,000 moves, zoomed"
        ),
        "studio_frame_p95_ms": Figure(round(frames[len(frames) * 95 // 100], 1), "ms", "the same"),
    }


def _sizes(scripts: list[tuple[str, int]]) -> Figures:
    """Say what a page has to load: as the browser got it, and the SDK's scripts as they are handed out."""
    assert scripts, "a page without a script shows no map"
    beside = [size for path, size in scripts if "worker" in path]
    before = [size for path, size in scripts if "worker" not in path]
    needed = f"gzip: the {len(before)} scripts that the map needs"
    return {
        "studio_first_page_kb": Figure(_kb(before), "kB", needed),
        "studio_layout_kb": Figure(_kb(beside), "kB", "gzip: lays steps out, in a thread beside the page"),
        **{
            f"{figure}_kb": Figure(_kb([(STUDIO / "sdk" / f"{name}.min.js.gz").stat().st_size]), "kB", "gzip")
            for name, figure in SDK.items()
        },
    }


def _kb(sizes: list[int]) -> float:
    return round(sum(sizes) / 1_000, 1)
