"""Asked: each question as one value. Its fields are the options of a command, and the parameters of a path.

Here stand their names, meanings, bounds and defaults, once; who reads them is told apart by nothing else.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sojourn.definitions.durations import parse_duration
from sojourn.model.errors import ConfigError

Unit = Literal["person", "session"]

_OPTION = re.compile(r"(?<![\w-])--(?=[a-z])")


def option(field: str) -> str:
    """Return what a field is called by whoever asks.

    >>> option("min_share"), option("from_")
    ('min-share', 'from')
    """
    return field.strip("_").replace("_", "-")


def as_parameters(text: str) -> str:
    """Write what is said of a command's options as of parameters, which have the same names.

    >>> as_parameters("--from and --to are two questions")
    'from and to are two questions'
    """
    return _OPTION.sub("", text)


def _as(metavar: str) -> dict[str, str]:
    """Say how a value is written in a command's help."""
    return {"metavar": metavar}


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=option):
    """What is asked of events."""


class Among(Question, frozen=True, kw_only=True):
    """Whose events, by what the engine knew of them."""

    segment: Annotated[
        tuple[str, ...],
        Meta(
            description="Only people who were in this segment at some instant of the selected time (of "
            "sessions, by session: while it lasted), with all they did; !NAME is who never was, A|B is "
            "either. Repeatable: all hold. Of a data folder.",
            extra=_as("NAME"),
        ),
    ] = ()
    variant: Annotated[
        tuple[str, ...],
        Meta(
            description="Only people who met this variant of an experiment first, and what they did from "
            "then on: what came before cannot be its effect. != is any other variant, A|B is either; who "
            "never met the experiment is in none. Repeatable. Of a data folder.",
            extra=_as("EXPERIMENT=VARIANT"),
        ),
    ] = ()


class Narrowed(Among, frozen=True, kw_only=True):
    """Whose events, and when."""

    where: Annotated[
        tuple[str, ...],
        Meta(
            description="Only people (sessions, by session) with an event that has the value; != is who has "
            "none; country=SE|DE is either. Repeatable: all hold.",
            extra=_as("ATTRIBUTE=VALUE"),
        ),
    ] = ()
    did: Annotated[
        tuple[str, ...],
        Meta(
            description="Only who took this step; 'Help > Buy': before the first Buy.",
            extra=_as("STEP"),
        ),
    ] = ()
    never: Annotated[
        tuple[str, ...], Meta(description="Only who never took this step.", extra=_as("STEP"))
    ] = ()
    since: Annotated[
        str | None,
        Meta(description="Only events from then on, as 2026-03-01 (UTC).", extra=_as("TIME")),
    ] = None
    until: Annotated[str | None, Meta(description="Only events before then.", extra=_as("TIME"))] = None


class Selected(Narrowed, frozen=True, kw_only=True):
    """What all questions about the journey graph have in common."""

    by: Annotated[Unit, Meta(description="Follow people, or sessions.")] = "person"
    gap: Annotated[
        str | None,
        Meta(
            description="Cut sessions where a person is silent for longer, as 30m, where none are recorded.",
            extra=_as("DURATION"),
        ),
    ] = None
    goal: Annotated[
        tuple[str, ...],
        Meta(description="A conversion: how likely it is from each step. Repeatable.", extra=_as("STEP")),
    ] = ()
    collapse: Annotated[bool, Meta(description="Take equal steps right after one another as one.")] = False


class Graph(Selected, frozen=True, kw_only=True):
    """The steps people take and how they go from one to the next."""

    limit: Annotated[
        Annotated[int, Meta(ge=0, le=2_000)] | None,
        Meta(
            description="So many steps, the most frequent; the rest is one. By default 30; in JSON all.",
        ),
    ] = None
    edges: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | None,
        Meta(
            description="So many transitions; the rest is one row. By default 40; in JSON all.",
        ),
    ] = None
    matrix: Annotated[
        Annotated[int, Meta(ge=1, le=200)] | None,
        Meta(description="Where people are at each of their first N steps.", extra=_as("N")),
    ] = None
    compare: Annotated[
        str | None,
        Meta(
            description="Which transitions A has more of than B, and whether that is real: "
            "device=mobile:desktop. Without B: than all others. A time compares from then on with before; "
            "variant:EXPERIMENT=A:B two variants, segment=A:B two segments.",
            extra=_as("ATTRIBUTE=A:B"),
        ),
    ] = None


