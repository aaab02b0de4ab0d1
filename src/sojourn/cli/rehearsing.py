"""Rehearsing: `sojourn replay` and `sojourn simulate`: a draft tried before anybody receives anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from sojourn.cli.importing import INTERRUPTED, read_zone
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import is_for_people, say_json, show
from sojourn.cli.scenarios import simulate_scenario
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.config import Config
    from sojourn.runtime.importing import Reading
    from sojourn.wiring.rehearsing import Phase, Tell

REFRESH_S = 0.2
MAX_PROCESSES = 64
MAX_PEOPLE = 1_000_000  # 10,000 with 30 days took 25 s of CPU.
MAX_DAYS = 3_650

DraftArgument = Annotated[
    list[Path], typer.Argument(metavar="DRAFT...", help="Journeys, as files or folders of them.")
]
DraftsOption = Annotated[
    list[Path] | None,
    typer.Argument(metavar="DRAFT...", help="Journeys, as files or folders of them.", show_default=False),
]
PopulationOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="How people behave, as YAML; by default as is usual.", show_default=False
    ),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        metavar="A-G",
        help="Instead of drafts: A plain, B mild, C typical, D harvested, E nothing works, F one harms, "
        "G delayed.",
        show_default=False,
    ),
]
HoldoutOption = Annotated[
    str, typer.Option(metavar="SHARE", help="Of a scenario: what each channel keeps back.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Of a scenario: where to write it.", show_default=False),
]
AgainstOption = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        metavar="FILE|none",
        help="What to compare with: by default the journeys published in the data folder, if any.",
        show_default=False,
    ),
]
ProcessesOption = Annotated[
    int | None,
    typer.Option(
        "--processes",
        min=1,
        max=MAX_PROCESSES,
        help="How many share the work; by default one a core. The answer is the same.",
        show_default=False,
    ),
]


FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        help="Replay this file of events (JSONL, CSV, Parquet), not the folder's log.",
        show_default=False,
    ),
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="TARGET=COLUMN,...",
        help="Which column says what, as for `sojourn import`.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Literal["jsonl", "csv", "parquet"] | None,
    typer.Option(help="Of the files; by default what their names say.", show_default=False),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Events before it only fill profiles: as if the draft were published then.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Later events are left out.", show_default=False),
]
DeliverOption = Annotated[
    Literal["yes", "no"],
    typer.Option(
        help="An action whose outcome the history does not have: is it delivered at once, or is nothing "
        "heard of it?"
    ),
]
PersonOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Tell this person's two stories, side by side.", show_default=False),
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="Write every difference into this file, a line of JSON each.", show_default=False),
]


def replay(  # noqa: PLR0913 - one for each option
    drafts: DraftArgument,
    *,
    file: FileOption = None,
    column_map: MapOption = None,
    format: FormatOption = None,
    timezone: Annotated[str, typer.Option(help="Where times without a zone were written.")] = "UTC",
    against: AgainstOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    deliver: DeliverOption = "yes",
    person: PersonOption = None,
    examples: Annotated[int, typer.Option(min=0, max=1_000, help="So many people's stories.")] = 3,
    out: OutOption = None,
    processes: ProcessesOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Run past events through a draft, beside what is published: who would have got what, and when.

    Nothing is sent, and the data folder is only read: a server may be running in it. Every event counts as
        if it had come live, imported ones too.
    """
    from sojourn.cli.rehearsal_report import lay_out, lay_out_person  # noqa: PLC0415 - help needs no engine
    from sojourn.runtime.rehearsal import Window, told_of  # noqa: PLC0415
    from sojourn.wiring.rehearsing import Request, run_replay  # noqa: PLC0415

    settings = configuration(config, data)
    window = Window(_instant(since, timezone, "--from"), _instant(until, timezone, "--until"))
    if window.since is not None and window.until is not None and window.since >= window.until:
        raise ConfigError("--from: expected an instant before --until")
    with ExitStack() as stack:
        request = Request(
            drafts=drafts,
            against=_against(against),
            files=_readings(settings, file or [], column_map, format=format, timezone=timezone, stack=stack),
            window=window,
            deliver=deliver,
            person=person,
            n_examples=examples,
            n_processes=processes or os.cpu_count() or 1,
            out=None if out is None else stack.enter_context(_writable(out)),
        )
        with _interruptible(), _progress() as tell:
            report = run_replay(settings, request, tell)
    if json:
        say_json(report)
    elif person is not None:
        show(*lay_out_person(told_of(report.examples, person)))
    else:
        show(*lay_out(report))


