"""Operating: what an operator is shown: whom a search found, what came in, what goes out, and who sends."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Verdict = Literal["taken", "duplicate", "failed", "refused"]
SinkState = Literal["idle", "delivering", "backing-off", "held"]


class PersonFound(Struct, kw_only=True):
    """One person a search found."""

    id: str
    """Of the profile: `u:` and a user id, or `a:` and an anonymous id."""
    user_ids: list[str]
    anonymous_ids: list[str]
    name: str
    """From the traits `name`, or `firstName` and `lastName`; empty where nothing says it."""
    email: str
    """From the trait `email`; empty where nothing says it."""
    first_seen_at: int
    last_seen_at: int
    n_events: int
    found_by: Literal["id", "prefix", "trait", "recent"]
    """`id`: what was asked for is an id of theirs; `prefix`: an id of theirs begins so; `trait`: their name
    or e-mail has it, and they are among the people seen last; `recent`: nothing was asked for, and they are.
    """


class EventHeard(Struct, kw_only=True):
    """One event that came in, and what became of it at the door."""

    at: int
    """When the door had it, ms since 1970 UTC."""
    source: str
    sdk: str
    """What the event says sent it (`context.library`), as `analytics.js 2.1`; empty where it says nothing."""
    type: str
    """`track`, `page`, ...; empty where it could not be read."""
    name: str
    user_id: str | None
    anonymous_id: str | None
    message_id: str | None
    verdict: Verdict
    """`refused`: of a whole request, of which nothing is kept; only its source and its sender are known."""
    code: str = ""
    """Why it failed, or was refused, one word."""
    position: int | None = None
    """In the log, where it was taken."""


class FailedKind(Struct, kw_only=True):
    """Events that one source sent and that were refused for one reason."""

    code: str
    source: str
    n: int
    """Of them; those retried with success are not counted."""
    last_at: int
    """When the newest came, ms."""


class FailedRetried(Struct, kw_only=True):
    """What came of one failed event that was tried again."""

    id: int
    verdict: Literal["taken", "duplicate", "failed", "refused"]
    """`taken`: it is in the log; `duplicate`: the log had it already, and has it once; `failed`: it still
    reads badly; `refused`: it was not tried."""
    reason: str = ""
    """Why it failed again, or was not tried."""


class RateView(Struct, kw_only=True):
    """How many deliveries in a time a sink is given at most."""

    most: int
    per_ms: int


class SinkView(Struct, kw_only=True):
    """One destination of actions, and how it does."""

    name: str
    type: str
    """As configured; empty where journeys name it and nobody configured it."""
    state: SinkState
    """`backing-off`: it failed last, and what waits is tried again later; `held`: all sending is stopped."""
    waiting: int
    """Actions on their way to it; counted up to 100,000."""
    dead: int
    """Actions given up, among the newest 20,000 dead letters of all sinks."""
    delivered: int
    """Since the data folder was made."""
    retried: int
    """Attempts that failed and were put off."""
    last_delivered_at: int | None
    last_error: str
    last_error_at: int | None
    oldest_at: int | None
    """When the oldest action that waits for it was decided, ms."""
    rate: RateView | None


class SdkView(Struct, kw_only=True):
    """One library that sends for a source."""

    name: str
    """As `context.library` says, else the user agent's first word; `other`: those beyond the fiftieth."""
    version: str
    n: int
    """Events of it that were taken."""
    first_at: int
    last_at: int
    last_event: str
    """The name of the last event it sent."""


class SourceView(Struct, kw_only=True):
    """One source, and what sends for it."""

    name: str
    write_key_hint: str
    """The last four characters of its write key; empty where the key is short, or nobody configured it."""
    first_at: int | None
    """When its first event was taken, ms; null where none was yet."""
    last_at: int | None
    n_events: int
    """Events taken."""
    n_duplicates: int
    n_failed: int
    sdks: list[SdkView]
    """The one that sent last first."""


class Took(Struct, kw_only=True):
    """How long something took, over the last times it was done; ms."""

    n: int
    """How many times these are."""
    p50: float
    p95: float


class OperatingView(Struct, kw_only=True):
    """What an operator looks at beside the counts."""

    oldest_action_at: int | None = None
    """When the oldest action that is still on its way was decided, ms."""
    commits: Took | None = None
    """How long commits took; null before the first, and where no server asked."""
    lake_position: int | None = None
    """The last log entry in the lake's files; null where no lake is written."""
    lake_lag_ms: int | None = None
    """How long the oldest entry that is not in the lake's files has waited."""
    data_bytes: int = 0
    """What the data folder takes."""
    free_bytes: int = 0
    """What its disk has left."""
