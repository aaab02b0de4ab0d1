"""Answering: how every driver is called, and how it says what it found.

`python -m bench.analytics.peers.NAME TASK INPUT ANSWER`. A driver runs in its peer's environment: it imports
the peer and the standard library, and of ours the shop's names alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


def answer(tasks: Mapping[str, Callable[[str], Answer]]) -> None:
    """Do the task that the command names, and write its answer."""
    task, source, place = sys.argv[1:]
    Path(place).write_text(json.dumps(tasks[task](source), default=str), encoding="utf-8")
