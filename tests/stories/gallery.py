"""The gallery's journeys, as stories tell of them: with the house's policy, on Berlin's clock."""

from __future__ import annotations

from pathlib import Path

from sojourn.testing import Story

FOLDER = Path(__file__).parents[2] / "journeys"


def gallery(*names: str, starts: str = "2026-01-05 09:00") -> Story:
    """Begin a story with these journeys of the gallery; on a Monday morning, unless told otherwise."""
    files = [FOLDER / f"{name}.yaml" for name in names]
    return Story(*files, FOLDER / "house.yaml", starts=starts, zone="Europe/Berlin")