class People(Selected, frozen=True, kw_only=True):
    """The people behind a step of the journey graph, or behind a transition: those its numbers count."""

    step: Annotated[
        str | None, Meta(description="Who took this step, as the graph names it.", extra=_as("STEP"))
    ] = None
    from_: Annotated[
        str | None,
        Meta(
            description="Who went from this step right to --to; '(start)': who began with --to.",
            extra=_as("STEP"),
        ),
    ] = None
    to: Annotated[
        str | None,
        Meta(
            description="Where they went from --from; '(end)': who did nothing after it.", extra=_as("STEP")
        ),
    ] = None
    shown: Annotated[
        Annotated[int, Meta(ge=0, le=2_000)] | None,
        Meta(description="The --limit of the graph, where its '(other)' is meant: steps beyond it are one."),
    ] = None
    limit: Annotated[
        int, Meta(ge=0, le=10_000, description="So many people, or sessions: those there last.")
    ] = 100


class Paths(Narrowed, frozen=True, kw_only=True):
    """The ways people go: distinct whole paths, patterns in them, or the steps after or before one."""

    from_: Annotated[
        str | None,
        Meta(description="Where people go after their first such event.", extra=_as("EVENT")),
    ] = None
    to: Annotated[
        str | None, Meta(description="From where they come to their last such event.", extra=_as("EVENT"))
    ] = None
    patterns: Annotated[bool, Meta(description="Runs of steps that many paths have in common.")] = False
    gaps: Annotated[bool, Meta(description="With other steps between them.")] = False
    length: Annotated[
        str, Meta(description="Of patterns: from how many steps to how many.", extra=_as("N-M"))
    ] = "2-5"
    min_share: Annotated[
        float, Meta(ge=0, le=1, description="Of patterns: in at least this share of the people.")
    ] = 0.05
    all_: Annotated[bool, Meta(description="Of patterns: those inside longer ones, too.")] = False
    columns: Annotated[int, Meta(ge=1, le=50, description="Of --from and --to.")] = 5
    per: Annotated[Unit, Meta(description="Whose paths.")] = "person"
    collapse: Annotated[bool, Meta(description="Take equal steps right after one another as one.")] = False
    limit: Annotated[
        int,
        Meta(ge=0, le=100_000, description="So many rows; of --from and --to, steps of a column."),
    ] = 15


class Funnel(Narrowed, frozen=True, kw_only=True):
    """How many people go through some steps, how fast, and where the others go."""

    step: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description='An event, or one of several ("Cart | Basket"), with conditions ("Ordered '
            '[total>=50]").',
            extra=_as("STEP..."),
        ),
    ]
    order: Annotated[
        Literal["ordered", "strict", "any"],
        Meta(description="Steps one after another; each the very next event; or all of them in any order."),
    ] = "ordered"
    within: Annotated[
        str | None,
        Meta(description="At most so long from the first step to the last: 30m, 7d.", extra=_as("DURATION")),
    ] = None
    without: Annotated[
        tuple[str, ...],
        Meta(
            description='Must not lie between the steps; "Cart Emptied @1-2": not between these two.',
            extra=_as("EVENT"),
        ),
    ] = ()
    per: Annotated[
        Literal["person", "session", "attempt"],
        Meta(description="Count each person once, each session once, or every attempt."),
    ] = "person"
    by: Annotated[
        str | None,
        Meta(description="Break down by what it was at the first step.", extra=_as("ATTRIBUTE")),
    ] = None
    after: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Show the paths of those who got to step N and no further.",
            extra=_as("N"),
        ),
    ] = None
    reached: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="List who got to step N.", extra=_as("N"))
    ] = None
    dropped: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="List who got to step N and no further.", extra=_as("N")),
    ] = None
    time_to_convert: Annotated[
        bool, Meta(description="How long from first to last step, those still waiting counted.")
    ] = False
    limit: Annotated[
        int, Meta(ge=0, le=1_000_000, description="So many rows of a kind; the rest is one row.")
    ] = 8


