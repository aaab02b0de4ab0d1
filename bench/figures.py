"""Figures: what was measured, what the machine could do at most, and where it was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
LATEST = ROOT / "bench" / "latest.json"


class NotMeasuredError(Exception):
    """A part cannot be measured on this machine: why, and what to do."""


@dataclass(frozen=True)
class Figure:
    """One number."""

    value: float
    unit: str
    limit: str = ""
    """What bounds it: the goal, or the raw limit of the disk and of JSON decoding on the same bytes."""


Figures = dict[str, Figure]


def middle(values: list[float]) -> float:
    """Return the median: one noisy neighbour moves it little."""
    return median(values)


def machine() -> dict[str, Any]:
    """Describe where the figures come from."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.system() + " " + platform.release(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """Name the commit measured; with `+` where files differ from it."""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"


def write(figures: Figures, *, is_quick: bool) -> None:
    """Write bench/latest.json: figures measured now, and those of other parts as they were measured last."""
    now = {
        name: {"value": figure.value, "unit": figure.unit, "limit": figure.limit}
        for name, figure in figures.items()
    }
    keep({"figures": now}, LATEST, is_quick=is_quick)


def keep(sections: Mapping[str, Mapping[str, dict[str, Any]]], place: Path, *, is_quick: bool) -> None:
    """Keep entries by section and name, beside those that were measured before and not now."""
    before = _read(place)
    measured_as = {"commit": commit(), "quick": is_quick, "cpu": _cpu_name()}
    now = {
        section: before.get(section, {}) | {name: entry | measured_as for name, entry in entries.items()}
        for section, entries in sections.items()
    }
    whole = {"commit": commit(), "machine": machine(), **now}
    place.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def table(figures: Figures) -> str:
    """Set figures in columns."""
    rows = [(name, f"{figure.value:,.6g}", figure.unit, figure.limit) for name, figure in figures.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {limit}"
        for name, value, unit, limit in rows
    )


def _read(place: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
