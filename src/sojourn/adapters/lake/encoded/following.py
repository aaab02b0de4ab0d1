"""Following: slices of log and store, as news to what is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from sojourn.adapters.lake import columns as laying
from sojourn.adapters.lake.encoded.delta import PLACE, Columns, Delta, DeltaRows, expressions, fetch_rows
from sojourn.adapters.lake.encoded.ledger import NOBODY, Aliased, Owned
from sojourn.adapters.lake.encoded.visits import Revision
from sojourn.adapters.lake.writing import open_database
from sojourn.analytics.reading.columns import Schema
from sojourn.model.event import Entry
from sojourn.model.fact import Fact, Identified, IdentityRefused, SessionRevised, StepTaken
from sojourn.model.lake import EVENTS, Slice

_OF_EVENTS = ("position", "occurred_at", "name", "profile_id", "session_id")

Numbered = tuple[int, int, Fact]
"""A fact with its group and its place in it."""


class Slices:
    """Reads one slice after another; what becomes of values is said by the same SQL as of those in files."""

    def __init__(self, columns: Columns) -> None:
        """Take the attributes that are asked for."""
        self._connection = open_database()
        self._columns = columns
        asked = {name.partition(".")[0] for name in (*columns.texts, *columns.numbers)}
        self._wanted = {*_OF_EVENTS, *asked}
        laying.empty(self._connection, EVENTS, schema="main")
        schema = Schema.of_relation(self._connection.table(EVENTS.name), place=PLACE)
        self._expressions = expressions(schema, columns)

    def delta(self, slice_: Slice) -> Delta:
        """Read what a slice holds."""
        facts = [(group, n, fact) for group, some in slice_.groups for n, fact in enumerate(some)]
        steps = [fact for _, _, fact in facts if type(fact) is StepTaken]
        owned, aliased = _identities(facts)
        return Delta(self._rows(slice_.entries, steps), owned, aliased, self._revisions(facts))

    def _rows(self, entries: Sequence[Entry], steps: Sequence[StepTaken]) -> DeltaRows:
        if not entries:  # Only time has passed.
            return fetch_rows(self._connection, EVENTS.name, self._expressions)
        arrays, selected = laying.lay_events(entries, steps, self._wanted)
        self._connection.register("incoming", arrays)
        rows = fetch_rows(self._connection, f"(SELECT {selected} FROM incoming)", self._expressions)
        self._connection.unregister("incoming")
        return rows

    def close(self) -> None:
        """Release the memory."""
        self._connection.close()

    def _revisions(self, facts: list[Numbered]) -> list[Revision]:
        revised = [(group, n, fact) for group, n, fact in facts if type(fact) is SessionRevised]
        if not revised:
            return []
        names = list(dict.fromkeys(chain.from_iterable([f.session_id, *f.replaces] for _, _, f in revised)))
        self._connection.register("names", {"name": np.array(names, dtype=object)})
        hashes = self._connection.execute("SELECT hash(name) FROM names").fetchall()
        self._connection.unregister("names")
        hash_of = {name: number for name, (number,) in zip(names, hashes, strict=True)}
        return [
            Revision(fact.profile_id, fact.position, hash_of[old], hash_of[fact.session_id], group, n)
            for group, n, fact in revised
            for old in fact.replaces
            if old != fact.session_id
        ]


def _identities(facts: list[Numbered]) -> tuple[list[Owned], list[Aliased]]:
    owned: list[Owned] = []
    aliased: list[Aliased] = []
    said = [fact for _, _, fact in facts if isinstance(fact, Identified | IdentityRefused)]
    for fact in sorted(said, key=lambda one: one.position):
        if isinstance(fact, IdentityRefused):
            if fact.reason == "merge-limit":
                owned.append(Owned(f"a:{fact.other_id}", NOBODY, fact.position))
        elif fact.anonymous_id:
            owned.append(Owned(f"a:{fact.anonymous_id}", fact.profile_id, fact.position))
        elif fact.user_id:
            aliased.append(Aliased(fact.profile_id, f"u:{fact.user_id}"))
    return owned, aliased