class Retention(Among, frozen=True, kw_only=True):
    """Who comes back in the n-th day, week or month after their first event."""

    first: Annotated[
        str,
        Meta(description="Whom to follow, and from when: their first such event.", extra=_as("EVENT")),
    ] = "*"
    returning: Annotated[str, Meta(description="What counts as coming back.", extra=_as("EVENT"))] = "*"
    counting: Annotated[
        Literal["classic", "rolling"], Meta(description="Who came back in period n; or in it or later.")
    ] = "classic"
    brackets: Annotated[
        str | None,
        Meta(description="Who came back in any period of a range: 0,1-6,7-29.", extra=_as("RANGES")),
    ] = None
    period: Annotated[Literal["hour", "day", "week", "month"], Meta(description="By the calendar.")] = "month"
    periods: Annotated[int, Meta(ge=0, le=999, description="The last n.")] = 12
    zone: Annotated[str, Meta(description="By the clock of which place: Europe/Berlin.")] = "UTC"
    by: Annotated[
        str | None, Meta(description="Cohorts by what it was at the first event.", extra=_as("ATTRIBUTE"))
    ] = None
    limit: Annotated[int, Meta(ge=0, le=1_000, description="So many cohorts of --by; the rest is one.")] = 10
    active_days: Annotated[
        Literal["week", "month"] | None,
        Meta(description="Instead: how many days people are active, and DAU, WAU, MAU."),
    ] = None
    until: Annotated[
        str | None,
        Meta(description="Up to when all was observed; by default the last event.", extra=_as("TIME")),
    ] = None


class Friction(Among, frozen=True, kw_only=True):
    """Where people struggle: incidents with their dates and whose they were, and what is always hard."""

    by: Annotated[Unit, Meta(description="What a case is: all of a person, or a session.")] = "session"
    goal: Annotated[
        tuple[str, ...],
        Meta(
            description="A conversion, so that findings are ranked by those lost. Repeatable.",
            extra=_as("STEP"),
        ),
    ] = ()
    attribute: Annotated[
        tuple[str, ...],
        Meta(description="By what to tell whose it is; by default by all. Repeatable.", extra=_as("NAME")),
    ] = ()
    limit: Annotated[int, Meta(ge=1, le=10_000, description="So many findings, the costliest.")] = 20
    seed: Annotated[int, Meta(ge=0, description="Of the shuffles: the same seed, the same findings.")] = 0


class Attribution(Question, frozen=True, kw_only=True):
    """Which channels stood before conversions, by one model or several, with intervals; credit, not cause."""

    model: Annotated[
        tuple[str, ...],
        Meta(
            description="first, last, last-non-direct, linear, time-decay, u-shaped, w-shaped, custom, "
            "markov, shapley, shapley-ordered or shapley-rate; by default markov. Repeatable.",
            extra=_as("NAME"),
        ),
    ] = ()
    order: Annotated[
        str, Meta(description="How many touches a Markov chain remembers; or auto.", extra=_as("N"))
    ] = "1"
    without_nulls: Annotated[
        bool, Meta(description="Leave paths that did not convert out of a Markov chain.")
    ] = False
    half_life: Annotated[str, Meta(description="Of time-decay: 12h, 7d.", extra=_as("DURATION"))] = "7d"
    weights: Annotated[
        str | None,
        Meta(
            description="Of custom: weights of the first touch, all others and the last.",
            extra=_as("FIRST,REST,LAST"),
        ),
    ] = None
    direct: Annotated[
        Literal["keep", "drop", "last-non-direct", "merge"],
        Meta(description="What becomes of direct traffic."),
    ] = "keep"
    direct_name: Annotated[
        tuple[str, ...], Meta(description="What it is called. Repeatable.", extra=_as("CHANNEL"))
    ] = ()
    conversion: Annotated[
        str | None,
        Meta(description='Of events: "Order Completed", maybe with conditions.', extra=_as("EVENT")),
    ] = None
    touch: Annotated[
        str | None,
        Meta(
            description="Of events: what is a touch; by default all that have a channel.",
            extra=_as("EVENT"),
        ),
    ] = None
    channel: Annotated[
        str | None,
        Meta(description="Of events: what names the channel; by default `channel`.", extra=_as("ATTRIBUTE")),
    ] = None
    value: Annotated[
        str | None, Meta(description="Of events: what a conversion is worth.", extra=_as("ATTRIBUTE"))
    ] = None
    lookback: Annotated[
        str | None,
        Meta(description="Of events: touches at most so long before: 30d.", extra=_as("DURATION")),
    ] = None
    lookback_touches: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Of events: the last N touches only.", extra=_as("N")),
    ] = None
    no_reset: Annotated[
        bool, Meta(description="Of events: touches count for every later conversion, too.")
    ] = False
    once_per_session: Annotated[
        bool, Meta(description="Of events: touches of one channel in a row are one a session.")
    ] = False
    replicates: Annotated[int, Meta(ge=0, le=10_000, description="Of the bootstrap; 0: no intervals.")] = 200
    level: Annotated[float, Meta(ge=0.5, le=0.999, description="Of the intervals.")] = 0.95
    seed: Annotated[int, Meta(ge=0, description="Of whatever is drawn: the same seed, the same answer.")] = 0


