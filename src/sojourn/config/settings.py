"""Settings: everything an operator can say, with its type, its bounds and its default.

A field's name is the setting's; `_ms` is left off, and such a setting is written as a duration (`30d`).
"""

from __future__ import annotations

from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

DAY_MS = 86_400_000
MOST = Meta(ge=1, le=1_000_000)
"""Bounds of how many go in a time: one, and more than any sink takes."""


class Secret:
    """A text that nothing prints."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that needs it."""
        return self._text

    def matches(self, text: str) -> bool:
        """Whether a text is the secret, in a time that tells nothing of where they differ."""
        return compare_digest(self._text.encode(), text.encode())

    def __repr__(self) -> str:
        return "Secret(********)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash(self._text)


class Http(Struct, frozen=True, kw_only=True):
    """Where the server listens."""

    host: str = "127.0.0.1"
    """This machine only, until the operator says otherwise."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    """0: any that is free."""
    proxies: Annotated[int, Meta(ge=0, le=8)] = 0
    """How many proxies of the operator's own stand before the server, each adding to X-Forwarded-For."""


class Source(Struct, frozen=True, kw_only=True):
    """Who may send events; its name is part of what makes a message unique."""

    write_key: Secret


class Rate(Struct, frozen=True, kw_only=True):
    """How many deliveries in a time a sink is given, evenly spaced; written `100/s`, or with its parts."""

    most: Annotated[int, MOST]
    per_ms: int = 1_000
    burst: Annotated[int, MOST] | None = None
    """So many at once after a pause; None: as many as come in the time a sleeper may oversleep."""


class Unsubscribe(Struct, frozen=True, kw_only=True):
    """The links by which people forbid a channel: both of these, or none."""

    secret: Secret | None = None
    """Signs them; a new one makes those in old mails void."""
    public_url: str = ""
    """Where people reach this server."""


class Sink(Struct, frozen=True, kw_only=True):
    """Where actions go; what its type understands is its own."""

    type: str
    options: dict[str, Any]
    """May hold secrets: not to be printed."""
    rate: Rate | None = None

    def __repr__(self) -> str:
        return f"Sink(type={self.type!r}, options=<{', '.join(self.options)}>)"


class Deliver(Struct, frozen=True, kw_only=True):
    """How hard the outbox tries; the names and defaults are its policy's."""

    max_in_flight: Annotated[int, Meta(ge=1, le=1000)] = 16
    """Deliveries at once, per sink."""
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 12
    delivery_timeout_ms: int = 30_000
    backoff_base_ms: int = 1_000
    backoff_cap_ms: int = 900_000
    retry_after_cap_ms: int = DAY_MS
    rate: Rate | None = None
    """Of every sink that says none of its own."""


class Lake(Struct, frozen=True, kw_only=True):
    """What is written for analysis, and how soon."""

    enabled: bool = True
    """Whether a server writes it; what is not written is read from the log, which is slower."""
    every_ms: int = 10_000
    """The longest anything waits before it is written."""
    events: Annotated[int, Meta(ge=1_000, le=1_000_000)] = 20_000
    """So many are written without waiting."""
    keep_ms: int | None = None
    """How long days are kept; None: for ever."""
    encoded: bool = True
    """Whether events are kept as numbers, too, for analytics; else the first question makes that."""


class Analytics(Struct, frozen=True, kw_only=True):
    """How questions over HTTP are answered, by a process of their own."""

    time_limit_ms: Annotated[int, Meta(ge=1_000, le=3_600_000)] = 120_000
    """For one question: many times what ten million events take. Then its process is ended."""
    idle_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 300_000
    """So long after the last question the process ends: somebody who looks at answers asks again sooner."""
    waiting: Annotated[int, Meta(ge=1, le=1_000)] = 8
    """So many questions may be asked and not answered: later ones wait longer than a browser does."""
    answer_mb: Annotated[int, Meta(ge=1, le=1_000)] = 64
    """What one answer may have."""


class DecisionKey(Struct, frozen=True, kw_only=True):
    """Who may ask what a person should see; its name is for the operator."""

    key: Secret
    kind: Literal["server", "browser"] = "server"
    """`browser`: everybody has it who opens the page."""
    flags: list[str] = []
    """Patterns of the flags it opens, such as `journey.rescue.*`; a server's without any opens all."""
    secret: Secret | None = None
    """Of a browser's: with it the operator's server signs ids of users, and only such are told of."""
    trust_events: bool = False
    """Of a browser's: tell of a user by a device that events, which everybody can send, say is theirs."""


class Decisions(Struct, frozen=True, kw_only=True):
    """What applications may ask, over OFREP."""

    keys: dict[str, DecisionKey] = {}
    """Nobody may ask where there is none."""
    wait_ms: int = 250
    """The longest an answer waits for the person's own events that are acknowledged and not yet processed."""
    streams: Annotated[int, Meta(ge=0, le=100_000)] = 1_000
    """Open at once."""


class Retention(Struct, frozen=True, kw_only=True):
    """How long the topics of a cluster keep what."""

    events_ms: int = 30 * DAY_MS
    """As long as a job may be behind, or a replay may reach back."""
    facts_ms: int = 7 * DAY_MS
    actions_ms: int = 7 * DAY_MS
    dead_letters_ms: int = 30 * DAY_MS
    entries_ms: int = 7 * DAY_MS
    """As long as the lake may be behind."""


