"""Groups: which ids can ever come to concern one another, so that each group can be played by itself.

Identity moves forward only along pairs of ids that stand together in one event. So whatever the engine
decides, it never leads from one connected component of those pairs into another, and playing each by itself
is exact (law: live = replay = partitioned).
"""

from __future__ import annotations

from array import array

from sojourn.model.event import Event


class Groups:
    """Ids seen so far, in components (union-find; Tarjan 1975, with path halving)."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._parents = array("L")
        self._met: dict[tuple[str | None, str | None], int] = {}
        """Pairs of (anonymous id, user id) that were joined before: nearly every event brings one."""

    def join(self, event: Event) -> int:
        """Join the ids of an event; return the number of one of them."""
        pair = (event.anonymous_id, event.user_id)
        if event.kind != "alias":
            known = self._met.get(pair)
            if known is not None:
                return known
        numbers = [self._number(name) for name in _names(event)]
        for other in numbers[1:]:
            self._unite(numbers[0], other)
        if event.kind != "alias":
            self._met[pair] = numbers[0]
        return numbers[0]

    def root(self, number: int) -> int:
        """Return what all of one component share."""
        parents = self._parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def find(self, any_id: str) -> list[int]:
        """Return the roots of the components in which somebody or some device has this id; two at most."""
        found = [self._numbers.get(kind + any_id) for kind in ("u:", "a:")]
        return sorted({self.root(number) for number in found if number is not None})

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._parents)
            self._parents.append(number)
        return number

    def _unite(self, first: int, second: int) -> None:
        first, second = self.root(first), self.root(second)
        # The older number stays the root, so that roots do not depend on how often an id is met.
        self._parents[max(first, second)] = min(first, second)


def _names(event: Event) -> list[str]:
    """Name the ids that one event ties together; the earlier id of an alias may be a device's or a user's."""
    names = []
    if event.anonymous_id is not None:
        names.append("a:" + event.anonymous_id)
    if event.user_id is not None:
        names.append("u:" + event.user_id)
    if event.kind == "alias" and event.previous_id:
        names += ["a:" + event.previous_id, "u:" + event.previous_id]
    return names
