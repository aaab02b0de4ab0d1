"""The lake: which tables facts and events make, column by column, and how far a lake has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from sojourn.model import fact as facts
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry
from sojourn.model.fact import Fact

VERSION = 1
"""Of the tables' layout; a lake of a later one is refused. New columns do not change it."""

DAY_MS = 86_400_000

Kind = Literal["text", "names", "json", "integer", "number", "flag", "instant"]
"""`names`: several, joined by commas; `json`: JSON as text; `instant`: a timestamp in UTC, whole ms."""


class Column(Struct, frozen=True):
    """One column of a table; NULL where there is nothing to say."""

    name: str
    kind: Kind
    meaning: str
    of: str = ""
    """The field it comes from, where that has another name."""

    @property
    def field(self) -> str:
        """The field of the fact or event it comes from."""
        return self.of or self.name


class Table(Struct, frozen=True):
    """One table of facts or events: rows are added, and never changed."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    facts: dict[type[Fact], str] = {}
    """Kinds of facts that make its rows, and the word for each in the column `word`."""
    word: str = ""
    """The column that tells kinds of facts apart; empty where there is one kind."""
    is_kept_for_ever: bool = False
    """Whether answers about today rest on its oldest rows: retention spares it."""


class Reach(Struct, frozen=True):
    """How far a store, or a lake that follows it, has come: all up to here, and nothing after."""

    position: int = 0
    """The last log entry."""
    group: int = 0
    """The last group of facts."""
    clock: int = 0
    """The log's clock, ms."""


class Slice(Struct, frozen=True):
    """What came between two reaches: entries, and the facts of exactly these entries and of timers."""

    after: Reach
    reach: Reach
    entries: list[Entry]
    groups: list[tuple[int, list[Fact]]]
    mark: str = ""
    """What the log has at `reach.position`: another log has something else there."""


class Renamed(Struct, frozen=True):
    """A fact of somebody else's that named a person who is gone: what it says instead."""

    group: int
    n: int
    other_id: str
    message_id: str


class Gone(Struct, frozen=True, kw_only=True):
    """Rows that a lake is to have no longer: numbers of entries and of facts."""

    positions: list[int] = []
    """Ascending."""
    facts: list[tuple[int, int]] = []
    """(group, place in it), ascending."""
    renamed: list[Renamed] = []


class LakeSize(Struct, frozen=True):
    """How much a lake holds in files."""

    n_files: int = 0
    n_bytes: int = 0
    n_folders: int = 0
    """Days of tables: what compaction keeps at a few files each."""


