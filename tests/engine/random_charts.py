"""Random charts and random lives for the kernel's properties, each from one seed.

They always come to rest: what moves without an event from outside asks for `x` below a bound and raises `x`.
"""

from __future__ import annotations

from random import Random
from typing import Any

Tree = dict[str, Any]

OUTSIDE = ("e1", "e2", "e3")
INSIDE = ("i1", "i2")
SENT = ("d1", "d2")
MAX_STATES = 16


def random_tree(seed: int) -> Tree:
    """Grow one chart."""
    return _Gardener(Random(seed)).tree()


def random_life(seed: int) -> list[tuple[str, Any]]:
    """Draw what happens to a machine: `("send", name)` and `("wait", ms)`."""
    random = Random(seed)
    acts = [("send", name) for name in (*OUTSIDE, *INSIDE, *SENT)] + [("wait", ms) for ms in (1, 5, 20)]
    return [random.choice(acts) for _ in range(random.randint(1, 12))]


class _Gardener:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: list[Tree] = []
        self.inside: dict[str, list[str]] = {"": []}
        self.kinds: dict[str, str] = {}
        self.regions: list[list[str]] = []

    def tree(self) -> Tree:
        root: Tree = {"kind": "root", "data": {"x": 0, "y": False}, "states": []}
        for _ in range(self.random.randint(1, 4)):
            root["states"].append(self._grow("root", 3, [""]))
        self.names = [name for name in self.kinds if self.kinds[name] != "history"]
        for node in self.nodes:
            self._dress(node)
        self._dress(root)
        return root

    def _grow(self, around: str, depth: int, line: list[str]) -> Tree:
        name = f"s{len(self.nodes)}"
        node: Tree = {"id": name}
        self.nodes.append(node)
        self.inside[name] = []
        for ancestor in line:
            self.inside[ancestor].append(name)
        kinds = ["atomic"] * 3 + ([] if around == "parallel" else ["final"])
        if depth and len(self.nodes) < MAX_STATES:
            kinds += ["compound"] * 5 + ["parallel"] * 3
        node["kind"] = self.kinds[name] = kind = self.random.choice(kinds)
        if kind in ("compound", "parallel"):
            n = self.random.randint(1, 3)
            node["states"] = [self._grow(kind, depth - 1, [*line, name]) for _ in range(n)]
            if kind == "parallel":
                self.regions.append([child["id"] for child in node["states"]])
            if self.random.random() < 0.4:
                node["states"].insert(self.random.randint(0, n), self._history(name, [*line, name]))
        return node

    def _history(self, parent: str, line: list[str]) -> Tree:
        name = f"h{parent}"
        targets = [state for state in self.inside[parent] if self.kinds[state] != "history"]
        default: Tree = {"target": [self.random.choice(targets)], "actions": [{"want": f"default {name}"}]}
        for ancestor in line:
            self.inside[ancestor].append(name)
        self.inside[name] = []
        self.kinds[name] = "history"
        is_deep = self.random.random() < 0.5
        return {"id": name, "kind": "history", "deep": is_deep, "transitions": [default]}

    def _dress(self, node: Tree) -> None:
        name = node.get("id", "")
        node["entry"] = [{"want": f"enter {name}"}, *self._content()]
        node["exit"] = [{"want": f"exit {name}"}, *self._content()]
        if node["kind"] == "compound" and self.random.random() < 0.5:
            node["initial"] = self._targets(self.inside[name])
        if node["kind"] != "final":
            n_ways = self.random.choice([0, 1, 1, 2, 2, 3]) if name else self.random.choice([0, 0, 1])
            node["transitions"] = [self._way(name, i) for i in range(n_ways)]

    def _way(self, name: str, i: int) -> Tree:
        way: Tree = {"actions": [{"want": f"take {name}.{i}"}, *self._content()]}
        if self.random.random() < 0.85:
            way["target"] = self._targets(list(self.kinds))
        if self.random.random() < 0.4:
            way["internal"] = True
        if self.random.random() < 0.65:
            way["event"] = self.random.sample(OUTSIDE, self.random.choice([1, 1, 2]))
            way["actions"].append({"assign": {"x": str(self.random.randint(0, 4))}})
            if self.random.random() < 0.3:
                way["when"] = self._guard()
            return way
        done = [
            f"done.state.{state}" for state in self.names if self.kinds[state] in ("compound", "parallel")
        ]
        event = self.random.choice([None, None, *INSIDE, *SENT, *done, *done])
        if event is not None:
            way["event"] = [event]
        way["when"] = f"x < {self.random.randint(1, 9)}"
        if self.random.random() < 0.5:
            way["when"] += f" and {self._guard()}"
        way["actions"].append({"assign": {"x": "x + 1"}})
        return way

    def _targets(self, among: list[str]) -> list[str]:
        """Choose one state, or now and then one in each of two regions of a parallel state."""
        pairs = [regions for regions in self.regions if len(regions) > 1 and set(regions) <= set(among)]
        if pairs and self.random.random() < 0.4:
            return [
                self.random.choice([region, *self.inside[region]])
                for region in self.random.sample(self.random.choice(pairs), 2)
            ]
        return [self.random.choice(among)]

    def _guard(self) -> str:
        test = self.random.choice([f"In('{self.random.choice(self.names)}')", "x % 2 == 0", "y"])
        return self.random.choice([test, f"not ({test})"])

    def _content(self) -> list[Tree]:
        """Draw content: mostly none, never an assignment to `x`."""
        delay = self.random.choice([0, 1, 5, 12])
        timer_id = self.random.choice(["", "k1", "k2"])
        contents = [
            {"raise": self.random.choice(INSIDE)},
            {"send": self.random.choice(SENT), "after_ms": delay, "id": timer_id},
            {"cancel": self.random.choice(["k1", "k2"])},
            {"assign": {"y": self._guard()}},
        ]
        return [self.random.choice(contents)] if self.random.random() < 0.35 else []
