"""YAML: places of all parts, the safe half of the language, and bounds."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.yaml import MAX_DEPTH, MAX_NODES, MappingNode, ScalarNode, load, plain
from sojourn.model.errors import DefinitionError
from tests.soak import tries


def test_values_have_the_types_of_yaml_1_2() -> None:
    """`on` and `yes` are words; only true and false are booleans."""
    text = "on: yes\noff: no\nb: true\nn: ~\ni: 12\nf: 1.5\ns: '12'\np: 10%\nt: 12:30:45\nl: [a, 1e3, -2]"
    assert plain(load(text, file="f")) == {
        **{"on": "yes", "off": "no", "b": True, "n": None, "i": 12, "f": 1.5, "s": "12", "p": "10%"},
        **{"t": "12:30:45", "l": ["a", 1000.0, -2]},
    }


def test_keys_are_always_text() -> None:
    """A variant may be called `none` or `1`, an event `on`."""
    assert plain(load("{1: a, null: b, true: c}", file="f")) == {"1": "a", "null": "b", "true": "c"}


def test_every_node_knows_its_line_and_column() -> None:
    """All messages point into the file."""
    root = load("a: 1\nb:\n  - x\n  - {c: é, d: y}\n", file="f")
    assert isinstance(root, MappingNode)
    places = [(node.line, node.column) for node in (root, root.keys["b"], root.entries["b"])]
    assert places == [(1, 1), (2, 1), (3, 3)]


@pytest.mark.parametrize(
    ("source", "needle", "place"),
    [
        ("k: abc def", "def", (1, 8)),
        ("k: 'it''s def'", "def", (1, 11)),
        ('k: "a\\t\\u00e9 def"', "def", (1, 15)),
        ("k: |\n  abc\n  x def\n", "def", (3, 5)),
        ("k: >-\n  abc\n  x def\n", "def", (3, 5)),
        ("k: abc\n   x def\n", "def", (2, 6)),
    ],
)
def test_a_place_inside_a_scalar_is_found_in_the_file(
    source: str, needle: str, place: tuple[int, int]
) -> None:
    """A guard's problem is shown where the author sees it, whatever the quotes."""
    root = load(source, file="f")
    assert isinstance(root, MappingNode)
    node = root.entries["k"]
    assert isinstance(node, ScalarNode)
    before = node.text[: node.text.index(needle)].split("\n")
    assert node.place(len(before), len(before[-1]) + 1) == place


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: 1\nb: 2\na: 3", (3, 1), "duplicate-key"),
        ("a: &x 1", (1, 4), "not-allowed"),
        ("a: *x", (1, 4), "not-allowed"),
        ("a: !!python/object:os.system x", (1, 4), "not-allowed"),
        ("a: 1\n--- \nb: 2", (2, 1), "not-allowed"),
        ("? [a]\n: b", (1, 3), "not-allowed"),
        ("a: .inf", (1, 4), "bad-number"),
        ("a: 1e999", (1, 4), "bad-number"),
        ("a: 12345678901234567890", (1, 4), "bad-number"),
        ("a: -1234567890123456789", (1, 4), "bad-number"),
        ("a: [1, 2", (1, 9), "syntax"),
        ("\t- a", (1, 1), "syntax"),
        ("", (1, 1), "syntax"),
        ("a: \x00", (1, 1), "syntax"),
        ("\ud800", (1, 1), "syntax"),
        ("[" * 60 + "]" * 60, (1, MAX_DEPTH + 2), "too-deep"),
        ("[" + "a," * (MAX_NODES + 5) + "]", (1, 2 * MAX_NODES), "too-long"),
        ("a" * 300_000, (1, 1), "too-long"),
    ],
)
def test_what_is_unsafe_or_endless_is_refused_where_it_stands(
    text: str, place: tuple[int, int], code: str
) -> None:
    """Definitions come from repositories, and from people who paste."""
    with pytest.raises(DefinitionError) as caught:
        load(text, file="f")
    problem = caught.value.problems[0]
    assert ((problem.line, problem.column), problem.code) == (place, code)


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a: 1\n\tb: 1\n", "a:\n  b: 1\n\tc: 1\n"])
def test_a_tab_is_named(text: str) -> None:
    """It cannot be seen, and the parser calls it a character that starts no token."""
    with pytest.raises(DefinitionError) as caught:
        load(text, file="f")
    assert caught.value.problems[0].message == "this is not YAML: a tab stands here; indent with spaces"


def test_a_billion_laughs_is_refused_at_its_first_anchor() -> None:
    """Aliases of aliases grow beyond all memory."""
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))]
    with pytest.raises(DefinitionError, match="1:5: anchors and aliases are refused"):
        load("\n".join(lines), file="f")


PIECES = st.lists(
    st.sampled_from([*"{}[]:,-?|>&*!%@`'\"#\n\t ", "a", "1", "- ", ": ", "\u2028"]),
).map("".join)


@settings(max_examples=tries(400), deadline=None)
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")) | PIECES)
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    """No text makes the reader fail in another way; every place inside can be asked for."""
    with suppress(DefinitionError):
        root = load(text, file="f")
        assert not isinstance(root, ScalarNode) or all(
            root.place(1, column + 1) >= (1, 1) for column in range(len(root.text) + 1)
        )
