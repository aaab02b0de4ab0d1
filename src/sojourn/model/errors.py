"""Errors, sorted by who must act.

SojournError
|- InputError        the caller: a request or an event that cannot be read
|- DefinitionError   the author of a journey: one or many problems, each with its line
|- SinkError         the world: a destination said no, or not now
|- ConfigError       the operator: a setting, a folder, a port
|  |- FolderInUseError   another process of theirs works in it
|- UnavailableError  nobody: not durable now; the caller sends the same again later
|  |- DownError         what would answer does not
(a bug is an assert)
"""

from __future__ import annotations

from msgspec import Struct


class SojournError(Exception):
    """Everything this package raises on purpose."""


class InputError(SojournError):
    """The caller sent something that cannot be read."""

    def __init__(self, code: str, reason: str, *, path: str = "", status: int = 400) -> None:
        super().__init__(f"{path}: {reason} [{code}]" if path else f"{reason} [{code}]")
        self.code = code
        self.reason = reason
        self.path = path
        self.status = status


class Problem(Struct, frozen=True, order=True, kw_only=True):
    """One thing wrong in a definition, and where."""

    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    message: str
    """What was expected, what came, what to do."""
    code: str
    """Kebab-case: `dead-end`, `unknown-name`, ..."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message} [{self.code}]"


class DefinitionError(SojournError):
    """A definition was refused; all its problems, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class SinkError(SojournError):
    """A destination did not take an action."""

    def __init__(
        self, reason: str, *, retry: bool, status: int | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.status = status
        self.retry_after_ms = retry_after_ms


class ConfigError(SojournError):
    """A setting is wrong, or the place it names is not as it must be."""


class FolderInUseError(ConfigError):
    """Another process works in the data folder."""


class UnavailableError(SojournError):
    """What was given could not be made durable now: nothing of it is promised; send the same again later."""

    def __init__(self, reason: str, *, retry_after_s: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class DownError(UnavailableError):
    """What would answer does not answer now; the caller asks again later."""
