"""Writing Iceberg's tables from a cluster's topics, every row once, whenever the writer is killed.

Each table is committed by itself, in a snapshot that says how far of the topics it is. `events` is the judge:
it is committed last, at every commit, so that what it has reached every table has. Who begins again begins
where `events` is; a table that came further before the crash passes over what it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.columns import TABLE_OF, Placed
from sojourn.adapters.lake.iceberg.catalogue import (
    OWNER,
    Place,
    Reached,
    columns_of,
    library,
    make_tables,
    open_catalogue,
    properties_of,
    reached,
)
from sojourn.adapters.lake.writing import open_database
from sojourn.analytics.sql.names import quoted
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.event import Entry, is_erased
from sojourn.model.fact import Fact
from sojourn.model.ids import anonymous_profile
from sojourn.model.lake import EVENTS, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.table import Table as IcebergTable

FACTS = "facts"
TRIES = 5
UNNAMED = anonymous_profile("")
"""What the name of a life without a name begins with."""
_PARTITION_BITS, _PLACE_BITS = 14, 14
"""Of a fact's number: beside them an offset has 35 bits."""


class IcebergLake:
    """The tables, open to write; by one process, and one thread."""

    def __init__(self, place: Place, *, log: str) -> None:
        """Open or make them.

        `log` is whose topics they are written from: the Kafka cluster's id, and the installation's prefix.
        Raises ConfigError where they are written from another, or cannot be opened.
        """
        self._errors = library("pyiceberg.exceptions")
        self._tables = make_tables(open_catalogue(place), place.namespace)
        self._reached = {name: reached(table) or Reached(log=log) for name, table in self._tables.items()}
        self._log = log
        for name, reach in self._reached.items():
            if reach.log != log:
                raise ConfigError(
                    f"{OWNER}: table {name} is written from the topics of {reach.log}, not of {log}; use "
                    "another cluster.lake.namespace [lake-other-log]"
                )
        self._entries: list[Entry] = []
        self._facts: list[Placed] = []
        self._clock = self.reach.clock
        self.n_rows = 0
        """Taken and not committed."""

    @property
    def reach(self) -> Reached:
        """Where to go on."""
        return self._reached[EVENTS.name]

    def take_entries(self, entries: Iterable[Entry]) -> None:
        """Take what lies in a record of entries, or of controls, the next of its partition."""
        for entry in entries:
            if not is_erased(entry.event):
                self._entries.append(entry)
                self._clock = max(self._clock, entry.at)
                self.n_rows += 1

    def take_facts(self, facts: Sequence[Fact], *, partition: int, offset: int) -> None:
        """Take a record of facts, the next of its partition."""
        for place, fact in enumerate(facts):
            if offset >= self._reached[TABLE_OF[type(fact)].name].at(FACTS, partition):
                number = number_of(offset, place, partition=partition)
                self._facts.append((group_of(fact), number, fact))
                self._clock = max(self._clock, fact.at)
                self.n_rows += 1

    def commit(self, offsets: dict[str, list[int]]) -> None:
        """Commit all that was taken, with where to go on after it.

        Raises UnavailableError where the catalogue or the storage fails, or somebody else writes the same
        tables: then open them anew. What was not committed is read again.
        """
        reach = replace(self.reach, next=offsets, clock=self._clock)
        connection = open_database()
        try:
            for table in TABLES.values():
                columns.empty(connection, table, schema="main")
            filled = columns.fill_apart(connection, self._entries, self._facts, schema="main")
            for name in [*(name for name in filled if name != EVENTS.name), EVENTS.name]:
                self._append(name, _rows(connection, name), further(self._reached[name], reach))
        finally:
            connection.close()
        self._entries, self._facts, self.n_rows = [], [], 0

    def _append(self, name: str, rows: Any, reach: Reached) -> None:
        table = self._tables[name]
        try:
            for _ in range(TRIES):
                # Somebody may have changed it, to merge files, say: its rows are still ours.
                if (reached(table.refresh()) or Reached(log=self._log)) != self._reached[name]:
                    raise UnavailableError(
                        f"{OWNER}: somebody else writes table {name}; let one process run [lake-two-writers]"
                    )
                try:
                    _commit(table, rows, reach)
                except self._errors.CommitFailedException:
                    continue
                self._reached[name] = reach
                return
            raise UnavailableError(f"{OWNER}: table {name} is changed all the time")
        except UnavailableError:
            raise
        except Exception as error:  # the catalogue's, or the storage's: whether it counts is not known
            raise UnavailableError(f"{OWNER}: {name}: {type(error).__name__}: {error}") from error


def group_of(fact: Fact) -> int:
    """Return what orders a person's facts, whatever partitions they lie in: twice its instant, or one more.

    What somebody lived without a name comes before what they live at the same instant with one: it is of the
    first stage. All else that is somebody's at one instant lies in one record, in order.
    """
    return 2 * fact.at + (not fact.profile_id.startswith(UNNAMED))


def number_of(offset: int, place: int, *, partition: int) -> int:
    """Name a fact by where it lies in its topic."""
    return (offset << _PLACE_BITS | place) << _PARTITION_BITS | partition


def further(one: Reached, other: Reached) -> Reached:
    """Return how far two have come together: a table that was ahead stays so where the others are not yet."""
    topics = one.next.keys() | other.next.keys()
    reached_of = {
        topic: [
            max(pair) for pair in zip_longest(one.next.get(topic, []), other.next.get(topic, []), fillvalue=0)
        ]
        for topic in sorted(topics)
    }
    return replace(other, next=reached_of, clock=max(one.clock, other.clock))


def _commit(table: IcebergTable, rows: Any, reach: Reached) -> None:
    said = properties_of(reach)
    with table.transaction() as transaction:
        transaction.append(rows, snapshot_properties=said)
        transaction.set_properties(said)


def _rows(connection: DuckDBPyConnection, name: str) -> Any:
    chosen = ", ".join(quoted(column.name) for column in columns_of(TABLES[name]))
    return connection.sql(f"SELECT {chosen}, date FROM main.{name}").to_arrow_table()
