"""Steps: the table of what people did, as every question begins with it.

The order is that of all analytics: by person, then by whole milliseconds, then by the columns that break
ties, and last by the name of the step, so that no answer depends on how an engine deals rows out.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sojourn.analytics.sql.dialects import Dialect, DialectName, dialect_named
from sojourn.model.errors import ConfigError


class Steps(Struct, frozen=True, kw_only=True):
    """Which table tells what people did, and by which columns; by default `steps` as the lake exports it.

    The lake's files have `profile_id` for `person_id`: who somebody is by now is found out by an export.
    """

    table: str = "steps"
    """What stands behind FROM, as SQL: a name, or a query in parentheses."""
    person: str = "person_id"
    step: str = "name"
    time: str = "occurred_at"
    """A timestamp in UTC."""
    session: str | None = "session_id"
    """None: sessions are unknown."""
    ties: tuple[str, ...] = ("position",)
    """What orders steps of one instant; a row without it comes first."""


class Asking:
    """One table in one dialect."""

    def __init__(self, steps: Steps, dialect: DialectName) -> None:
        self.steps = steps
        self.dialect: Dialect = dialect_named(dialect)

    @property
    def order(self) -> str:
        """What orders the steps of a case."""
        ties = [f"tie_{i} NULLS FIRST" for i, _ in enumerate(self.steps.ties, start=1)]
        return ", ".join(["at_ms", *ties, "step"])

    def told(self, *more: str) -> str:
        """Select the events: person, session_id, step, at_ms, what breaks ties, and `more`.

        A row without a person, a step or a time is no event.
        """
        said, name = self.steps, self.dialect.name
        session = "NULL" if said.session is None else name(said.session)
        ties = [f"{name(column)} AS tie_{i}" for i, column in enumerate(said.ties, start=1)]
        columns = [
            f"CAST({name(said.person)} AS STRING) AS person",
            f"NULLIF(CAST({session} AS STRING), '') AS session_id",
            f"CAST({name(said.step)} AS STRING) AS step",
            f"{self.dialect.milliseconds(name(said.time))} AS at_ms",
            *ties,
            *more,
        ]
        return select(
            columns,
            said.table,
            where=f"CAST({name(said.person)} AS STRING) <> '' AND CAST({name(said.step)} AS STRING) <> ''"
            f" AND {name(said.time)} IS NOT NULL",
        )

    def numbered(self, *more: str) -> str:
        """Select from `told` with the number of each event within its person."""
        window = f"ROW_NUMBER() OVER (PARTITION BY person ORDER BY {self.order}) AS n"
        return select(["person", "session_id", "step", "at_ms", window, *more], "told")

    def texts(self, texts: Sequence[str]) -> str:
        """Write texts as a list."""
        return ", ".join(map(self.dialect.text, texts))


def case_key(*, by_session: bool, steps: Steps) -> str:
    """Return SQL of what one case is: a person, or one session of a person.

    Raises:
        ConfigError: Sessions are asked for, and the table has none.
    """
    if by_session and steps.session is None:
        raise ConfigError("the table has no sessions: name their column, or follow people")
    return "person, session_id" if by_session else "person"


def select(columns: Sequence[str], source: str, *, where: str = "", then: str = "") -> str:
    """Write a SELECT, one column a line."""
    text = "SELECT " + ",\n       ".join(columns) + f"\nFROM {source}"
    return text + (f"\nWHERE {where}" if where else "") + (f"\n{then}" if then else "")


def query(parts: dict[str, str], answer: str) -> str:
    """Write a query: named parts, and the answer from them."""
    named = [f"{name} AS (\n{_indented(part)}\n)" for name, part in parts.items()]
    return f"WITH {', '.join(named)}\n{answer}\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
