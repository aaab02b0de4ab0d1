"""The demo's place: its folder with journeys of its own, and a week that was before."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx

from demo.history import BUSY_S, write_history
from demo.program import Program, ProgramError, Setup, script, write_config
from demo.shop import Shop

JOURNEYS = Path(__file__).parent / "journeys"
SOURCE = "shop"  # as `write_config` names it
STEPS = ["Product Viewed", "Product Added", "Checkout Started", "Shipping Viewed", "Payment Viewed"]
PATIENCE_S = 120.0


def prepare(folder: Path, *, sinks: dict[str, Any]) -> Setup:
    """Write the configuration, and journeys that may be changed: the clone's own are left as they are."""
    shutil.copytree(JOURNEYS, folder / "journeys")
    return write_config(
        folder, journeys=folder / "journeys", sinks=sinks, steps=STEPS, deliver={"backoff_base": "500ms"}
    )


def crowd(program: Program, *, n_people: int, seed: int, rest_s: float = 0.0) -> int:
    """Let people act now, as if it were a busy minute; return how many events they sent.

    They do the first half of it at once and, after a rest in which journeys decide, the other.
    """
    now_s = time.time()
    shop = Shop(seed=seed, n_people=n_people, started_at_s=now_s - BUSY_S)
    key = b64encode(f"{program.setup.write_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {key}"}
    n = 0
    with httpx.Client(base_url=program.address, headers=headers, timeout=PATIENCE_S) as client:
        for until_s in (now_s - BUSY_S / 2, now_s):
            for batch in shop.batches(until_s):
                client.post("/v1/batch", json=batch.body(now_s)).raise_for_status()
                n += len(batch.events)
            if until_s < now_s:
                time.sleep(rest_s)
    return n


def remember(setup: Setup, *, seed: int | None = None) -> int:
    """Import the week before now; return how many events it had. Raises ProgramError where that fails."""
    week = setup.config.parent / "week.jsonl"
    write_history(week, until_s=time.time(), seed=secrets.randbits(32) if seed is None else seed)
    command = [*script(), "import", str(week), "--source", SOURCE, "--config", str(setup.config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ProgramError(f"the week before could not be imported:\n{done.stderr}")
    week.unlink()
    n: int = json.loads(done.stdout.splitlines()[-1])["accepted"]
    return n
