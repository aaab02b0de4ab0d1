"""Money: what a plan costs a month, by prices that are assumed and can be replaced by one's own.

`python -m bench.scale --prices MINE.json` takes any of the fields. A month has 730 hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

HOURS = 730
GB, TB = 1e9, 1e12


class Prices(Struct, frozen=True, forbid_unknown_fields=True):
    """Unit prices: assumptions of November 2026, near what large clouds list on demand; nobody's offer."""

    currency: str = "USD"
    core_hour: float = 0.045
    """A virtual core, with the 4 GB of memory that come with it."""
    gb_memory_month: float = 3.5
    """Beyond that."""
    gb_disk_month: float = 0.08
    """Solid-state, network-attached."""
    gb_object_month: float = 0.023
    tb_traffic: float = 20.0
    """Between zones, both directions."""


def read_prices(path: Path) -> Prices:
    """Read one's own; what is left out stays as it is here."""
    return msgspec.json.decode(path.read_bytes(), type=Prices)


def a_month(prices: Prices, used: Mapping[str, float]) -> dict[str, float]:
    """Return what is paid a month for cores, memory, disk, objects (bytes) and traffic (bytes a month)."""
    return {
        "cores": used["cores"] * HOURS * prices.core_hour,
        "memory": used["memory"] / GB * prices.gb_memory_month,
        "disk": used["disk"] / GB * prices.gb_disk_month,
        "objects": used["objects"] / GB * prices.gb_object_month,
        "traffic": used["traffic"] / TB * prices.tb_traffic,
    }
