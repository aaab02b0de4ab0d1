"""Layers: a small layered layout (Sugiyama's), for the things directly inside one box.

Four steps: circles are broken where a walk from the start meets them; a thing stands one layer below the
lowest that leads to it; layers are ordered by the middle of their neighbours, the order with the fewest
crossings kept; each layer is then moved sideways towards its neighbours as far as its own order lets it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

N_SWEEPS = 8  # down and up by turns; charts of hundreds of states change no more after six.
GAP = 22.0  # between neighbours in a layer, px.
STRAIGHT = 2.0  # the pull between two bends of one line, against 1 between others.
STAY = 0.01  # the pull of where a thing without neighbours stands.


@dataclass(slots=True, eq=False)
class Item:
    """One thing in a layer: a box, a label, an end on the border, or a bend of a long line."""

    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    """Of its middle."""
    y: float = 0.0
    """Of its top."""
    is_bend: bool = False
    """Part of a long line: it goes straight through its layer."""
    is_label: bool = False


@dataclass(slots=True, eq=False)
class Join:
    """A line between items of two layers that follow each other."""

    upper: Item
    lower: Item
    upper_dx: float = 0.0
    """Where it begins, from the middle of the item."""
    lower_dx: float = 0.0


def rank_all(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Give each of `n` things its rank, 0 the highest: below all that lead to it, circles aside."""
    following: list[list[int]] = [[] for _ in range(n)]
    for source, target in links:
        if source != target:
            following[source].append(target)
    walk = _Walk(following)
    for start in range(n):
        walk.begin(start)
    ranks = [0] * n
    for one in reversed(walk.left):
        for other in walk.forward[one]:
            ranks[other] = max(ranks[other], ranks[one] + 1)
    return ranks


def arrange(layers: Sequence[list[Item]], joins: Sequence[Join], layer_gap: float) -> tuple[float, float]:
    """Order the layers and place every item; return the width and height of the whole, from (0, 0)."""
    _order(layers, joins)
    _place_across(layers, joins)
    left = min((item.x - item.width / 2 for layer in layers for item in layer), default=0.0)
    right = max((item.x + item.width / 2 for layer in layers for item in layer), default=0.0)
    top = 0.0
    for i, layer in enumerate(layers):
        height = max((item.height for item in layer), default=0.0)
        for item in layer:
            item.x -= left
            item.height = height if item.is_bend else item.height
            item.y = top + (height - item.height) / 2
        top += height + (layer_gap if i + 1 < len(layers) else 0.0)
    return right - left, top


class _Walk:
    """A walk depth first, without recursion: a link to what is on the way closes a circle, and is no link."""

    def __init__(self, following: list[list[int]]) -> None:
        self.following = following
        self.forward: list[list[int]] = [[] for _ in following]
        self.left: list[int] = []
        """In the order in which they were left behind: each after all that it leads to."""
        self.met: set[int] = set()
        self.on_the_way: set[int] = set()

    def begin(self, start: int) -> None:
        """Walk from one thing on, unless it was met before."""
        if start in self.met:
            return
        path = [self._step(start)]
        while path:
            one, rest = path[-1]
            other = next(rest, None)
            if other is None:
                self.on_the_way.discard(one)
                self.left.append(one)
                path.pop()
            elif other not in self.on_the_way:
                self.forward[one].append(other)
                if other not in self.met:
                    path.append(self._step(other))

    def _step(self, one: int) -> tuple[int, Iterator[int]]:
        self.met.add(one)
        self.on_the_way.add(one)
        return one, iter(self.following[one])


def _neighbours(joins: Iterable[Join], *, above: bool) -> dict[Item, list[tuple[Item, float, float]]]:
    """For each item, the ones above (or below) it, with where the line begins and ends."""
    found: dict[Item, list[tuple[Item, float, float]]] = {}
    for join in joins:
        if above:
            found.setdefault(join.lower, []).append((join.upper, join.upper_dx, join.lower_dx))
        else:
            found.setdefault(join.upper, []).append((join.lower, join.lower_dx, join.upper_dx))
    return found


def _order(layers: Sequence[list[Item]], joins: Sequence[Join]) -> None:
    above, below = _neighbours(joins, above=True), _neighbours(joins, above=False)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(N_SWEEPS):
        if not fewest:
            break
        is_down = sweep % 2 == 0
        near = above if is_down else below
        for i in range(1, len(layers)) if is_down else range(len(layers) - 2, -1, -1):
            _sort_layer(layers[i], layers[i - 1 if is_down else i + 1], near)
        n = _crossings(layers, below)
        if n < fewest:
            best, fewest = [list(layer) for layer in layers], n
    for layer, ordered in zip(layers, best, strict=True):
        layer[:] = ordered


