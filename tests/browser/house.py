"""A server with a history, for a browser to look at."""

from __future__ import annotations

from dataclasses import dataclass

from demo.program import Program, Setup


@dataclass(frozen=True)
class House:
    """A server with a history, and who may look at it."""

    program: Program
    setup: Setup

    @property
    def address(self) -> str:
        """Where it is, without a slash at the end."""
        return self.program.address
