"""Collecting: what group after group came to, in parts that add up in any order to the same whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.model.fact import Fact
from sojourn.model.ids import ProfileId
from sojourn.runtime.rehearsal.comparing import Difference, Side, compare
from sojourn.runtime.rehearsal.tally import Counter, Tally, add
from sojourn.runtime.rehearsal.watch import Asked

RUN_DIFFERENCES = 50_000  # kept in memory at once, about 50 MB; sorted runs of them wait in files.
MAX_BROKEN = 10  # of the groups that a bug of ours kept out, told by name.


class Example(Struct, frozen=True, kw_only=True):
    """One person to whom the versions make a difference."""

    person: ProfileId
    differences: list[Difference]
    draft: list[Fact]
    published: list[Fact]


class Part(Struct, kw_only=True):
    """What some groups came to; parts add up, in any order, to the same whole."""

    draft: dict[str, Tally] = {}
    published: dict[str, Tally] = {}
    n_events: int = 0
    n_groups: int = 0
    n_people: int = 0
    """Who entered a journey in one version or the other."""
    n_affected: int = 0
    """To whom the versions make a difference."""
    n_different: dict[str, dict[str, dict[str, int]]] = {}
    """Journey -> what, and where -> kind -> how many."""
    n_affected_by: dict[str, dict[str, dict[str, int]]] = {}
    """Journey -> what, and where -> kind -> how many people."""
    asked: dict[str, dict[str, Asked]] = {}
    """Journey -> guard of the draft -> its answers."""
    n_broken: int = 0
    broken: list[str] = []
    examples: list[Example] = []
    """The first few by their first difference."""


class Collector:
    """Takes in what groups came to under both versions."""

    def __init__(
        self, *, until: int, n_examples: int, scratch: Path | None = None, is_told_in_full: bool = False
    ) -> None:
        """Begin with nothing.

        Args:
            until: the instant at which the rehearsal ends, ms.
            n_examples: so many people's stories are kept.
            scratch: a folder that differences are written to; None: they are only counted.
            is_told_in_full: also the stories of people to whom the versions make no difference are kept.
        """
        self._until = until
        self._n_examples = n_examples
        self._is_told_in_full = is_told_in_full
        self._draft, self._published = Counter(), Counter()
        self._part = Part()
        self._runs = None if scratch is None else _Runs(scratch)

    def take(self, draft: Side, published: Side | None, *, n_events: int) -> None:
        """Take one group in."""
        self.skip(n_events=n_events)
        self._draft.take(draft.told, draft.owner_of, until=self._until)
        if published is not None:
            self._published.take(published.told, published.owner_of, until=self._until)
        moments = [*draft.moments, *(published.moments if published is not None else ())]
        self._part.n_people += len({person for person, *_ in moments})
        if published is not None:
            self._compare(draft, published)
        if self._is_told_in_full:
            self._tell_all(draft, published or Side({}, [], {}))

    def skip(self, *, n_events: int) -> None:
        """Take in a group to which nothing can happen."""
        self._part.n_groups += 1
        self._part.n_events += n_events

    def leave_out(self, who: str, error: Exception, *, n_events: int) -> None:
        """Note a group that the engine fails on."""
        self.skip(n_events=n_events)
        self._part.n_broken += 1
        self._part.broken = sorted([*self._part.broken, f"{who}: {error!r}"])[:MAX_BROKEN]

    def part(self, asked: dict[str, dict[str, Asked]]) -> Part:
        """Return what all of them came to, with the answers of guards."""
        if self._runs is not None:
            self._runs.close()
        part = self._part
        part.draft, part.published, part.asked = self._draft.tallies, self._published.tallies, asked
        return part

    def _compare(self, draft: Side, published: Side) -> None:
        found = sorted(compare(draft, published), key=lambda difference: difference.order)
        if found:
            _tell_apart(self._part, found)
            _keep_examples(self._part, _examples(found, draft, published), self._n_examples)
            if self._runs is not None:
                self._runs.add(found)

    def _tell_all(self, draft: Side, published: Side) -> None:
        told = {example.person for example in self._part.examples}
        people = {side.owner_of(fact) for side in (draft, published) for fact in side.told}
        for person in sorted(people - told):
            self._part.examples.append(_example(person, [], draft, published))


def add_up(parts: Sequence[bytes], *, n_examples: int) -> Part:
    """Add up encoded parts."""
    total = Part()
    for part in parts:
        _add(total, msgspec.json.decode(part, type=Part), n_examples)
    return total


def merged_lines(scratch: Path) -> Iterator[bytes]:
    """Yield all differences that collectors wrote to a folder, a line of JSON each, in their order."""
    return merge(*map(_lines, sorted(scratch.iterdir())), key=_order_of)


def _tell_apart(part: Part, found: Sequence[Difference]) -> None:
    """Count differences, and the people that each kind of them is about."""
    people: set[tuple[str, str, str, ProfileId]] = set()
    for one in found:
        what = f"{one.what}: {one.where}" if one.where else one.what
        _count(part.n_different, one.journey, what, one.kind)
        people.add((one.journey, what, one.kind, one.person))
    for journey, what, kind, _ in people:
        _count(part.n_affected_by, journey, what, kind)
    part.n_affected += len({one.person for one in found})


def _count(counts: dict[str, dict[str, dict[str, int]]], journey: str, what: str, kind: str) -> None:
    kinds = counts.setdefault(journey, {}).setdefault(what, {})
    kinds[kind] = kinds.get(kind, 0) + 1


def _examples(found: Sequence[Difference], draft: Side, published: Side) -> list[Example]:
    by_person: dict[ProfileId, list[Difference]] = {}
    for one in found:
        by_person.setdefault(one.person, []).append(one)
    return [_example(person, own, draft, published) for person, own in by_person.items()]


def _example(person: ProfileId, own: list[Difference], draft: Side, published: Side) -> Example:
    return Example(
        person=person,
        differences=own,
        draft=_story(person, draft),
        published=_story(person, published),
    )


def _story(person: ProfileId, side: Side) -> list[Fact]:
    mine = [fact for fact in side.told if side.owner_of(fact) == person]
    return sorted(mine, key=lambda fact: fact.at)


def _keep_examples(part: Part, more: Sequence[Example], limit: int) -> None:
    """Keep the first few, actions before anything else: what people get is asked first."""
    part.examples = sorted([*part.examples, *more], key=_place_of)[:limit]


def _place_of(example: Example) -> tuple[Any, ...]:
    if not example.differences:
        return (2, example.person)
    has_action = any(one.what == "action" for one in example.differences)
    return (0 if has_action else 1, example.differences[0].order)


def _add(total: Part, more: Part, n_examples: int) -> None:
    for name in ("draft", "published", "n_different", "n_affected_by", "asked"):
        add(getattr(total, name), getattr(more, name))
    for name in ("n_events", "n_groups", "n_people", "n_affected", "n_broken"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    total.broken = sorted(total.broken + more.broken)[:MAX_BROKEN]
    is_told_in_full = any(not example.differences for example in more.examples)
    limit = len(total.examples) + len(more.examples) if is_told_in_full else n_examples
    _keep_examples(total, more.examples, limit)


_encode = msgspec.json.Encoder().encode


class _Runs:
    """Sorted runs of differences in files of one process's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[Difference] = []
        self._n_runs = 0

    def add(self, found: Sequence[Difference]) -> None:
        """Keep differences."""
        self._found += found
        if len(self._found) >= RUN_DIFFERENCES:
            self.close()

    def close(self) -> None:
        """Write what is in memory."""
        path = self._folder / f"{os.getpid()}-{self._n_runs}.jsonl"
        self._n_runs += 1
        self._found.sort(key=lambda difference: difference.order)
        with path.open("wb") as file:
            file.writelines(_encode(one) + b"\n" for one in self._found)
        self._found = []


_decode = msgspec.json.Decoder(Difference).decode


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _order_of(line: bytes) -> tuple[Any, ...]:
    return _decode(line).order
