"""Publishing: what changes and who it touches, shown before it is done; going back; pausing and stopping."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.asking import ask
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import instant, printable, say_json, show, table
from sojourn.cli.plan_report import carry_out, confirm
from sojourn.cli.texts import journey_paths, read_text
from sojourn.model.errors import ConfigError
from sojourn.model.views import HoldView, PlanView

if TYPE_CHECKING:
    from sojourn.config import Config

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[PATHS]...", help="By default all of the configuration.")
]
PolicyOption = Annotated[
    Literal["pin", "follow", "map"],
    typer.Option(help="People inside older versions: stay there, or go along to the same states."),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="OLD=NEW", help="Where the people of a state go along to.", show_default=False
    ),
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
JourneyArgument = Annotated[str, typer.Argument(metavar="JOURNEY", help="Its name.")]


def publish(
    files: FilesArgument = None,
    *,
    policy: PolicyOption = "pin",
    states: MapOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Bring journeys into force, and show first what changes and where the people inside land.

    Without paths, all journeys of the configuration are published, and its `steps` and `session_gap`; its
        other settings are read when a server starts.

    The same content publishes nothing. A server that works in the folder is asked over HTTP.
    """
    settings = configuration(config, data)
    asked = asked_of(settings, files, policy=policy, states=states)
    _carry_out(settings, "/api/v1/publish", asked, dry_run=dry_run, yes=yes, json=json)


def rollback(  # noqa: PLR0913 - the options of a command
    journey: JourneyArgument,
    *,
    to: Annotated[
        str | None, typer.Option(help="The version; by default the one before.", show_default=False)
    ] = None,
    policy: PolicyOption = "pin",
    states: MapOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Publish an older version of a journey again.

    The file in the folder still says what it said: the next start publishes it, unless it is mended.
    """
    asked = {"journey": journey, "to": to, "policy": policy, "states": _states_of(states)}
    settings = configuration(config, data)
    _carry_out(settings, "/api/v1/rollback", asked, dry_run=dry_run, yes=yes, json=json)


def versions(
    journey: JourneyArgument,
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the versions of a journey that are kept, and how many people are inside each."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        found = house.versions(journey)
    if json:
        say_json(found)
        return
    columns = ("version", "", "published (UTC)", "how", "people inside")
    rows = [
        (
            one.version,
            "in force" if one.is_open else "",
            instant(one.published_at) if one.published_at else "",
            one.policy,
            f"{one.n_people:,}",
        )
        for one in found
    ]
    show(table(columns, rows))


def pause(
    journey: JourneyArgument,
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let a journey stand still: nobody enters, no timer fires; goals and exit rules still hold."""
    _hold(configuration(config, data), "$pause", journey, json=json)


def resume(
    journey: JourneyArgument,
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let a journey go on; timers that came due meanwhile fire now."""
    _hold(configuration(config, data), "$resume", journey, json=json)


def stop(
    *, yes: YesOption = False, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Let all journeys stand still, and send nothing more, until `sojourn release`."""
    settings = configuration(config, data)
    if not yes:
        confirm("Stop all journeys and send nothing more?")
    _hold(settings, "$stop", "", json=json)


def release(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Let all journeys go on after `sojourn stop`; what expired meanwhile is not sent."""
    _hold(configuration(config, data), "$release", "", json=json)


def _carry_out(
    settings: Config, path: str, asked: dict[str, Any], *, dry_run: bool, yes: bool, json: bool
) -> None:
    carry_out(
        lambda is_dry: ask(settings, path, {**asked, "dry_run": is_dry}, PlanView),
        dry_run=dry_run,
        yes=yes,
        json=json,
    )


def _hold(settings: Config, name: str, journey: str, *, json: bool) -> None:
    view = ask(settings, "/api/v1/holds", {"name": name, "journey": journey}, HoldView)
    if json:
        say_json(view)
        return
    paused = f"; paused: {', '.join(view.paused)}" if view.paused else ""
    typer.echo(f"{'All journeys stand still' if view.stopped else 'Journeys go on'}{printable(paused)}")


def asked_of(
    settings: Config, files: list[Path] | None, *, policy: str, states: list[str] | None
) -> dict[str, Any]:
    """Say what is to be published, and what becomes of people inside; raises ConfigError."""
    return _whole_of(settings, files) | {"policy": policy, "states": _states_of(states)}


def _whole_of(settings: Config, files: list[Path] | None) -> dict[str, Any]:
    """Read what is to be published: some files, or all of the configuration."""
    from sojourn.wiring.inforce import configured_texts  # noqa: PLC0415 - help needs no database

    texts = (
        [(str(path), read_text(path)) for path in journey_paths(files)]
        if files
        else configured_texts(settings)
    )
    return {
        "definitions": [{"file": file, "text": text} for file, text in texts],
        "is_whole": not files,
        "settings": None if files else _told(settings),
    }


def _told(settings: Config) -> dict[str, Any]:
    """Say what is published beside journeys, segments and the policy."""
    return {"steps": settings.steps, "session_gap_ms": settings.session_gap_ms}


def _states_of(pairs: list[str] | None) -> dict[str, str]:
    """Read `--map`; raises ConfigError."""
    states: dict[str, str] = {}
    for pair in pairs or ():
        old, sign, new = pair.partition("=")
        if not sign or not old or not new:
            raise ConfigError(f"--map: expected OLD=NEW, got {pair!r}")
        states[old.strip()] = new.strip()
    return states
