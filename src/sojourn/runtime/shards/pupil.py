"""A pupil: it learns from a cluster's facts what one machine learns from its own, and goes on where it was.

Facts come in batches, and what several tasks wrote at the same time is put into the log's order here. Its
clock is theirs: where no fact comes, no time is over, so that what waits to be counted is never counted
without rewards that are still to be read.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from msgspec import Struct

from sojourn.definitions.controls import Learnt
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, apply_control, catalogue_of
from sojourn.model.event import Entry
from sojourn.model.fact import Exposed, Fact, Rewarded, StepTaken
from sojourn.runtime.lessons import Documents, Lessons
from sojourn.runtime.shards.chronicle import Mark

TEACHING = (StepTaken, Exposed, Rewarded)


class Progress(Struct, kw_only=True):
    """All that a pupil is, and how far it has read: kept together, so that nothing is counted twice."""

    owner: str = ""
    """Whose it is now."""
    offsets: dict[int, int] = {}
    """Partition of the facts -> the first record that is not counted."""
    clock: int = 0
    n_told: int = 0
    """How many controls it made."""
    documents: dict[str, bytes] = {}


class Pupil:
    """One, at a time."""

    def __init__(self, progress: Progress, in_force: InForce | None = None) -> None:
        """Go on from where one was; `in_force` is what was in force before the first control."""
        self.clock = progress.clock
        """The instant of the newest fact, ms."""
        self.n_told = progress.n_told
        self._offsets = dict(progress.offsets)
        self._lessons = Lessons(Documents(progress.documents))
        self._in_force = InForce() if in_force is None else in_force
        self._catalogue = catalogue_of(self._in_force)[0]
        self._is_compiled = True
        self._waiting: list[tuple[Mark, Entry]] = []
        self._heard: set[Mark] = set()

    def hear(self, control: Entry) -> None:
        """Take a control in: it holds for facts from its place on. A fact is given after those before it."""
        mark = (control.at, control.position)
        if mark not in self._heard:
            self._heard.add(mark)
            insort(self._waiting, (mark, control), key=lambda pair: pair[0])

    def take(self, facts: Iterable[Fact], offsets: dict[int, int]) -> None:
        """Count some facts; `offsets` say where their records end."""
        teaching = []
        for fact in facts:
            self.clock = max(self.clock, fact.at)
            if isinstance(fact, TEACHING):
                teaching.append(fact)
        for fact in sorted(teaching, key=_mark):
            self._lessons.take((fact,), self._at(_mark(fact)))
        self._offsets |= offsets

    def learnt(self) -> Learnt | None:
        """Return what is to be put into the log; None where it is not time for it, or nothing is new."""
        return self._lessons.learnt(self.clock, self._at((self.clock, (1 << 63) - 1)))

    def progress(self, owner: str) -> Progress:
        """Return what another one would go on from."""
        return Progress(
            owner=owner,
            offsets=self._offsets,
            clock=self.clock,
            n_told=self.n_told,
            documents=self._lessons.all_documents(),
        )

    def _at(self, mark: Mark) -> Catalogue:
        """Return what is in force at a place of the log, which is behind that asked for last."""
        n_over = 0
        while n_over < len(self._waiting) and self._waiting[n_over][0] <= mark:
            after = apply_control(self._in_force, self._waiting[n_over][1])
            self._is_compiled &= after is self._in_force
            self._in_force = after
            n_over += 1
        if n_over:
            del self._waiting[:n_over]
        if not self._is_compiled:
            self._catalogue = catalogue_of(self._in_force, known=self._catalogue)[0]
            self._is_compiled = True
        return self._catalogue


def _mark(fact: Fact) -> Mark:
    # What a timer did at the instant of a control, it did before it.
    return fact.at, fact.position
