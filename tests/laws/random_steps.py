"""Random journeys written as steps, and random lives in them, each from one seed."""

from __future__ import annotations

from random import Random
from typing import Any

Tree = dict[str, Any]

EVENTS = ("E1", "E2", "E3", "E4")
_TIMES = ("1m", "1h", "1d", "3d")
_GUARDS = (
    "properties.n > 2",
    "properties.n == 1",
    "trait.plan == 'pro'",
    "count('E1', within='1d') >= 2",
    "entry.properties.n != properties.n",
)
MAX_DEPTH = 3


def random_journey(seed: int) -> Tree:
    """Grow one journey: steps, or states of which some have steps inside."""
    gardener = _Gardener(Random(seed))
    head: Tree = {"journey": "j", "entry": {"on": "E1"}, "holdout": 0}
    return {**head, **(gardener.states() if seed % 3 == 0 else {"steps": gardener.path(0)})}


def random_life(seed: int, n: int = 25) -> list[tuple[str, Any]]:
    """Draw what happens: `("event", (name, n))`, `("timer", None)` and `("call", None)`."""
    random = Random(seed)
    acts = [("event", (name, k)) for name in EVENTS for k in range(4)] + [("timer", None)] * 12
    return [random.choice([*acts, ("call", None), ("call", None)]) for _ in range(n)]


class _Gardener:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.n_named = 0
        self.names: list[str] = []

    def states(self) -> Tree:
        """Grow two states with steps inside that interrupt one another, and resume."""
        working = {
            "steps": self.path(1),
            "on": {"E4": "resting", "done.state.working": self.random.choice(["done", "resting"])},
        }
        back = self.random.choice(
            [{"resume": "working"}, {"resume": "working"}, {"to": "working", "when": self.guard()}]
        )
        resting = {"on": {"E3": back}, "after": {self.time(): "done"}}
        return {"states": {"working": working, "resting": resting}}

    def path(self, depth: int) -> list[Any]:
        """Grow a list of steps; now and then it ends by leading elsewhere."""
        steps = [self.step(depth) for _ in range(self.random.randint(1, 4 - min(depth, 2)))]
        if depth and self.random.random() < 0.3:
            steps.append(self.random.choice(["exit", {"exit": None}, self.jump()]))
        return steps

    def jump(self) -> Any:
        return {"goto": self.random.choice(self.names)} if self.names else "exit"

    def step(self, depth: int) -> Tree:
        kinds = ["send", "wait", "wait", "wait_for", "wait_for", "call"]
        if depth < MAX_DEPTH:
            kinds += ["wait_for", "branch", "branch", "split", "repeat", "parallel"]
        kind = self.random.choice(kinds)
        step: Tree = getattr(self, kind)(depth)
        if self.random.random() < 0.25:
            self.n_named += 1
            step["name"] = f"named-{self.n_named}"
            self.names.append(step["name"])
        return step

    def send(self, _depth: int) -> Tree:
        action = {"console": None, "body": {"n": "{{ entry.properties.n }}"}}
        return self.random.choice([{"send": action}, {"do": [action, action]}])

    def wait(self, _depth: int) -> Tree:
        forms: list[Any] = [
            self.time(),
            self.time(),
            {"between": ["1h", "5h"]},
            {"until": "09:00", "days": ["mon", "sat"]},
            {"until": "trait.ends", "offset": "-1d"},
            {"window": "08:00-12:00", "zone": "America/New_York"},
        ]
        return {"wait": self.random.choice(forms)}

    def wait_for(self, depth: int) -> Tree:
        form = self.random.choice(["event", "event", "condition", "several"])
        if form == "event":
            awaited: Tree = {"on": self.random.choice(EVENTS)}
            if self.random.random() < 0.3:
                awaited["when"] = self.guard()
            if self.random.random() < 0.3:
                awaited["match"] = "n"
            if self.random.random() < 0.7:
                awaited["within"] = self.time()
        elif form == "condition":
            awaited = {"when": self.guard(), "within": self.time()}
        else:
            events = self.random.sample(EVENTS, 2)
            each = [{"on": name, **self.paths(depth, "then")} for name in events]
            return {"wait_for": [*each, {"within": self.time(), **self.paths(depth, "timeout")}]}
        labels = ("then", "timeout") if "within" in awaited else ("then",)
        return {"wait_for": {**awaited, **self.paths(depth, *labels)}}

    def branch(self, depth: int) -> Tree:
        cases = [
            {"when": self.guard(), **self.paths(depth, "steps")} for _ in range(self.random.randint(1, 3))
        ]
        if self.random.random() < 0.3:
            cases.append({"steps": self.path(depth + 1)})
        return {"branch": cases}

    def split(self, depth: int) -> Tree:
        return {"split": {"variants": {"a": 1, "b": 2}, "steps": self.paths(depth, "a", "b")}}

    def repeat(self, depth: int) -> Tree:
        steps = [{"wait": self.time()}, *self.path(depth + 1)]
        repeat: Tree = {"times": self.random.randint(1, 3), "steps": steps}
        return {"repeat": {**repeat, **({"until": self.guard()} if self.random.random() < 0.4 else {})}}

    def parallel(self, depth: int) -> Tree:
        paths = [self.path(depth + 1) for _ in range(self.random.randint(1, 3))]
        step: Tree = {"parallel": paths}
        return step if self.random.random() < 0.5 else {**step, "join": self.random.choice(["all", "any"])}

    def call(self, _depth: int) -> Tree:
        return {"call": self.random.choice(["other", {"journey": "other", "wait": False}])}

    def paths(self, depth: int, *labels: str) -> Tree:
        """Grow steps behind some of the labels."""
        grown = {label: self.random.choice(["exit", self.jump()]) for label in labels}
        if depth < MAX_DEPTH:
            grown = {label: self.path(depth + 1) for label in labels}
        return {label: path for label, path in grown.items() if self.random.random() < 0.5}

    def guard(self) -> str:
        return self.random.choice(_GUARDS)

    def time(self) -> str:
        return self.random.choice(_TIMES)
