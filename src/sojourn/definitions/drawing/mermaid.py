"""Mermaid: a picture as a `stateDiagram-v2`, for pages that draw it themselves (GitHub, GitLab, many wikis).

States are called s1, s2, ... and carry their names as text: what authors write never becomes syntax. Mermaid
knows no history states and no ways from a state to one inside it; the first become states called H, the
second lines of a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sojourn.definitions.drawing.picture import Arrow, Box, Picture
from sojourn.definitions.drawing.placing import box_title, people_words
from sojourn.definitions.drawing.wording import plain_text

_INDENT = "  "
_UNSAFE = re.compile(r"[^\w ./,()'?+*=!·…→-]|(?<=-)-|^[ -]|[sS](?=tyle)|[cC](?=lass)|[eE](?=nd note)")
"""All that Mermaid may take for syntax, also inside text: some of its words too, which open or end things."""


def mermaid_of(picture: Picture) -> str:
    """Write a picture as a Mermaid diagram."""
    return "\n".join(_Writing(picture).lines()) + "\n"


class _Writing:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.parents: dict[int, Box] = {}
        self.boxes: dict[int, Box] = {}
        self._enter(picture.root)

    def lines(self) -> Iterator[str]:
        """Write the head, the states from the outside in, and what people should read beside them."""
        yield "---"
        yield f"title: {_quoted(self.picture.title)}"
        yield "---"
        yield "stateDiagram-v2"
        yield from self._inside(self.picture.root, _INDENT)
        first = self.picture.root.starts_in[0]
        yield from _note(self._outermost(first), self.picture.rules, _INDENT, side="left")

    def _enter(self, box: Box) -> None:
        for inner in box.inside:
            self.boxes[inner.index] = inner
            self.parents[inner.index] = box
            self._enter(inner)

    def _inside(self, box: Box, indent: str) -> Iterator[str]:
        """Write what is directly inside a box: its states, where it starts, and the ways that stay in it."""
        for i, inner in enumerate(box.inside):
            if i and box.kind == "parallel":
                yield f"{indent}--"
            yield from self._state(inner, indent)
        for target in box.starts_in:
            label = self.picture.entry if box is self.picture.root else ""
            yield _way("[*]", _name(target), label, indent)
        for arrow in self.picture.arrows:
            if self._home(arrow) is box and not self._is_into_itself(arrow):
                yield _way(_name(arrow.source), _name(arrow.target), arrow.label, indent)
        for inner in box.inside:
            if inner.kind == "final":
                yield _way(_name(inner.index), "[*]", "", indent)

    def _state(self, box: Box, indent: str) -> Iterator[str]:
        name = _name(box.index)
        counted = f" · {people_words(box)}" if box.n_people is not None else ""
        title = safe_text(box_title(box) + counted)
        lines = [*box.lines, *self._ways_inside(box)]
        if box.is_choice:
            yield f"{indent}state {name} <<choice>>"
            lines = [box.title + counted]
        elif box.inside:
            yield f'{indent}state "{title}" as {name} {{'
            yield from self._inside(box, indent + _INDENT)
            yield f"{indent}}}"
        else:
            yield f'{indent}state "{title}" as {name}'
        yield from _note(name, lines, indent)

    def _ways_inside(self, box: Box) -> Iterator[str]:
        for arrow in self.picture.arrows:
            if self._is_into_itself(arrow) and self._home(arrow) is box:
                source, target = self.boxes[arrow.source], self.boxes[arrow.target]
                yield f"{source.title} to {target.title}: {arrow.label}"

    def _line(self, index: int) -> list[Box]:
        """Return a state and what is around it, up to the root."""
        line = [self.boxes[index]] if index in self.boxes else [self.picture.root]
        while line[-1].index in self.parents:
            line.append(self.parents[line[-1].index])
        return line

    def _home(self, arrow: Arrow) -> Box:
        around = {box.index for box in self._line(arrow.target)}
        return next(box for box in self._line(arrow.source) if box.index in around)

    def _is_into_itself(self, arrow: Arrow) -> bool:
        return self._home(arrow).index in (arrow.source, arrow.target)

    def _outermost(self, index: int) -> str:
        return _name(self._line(index)[-2].index)


def _name(index: int) -> str:
    return f"s{index}"


def _way(source: str, target: str, label: str, indent: str) -> str:
    return f"{indent}{source} --> {target}" + (f" : {safe_text(label)}" if label else "")


def _note(
    name: str, lines: list[str] | tuple[str, ...], indent: str, *, side: str = "right"
) -> Iterator[str]:
    if lines:
        yield f"{indent}note {side} of {name}"
        yield from (f"{indent}{_INDENT}{safe_text(line)}" for line in lines)
        yield f"{indent}end note"


def safe_text(text: str) -> str:
    """Write text so that Mermaid shows it and obeys none of it: its own entities, `#` and a number.

    >>> safe_text('a "b"; c')
    'a #34;b#34;#59; c'
    """
    return _UNSAFE.sub(lambda found: f"#{ord(found.group())};", plain_text(text))


def _quoted(text: str) -> str:
    """Write the title, which is YAML and then text."""
    return '"' + plain_text(text).replace("\\", "").replace('"', "'") + '"'
