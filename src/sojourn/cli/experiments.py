"""Experiments: `sojourn experiment` says what each variant did, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.analytics.experiments.asked import LEVEL, TUNING, Experiment, Experiments, Method
from sojourn.cli.events_options import Given, HtmlOption, one_answer, one_of, write_page
from sojourn.cli.options import ConfigOption, JsonOption, configuration
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.experiments.results import Report
    from sojourn.definitions.metrics import Metric
    from sojourn.wiring.experiments import ExposureSource

experiment = typer.Typer(
    help="What each variant of an experiment did, and how sure that is.", no_args_is_help=True
)

LEVEL_HELP = "Of the intervals: 0.95 is one wrong claim in twenty."

ExposuresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exposures",
        metavar="FILE",
        help="With --events: who met which variant when. Columns person, experiment, variant, time; "
        "propensity where it is known.",
    ),
]
ExposureMapOption = Annotated[
    str | None,
    typer.Option(
        "--exposure-map",
        metavar="WHAT=COLUMN,...",
        help="Which columns of the exposures say person, experiment, variant, time, propensity.",
    ),
]
MetricsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--metrics",
        metavar="FILE",
        help="Metrics in YAML, or a folder of such; by default those of the configuration.",
    ),
]


@experiment.command("list", epilog="`sojourn experiment list --data data`")
@question(Experiments)
def list_all(
    *,
    source: Given,
    asked: Experiments,
    exposures: ExposuresOption = None,
    exposure_map: ExposureMapOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the experiments that people met, and how many got which variant."""
    from sojourn.wiring.experiments import list_experiments  # noqa: PLC0415 - help needs no numbers

    del asked
    found = list_experiments(_source(source, exposures, exposure_map, config))
    if json:
        say_json(found.told())
        return
    from sojourn.cli.experiment_report import list_for_people  # noqa: PLC0415 - as above

    show(*list_for_people(found))