class ClusterLake(Struct, frozen=True, kw_only=True):
    """The lake of a cluster: Iceberg tables, where a catalogue is named."""

    catalog: dict[str, str] = {}
    """Properties of the catalogue, as pyiceberg names them: `type`, `uri`, `warehouse`, ..."""
    catalog_env: dict[str, str] = {}
    """Those that are secrets, each with the environment variable that holds it."""
    namespace: str = "sojourn"
    """Where in the catalogue the tables are."""
    every_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 60_000
    """The longest anything waits before it is committed."""
    rows: Annotated[int, Meta(ge=1_000, le=10_000_000)] = 100_000
    """So many are committed without waiting."""
    keep_ms: int | None = None
    """How long days are kept; None: for ever. `sojourn cluster lake tidy` removes them."""
    snapshots_ms: Annotated[int, Meta(ge=3_600_000)] = DAY_MS
    """How long what was replaced can still be read, by whoever began before."""

    def __repr__(self) -> str:
        return f"ClusterLake(catalog=<{', '.join(self.catalog)}>, namespace={self.namespace!r})"


class Serving(Struct, frozen=True, kw_only=True):
    """Where a cluster answers questions from: Redis or Valkey."""

    url: str = ""
    """`redis://host:6379/0`, or `rediss://` over TLS; empty: nobody is told anything."""
    username: str = ""
    password_env: str = ""
    """The environment variable that holds the password."""


class Cluster(Struct, frozen=True, kw_only=True):
    """Where the log is Kafka and the engine runs on Flink; only `sojourn cluster` reads it."""

    brokers: str = ""
    """`host:port`, by commas."""
    prefix: str = "sojourn"
    """What the topics' names begin with."""
    shards: Annotated[int, Meta(ge=1, le=1_023)] = 64
    """Partitions of the events, and parts of everybody's states; chosen once."""
    partitions: Annotated[int, Meta(ge=1, le=10_000)] = 8
    """Of facts and of actions."""
    replicas: Annotated[int, Meta(ge=1, le=32_767)] = 3
    """Of every partition; of three, two have what is acknowledged."""
    tick_ms: int = 20
    """So soon after an event every partition has a record, for what has come to go on."""
    retention: Retention = Retention()
    lake: ClusterLake = ClusterLake()
    client: dict[str, str] = {}
    """Further settings of the client, as librdkafka names them: `security.protocol`, ..."""
    client_env: dict[str, str] = {}
    """Those that are secrets, each with the environment variable that holds it."""
    states: bool = False
    """Whether the job writes every state to a topic; it does wherever `serving` names a store."""
    serving: Serving = Serving()
    job_client: dict[str, str] = {}
    """Settings of Kafka's Java client that the job needs and `client` does not lead to."""

    def __repr__(self) -> str:
        return f"Cluster(brokers={self.brokers!r}, prefix={self.prefix!r}, shards={self.shards})"


class Studio(Struct, frozen=True, kw_only=True):
    """The pages people look at, and how long they stay signed in."""

    enabled: bool = True
    """Whether the pages are served, and anybody may sign in."""
    session_idle_ms: Annotated[int, Meta(ge=300_000, le=365 * DAY_MS)] = DAY_MS // 2
    """So long without a request, and one has to sign in again: over a night, not over lunch."""
    session_length_ms: Annotated[int, Meta(ge=300_000, le=365 * DAY_MS)] = 7 * DAY_MS
    """So long after signing in, whatever happens."""


class Logging(Struct, frozen=True, kw_only=True):
    """What is said while it runs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: for people on a terminal, else one JSON object a line."""


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration; every path is absolute."""

    data: Path = Path("data")
    """The data folder."""
    journeys: list[Path] = field(default_factory=lambda: [Path("journeys")])
    """Files, and folders of files."""
    metrics: list[Path] = field(default_factory=lambda: [Path("metrics")])
    """Files, and folders of files: what experiments are judged by. Only reports read them."""
    http: Http = Http()
    sources: dict[str, Source] = {}
    sinks: dict[str, Sink] = {}
    admin_token: Secret | None = None
    """Opens the API; without one it stays shut."""
    geo_database: Path | None = None
    keep_full_ip: bool = False
    dedup_window_ms: int = 30 * DAY_MS
    """How long a message id is remembered: browsers send again after days."""
    session_gap_ms: int = 1_800_000  # 30 min: the web's convention since Urchin.
    deliver: Deliver = Deliver()
    unsubscribe: Unsubscribe = Unsubscribe()
    decisions: Decisions = Decisions()
    lake: Lake = Lake()
    analytics: Analytics = Analytics()
    studio: Studio = Studio()
    cluster: Cluster = Cluster()
    log: Logging = Logging()
    steps: list[str] = []
    """The order in which a person is meant to pass the product's steps, for `regressed()`."""

    def ranks(self) -> dict[str, int]:
        """Return each step with its place in the order."""
        return {step: rank for rank, step in enumerate(self.steps)}

    def sinks_in_force(self) -> dict[str, Sink]:
        """Return the sinks that journeys may name: a console too, so that a first one can be seen at work."""
        return {"console": Sink(type="console", options={}), **self.sinks}

    def write_keys(self) -> dict[str, str]:
        """Return each write key with its source's name, as the door wants them."""
        return {source.write_key.reveal(): name for name, source in self.sources.items()}
