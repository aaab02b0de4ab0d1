"""Known: what each kind of news touches, told alone; histories tell it together with much else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.encoded import Columns, Known, Slices, events_of, read_known
from sojourn.adapters.lake.encoded.delta import Delta, DeltaRows, read_delta
from sojourn.adapters.lake.encoded.ledger import NOBODY, Aliased, Owned
from sojourn.adapters.lake.encoded.rows import NO_VISIT
from sojourn.adapters.lake.encoded.splicing import settled
from sojourn.adapters.lake.encoded.visits import Revision
from sojourn.adapters.lake.encoded.words import Places, Words, places_among
from sojourn.adapters.lake.reading import join_tables
from sojourn.adapters.lake.writing import open_database
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.adapters.sqlite.tail import SqliteTail
from sojourn.analytics.names import Names
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.model.event import Entry
from sojourn.model.fact import Fact, Identified, IdentityRefused, SessionRevised, SessionStarted, StepTaken
from sojourn.model.lake import Reach, Slice
from tests.adapters.lake.folders import T0, event

MAPPING = Mapping(
    person=("person_id",), step=("name",), time="occurred_at", session="session_id", sequence="position"
)
TEXTS = st.lists(st.text(alphabet="ab\0é漢😀", max_size=18), max_size=40)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    """Nothing is known of anybody."""
    SqliteStore(tmp_path).close()
    SqliteLog(tmp_path).close()
    tail = SqliteTail(tmp_path)
    found = read_known(tmp_path / "lake", tail, Columns(), few_events=0)
    assert found is not None
    yield found[0]
    tail.close()


Row = tuple[str, int, int]
"""Of an event: its profile, its position, which is its time and its name too, and its visit."""


def news(
    *rows: Row,
    owned: list[Owned] | None = None,
    aliased: list[Aliased] | None = None,
    revisions: list[Revision] | None = None,
) -> Delta:
    """Write news."""
    position = np.array([row[1] for row in rows], dtype=np.int64)
    told = DeltaRows(
        profiles=[row[0] for row in rows],
        names=[f"step {row[1]}" for row in rows],
        at=position,
        position=position,
        visit=np.array([row[2] for row in rows], dtype=np.uint64),
        texts={},
        numbers={},
    )
    return Delta(told, owned or [], aliased or [], revisions or [])


def visits(known: Known) -> dict[str, list[int]]:
    """Return the visit of each event of everybody, in order."""
    events = events_of(known, MAPPING, StepRules())
    assert events.session is not None
    starts = events.starts.tolist()
    return {
        person: events.session[low:high].tolist()
        for person, low, high in zip(events.people, starts[:-1], starts[1:], strict=True)
    }


def test_a_revision_touches_its_person_though_nothing_else_is_new_of_them(known: Known) -> None:
    """Two visits become one; what is known of everybody else stays as it lies."""
    known.take(news(("u:ann", 1, 11), ("u:ann", 2, 12), ("u:bob", 3, 12), ("u:bob", 4, 11)))
    changed = known.take(news(revisions=[Revision("u:ann", 2, 12, 11, 9, 0)]))
    assert changed.people == ["u:ann"]
    assert visits(known) == {"u:ann": [0, 0], "u:bob": [1, 2]}


def test_a_revision_of_a_device_is_of_whoever_had_it_then(known: Known) -> None:
    """What the device lived before it was named is the first owner's, and so is what became of its visits."""
    known.take(news(("a:d", 1, 11), ("a:d", 2, 12), ("a:d", 7, 12), owned=[Owned("a:d", "u:ann", 5)]))
    changed = known.take(news(revisions=[Revision("a:d", 2, 12, 11, 9, 0)]))
    assert changed.people == ["u:ann"]
    assert visits(known) == {"a:d": [0], "u:ann": [1, 1]}
    known.take(news(revisions=[Revision("a:d", 7, 12, 13, 10, 0)]))
    assert visits(known) == {"a:d": [0], "u:ann": [1, 1]}