class Causal(Question, frozen=True, kw_only=True):
    """What channels, journeys and states brought about, told by those whom hold-outs kept back."""

    conversion: Annotated[
        str | None,
        Meta(description='"Order Completed", maybe with conditions.', extra=_as("EVENT")),
    ] = None
    value: Annotated[str | None, Meta(description="What a conversion is worth.", extra=_as("ATTRIBUTE"))] = (
        None
    )
    within: Annotated[
        str | None,
        Meta(
            description="Conversions at most so long after the first opportunity, as 14d; who is still in it "
            "is left out. By default all up to the last event.",
            extra=_as("DURATION"),
        ),
    ] = None
    method: Annotated[
        Literal["always-valid", "fixed"],
        Meta(description="always-valid: look whenever you like. fixed: one look, at a time fixed before."),
    ] = "always-valid"
    level: Annotated[float, Meta(ge=0.5, le=0.999, description="Of the intervals.")] = 0.95
    covariate: Annotated[
        tuple[str, ...],
        Meta(
            description="A number known of people before: its last value before the first opportunity makes "
            "intervals narrower. Repeatable.",
            extra=_as("ATTRIBUTE"),
        ),
    ] = ()
    by: Annotated[
        str | None,
        Meta(
            description="Break down by what it was before the first opportunity; later is refused.",
            extra=_as("ATTRIBUTE"),
        ),
    ] = None
    touch: Annotated[
        str | None,
        Meta(
            description="Of path credit: what is a touch; by default all that have a channel.",
            extra=_as("EVENT"),
        ),
    ] = None
    channel: Annotated[
        str | None,
        Meta(
            description="Of path credit: what names the channel, as hold-outs name it; by default `channel`.",
            extra=_as("ATTRIBUTE"),
        ),
    ] = None
    model: Annotated[
        tuple[str, ...],
        Meta(
            description="Of path credit, as in `attribution`; by default last, linear, time-decay, u-shaped, "
            "markov and shapley. Repeatable.",
            extra=_as("NAME"),
        ),
    ] = ()
    inside: Annotated[
        str | None,
        Meta(
            description="Spread what a channel brought about over its parts (campaign_name), by path credit.",
            extra=_as("ATTRIBUTE"),
        ),
    ] = None
    seed: Annotated[int, Meta(ge=0, description="Of whatever is drawn: the same seed, the same answer.")] = 0


QUESTIONS: dict[str, type[Question]] = {
    "graph": Graph,
    "people": People,
    "paths": Paths,
    "funnel": Funnel,
    "retention": Retention,
    "friction": Friction,
    "attribution": Attribution,
    "causal": Causal,
}
"""Every question by the name of its command and its path."""


def duration_ms(text: str, name: str) -> int:
    """Read a duration; raise ConfigError, which names the option."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--{name}: {error}") from None
