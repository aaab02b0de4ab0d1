"""The demo's place: its folder with journeys of its own, and a week that was before."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from demo.history import write_history
from demo.program import ProgramError, Setup, script, write_config

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
