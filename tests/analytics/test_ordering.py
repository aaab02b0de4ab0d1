"""Ordering and names: small oracles for the passes everything rests on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sojourn.analytics import ordering
from sojourn.analytics.chunks import CHUNK, in_chunks
from sojourn.analytics.names import Names
from sojourn.analytics.ordering import Lookup, are_distinct, stable_order

KEYS = st.one_of(st.integers(0, 5), st.integers(-(2**62), 2**62))


@given(arrays.arrays(np.int64, st.integers(0, 40), elements=KEYS))
def test_a_stable_order_is_numpys(keys: np.ndarray) -> None:
    """Packed where key and place fit one number, and plain where they do not."""
    assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@given(
    arrays.arrays(np.int64, 20, elements=st.integers(0, 3)),
    arrays.arrays(np.int64, 20, elements=st.integers(0, 3)),
)
def test_an_order_within_an_order_is_a_lexicographic_one(first: np.ndarray, second: np.ndarray) -> None:
    """By the first key, then the second, then the place."""
    assert stable_order(first, stable_order(second)).tolist() == np.lexsort((second, first)).tolist()


def test_halves_on_two_threads_give_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many are split; equal keys must not change places, and a half may be empty."""
    monkeypatch.setattr(ordering, "_SPLIT_ABOVE", 2_000)
    random = np.random.default_rng(0)
    for keys in (random.integers(0, 50, 5_000), np.concatenate([np.ones(4_999, np.int64), [0]])):
        assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@given(st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_a_look_up_finds_every_key(known: set[int], random: object) -> None:
    """However unevenly the keys lie: hashes spread, and these do not have to."""
    keys = np.array(sorted(known, key=lambda key: key % 7), dtype=np.uint64)
    places = np.random.default_rng(len(known)).integers(0, len(keys), 60)
    assert Lookup(keys).places(keys[places]).tolist() == places.tolist()


@given(arrays.arrays(np.uint64, st.integers(0, 10), elements=st.integers(0, 12)))
def test_distinct_is_what_a_set_says(keys: np.ndarray) -> None:
    """Two hashes that are one would merge two people."""
    assert are_distinct(keys) == (len(set(keys.tolist())) == len(keys))


@pytest.mark.parametrize("n", [0, 1, CHUNK, 3 * CHUNK + 1])
def test_chunks_cover_every_row_once(n: int) -> None:
    """A row seen twice would be counted twice."""
    seen = np.zeros(n, dtype=np.int64)

    def see(part: slice) -> None:
        seen[part] += 1

    in_chunks(see, n)
    assert (seen == 1).all()


@given(st.lists(st.text(max_size=4), max_size=12), st.data())
def test_names_are_a_sequence_of_texts(texts: list[str], data: st.DataObject) -> None:
    """Packed or not, nobody can tell."""
    texts = [text.encode(errors="replace").decode() for text in texts]
    names = Names.of(texts)
    assert (len(names), list(names), names == texts, names[1:]) == (len(texts), texts, True, texts[1:])
    assert [names[i] for i in range(-len(texts), 0)] == texts
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=5)) if texts else []
    assert names.take(np.array(places, dtype=np.int64)) == [texts[i] for i in places]
    with pytest.raises(IndexError):
        names[len(texts)]


def test_names_differ_where_a_text_does() -> None:
    """The same bytes cut elsewhere are other names."""
    assert Names.of(["ab", "c"]) != Names.of(["a", "bc"])
    assert Names.of(["ab", "c"]) != ["ab", "d"]
    assert repr(Names.of(["a", "b", "c", "d"])) == "Names(4: 'a', 'b', 'c', ...)"