def date_of(at_ms: int) -> str:
    """Return the day (UTC) of an instant, as the names of days have it: YYYY-MM-DD."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d")


def check_origin(reach: Reach, mark: str, *, log: Reach, log_mark: str) -> None:
    """Raise ConfigError where a lake was not written from the log beside it.

    `log` is how far the engine has come on that log, and `log_mark` what it has at the lake's last position.
    """
    if reach.position > log.position or reach.group > log.group or mark != log_mark:
        raise ConfigError(
            "the lake was written from another log than the one beside it (was a part of the data folder "
            "restored from a backup?); move its folder `lake` away: it is made anew from the log "
            "[lake-other-log]"
        )


# -- What every table of facts has.

_WHO = Column(
    "profile_id",
    "text",
    "the profile it is about, as it was then: `u:` and a user id, or `a:` and an anonymous id",
)
_KEY = (
    Column(
        "fact_group",
        "integer",
        "the number of its turn's facts; with `fact_n` it names the row, and orders all facts",
    ),
    Column("fact_n", "integer", "its place among the facts of that turn, from 0"),
    Column("position", "integer", "the log entry that caused it; 0 where a timer did"),
    Column("logged_at", "instant", "the log's clock: journeys live by it", of="at"),
    _WHO,
)
_JOURNEY = (
    Column("journey", "text", "the journey's name"),
    Column("version", "text", "its version: 12 digits of its digest"),
)
_ENROLMENT = (*_JOURNEY, Column("enrolment_id", "text", "the enrolment"))


def _table(
    name: str,
    meaning: str,
    kinds: dict[type[Fact], str],
    *columns: Column,
    word: str = "",
    for_ever: bool = False,
) -> Table:
    return Table(name, meaning, (*_KEY, *columns), kinds, word, for_ever)


EVENTS = Table(
    "events",
    "Every entry of the log. Those of the source `sojourn` are the house's own.",
    (
        Column("position", "integer", "its place in the log, from 1, without gaps"),
        Column(
            "logged_at",
            "instant",
            "the log's clock when it arrived (of an imported one: when it happened)",
            of="at",
        ),
        Column("occurred_at", "instant", "when it happened, the device's clock error taken out"),
        Column("received_at", "instant", "when the door had it"),
        Column("device_at", "instant", "when the device said it happened", of="timestamp"),
        Column("sent_at", "instant", "when the device said it sent it"),
        Column("source", "text", "the source that sent it"),
        Column(
            "message_id",
            "text",
            "the sender's name for it; with `source`, unique in the log's window of duplicates",
        ),
        Column("kind", "text", "`track`, `identify`, `page`, `screen`, `group` or `alias`"),
        Column("name", "text", "the name of a `track`; `$page`, `$screen`, ... of the others"),
        Column("anonymous_id", "text", "the anonymous id that came with it"),
        Column("user_id", "text", "the user id that came with it"),
        Column("previous_id", "text", "of an alias: the other id"),
        Column("group_id", "text", "of a group call: the group's id"),
        Column("client_session_id", "text", "the client's own session id", of="session_id"),
        Column(
            "profile_id",
            "text",
            "whose step it was, as it was then; NULL where it is no step (`identify`, `group`, `alias`)",
        ),
        Column("session_id", "text", "the visit its step fell into, as it was then"),
        Column("channel", "text", "how the person came, judged from campaign, referrer and click ids"),
        Column("campaign_source", "text", "`context.campaign.source`, as it came"),
        Column("campaign_medium", "text", "`context.campaign.medium`, as it came"),
        Column("campaign_name", "text", "`context.campaign.name`, as it came"),
        Column(
            "page_path", "text", "`context.page.path`, as it came; of a page without one, `properties.path`"
        ),
        Column("properties", "json", "its properties: an object; NULL where it is empty"),
        Column("traits", "json", "its traits: an object; NULL where it is empty"),
        Column("context", "json", "its context: an object; NULL where it is empty"),
        Column("ip", "text", "the address, cut at the door unless the operator says otherwise"),
        Column("device_kind", "text", "`desktop`, `mobile`, `tablet`, `tv`, `bot` or `other`"),
        Column("browser", "text", "the browser's family"),
        Column("os", "text", "the operating system's family"),
        Column("is_bot", "flag", "whether the user agent is a robot's"),
        Column("country", "text", "where the address is: ISO 3166 code"),
        Column("region", "text", "where the address is: region"),
        Column("city", "text", "where the address is: city"),
        Column("is_history", "flag", "imported from before the log's clock: it moved no journey"),
        Column("is_shadow", "flag", "imported: what journeys wanted because of it was not sent"),
    ),
)

FACT_TABLES = (
    _table(
        "steps",
        "The person did something: the observed journey graph, one row a step.",
        {facts.StepTaken: ""},
        Column("occurred_at", "instant", "when it happened: order steps by it, then by `position`"),
        Column("source", "text", "the source that sent the event"),
        Column("name", "text", "the step: the event's name"),
        Column("session_id", "text", "the visit; NULL where it came too late to belong to one"),
        Column("channel", "text", "how the person came"),
        Column("previous", "text", "the step before it in the visit, as far as was known then"),
    ),
    _table(
        "session_changes",
        "What became of visits: begun, moved or bridged by a late event, over. They add up to `sessions`.",
        {facts.SessionStarted: "started", facts.SessionRevised: "revised", facts.SessionEnded: "ended"},
        Column("change", "text", "`started`, `revised` or `ended`"),
        Column("session_id", "text", "the visit; of `revised`, its name from now on"),
        Column("replaces", "names", "of `revised`: names it had, and visits that are one with it now"),
        Column("started_at", "instant", "when it began"),
        Column("ended_at", "instant", "of `ended`: when its last event happened"),
        Column("n_events", "integer", "of `ended`: how many events it had"),
        Column("last_step", "text", "of `ended`: the last step taken in it", of="step"),
        Column("channel", "text", "of `started` and `revised`: how the person came"),
        word="change",
    ),
    _table(
        "identity_changes",
        "The ledger of identity: which id was tied to which profile by which message, and which was not.",
        {facts.Identified: "identified", facts.IdentityRefused: "refused"},
        Column("change", "text", "`identified` or `refused`"),
        Column("anonymous_id", "text", "the device that belongs to the profile from now on"),
        Column("user_id", "text", "of an alias: the user id that the profile's events go to from now on"),
        Column("how", "text", "`identify`, `both_ids`, `alias` or `unalias`"),
        Column("other_id", "text", "of `refused`: the id that was not tied"),
        Column("reason", "text", "of `refused`: `merge-limit`, `shared-device` or `self-alias`"),
        Column("message_id", "text", "the message that said so"),
        word="change",
        for_ever=True,
    ),
    _table(
        "enrolment_changes",
        "Who entered which journey, and who left it and why. `enrolments` is what they add up to.",
        {facts.Entered: "entered", facts.Exited: "exited"},
        Column("change", "text", "`entered` or `exited`"),
        *_ENROLMENT,
        Column(
            "entry_key", "text", "what the enrolment is about besides the person: a cart, an order", of="key"
        ),
        Column("held_out", "flag", "of `entered`: whether a hold-out keeps it from receiving anything"),
        Column("holdout", "text", "of `entered`: which one: `global` or `journey`"),
        Column("parent_id", "text", "of `entered`: the enrolment that called this journey", of="parent"),
        Column(
            "reason",
            "text",
            "of `exited`: `final`, `goal`, `exit`, `merged`, `withdrawn`, `preempted`, `parent`, `forgotten`",
        ),
        Column("states", "names", "of `exited`: where it was", of="state"),
        Column("detail", "text", "of `exited`: which rule, or which journey took the person over"),
        word="change",
    ),
    _table(
        "refusals",
        "An entry event came and the person did not enter, and why.",
        {facts.NotEntered: ""},
        *_JOURNEY,
        Column("entry_key", "text", "the key it would have entered with", of="key"),
        Column(
            "reason",
            "text",
            "`already-in`, `re-entry`, `cooldown`, `excluded`, `paused`, `no-key` or `bound`",
        ),
        Column("detail", "text", "what decided"),
    ),
    _table(
        "transitions",
        "An enrolment moved, or was taken along to a new version.",
        {facts.Transitioned: "moved", facts.Migrated: "migrated"},
        Column("change", "text", "`moved` or `migrated`"),
        *_ENROLMENT,
        Column("n", "integer", "how many effects the enrolment had before: orders its moves"),
        Column("from_states", "names", "the states it left", of="source"),
        Column("to_states", "names", "the states it is in now", of="target"),
        Column("event", "text", "what moved it: an event's name, a timer's; NULL for a branch"),
        Column("judged", "json", "the guards that were asked, their answers, and what they saw: a list"),
        Column("from_version", "text", "of `migrated`: the version it was in"),
        word="change",
    ),
    _table(
        "conversions",
        "An enrolment's goal happened within its window.",
        {facts.GoalReached: ""},
        *_ENROLMENT,
        Column("value", "number", "what the goal was worth, in the unit of the event's property"),
        Column("after_exit", "flag", "whether the enrolment was over by then"),
    ),
    _table(
        "exposures",
        "The person met an experiment and got a variant: one row for each person and experiment.",
        {facts.Exposed: ""},
        Column("experiment", "text", "the experiment's name"),
        Column("variant", "text", "the variant"),
        Column("journey", "text", "of a split inside a journey: its name"),
        Column("enrolment_id", "text", "of a split inside a journey: the enrolment"),
        Column("propensity", "number", "the probability with which this variant was drawn, 0 to 1"),
        Column("flag", "text", "the flag that was asked; NULL for a split inside a journey"),
        Column("decision_id", "text", "the decision that told the variant"),
        Column("eligible", "json", "variant -> the probability with which it would have been drawn"),
        Column("context", "text", "of a contextual allocation: the cell whose weights drew"),
        Column("allocation", "text", "`fixed` or `adaptive`"),
    ),
    _table(
        "assignment_conflicts",
        "Two lives that became one had met an experiment with different variants; the first one stays.",
        {facts.AssignmentConflict: ""},
        Column("experiment", "text", "the experiment's name"),
        Column("kept", "text", "the variant that stays"),
        Column("dropped", "text", "the variant that the other life had"),
    ),
    _table(
        "rewards",
        "What an adaptive allocation is for happened, in time: at most one row for each exposure.",
        {facts.Rewarded: ""},
        Column("experiment", "text", "the experiment's name"),
        Column("variant", "text", "the variant that the person met"),
        Column("context", "text", "of a contextual allocation: the cell whose weights drew it"),
        Column("exposed_at", "instant", "when the person met it"),
    ),
    _table(
        "actions",
        "What journeys wanted done: decided, put off, or withheld (a held-out person's: a ghost action).",
        {facts.ActionDecided: "decided", facts.ActionDeferred: "deferred", facts.ActionWithheld: "withheld"},
        Column("decision", "text", "`decided` (it went to the outbox), `deferred` or `withheld`"),
        Column("action_id", "text", "the action: also the idempotency key its receiver sees"),
        Column("sink", "text", "where it goes"),
        *_ENROLMENT,
        Column("state", "text", "the state that wanted it"),
        Column("channel", "text", "by which it reaches the person, as the policy names it"),
        Column("until_at", "instant", "of `deferred`: when it is decided again", of="until"),
        Column("reason", "text", "of `deferred` and `withheld`: why"),
        Column("detail", "text", "what decided, with the values it saw"),
        Column(
            "holdouts",
            "text",
            "every hold-out that keeps the person back: `global`, `journey`, `channel`, `node`, by commas",
        ),
        word="decision",
    ),
    _table(
        "deliveries",
        "What became of actions, as their outcomes told.",
        {facts.Delivered: ""},
        Column("action_id", "text", "the action"),
        Column("outcome", "text", "`delivered`, `failed` or `expired`"),
        Column("attempts", "integer", "how often it was tried"),
        Column("detail", "text", "why not"),
    ),
    _table(
        "segment_changes",
        "Who came into a segment, and who left it.",
        {facts.SegmentEntered: "entered", facts.SegmentLeft: "left"},
        Column("change", "text", "`entered` or `left`"),
        Column("segment", "text", "the segment's name"),
        word="change",
    ),
    _table(
        "consents",
        "The person allowed or forbade a channel, or a topic of one.",
        {facts.ConsentChanged: ""},
        Column("scope", "text", "`email`, or `email/newsletter`"),
        Column("granted", "flag", "whether it is allowed"),
        Column("message_id", "text", "the message that said so"),
    ),
    _table(
        "friction",
        "Something went against the person.",
        {facts.FrictionFound: ""},
        Column(
            "signal",
            "text",
            "`rage`, `dead`, `error_click`, `quick_back`, `backtrack`, `loop`, `form_abandon`, ...",
        ),
        Column("target", "text", "the element, step or form it was about"),
        Column("score", "number", "the person's friction score with it, 0 to 1"),
    ),
    _table(
        "journey_errors",
        "A guard or an assignment failed while running; the journey went on as if it were false.",
        {facts.JourneyError: ""},
        *_ENROLMENT,
        Column("detail", "text", "what failed"),
    ),
)

TABLES = {table.name: table for table in (EVENTS, *FACT_TABLES)}
"""What lies in files, by name."""

PERSON = Column("person_id", "text", "who that is by what is known now: a profile id")
"""What a reader adds to every table."""

DERIVED = (
    Table(
        "sessions",
        "Visits as they are by what is known now: late events and merges of people are in.",
        (
            Column("session_id", "text", "the visit; with `person_id`, unique"),
            PERSON,
            Column("started_at", "instant", "when its first event happened"),
            Column("ended_at", "instant", "when its last event happened, as far as steps and `ended` tell"),
            Column("n_steps", "integer", "how many steps were taken in it"),
            Column(
                "n_events",
                "integer",
                "how many events it had, as it was said when it was over last; NULL before",
            ),
            Column("first_step", "text", "the first step taken in it"),
            Column("last_step", "text", "the last step taken in it"),
            Column("channel", "text", "how the person came"),
            Column("is_over", "flag", "whether it was said to be over, and nothing moved it since"),
        ),
    ),
    Table(
        "enrolments",
        "One person (and key) inside one journey, from entering to leaving.",
        (
            Column("enrolment_id", "text", "unique"),
            PERSON,
            Column("journey", "text", "the journey's name"),
            Column("version", "text", "the version it is in now, or was in last"),
            Column("entry_key", "text", "what it is about besides the person"),
            Column("entered_at", "instant", "when it began"),
            Column("held_out", "flag", "whether a hold-out keeps it from receiving anything"),
            Column("holdout", "text", "which one: `global` or `journey`"),
            Column("parent_id", "text", "the enrolment that called this journey"),
            Column("states", "names", "where it is now, or was last"),
            Column("n_moves", "integer", "how often it moved"),
            Column("exited_at", "instant", "when it was over; NULL while it is not"),
            Column("exit_reason", "text", "why"),
            Column("converted_at", "instant", "when its goal was first reached"),
            Column("value", "number", "what that was worth"),
        ),
    ),
    Table(
        "identities",
        "Profile ids that belong to another person by now. An id that is not here is its own person.",
        (
            Column("profile_id", "text", "unique"),
            PERSON,
            Column(
                "until_position",
                "integer",
                "only facts of entries before this one move to the person; NULL: all do",
            ),
            Column("until_at", "instant", "only timers due by this instant do; NULL: all do"),
        ),
    ),
    Table(
        "people",
        "Everybody who took a step.",
        (
            PERSON,
            Column("n_profiles", "integer", "how many profile ids the person's steps were taken under"),
            Column("first_seen_at", "instant", "when the first step happened"),
            Column("last_seen_at", "instant", "when the last step happened"),
            Column("n_steps", "integer", "how many steps they took"),
            Column("n_sessions", "integer", "how many visits these fell into"),
        ),
    ),
)
"""What a reader makes of them."""