@experiment.command(
    "report",
    epilog="`sojourn experiment report rescue-offer --metric orders --by country`\n\n"
    "`sojourn experiment report banner --events shop.csv --exposures met.csv --metrics metrics.yaml`",
)
@question(Experiment)
def report(  # noqa: PLR0913 - the options of a command
    name: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Its name, as `list` has it.")],
    *,
    source: Given,
    asked: Experiment,
    exposures: ExposuresOption = None,
    exposure_map: ExposureMapOption = None,
    metrics: MetricsOption = None,
    config: ConfigOption = None,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Say what each variant of an experiment did, with intervals that hold however often one looks."""
    from sojourn.wiring.experiments import report_experiment  # noqa: PLC0415 - help needs no numbers

    one_answer(html, json=json)
    place = _source(source, exposures, exposure_map, config)
    _tell(report_experiment(name, asked, place, _metrics(metrics, source.data, config)), html, json)


@experiment.command(
    "table",
    epilog="`sojourn experiment table hillstrom.csv --arm segment --control 'No E-Mail' "
    "--metric visit:conversion --metric spend --covariate history`",
)
def report_a_table(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet or CSV, one row a person.")],
    *,
    arm: Annotated[str, typer.Option(metavar="COLUMN", help="The column that says the arm.")],
    metric: Annotated[
        list[str],
        typer.Option(
            metavar="COLUMN[:KIND]",
            help="visit:conversion, items:count, spend, or spend/items for a ratio. Repeatable.",
        ),
    ],
    control: Annotated[str | None, typer.Option(metavar="ARM", help="What others are compared with.")] = None,
    covariate: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="From before the assignment, for CUPED.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="From before the assignment: the effect by it. Repeatable."),
    ] = None,
    shares: Annotated[
        str | None, typer.Option(metavar="ARM=SHARE,...", help="What arms should have; by default the same.")
    ] = None,
    method: Annotated[Method, typer.Option(help="always-valid or fixed.")] = "always-valid",
    level: Annotated[float, typer.Option(min=0.5, max=0.9999, help=LEVEL_HELP)] = LEVEL,
    tuning: Annotated[
        int, typer.Option(min=10, help="Of always-valid: about how many people are expected in two arms.")
    ] = TUNING,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the arms of a table with one row a person: an experiment that was run elsewhere."""
    from sojourn.analytics.experiments.rules import Rule  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.experiments.unit_table import TableAsked, report_table  # noqa: PLC0415

    one_answer(html, json=json)
    asked = TableAsked(
        arm=arm,
        metrics=tuple(metric),
        control=control,
        covariate=covariate,
        segments=tuple(by or ()),
        shares=_shares(shares),
        rule=Rule(method=method, level=level, tuning=tuning),
    )
    _tell(report_table(file, asked), html, json)


@experiment.command(
    "plan",
    epilog="`sojourn experiment plan --share 0.05 --lift 0.2 --daily 1000 --within 7d`\n\n"
    "`sojourn experiment plan --mean 12.5 --deviation 40 --lift 0.05`",
)
def plan(  # noqa: PLR0913 - the options of a command
    *,
    lift: Annotated[float, typer.Option(help="The smallest effect that matters, as a share: 0.1 is +10%.")],
    share: Annotated[float | None, typer.Option(help="How many do it without: 0.05 is 5%.")] = None,
    mean: Annotated[float | None, typer.Option(help="Of an amount: its mean without.")] = None,
    deviation: Annotated[float | None, typer.Option(help="Of an amount: its standard deviation.")] = None,
    power: Annotated[float, typer.Option(min=0.5, max=0.999, help="How often it is to be found.")] = 0.8,
    level: Annotated[float, typer.Option(min=0.5, max=0.9999, help=LEVEL_HELP)] = LEVEL,
    tuning: Annotated[int, typer.Option(min=10, help="Of always-valid, as in a report.")] = TUNING,
    daily: Annotated[
        float | None, typer.Option(min=0.001, help="How many people meet it in a day, of both arms.")
    ] = None,
    within: Annotated[
        str,
        typer.Option(metavar="DURATION", help="The metric's window: the last ones are waited for."),
    ] = "7d",
    json: JsonOption = False,
) -> None:
    """Say how many people, and days, two arms of one size take to find an effect."""
    from sojourn.cli.experiment_plan import Plan, plan_for_people, planned  # noqa: PLC0415 - help needs no numbers

    asked = Plan(
        lift=lift, share=share, mean=mean, deviation=deviation, power=power, level=level, tuning=tuning,
        daily=daily, window=within,
    )  # fmt: skip
    found = planned(asked)
    if json:
        say_json(found)
    else:
        show(*plan_for_people(found))


def _tell(found: Report, html: Path | None, json: bool) -> None:
    if json:
        say_json(found.told())
        return
    from sojourn.cli import experiment_report as laid_out  # noqa: PLC0415 - help needs no numbers

    if html is None:
        show(*laid_out.for_people(found))
    else:
        write_page(html, laid_out.report_page(found))


def _source(
    given: Given, exposures: list[str] | None, exposure_map: str | None, config: Path | None
) -> ExposureSource:
    """Say where exposures and events lie; without a word about it in the configuration's data folder."""
    from sojourn.wiring.experiments import ExposureSource  # noqa: PLC0415 - help needs no numbers

    if bool(given.events) != bool(exposures):
        raise ConfigError("--events and --exposures go together: what people did, and which variant they met")
    data = given.data
    if not given.events and data is None:
        data = configuration(config, None).data
    one_of(("--events FILE", given.events), ("--data DIR", data))
    return ExposureSource(
        data=data,
        events=tuple(given.events or ()),
        exposures=tuple(exposures or ()),
        columns=given.map or "",
        exposure_columns=exposure_map or "",
    )


def _metrics(files: list[Path] | None, data: Path | None, config: Path | None) -> tuple[Metric, ...]:
    """Read metrics: those named, else those of the configuration."""
    from sojourn.wiring.experiments import read_metrics  # noqa: PLC0415 - help needs no YAML

    for file in files or ():
        if not file.exists():
            raise ConfigError(f"{file}: there is no such file; name the metrics to read")
    return read_metrics(files or configuration(config, data).metrics)


def _shares(text: str | None) -> dict[str, float]:
    shares = {}
    for pair in filter(None, (text or "").split(",")):
        name, _, share = pair.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise ConfigError(f"--shares: expected ARM=SHARE,..., got {pair!r}") from None
    return shares
