"""Random machines of XState v5 as JSON, and random lives for them, each from one seed."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

EVENTS = ("E1", "E2", "E3")
RAISED = ("I1", "I2")
FLAGS = ("f1", "f2", "f3")
DELAYS = (1, 3, 7)
MAX_STATES = 14


class Node:
    """One state while it grows."""

    def __init__(self, key: str, parent: Node | None) -> None:
        self.key = key
        self.parent = parent
        self.body: Json = {}
        self.kind = "atomic"
        self.inside: list[Node] = []
        self.may_always = True

    def line(self) -> list[Node]:
        """Return itself and its ancestors, up to the root."""
        return [self, *(self.parent.line() if self.parent else [])]

    def all(self) -> list[Node]:
        """Return itself and all inside, in document order."""
        return [self, *(each for inner in self.inside for each in inner.all())]

    def path(self, above: Node) -> str:
        """Write the keys from a state above down to this one."""
        line = self.line()
        return ".".join(each.key for each in reversed(line[: line.index(above)]))


def random_case(seed: int, *, is_journey: bool = False) -> Json:
    """Grow a machine and draw what happens to it; with `is_journey`, of what a journey has words for."""
    random = Random(seed)
    gardener = _Gardener(random, is_journey=is_journey)
    machine = gardener.machine()
    acts: list[Json] = []
    for _ in range(random.randint(2, 10)):
        flags = {flag: random.random() < 0.5 for flag in FLAGS}
        if random.random() < 0.7:
            acts.append({"flags": flags, "send": random.choice(EVENTS)})
        else:
            acts.append({"flags": flags, "wait": random.choice((1, 2, 5, 10))})
    return {
        "machine": machine,
        "acts": acts,
        "guards": [*FLAGS, "byName"],
        "actions": sorted(gardener.actions),
    }


class _Gardener:
    def __init__(self, random: Random, *, is_journey: bool) -> None:
        self.random = random
        self.is_journey = is_journey
        self.n_states = 0
        self.actions: set[str] = set()

    def machine(self) -> Json:
        self.has_history = self._chance(0.6)
        self.root = Node("", None)
        self.root.kind = "parallel" if self._chance(0.1) else "compound"
        self._grow_inside(self.root, 3)
        self.states = self.root.all()[1:]
        for node in self.states:
            if self._chance(0.25):
                node.body["id"] = f"id-{node.key}"
        for node in self.root.all():
            self._dress(node)
        return {"id": "m", **self._written(self.root)}

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _grow_inside(self, node: Node, depth: int) -> None:
        for i in range(self.random.randint(2, 3)):
            inner = self._node(node)
            inner.may_always = node.may_always and (node.kind != "parallel" or i == 0)
            kinds = ["atomic"] * 3 + ([] if node.kind == "parallel" or not i else ["final"])
            if depth and self.n_states < (MAX_STATES // 2 if self.is_journey else MAX_STATES):
                kinds += ["compound"] * 4 + ["parallel"]
            inner.kind = self.random.choice(kinds)
            if inner.kind in ("compound", "parallel"):
                self._grow_inside(inner, depth - 1)
        if self.has_history and node.parent and self._chance(0.45):
            self._node(node).kind = "history"

    def _node(self, parent: Node) -> Node:
        self.n_states += 1
        node = Node(f"s{self.n_states}", parent)
        parent.inside.append(node)
        return node

    def _written(self, node: Node) -> Json:
        body = dict(node.body)
        if node.kind in ("parallel", "final"):
            body["type"] = node.kind
        if node.inside:
            body["states"] = {inner.key: self._written(inner) for inner in node.inside}
        return body

    def _dress(self, node: Node) -> None:
        body, key = node.body, node.key or "root"
        if node.kind == "history":
            self._dress_history(node)
            return
        is_bare = self.is_journey and (bool(node.inside) or self._chance(0.3))
        for when in () if is_bare else ("entry", "exit"):
            body[when] = [self._action(f"{when} {key}"), *self._raised()]
        if node.kind == "compound":
            children = [inner for inner in node.inside if inner.kind != "history"]
            initial = self.random.choice([inner for inner in children if inner.kind != "final"] or children)
            # XState skips the initial actions of a state entered beside another region, or by history.
            is_region = node.parent is not None and node.parent.kind == "parallel"
            plain = self.is_journey or self.has_history or is_region or self._chance(0.7)
            actions = [self._action(f"initial {key}")]
            body["initial"] = initial.key if plain else {"target": initial.key, "actions": actions}
        if node.kind != "final":
            self._dress_ways(node)

    def _dress_history(self, node: Node) -> None:
        assert node.parent is not None
        node.body |= {"type": "history", "history": self.random.choice(("shallow", "deep"))}
        others = [inner for inner in node.parent.inside if inner.kind not in ("history", "final")]
        if others and (node.parent.kind == "compound") and self._chance(0.5):
            node.body["target"] = self.random.choice(others).key

    def _dress_ways(self, node: Node) -> None:
        body = node.body
        on: Json = {}
        events = [*EVENTS, *RAISED, *(["*"] if not self.is_journey and self._chance(0.2) else [])]
        for event in self.random.sample(events, self.random.choice((0, 1, 1, 2))):
            on[event] = self._some(node, f"{node.key} {event}")
        if on:
            body["on"] = on
        if self._chance(0.2) and not (self.is_journey and node.inside):
            delay = str(self.random.choice(DELAYS))
            body["after"] = {delay: self._some(node, f"{node.key} after")}
        if node.may_always and node.parent and self._chance(0.12):
            way = self._way(node, f"{node.key} always", has_target=True)
            way["guard"] = self._guard()
            body["always"] = [way]
        if node.kind in ("compound", "parallel") and node.parent and self._chance(0.5):
            body["onDone"] = self._some(node, f"{node.key} done")

    def _some(self, node: Node, name: str) -> Any:
        """Draw one transition, or two of which the first has a guard."""
        way = self._way(node, name)
        if self._chance(0.3):
            return [{**self._way(node, f"{name} first"), "guard": self._guard()}, way]
        return way["target"] if way.keys() == {"target"} and not isinstance(way["target"], list) else way

    def _way(self, node: Node, name: str, *, has_target: bool = False) -> Json:
        way: Json = {}
        if not self.is_journey and self._chance(0.5):
            way["actions"] = [self._action(name), *self._raised()]
        if has_target or self.is_journey or self._chance(0.95):
            way["target"] = self._target(node)
        if node.parent and self._chance(0.5 if self.is_journey else 0.25):
            way["reenter"] = True
        if self._chance(0.2):
            way["guard"] = self._guard()
        return way

    def _target(self, node: Node) -> Any:
        wide = [
            each for each in self.states if each.parent and each.parent.kind == "parallel" and each.inside
        ]
        if not self.is_journey and wide and self._chance(0.1):
            one = self.random.choice(wide)
            assert one.parent is not None
            others = [each for each in one.parent.inside if each is not one and each.inside]
            if others:
                pair = (one, self.random.choice(others))
                inner = [
                    self.random.choice([each for each in some.inside if each.kind != "history"])
                    for some in pair
                ]
                return [self._written_target(node, each) for each in inner]
        near = node.line()[1:]
        targets = [each for each in self.states if not (each.kind == "history" and each.parent in near)]
        return self._written_target(node, self.random.choice(targets))

    def _written_target(self, node: Node, target: Node) -> str:
        """Write a target in one of the ways that lead to it from here."""
        ways = [f"#m.{target.path(self.root)}"]
        if "id" in target.body:
            ways.append(f"#{target.body['id']}")
        if node in target.line()[1:]:
            ways += [f".{target.path(node)}"] * 2
        if node.parent and node.parent in target.line()[1:]:
            ways += [target.path(node.parent)] * 2
        return self.random.choice(ways)

    def _action(self, name: str) -> Any:
        self.actions.add(name)
        if self._chance(0.2):
            return {"type": name, "params": {"n": self.random.randint(1, 9)}}
        return name

    def _raised(self) -> list[Json]:
        if self.is_journey or not self._chance(0.07):
            return []
        return [{"type": "xstate.raise", "event": {"type": self.random.choice(RAISED)}}]

    def _guard(self, depth: int = 1) -> Any:
        flag = self.random.choice(FLAGS)
        choices: list[Any] = [flag, {"type": flag}, {"type": "byName", "params": {"flag": flag}}]
        if depth:
            inner = [self._guard(depth - 1), self._guard(depth - 1)]
            state = self.random.choice(self.states)
            choices += [
                {"type": "not", "guards": inner[:1]},
                {"type": self.random.choice(("and", "or")), "guards": inner},
            ]
            if state.kind != "history":
                choices.append(
                    {
                        "type": "stateIn",
                        "params": {"state": f"#{state.body.get('id') or 'm.' + state.path(self.root)}"},
                    }
                )
        return self.random.choice(choices)