def test_of_several_revisions_the_last_that_was_said_counts_and_names_lead_on(known: Known) -> None:
    """12 led to 11, then to 13; and 13 leads to 14."""
    known.take(news(("u:ann", 1, 11), ("u:ann", 2, 12), ("u:ann", 3, 14), ("u:ann", 4, int(NO_VISIT))))
    known.take(news(revisions=[Revision("u:ann", 9, 12, 13, 8, 1), Revision("u:ann", 2, 12, 11, 8, 0)]))
    assert visits(known) == {"u:ann": [0, 1, 2, -1]}
    known.take(news(revisions=[Revision("u:ann", 9, 13, 14, 9, 0)]))
    assert visits(known) == {"u:ann": [0, 1, 1, -1]}


def test_what_was_revised_stays_so_where_all_of_it_is_kept_anew(known: Known) -> None:
    """Whoever is touched later is resolved from all that was ever said, whoever that was said of."""
    known.take(news(("u:ann", 1, 11), ("u:ann", 2, 12), ("u:bob", 3, 11), ("u:bob", 4, 12)))
    known.take(news(revisions=[Revision("u:ann", 2, 12, 11, 9, 0)]))
    again = Known(settled(known, known.base.origin))
    again.take(news(("u:ann", 5, 12), ("u:bob", 6, 12)))
    assert visits(again) == {"u:ann": [0, 0, 0], "u:bob": [1, 2, 2]}
    again.take(news(aliased=[Aliased("u:ann", "u:bob")]))
    once_more = Known(settled(again, known.base.origin))
    once_more.take(news(("u:bob", 7, 12)))
    assert visits(once_more) == {"u:bob": [0] * 7}


def test_who_named_a_device_is_known_where_all_of_it_is_kept_anew(known: Known) -> None:
    """The rows that it lived before stay theirs when something of them is new."""
    known.take(news(("a:d", 1, 11), ("u:ann", 2, 12)))
    known.take(news(owned=[Owned("a:d", "u:ann", 5)], aliased=[Aliased("u:bob", "u:ann")]))
    again = Known(settled(known, known.base.origin))
    again.take(news(("u:ann", 6, 12), ("u:bob", 7, 13), ("a:d", 8, 14)))
    assert visits(again) == {"a:d": [0], "u:ann": [1, 2, 2, 3]}


def test_whoever_is_named_takes_the_past_of_a_device_though_nothing_else_is_new(known: Known) -> None:
    """Of both, rows move; where they have none left, they are nobody."""
    known.take(news(("a:d", 1, 11), ("u:ann", 2, 12)))
    changed = known.take(news(owned=[Owned("a:d", "u:ann", 5)]))
    assert changed.people == ["a:d", "u:ann"]
    assert visits(known) == {"u:ann": [0, 1]}
    known.take(news(owned=[Owned("a:d", "u:bob", 6)]))
    assert visits(known) == {"u:ann": [0, 1]}


def test_a_device_whose_past_nobody_takes_keeps_it(known: Known) -> None:
    """Later namings take no more of it."""
    known.take(news(("a:d", 1, 11), owned=[Owned("a:d", NOBODY, 4)]))
    known.take(news(("u:ann", 6, 12), owned=[Owned("a:d", "u:ann", 5)]))
    assert visits(known) == {"a:d": [0], "u:ann": [1]}


def test_an_alias_moves_what_lies_at_both_of_its_ends(known: Known) -> None:
    """Also what was moved there before; and back where it is said otherwise."""
    known.take(news(("u:a", 1, 11), ("u:b", 2, 12), ("u:c", 3, 13)))
    known.take(news(aliased=[Aliased("u:a", "u:b")]))
    assert visits(known) == {"u:b": [0, 1], "u:c": [2]}
    changed = known.take(news(aliased=[Aliased("u:b", "u:c")]))
    assert changed.people == ["u:b", "u:c"]
    assert visits(known) == {"u:c": [0, 1, 2]}
    known.take(news(aliased=[Aliased("u:b", "u:b")]))
    assert visits(known) == {"u:b": [0, 1], "u:c": [2]}


def test_who_has_no_visit_has_none_where_the_numbers_of_visits_move(known: Known) -> None:
    """What is kept has both; and somebody new stands before them."""
    known.take(news(("u:bob", 1, int(NO_VISIT)), ("u:bob", 2, 11), ("u:eve", 3, int(NO_VISIT))))
    again = Known(settled(known, known.base.origin))
    assert visits(again) == {"u:bob": [-1, 0], "u:eve": [-1]}
    again.take(news(("u:ann", 4, 12), ("u:ann", 5, 13)))
    assert visits(again) == {"u:ann": [0, 1], "u:bob": [-1, 2], "u:eve": [-1]}


