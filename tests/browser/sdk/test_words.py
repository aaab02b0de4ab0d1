"""Words that page and server share: ids that mean nobody, click ids, rules of rage. No browser is needed."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sojourn import __version__
from sojourn.definitions.friction_rules import DEFAULT_EVENTS, RAGE_PRESETS
from sojourn.engine.channels import CLICK_IDS
from sojourn.engine.rage import Burst, Click, press
from sojourn.model.ids import BLOCKED_IDS

SOURCES = Path(__file__).parents[3] / "web/sdk/src"
N_STREAMS = 2_000
RUN = """
import { press, RAGE_PRESETS } from './friction.ts'
const streams = JSON.parse(await new Response(process.stdin).text())
const rageOf = (clicks, rule) => {
  let burst = null
  return clicks.flatMap(([at, target, x, y], index) => {
    const [next, isRage] = press(burst, { at, target, x, y }, rule)
    burst = next
    return isRage ? [index] : []
  })
}
const ruled = ([name, rule]) => [name, streams.map((clicks) => rageOf(clicks, rule))]
const found = Object.entries(RAGE_PRESETS).map(ruled)
console.log(JSON.stringify(Object.fromEntries(found)))
"""


def quoted(source: str, name: str, end: str) -> list[str]:
    """Return the quoted texts between a name and an end in a source file."""
    text = (SOURCES / source).read_text(encoding="utf-8")
    part = text.partition(f"const {name} ")[2].partition(end)[0]
    return re.findall(r"'([^']*)'", part)


def test_ids_that_mean_nobody_are_the_servers() -> None:
    """Else a page would identify somebody whom the server refuses to know."""
    assert set("".join(quoted("ids.ts", "BLOCKED", ".split")).split(",")) == BLOCKED_IDS


def test_the_sdk_has_the_version_of_the_server() -> None:
    """They are built together: which SDK sent an event says which release."""
    package = json.loads((SOURCES.parent / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    assert quoted("context.ts", "LIBRARY", "}") == ["sojourn-javascript", __version__]


def test_click_ids_are_the_servers() -> None:
    """Else a campaign would be told by a word that nobody reads."""
    assert set(quoted("context.ts", "CLICK_IDS", "]")) == CLICK_IDS.keys()


def test_events_of_autocapture_are_those_that_friction_knows() -> None:
    """A click, an error, a form and the client's own signals, by the engine's default names."""
    told = (SOURCES / "autocapture.ts").read_text(encoding="utf-8")
    names = {
        "click": "$click", "error": "$error", "form_start": "Form Started", "form_submit": "Form Submitted",
        "rage": "$rageclick", "dead": "$dead_click",
    }  # fmt: skip
    roles = {str(role): events for role, events in DEFAULT_EVENTS.items()}
    assert [role for role, name in names.items() if name not in roles[role]] == []
    assert [name for name in names.values() if f"'{name}'" not in told] == []


def test_rage_is_the_same_by_the_pages_rules_and_the_servers() -> None:
    """Every preset, over random streams of clicks near its borders."""
    seed = random.randrange(2**32)
    streams = [stream(random.Random(seed + n)) for n in range(N_STREAMS)]
    found = by_page(streams)
    assert found.keys() == RAGE_PRESETS.keys()
    for name in RAGE_PRESETS:
        assert found[name] == [by_server(name, clicks) for clicks in streams], f"{name}, seed {seed}"


def stream(chance: random.Random) -> list[tuple[int, str, int, int]]:
    """Return clicks as (at, target, x, y)."""
    at = 1_000
    clicks = []
    for _ in range(10):
        at += chance.choice([1, 299, 300, 333, 334, 500, 999, 1_000, 1_001])
        clicks.append((at, chance.choice("aab"), chance.randrange(3) * 15, chance.randrange(4) * 25))
    return clicks


def by_server(name: str, clicks: list[tuple[int, str, int, int]]) -> list[int]:
    """Return the indexes of the clicks by which the server finds rage."""
    burst: Burst | None = None
    found = []
    for index, (at, target, x, y) in enumerate(clicks):
        burst, is_rage = press(burst, Click(at, target, (x, y)), RAGE_PRESETS[name])
        if is_rage:
            found.append(index)
    return found


def by_page(streams: list[list[tuple[int, str, int, int]]]) -> dict[str, Any]:
    """Ask the page's own code, in Node."""
    node = shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None:
        pytest.skip("the environment has no Node of its own: make test brings one")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", RUN],
        cwd=SOURCES,
        input=json.dumps(streams),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
