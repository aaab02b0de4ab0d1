"""What has settled is not looked through for garbage; what comes after it is."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from sojourn.runtime.flink import memory

loaded = [{"n": number} for number in range(50_000)]
memory.settle()
print(len(gc.get_objects()))

class Node: ...

for _ in range(3 * memory.YOUNG):
    node = Node()
    node.me = node
print(sum(isinstance(each, Node) for each in gc.get_objects()))
"""


def test_what_is_loaded_is_left_alone_and_what_comes_later_is_freed() -> None:
    """In a process of its own: it holds for all of one."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    n_looked_through, n_nodes = map(int, done.stdout.split())
    assert n_looked_through < 1_000
    assert n_nodes < 15_000
