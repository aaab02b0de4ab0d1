"""Expression text: what an author wrote, read with Python's own parser, and where each part of it stands."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

MAX_CHARACTERS = 4_000  # a screenful and more; nobody reads a longer guard.


_SLIPS = (
    ("=>", ">="),
    ("=<", "<="),
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("&&", "and"),
    ("||", "or"),
    ("!", "not"),
    ("=", "=="),
)
"""What other languages write, and the word for it here."""

_OPERATOR = re.compile(r"[=!<>&|]+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DIGIT_BEFORE_LETTER = re.compile(r"\d\.?[a-zA-Z]")


class Refused(Exception):  # noqa: N818  a signal between these files; it leaves them as a Problem
    """One part of an expression is not part of the language."""

    def __init__(self, place: ast.AST | int, message: str, code: str) -> None:
        super().__init__(message)
        self.place = place
        """The part, or how many characters stand before it."""
        self.message = message
        self.code = code


class ExpressionText:
    """One text, and its syntax tree."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._n_margin = len(text) - len(text.lstrip())
        # Line breaks become blanks: an expression may span lines, and offsets stay what they are.
        self._line = text.strip().replace("\r", " ").replace("\n", " ")

    def parse(self) -> ast.expr:
        """Return the syntax tree, or raise Refused. No text makes it fail in another way."""
        if len(self._text) > MAX_CHARACTERS:
            raise Refused(
                0, f"expected at most {MAX_CHARACTERS} characters, got {len(self._text)}", "too-long"
            )
        if "\\" in self._text:
            raise Refused(self._text.index("\\"), "a backslash has no meaning here", "not-allowed")
        if not self._line:
            raise Refused(0, "expected an expression, got nothing", "syntax")
        self._refuse_numbers_run_into_words()
        try:
            tree = ast.parse(self._line, mode="eval").body
        except SyntaxError as error:
            n_before = (error.offset or len(self._line) + 1) - 1
            message = f"this is not an expression: {_kinder(self._line, error.msg, n_before)}"
            raise Refused(self._n_margin + min(n_before, len(self._line)), message, "syntax") from None
        except (ValueError, RecursionError, MemoryError, OverflowError):
            raise Refused(0, "this cannot be read: it is no text, or nested too deep", "syntax") from None
        self._refuse_comments()
        return tree

    def position(self, place: ast.AST | int) -> tuple[int, int]:
        """Say where a part begins: its line and column, from 1."""
        if isinstance(place, int):
            offset = place
        else:  # Python counts columns in bytes.
            before = self._line.encode()[: getattr(place, "col_offset", 0)]
            offset = self._n_margin + len(before.decode(errors="replace"))
        lines = self._text[:offset].split("\n")
        return len(lines), len(lines[-1]) + 1

    def _refuse_numbers_run_into_words(self) -> None:
        """Python reads `9in x`, and warns: to make its warnings errors would do so in the whole process."""
        if not _DIGIT_BEFORE_LETTER.search(_QUOTED.sub("''", self._line)):
            return
        for token, after in pairwise(self._tokens()):
            if (token.type, after.type, after.start) == (tokenize.NUMBER, tokenize.NAME, token.end):
                message = (
                    f"a blank is missing between {token.string} and {after.string}, or quotes around them"
                )
                raise Refused(self._n_margin + after.start[1], message, "syntax")

    def _tokens(self) -> Iterator[tokenize.TokenInfo]:
        """Yield the words; what cannot be read ends them."""
        with suppress(tokenize.TokenError, SyntaxError):
            yield from tokenize.generate_tokens(io.StringIO(self._line).readline)

    def _refuse_comments(self) -> None:
        """A comment would swallow all lines after it."""
        if "#" not in self._line:
            return
        for token in self._tokens():
            if token.type == tokenize.COMMENT:
                raise Refused(self._n_margin + token.start[1], "a comment cannot stand here", "not-allowed")


def _kinder(line: str, reason: str, n_before: int) -> str:
    """Say what Python's parser found, and what to write instead where that is known."""
    reason = reason.removesuffix(" (detected at line 1)")
    found = _OPERATOR.findall(_QUOTED.sub("", line))
    for slip, meant in _SLIPS:
        if slip in found:
            return f"{reason}; write {meant} instead of {slip}"
    return f"{reason}; something is missing at its end" if n_before >= len(line) else reason