def simulate(  # noqa: PLR0913 - one for each option
    drafts: DraftsOption = None,
    *,
    scenario: ScenarioOption = None,
    holdout: HoldoutOption = "10%",
    out: FolderOption = None,
    people: Annotated[int, typer.Option(min=1, max=MAX_PEOPLE, help="So many people.")] = 10_000,
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="So many days of theirs.")] = 30,
    seed: Annotated[
        int, typer.Option(help="Another number, other people; the same one, the same report.")
    ] = 1,
    population: PopulationOption = None,
    against: AgainstOption = None,
    examples: Annotated[int, typer.Option(min=0, max=1_000, help="So many people's stories.")] = 0,
    processes: ProcessesOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let an invented population live with a draft, in virtual time, and say what looks wrong.

    People visit by day, do what the draft listens to (its goals seldom), and get what it sends, which is sent
        to nobody. They behave alike under the draft and as it is published, until an action changes them.

    Or, with --scenario: invent people among channels whose effects are known, for what claims to measure
        effects, and write what an engine with hold-outs would have seen of them, and the truth beside it.
    """
    if scenario is not None:
        if drafts or population is not None or against:
            raise ConfigError(
                "--scenario: has channels of its own; leave drafts, --population and --against out"
            )
        simulate_scenario(scenario, people=people, holdout=holdout, seed=seed, out=out, json=json)
        return
    if not drafts or out is not None:
        raise ConfigError("name drafts to rehearse; or a --scenario, and --out where to write it")
    from sojourn.cli.rehearsal_report import lay_out_simulation  # noqa: PLC0415 - help needs no engine
    from sojourn.wiring.rehearsing import Simulation, run_simulation  # noqa: PLC0415

    asked = Simulation(
        drafts=drafts,
        against=_against(against),
        population=population,
        n_people=people,
        n_days=days,
        seed=seed,
        n_examples=examples,
        n_processes=processes or os.cpu_count() or 1,
    )
    with _interruptible(), _progress() as tell:
        report = run_simulation(configuration(config, data), asked, tell)
    if json:
        say_json(report)
    else:
        show(*lay_out_simulation(report, n_days=days))


def _against(named: list[str] | None) -> list[Path] | None:
    if not named:
        return None
    if "none" in named:
        return []
    return [Path(each) for each in named]


def _readings(
    settings: Config,
    files: list[Path],
    column_map: str | None,
    *,
    format: Literal["jsonl", "csv", "parquet"] | None,
    timezone: str,
    stack: ExitStack,
) -> list[Reading]:
    from sojourn.runtime.importing import Origin, Reading, parse_column_map  # noqa: PLC0415 - help needs no engine
    from sojourn.wiring.dressing import dressing  # noqa: PLC0415

    if not files:
        if column_map:
            raise ConfigError("--map: says which column of a file is what; name the file with --file")
        return []
    columns = parse_column_map(column_map) if column_map else None
    dress = stack.enter_context(dressing(settings))
    origin = Origin(source="import", now_ms=now_ms(), zone=read_zone(timezone), dress=dress)
    return [Reading(path, origin=origin, format=format, column_map=columns) for path in files]


def _instant(text: str | None, timezone: str, option: str) -> int | None:
    from sojourn.runtime.importing.instants import parse_instant  # noqa: PLC0415 - help needs no engine

    if text is None:
        return None
    try:
        return parse_instant(text, read_zone(timezone) if timezone != "UTC" else UTC)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}; write it as 2026-03-01 or 2026-03-01T09:00:00Z") from None


@contextmanager
def _writable(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("wb")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written ({error.strerror}); name another file with --out"
        ) from None
    with file:
        yield file


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped. Nothing was changed.", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _progress() -> Iterator[Tell]:
    """Draw bars with rate and time left while somebody looks, on stderr: stdout is the answer's."""
    if not is_for_people(sys.stderr):
        yield _untold
        return
    from rich.console import Console  # noqa: PLC0415 - only where people look
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    # No thread of its own: the work goes on in forks, and a fork with threads may hang.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        tasks: dict[str, tuple[TaskID, float]] = {}
        drawn_at = 0.0

        def tell(phase: Phase, done: int, total: int) -> None:
            nonlocal drawn_at
            now = monotonic()
            if phase not in tasks:
                tasks[phase] = (progress.add_task(phase.capitalize(), total=total, rate=""), now)
            task, started_at = tasks[phase]
            if now - drawn_at < REFRESH_S and done < total:
                return
            drawn_at = now
            rate = done / max(now - started_at, 0.001)
            progress.update(task, completed=done, total=total, rate=f"{rate:,.0f} a second")
            progress.refresh()

        yield tell


def _untold(phase: Phase, done: int, total: int) -> None:
    """Tell nobody."""
