"""Attribution: `sojourn attribution` credits channels with conversions, by one model or several."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer
from msgspec.structs import replace

from sojourn.cli.events_options import MapOption, StepsOption, read_asked, rules_of
from sojourn.cli.options import JsonOption
from sojourn.cli.output import is_for_people, say_json, show
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.attribution import Attribution, Options, Paths, Reading, Weights
    from sojourn.analytics.events import Events

CHANNEL = "channel"

PathsOption = Annotated[
    Path | None,
    typer.Option(
        "--paths",
        metavar="FILE",
        help="Aggregated paths (Parquet, CSV): path, total_conversions, total_conversion_value, total_null.",
    ),
]
EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="Parquet, CSV or JSON lines, also .gz; a pattern; repeat for several.",
    ),
]
LakeOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="A data folder: the events of its lake, up to this instant."),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="first, last, last-non-direct, linear, time-decay, u-shaped, w-shaped, custom, markov, shapley, "
        "shapley-ordered or shapley-rate; by default markov. Repeatable.",
    ),
]
OrderOption = Annotated[
    str, typer.Option(metavar="N", help="How many touches a Markov chain remembers; or auto.")
]
WithoutNullsOption = Annotated[
    bool, typer.Option("--without-nulls", help="Leave paths that did not convert out of a Markov chain.")
]
HalfLifeOption = Annotated[str, typer.Option(metavar="DURATION", help="Of time-decay: 12h, 7d.")]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        metavar="FIRST,REST,LAST", help="Of custom: weights of the first touch, all others and the last."
    ),
]
SeparatorOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What stands between touches; by default ' > '.")
]
EmptyOption = Annotated[
    Literal["error", "drop"],
    typer.Option("--empty-touches", help="What becomes of a touch without a name inside a path."),
]
DirectOption = Annotated[
    Literal["keep", "drop", "last-non-direct", "merge"],
    typer.Option("--direct", help="What becomes of direct traffic."),
]
DirectNameOption = Annotated[
    list[str] | None, typer.Option("--direct-name", metavar="CHANNEL", help="What it is called. Repeatable.")
]
ConversionOption = Annotated[
    str | None,
    typer.Option(metavar="EVENT", help='Of events: "Order Completed", maybe with conditions.'),
]
TouchOption = Annotated[
    str | None,
    typer.Option(metavar="EVENT", help="Of events: what is a touch; by default all that have a channel."),
]
ChannelOption = Annotated[
    str | None,
    typer.Option(metavar="ATTRIBUTE", help="Of events: what names the channel; by default `channel`."),
]
ValueOption = Annotated[
    str | None, typer.Option(metavar="ATTRIBUTE", help="Of events: what a conversion is worth.")
]
LookbackOption = Annotated[
    str | None, typer.Option(metavar="DURATION", help="Of events: touches at most so long before: 30d.")
]
TouchesOption = Annotated[
    int | None,
    typer.Option("--lookback-touches", metavar="N", min=1, help="Of events: the last N touches only."),
]
NoResetOption = Annotated[
    bool, typer.Option("--no-reset", help="Of events: touches count for every later conversion, too.")
]
OnceOption = Annotated[
    bool,
    typer.Option("--once-per-session", help="Of events: touches of one channel in a row are one a session."),
]
ReplicatesOption = Annotated[int, typer.Option(min=0, max=10_000, help="Of the bootstrap; 0: no intervals.")]
LevelOption = Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of whatever is drawn: the same seed, the same answer.")]


class _Journeys(NamedTuple):
    """What was said of events, as it was said."""

    conversion: str | None
    touch: str | None
    channel: str | None
    value: str | None
    lookback: str | None
    lookback_touches: int | None
    no_reset: bool
    once_per_session: bool


def attribution(  # noqa: PLR0913 - the options of a command
    *,
    paths: PathsOption = None,
    events: EventsOption = None,
    data: LakeOption = None,
    map: MapOption = None,
    rules: StepsOption = None,
    model: ModelOption = None,
    order: OrderOption = "1",
    without_nulls: WithoutNullsOption = False,
    half_life: HalfLifeOption = "7d",
    weights: WeightsOption = None,
    separator: SeparatorOption = None,
    empty: EmptyOption = "error",
    direct: DirectOption = "keep",
    direct_name: DirectNameOption = None,
    conversion: ConversionOption = None,
    touch: TouchOption = None,
    channel: ChannelOption = None,
    value: ValueOption = None,
    lookback: LookbackOption = None,
    touches: TouchesOption = None,
    no_reset: NoResetOption = False,
    once: OnceOption = False,
    replicates: ReplicatesOption = 200,
    level: LevelOption = 0.95,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Credit channels with the conversions they stood before, by one model or several, with intervals.

    This is path credit: who stood on the way. What a channel brought about, only a hold-out tells.
    """
    # Help needs no numbers.
    from sojourn.analytics.attribution import DIRECT_NAMES, Bootstrap, Reading, attribute  # noqa: PLC0415

    names = tuple(direct_name or DIRECT_NAMES)
    reading = Reading(separator=separator, empty_touches=empty, direct=direct, direct_names=names)
    said = _Journeys(conversion, touch, channel, value, lookback, touches, no_reset, once)
    asked = _options(order, half_life, weights, nulls=not without_nulls, direct_names=names, seed=seed)
    drawn = Bootstrap(replicates=replicates, level=level, seed=seed)
    if (paths is not None) + bool(events) + (data is not None) != 1:
        raise ConfigError("give one of --paths FILE, --events FILE and --data DIR")
    with _progress() as tell:
        tell("reading")
        if paths is None:
            found = _from_events(_read(said, events or [], data, columns=map, steps=rules), said, reading)
        else:
            found = _from_file(paths, said, reading, columns=map)
        answers = attribute(found, model or ["markov"], options=asked, bootstrap=drawn, tell=tell)
    _show(answers, json=json)


