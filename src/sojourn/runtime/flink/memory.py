"""A TaskManager's memory: what stays for good is not looked through again and again for garbage.

People's states are in RocksDB, not in Python: what is there once stages are open are modules and journeys.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 10_000, 20, 50
"""Containers made until the youngest are looked through; rounds until the next older ones are, too.

Python's own are 700, 10 and 10. What the engine makes for a batch is freed by its count of references; the
collector finds next to nothing, and looked through modules, journeys and their compiled guards to find it: a
seventh of a task's time on Flink.
"""


def settle() -> None:
    """Take whatever there is now for what stays; call it once a process has loaded its things."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
