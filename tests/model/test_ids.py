"""Ids: derived from causes, and never two causes with one id."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.model.ids import decision_id, derive, digest, message_digest


@given(st.text(), st.text())
def test_a_messages_digest_is_the_digest_of_its_parts(source: str, message_id: str) -> None:
    """The quick way and the general one must never differ: duplicate marks live for weeks."""
    assert message_digest(source, message_id) == digest(source, message_id)


@given(st.text(), st.text(), st.text(), st.text())
def test_an_answers_id_is_derived_from_its_parts(unit: str, key: str, version: str, said: str) -> None:
    """By the quick way as by the general one."""
    assert decision_id(unit, key, version, said) == derive("decision", unit, key, version, said)


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_different_causes_have_different_ids(one: list[str], other: list[str]) -> None:
    """Borders between parts count: ("ab", "c") is not ("a", "bc")."""
    assert (derive(*one) == derive(*other)) == (one == other)
