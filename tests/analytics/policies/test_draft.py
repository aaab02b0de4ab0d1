"""Drafts: policies as they are written, and what is wrong in them."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.analytics.policies.draft import Draft, Drafts, Split, parse_draft, read_drafts, write_drafts
from sojourn.model.errors import ConfigError, DefinitionError

BOLDER = """\
policy: bolder
experiments:
  rescue-offer:
    weights: { none: 0.2, free_shipping: 0.8 }
    cells:
      '"pro"': { none: 0.9, free_shipping: 0.1 }
      '"new"': always none
  banner: uniform
  greeting: always short
"""
VARIANTS = ("free_shipping", "none")


def test_a_cell_has_its_own_weights_and_others_the_common_ones() -> None:
    """In the order of the variants, whatever the order of the file."""
    _, draft = read_drafts(BOLDER, file="bolder.yaml").of("rescue-offer")
    shares = draft.shares(VARIANTS, ('"free"', '"new"', '"pro"'))
    assert np.array_equal(shares, [[0.8, 0.2], [0.0, 1.0], [0.1, 0.9]])


def test_short_words_say_the_same_in_the_file_and_outside() -> None:
    """`uniform` and `always VARIANT`."""
    drafts = read_drafts(BOLDER, file="bolder.yaml")
    assert drafts.of("banner")[1] == parse_draft("uniform") == Draft()
    assert drafts.of("greeting")[1] == parse_draft("always short")
    assert np.array_equal(Draft().shares(VARIANTS, ("",)), [[0.5, 0.5]])
    assert parse_draft("bolder.yaml") is None


def test_what_is_written_is_read_again() -> None:
    """Also names that YAML would take for something else."""
    split = Split({"yes": 0.25, "it's": 0.75})
    drafts = Drafts("a: b", {"no": Draft(split, {'"x"|true': Split({"yes": 1.0}), "": Split()})})
    assert read_drafts(write_drafts(drafts), file="again.yaml") == drafts


def test_weights_that_miss_one_by_rounding_are_made_to_sum_to_it() -> None:
    """Three thirds, as somebody writes them."""
    text = "experiments: { e: { weights: { a: 0.333, b: 0.333, c: 0.333 } } }"
    _, draft = read_drafts(text, file="thirds.yaml").of(None)
    assert draft.default.over(("a", "b", "c")).sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("policy: bolder", "1:1: expected `experiments`"),
        ("experiments: []", "1:14: expected experiments by name"),
        ("experimets: { e: uniform }", "knows no 'experimets'; did you mean 'experiments'"),
        ("experiments: { e: greedy }", "1:19: expected `uniform`, `always VARIANT`, or an object"),
        ("experiments: { e: { cells: { x: uniform } } }", "needs `weights`"),
        (
            "experiments: { e: { weights: { a: 0.5, b: 0.4 } } }",
            "1:30: weights must sum to 1, and these do to 0.9",
        ),
        ("experiments: { e: { weights: { a: 1.5 } } }", "1:35: expected a weight from 0 to 1"),
        ("experiments: { e: { weights: { a: yes } } }", "1:35: expected a weight from 0 to 1"),
        ("experiments: { e: { weights: maybe } }", "1:30: expected `uniform`, `always VARIANT`, or weights"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, says: str) -> None:
    """As of every other definition."""
    with pytest.raises(DefinitionError) as caught:
        read_drafts(text, file="draft.yaml")
    assert says in str(caught.value)


def test_an_experiment_that_is_not_named_is_asked_for() -> None:
    """Where the file is of several; the only one is meant otherwise."""
    drafts = read_drafts(BOLDER, file="bolder.yaml")
    with pytest.raises(ConfigError, match="say which with --experiment"):
        drafts.of(None)
    with pytest.raises(ConfigError, match="did you mean 'banner'"):
        drafts.of("baner")


def test_cells_that_are_called_otherwise_in_the_log_are_refused() -> None:
    """Else the draft's default would be judged in their place, and nobody would know."""
    _, draft = read_drafts(BOLDER, file="bolder.yaml").of("rescue-offer")
    with pytest.raises(ConfigError, match="no decision was made in the cell"):
        draft.shares(VARIANTS, ("pro", "new"))
    assert draft.unseen(('"pro"', "new")) == ('"new"',)
    assert draft.shares(VARIANTS, ('"pro"', "new")).shape == (2, 2)


def test_a_variant_that_the_log_does_not_know_is_refused() -> None:
    """A slip, or something new: either way the log says nothing of it."""
    draft = Draft(Split({"free_shiping": 1.0}))
    with pytest.raises(ConfigError, match="did you mean 'free_shipping'"):
        draft.shares(VARIANTS, ("",))
