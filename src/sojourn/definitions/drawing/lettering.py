"""Lettering: how wide text is, roughly and on the safe side, and where its lines break.

Nobody knows the reader's fonts, so widths are estimates for a sans-serif, in shares of the font's size.
"""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_NARROW = frozenset("ijl.,:;'|!()[]{} ft/I-`r\"")
_WIDE = frozenset("mwMW@%&—…→<>=+#~")


def text_width(text: str, size: float) -> float:
    """Estimate the width of one line, px.

    >>> text_width("mill", 10) < text_width("MMMM", 10)
    True
    """
    return size * sum(map(_share, text))


def wrap(text: str, *, width: float, size: float, max_lines: int) -> list[str]:
    """Break text into lines of at most `width` px; what does not fit `max_lines` ends in an ellipsis.

    >>> wrap("one two three", width=50, size=12, max_lines=2)
    ['one two', 'three']
    """
    lines: list[str] = []
    line = ""
    for word in _pieces(text, width, size):
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines += [line] if line else []
    if len(lines) > max_lines:
        return [*lines[: max_lines - 1], _cut(f"{lines[max_lines - 1]}…", width, size)]
    return lines


def _share(character: str) -> float:
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 0.95
    return 0.71 if character.isupper() else 0.58


def _pieces(text: str, width: float, size: float) -> list[str]:
    """Split at blanks; a word that is too long for a line is cut into pieces."""
    pieces: list[str] = []
    for word in text.split():
        while text_width(word, size) > width and len(word) > 1:
            n = _n_fitting(word, width, size)
            pieces.append(word[:n])
            word = word[n:]  # noqa: PLW2901 - what is left of it
        pieces.append(word)
    return pieces


def _n_fitting(word: str, width: float, size: float) -> int:
    """Count how many characters fit a line: one at least, and not the whole word."""
    used = 0.0
    for i, character in enumerate(word):
        used += size * _share(character)
        if used > width:
            return max(i, 1)
    return max(len(word) - 1, 1)


def _cut(text: str, width: float, size: float) -> str:
    while text_width(text, size) > width and len(text) > 1:
        text = f"{text[:-2]}…"
    return text