def _show(answers: Sequence[Attribution], *, json: bool) -> None:
    """Answer: one model is one object, several are a list."""
    from sojourn.cli.attribution_report import for_people  # noqa: PLC0415 - as above

    if json:
        say_json(answers[0] if len(answers) == 1 else answers)
    else:
        show(*for_people(answers))


def _read(
    said: _Journeys, files: list[str], data: Path | None, *, columns: str | None, steps: Path | None
) -> Events:
    """Read events with the attributes that the rules name."""
    if said.conversion is None:
        raise ConfigError('say what a conversion is: --conversion "Order Completed"')
    by = said.channel or (None if said.touch else CHANNEL)
    kinds = [kind for kind in (said.conversion, said.touch) if kind]
    amounts = [said.value] if said.value else []
    return read_asked(files, columns, rules_of(steps), kinds=kinds, by=by, amounts=amounts, data=data)


def _from_events(events: Events, said: _Journeys, reading: Reading) -> Paths:
    """Build the paths of events."""
    from sojourn.analytics.attribution import JourneyRules, paths_of  # noqa: PLC0415 - as above
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415

    if reading.separator is not None:
        raise ConfigError("--separator is of --paths: events have touches of their own")
    journeys = JourneyRules(
        conversion=parse_kind(said.conversion or "", events.steps),
        touch=None if said.touch is None else parse_kind(said.touch, events.steps),
        channel=said.channel,
        value=said.value,
        lookback_ms=None if said.lookback is None else _duration(said.lookback, "--lookback"),
        lookback_touches=said.lookback_touches,
        reset=not said.no_reset,
        repeats="session" if said.once_per_session else "keep",
        direct=reading.direct,
        direct_names=reading.direct_names,
    )
    return paths_of(events, journeys)


def _from_file(file: Path, said: _Journeys, reading: Reading, *, columns: str | None) -> Paths:
    """Read the paths of a file."""
    from sojourn.analytics.attribution import read_paths  # noqa: PLC0415 - as above
    from sojourn.analytics.attribution.reading import parse_columns  # noqa: PLC0415

    for name, given in said._asdict().items():
        if given:
            raise ConfigError(
                f"--{name.replace('_', '-')} is of --events: in a file of paths that was decided before"
            )
    return read_paths(file, replace(reading, columns=parse_columns(columns or "")))


def _options(
    order: str, half_life: str, weights: str | None, *, nulls: bool, direct_names: tuple[str, ...], seed: int
) -> Options:
    """Read what models are told."""
    from sojourn.analytics.attribution import Options  # noqa: PLC0415 - as above
    from sojourn.analytics.attribution.models import U_SHAPED  # noqa: PLC0415

    if order != "auto" and not (order.isdecimal() and order.isascii()):
        raise ConfigError(f"--order is {order!r}; expected a whole number, or auto")
    return Options(
        order="auto" if order == "auto" else int(order),
        nulls=nulls,
        half_life_ms=_duration(half_life, "--half-life"),
        weights=U_SHAPED if weights is None else _weights(weights),
        direct_names=direct_names,
        seed=seed,
    )


def _weights(text: str) -> Weights:
    """Read `0.5,0.2,0.3`: the first touch, all others, the last."""
    from sojourn.analytics.attribution import Weights  # noqa: PLC0415 - as above

    try:
        first, rest, last = map(float, text.split(","))
    except ValueError:
        raise ConfigError(f"--weights is {text!r}; expected FIRST,REST,LAST as 0.5,0.2,0.3") from None
    return Weights(head=(first,), tail=(last,), rest=rest)


def _duration(text: str, option: str) -> int:
    from sojourn.definitions.durations import parse_duration  # noqa: PLC0415 - as above

    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say which model is asked, where somebody looks."""
    if not is_for_people(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where people look

    with Console(stderr=True).status("") as status:
        yield status.update