@given(TEXTS, TEXTS)
def test_many_texts_are_found_where_each_alone_is(kept: list[str], wanted: list[str]) -> None:
    """Texts that end with zeros, and those that are the beginning of others, too."""
    sorted_ = sorted(set(kept))
    wanted = [*wanted, *sorted_[::3]]
    places, is_there = places_among(Names.of(sorted_), Names.of(wanted))
    alone = Places(Names.of(sorted_))
    expected = [alone.find(text) for text in wanted]
    assert list(zip(places.tolist(), is_there.tolist(), strict=True)) == expected


def test_thousands_of_texts_are_coded_as_one_by_one() -> None:
    """Known ones as they are kept, new ones in the order they come, and None."""
    kept = Names.of(sorted({f"u:{n * 7_919 % 10_007:05d}" for n in range(5_000)}))
    asked = [None if n % 50 == 0 else f"u:{n * 31 % 10_007:05d}" for n in range(8_000)]
    together, single = Words(kept), Words(kept)
    assert together.codes(asked).tolist() == [single.code(text) for text in asked]


def told(kind: type[Fact], position: int, profile: str, **fields: Any) -> Fact:
    """Write a fact."""
    return kind(profile_id=profile, at=T0 + position, position=position, **fields)


def slice_of(*groups: list[Fact]) -> Slice:
    """Write what a log and a store have of two events and some facts."""
    entries = [Entry(position=n, at=T0 + n, event=event(n, f"Step {n}", at=T0 + n)) for n in (1, 2)]
    steps = [
        StepTaken(
            profile_id="u:ann", at=T0 + n, position=n, source="shop", message_id=f"m{n}", name=f"Step {n}",
            occurred_at=T0 + n, session_id=f"s{n}",
        )
        for n in (1, 2)
    ]  # fmt: skip
    numbered = list(enumerate([list[Fact](steps), *groups], 1))
    return Slice(Reach(), Reach(2, len(numbered), T0 + 99), entries, numbered, "")


def test_news_read_of_the_log_are_those_read_of_files() -> None:
    """Every kind of fact that says who somebody is or what became of a visit, and those that say neither."""
    slice_ = slice_of(
        [told(Identified, 3, "u:ann", anonymous_id="d", user_id="ann", how="both_ids", message_id="m3")],
        [told(IdentityRefused, 4, "u:bob", other_id="e", reason="merge-limit", message_id="m4")],
        [told(IdentityRefused, 5, "u:bob", other_id="f", reason="shared-device", message_id="m5")],
        [told(Identified, 6, "u:bob", user_id="ann", how="alias", message_id="m6")],
        [told(Identified, 7, "u:bob", user_id="bob", how="unalias", message_id="m7")],
        [told(SessionRevised, 8, "u:ann", session_id="s1", replaces=["s2", "s1", "s3"], started_at=T0)],
        [
            told(SessionRevised, 9, "u:ann", session_id="s4", replaces=["s1"], started_at=T0),
            told(SessionRevised, 9, "u:ann", session_id="s4", replaces=["s4"], started_at=T0),
        ],
        [told(SessionStarted, 9, "u:ann", session_id="s9", started_at=T0)],
    )
    connection = open_database()
    join_tables(connection, [])
    columns.fill(connection, slice_, schema="tail")
    of_files = read_delta(connection, Columns())
    connection.close()
    slices = Slices(Columns())
    of_log = slices.delta(slice_)
    slices.close()
    assert of_log.owned == of_files.owned == [Owned("a:d", "u:ann", 3), Owned("a:e", NOBODY, 4)]
    assert of_log.aliased == of_files.aliased == [Aliased("u:bob", "u:ann"), Aliased("u:bob", "u:bob")]
    assert sorted(of_log.revisions) == sorted(of_files.revisions)
    assert [(one.group, one.n) for one in sorted(of_log.revisions)] == [(7, 0), (7, 0), (8, 0)]
    for name in ("profiles", "names"):
        assert list(getattr(of_log.rows, name)) == list(getattr(of_files.rows, name))
    for name in ("at", "position", "visit"):
        assert getattr(of_log.rows, name).tolist() == getattr(of_files.rows, name).tolist()
