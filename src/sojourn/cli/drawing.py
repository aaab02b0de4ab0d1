"""Drawing: `sojourn draw` shows a journey as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, configuration
from sojourn.cli.output import complain
from sojourn.cli.texts import read_text, write_text
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.definitions.journey import Journey
    from sojourn.model.views import JourneyView


class Format(StrEnum):
    """What a picture is written in."""

    MERMAID = "mermaid"
    SVG = "svg"


def draw(
    journey: Annotated[
        str, typer.Argument(metavar="JOURNEY", help="A file, or the name of a journey of the configuration.")
    ],
    *,
    format: Annotated[
        Format | None,
        typer.Option(help="By default what the name of the file to write says, else mermaid."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to a file; by default to the output.")
    ] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Show how many people are in each state now.")
    ] = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Draw a journey: its states, what leads from one to another, and the rules that hold in all of them."""
    from sojourn.definitions.drawing import mermaid_of, picture_of, svg_of  # noqa: PLC0415 - help needs none

    drawn = _journey(journey, config, data)
    people = _people(drawn, config, data) if counts else None
    picture = picture_of(drawn, people=people)
    is_svg = format == Format.SVG or (format is None and out is not None and out.suffix == ".svg")
    text = svg_of(picture) if is_svg else mermaid_of(picture)
    write_text(out, text)
    if out is not None:
        typer.echo(f"{out}: the journey {drawn.name}, version {drawn.version}")


def _journey(named: str, config: Path | None, data: Path | None) -> Journey:
    """Compile a file, or the one of the configured files that has this name."""
    from sojourn.config import journey_files  # noqa: PLC0415 - help needs no YAML
    from sojourn.definitions.catalogue import load_journeys  # noqa: PLC0415
    from sojourn.definitions.compile import compile_journey  # noqa: PLC0415
    from sojourn.definitions.suggestions import did_you_mean  # noqa: PLC0415

    path = Path(named)
    if path.is_file():
        return compile_journey(read_text(path), file=named)
    files = journey_files(configuration(config, data))
    journeys = {each.name: each for each in load_journeys((str(file), read_text(file)) for file in files)}
    if named not in journeys:
        hint = did_you_mean(named, journeys)
        raise ConfigError(f"{named}: neither a file nor a journey of the configuration{hint}")
    return journeys[named]


def _people(journey: Journey, config: Path | None, data: Path | None) -> Mapping[str, int]:
    """Ask the data folder who is where in this version, and say how many are in others."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        views = [view for view in house.journeys() if view.name == journey.name]
    n_elsewhere = sum(_n_people(view) for view in views if view.version != journey.version)
    if n_elsewhere:
        complain(
            f"{journey.name}: {n_elsewhere:,} in other versions are not in this picture; see sojourn journeys"
        )
    return next((view.states for view in views if view.version == journey.version), {})


def _n_people(view: JourneyView) -> int:
    return view.entered - view.exited