def _sort_layer(
    layer: list[Item], beside: list[Item], near: Mapping[Item, list[tuple[Item, float, float]]]
) -> None:
    position = {item: i for i, item in enumerate(beside)}
    own = {item: i for i, item in enumerate(layer)}

    def middle(item: Item) -> float:
        found = [position[other] + dx / 1e6 for other, dx, _ in near.get(item, ())]
        return sum(found) / len(found) if found else float(own[item])

    layer.sort(key=middle)


def _pull(one: Item, other: Item) -> float:
    """Say how strongly two neighbours want to stand below each other: a long line, to be straight."""
    return STRAIGHT if one.is_bend and other.is_bend else 1.0


def _crossings(layers: Sequence[list[Item]], below: Mapping[Item, list[tuple[Item, float, float]]]) -> int:
    n = 0
    for upper, lower in pairwise(layers):
        position = {item: i for i, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            targets = [position[other] for other, _, _ in below.get(item, ())]
            n += sum(len(seen) - bisect_left(seen, target + 1) for target in targets)
            for target in targets:
                insort(seen, target)
    return n


def _place_across(layers: Sequence[list[Item]], joins: Sequence[Join]) -> None:
    above, below = _neighbours(joins, above=True), _neighbours(joins, above=False)
    for layer in layers:
        at = 0.0
        for item in layer:
            item.x = at + item.width / 2
            at += item.width + GAP
    for sweep in range(N_SWEEPS + 1):
        is_down = sweep % 2 == 0
        for layer in layers if is_down else reversed(layers):
            _settle(layer, above if is_down else below)
    around = {item: [*above.get(item, ()), *below.get(item, ())] for layer in layers for item in layer}
    for sweep in range(N_SWEEPS):  # at last everything between what is above and below it
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _settle(layer, around)
    for is_part in (_is_of_a_line, _is_bend):
        for run in _runs(joins, is_part):
            _straighten(run, layers)


def _is_of_a_line(item: Item) -> bool:
    return item.is_bend or item.is_label


def _is_bend(item: Item) -> bool:
    return item.is_bend


def _runs(joins: Sequence[Join], is_part: Callable[[Item], bool]) -> list[list[Item]]:
    """List what belongs to one line and follows each other, from above to below."""
    runs: dict[Item, list[Item]] = {}
    for join in joins:  # those of one line come one after the other
        if is_part(join.upper) and is_part(join.lower):
            run = runs.get(join.upper, [join.upper])
            run.append(join.lower)
            runs[join.lower] = run
    return list({id(run): run for run in runs.values()}.values())


def _straighten(run: list[Item], layers: Sequence[list[Item]]) -> None:
    """Put a run on one vertical line, where its neighbours leave room for one."""
    low, high = float("-inf"), float("inf")
    for item in run:
        layer = next(layer for layer in layers if item in layer)
        i = layer.index(item)
        for other in layer[max(i - 1, 0) : i]:
            low = max(low, other.x + (other.width + item.width) / 2 + GAP)
        for other in layer[i + 1 : i + 2]:
            high = min(high, other.x - (other.width + item.width) / 2 - GAP)
    if low <= high:
        wish = sorted(item.x for item in run)[len(run) // 2]
        for item in run:
            item.x = min(max(wish, low), high)


def _settle(layer: list[Item], near: Mapping[Item, list[tuple[Item, float, float]]]) -> None:
    """Move a layer's items towards their neighbours, the least squares that keep order and gaps.

    Pool adjacent violators: with each item's distance from the layer's left taken off, it is a regression
    under an order.
    """
    blocks: list[list[float]] = []  # [sum of weight * wish, weight, number of items]
    offset, offsets = 0.0, []
    for i, item in enumerate(layer):
        offset += (layer[i - 1].width / 2 + GAP + item.width / 2) if i else 0.0
        offsets.append(offset)
        wishes = [(other.x + dx - own_dx, _pull(item, other)) for other, dx, own_dx in near.get(item, ())]
        weight = sum(pull for _, pull in wishes) or STAY
        total = sum(wish * pull for wish, pull in wishes) or STAY * item.x * (not wishes)
        blocks.append([total - weight * offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    i = 0
    for total, weight, n in blocks:
        for _ in range(int(n)):
            layer[i].x = total / weight + offsets[i]
            i += 1
