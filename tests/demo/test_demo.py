"""The demo itself, as whoever clones the repository sees it first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_needs_no_terminal_ends_by_itself_and_something_was_done(tmp_path: Path) -> None:
    """`DEMO_SECONDS=n make demo` is how anybody checks that all of it works together."""
    environment = os.environ | {"DEMO_SECONDS": "8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=tmp_path,  # its data folder is made here, and not over somebody's own
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is told: " in done.stdout, "what a page asks for is answered"
    assert "the truth" in done.stdout, "hold-outs are held against the truth"
    assert "Try next:" in done.stdout
