"""What outlives a process keeps its layout, or a test says what would become of what is there."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, defstruct, inspect

from tests.evolution.goldens import SHAPES
from tests.evolution.shapes import Shape, Shapes, alternatives, broken, shapes
from tests.soak import tries

RECORD = "python -m tests.evolution.goldens"
BROKEN = """\
What older releases wrote cannot be read any more, or would mean something else:

{what}

Leave what is there where it is, and put what is new behind it, with a default that means what was before
(docs/adr/0037). Where that cannot be, the same page says how a second layout begins. Where nobody can have
written what changed, `{record}` records today's shapes.
"""
GROWN = f"The shapes have grown, and what is there stays readable. `{RECORD}` records them: commit that, too."


def test_what_was_written_can_be_read() -> None:
    """Every change to what is kept is held against what was recorded; then it is recorded itself."""
    recorded = msgspec.json.decode(SHAPES.read_bytes(), type=Shapes)
    today = shapes()
    found = broken(recorded, today)
    assert not found, BROKEN.format(what="\n".join(f"  {each}" for each in found), record=RECORD)
    assert recorded == today, GROWN


def of(*fields: Any, array: bool = True, **more: Any) -> type[Struct]:
    """Make a struct named Kept."""
    return defstruct("Kept", list(fields), array_like=array, **more)


class Part(Struct, array_like=True, frozen=True):
    """What a field may hold."""

    n: int = 0


BEFORE = of("id", ("n", int), ("seen", list[int], []), ("how", Literal["pin", "map"], "pin"))
WRITTEN = BEFORE("a", 1, [2], "map")
SAME = ("id", Any), ("n", int), ("seen", list[int], [])
HOW = ("how", Literal["pin", "map"], "pin")
HARMLESS = {
    "one more, with a default": of(*SAME, HOW, ("more", Part, Part())),
    "another name in the same place": of(("whose", Any), *SAME[1:], HOW),
    "more alternatives": of(*SAME, ("how", Literal["pin", "map", "follow"], "pin")),
    "or nothing": of("id", ("n", int | None), *SAME[2:], HOW),
}
HARMFUL = {
    "one more, without a default": (of(*SAME, HOW, "more", kw_only=True), ".more: is new and has no default"),
    "one in between": (
        of("id", ("more", int), ("n", int, 0), *SAME[2:], HOW),
        ".n: is gone, or not where it was",
    ),
    "one less": (of(*SAME), ".how: is gone"),
    "two that change places": (of("id", ("n", int), HOW, SAME[2]), ".seen: is gone, or not where it was"),
    "another type": (of("id", ("n", str), *SAME[2:], HOW), ".n: was int, and is str"),
    "fewer alternatives": (of(*SAME, ("how", Literal["pin"], "pin")), ".how: was 'map' | 'pin'"),
    "another default": (of(*SAME, ("how", Literal["pin", "map"], "map")), """.how: stood for "pin" """),
    "an object": (of(*SAME, HOW, array=False), ": was array ``, and is object ``"),
    "a tag": (of(*SAME, HOW, tag="kept"), ": was array ``, and is array `kept`"),
}


def shape_of(kind: type[Struct]) -> Shapes:
    """Describe one struct alone."""
    found: dict[str, Shape] = {}
    return Shapes({"kept": alternatives(inspect.type_info(kind), found)}, found, [])


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_let_be(name: str) -> None:
    """And what was written before reads as it did, and is written again without a loss."""
    after: Any = HARMLESS[name]
    assert broken(shape_of(BEFORE), shape_of(after)) == []
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(WRITTEN), type=after)
    again = msgspec.msgpack.encode(read)
    assert msgspec.msgpack.decode(again)[:4] == msgspec.msgpack.decode(msgspec.msgpack.encode(WRITTEN))


@pytest.mark.parametrize("name", HARMFUL)
def test_what_does_harm_is_named(name: str) -> None:
    """With the field, and what it was."""
    after, said = HARMFUL[name]
    (first, *_) = broken(shape_of(BEFORE), shape_of(after))
    assert first.startswith(f"Kept{said}".rstrip())


def test_objects_go_by_their_names() -> None:
    """Their fields may change places, and not their names."""
    before = of("id", ("n", int, 0), array=False)
    assert broken(shape_of(before), shape_of(of(("n", int, 0), "id", array=False, kw_only=True))) == []
    renamed = broken(shape_of(before), shape_of(of("id", ("number", int, 0), array=False)))
    assert renamed == ["Kept.n: is gone, or not where it was; what is there still has it"]


def test_what_flink_finds_states_by_is_held_too() -> None:
    """Another name or type of a state, and a savepoint has nowhere to go."""
    before, after = Shapes({}, {}, ["shelf.py: uid('a')"]), Shapes({}, {}, ["shelf.py: uid('b')"])
    assert broken(before, after) == ["Flink: a savepoint has shelf.py: uid('a'), and the job has not"]
    assert any("'states'" in line for line in shapes().flink)


KINDS: tuple[tuple[Any, Any, Any], ...] = (
    (int, 0, 5),
    (str, "", "five"),
    (list[int], [], [5]),
    (int | None, None, 7),
    (Literal["pin", "map"], "pin", "map"),
    (Literal["pin", "map", "follow"], "pin", "map"),
)
"""(type, a default, another value)."""
KIND_VALUES = {str(kind): (default, other) for kind, default, other in KINDS}


def changed(random: Random, fields: list[tuple[str, Any, Any]], names: Iterator[str]) -> None:
    """Change a struct's fields at random, as somebody might who does not know the rule."""
    kind, default, _ = random.choice(KINDS)
    at = random.randrange(len(fields))
    name, was, meant = fields[at]
    dice = random.randrange(7)
    if dice < 2:
        fields.append((next(names), kind, default))
    elif dice == 2:
        fields[at] = next(names), was, meant
    elif dice == 3:
        fields[at] = name, kind, default
    elif dice == 4:
        fields.insert(at, (next(names), kind, default))
    elif dice == 5 and len(fields) > 1:
        del fields[at]
    else:
        random.shuffle(fields)


@settings(max_examples=tries(200), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 4), st.booleans())
def test_what_is_let_be_reads_as_it_was_written(seed: int, n_changes: int, array: bool) -> None:
    """Whatever is done to a struct: where nothing is said against it, old bytes keep their meaning."""
    random, names = Random(seed), iter("abcdefghijklmnop")
    fields = [(next(names), kind, default) for kind, default, _ in random.choices(KINDS, k=4)]
    before = of(*fields, array=array, omit_defaults=True)
    values = [random.choice(KIND_VALUES[str(kind)]) for _, kind, _ in fields]
    written = before(*values)
    after_fields = list(fields)
    for _ in range(n_changes):
        changed(random, after_fields, names)
    after = of(*after_fields, array=array, omit_defaults=True)
    if broken(shape_of(before), shape_of(after)):
        return
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(written), type=after)
    if array:
        assert list(msgspec.structs.astuple(read))[:4] == values
        assert list(msgspec.structs.astuple(read))[4:] == [default for *_, default in after_fields[4:]]
    else:
        assert {name: getattr(read, name) for name, *_ in fields} == msgspec.structs.asdict(written)
