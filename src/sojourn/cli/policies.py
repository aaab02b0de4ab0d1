"""Policies: `sojourn policy` says what a draft would have earned, and learns one, from logged decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.events_options import one_of
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.texts import write_text
from sojourn.definitions.durations import parse_duration
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.policies.draft import Draft
    from sojourn.analytics.policies.encoding import Logged

policy = typer.Typer(
    help="Judge a draft policy by decisions that were logged, or learn one.", no_args_is_help=True
)

DecisionsOption = Annotated[
    Path | None,
    typer.Option(
        "--decisions",
        metavar="FILE",
        help="Decisions (Parquet, CSV, JSON lines): variant, reward, propensity; context, person, eligible.",
    ),
]
LakeOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="A data folder: the exposures of its lake, up to this instant."
    ),
]
MapOption = Annotated[
    str | None,
    typer.Option("--map", metavar="WHAT=COLUMN,...", help="Of --decisions: other names of its columns."),
]
ExperimentOption = Annotated[
    str | None,
    typer.Option(
        "--experiment", metavar="NAME", help="Which one, where the draft is of several, or of --data."
    ),
]
EventOption = Annotated[
    str | None,
    typer.Option(
        "--event", metavar="NAME", help="Of --data: what a decision is for; by default the journey's goal."
    ),
]
ValueOption = Annotated[
    str | None,
    typer.Option(
        "--value", metavar="PROPERTY", help="Of --event: sum this up; by default, whether it came at all."
    ),
]
WithinOption = Annotated[
    str,
    typer.Option("--within", metavar="DURATION", help="Of --data: how long after the exposure it counts."),
]
HalfOption = Annotated[
    Literal["first", "second"] | None,
    typer.Option(help="Only one half of the people, by a hash: learn from one, and judge by the other."),
]
SeedOption = Annotated[int, typer.Option(help="The same seed says the same.")]
DEFAULT_WITHIN = "7d"


@policy.command(
    epilog="`sojourn policy evaluate --policy bolder.yaml --data data`\n\n"
    "`sojourn policy evaluate --policy uniform --decisions log.csv --map variant=item,reward=click`"
)
def evaluate(  # noqa: PLR0913 - one for each option
    *,
    draft: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="The draft: YAML, `uniform`, or `always VARIANT`. Left out: the column `target` says.",
        ),
    ] = None,
    decisions: DecisionsOption = None,
    data: LakeOption = None,
    columns: MapOption = None,
    experiment: ExperimentOption = None,
    event: EventOption = None,
    value: ValueOption = None,
    within: WithinOption = DEFAULT_WITHIN,
    half: HalfOption = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of intervals.")] = 0.95,
    replicates: Annotated[int, typer.Option(min=100, max=100_000, help="Of the bootstrap.")] = 2_000,
    seed: SeedOption = 0,
    clip: Annotated[
        float | None,
        typer.Option(min=1, metavar="WEIGHT", help="Show as well what comes out with no weight above this."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what a draft policy would have earned on decisions that were logged, or why nobody can tell.

    Only decisions that were random choices tell, each with the probability it was drawn with. Where what
    was drawn says too little of the draft, there is a reason and no number.
    """
    from sojourn.analytics.policies import estimating, evaluating  # noqa: PLC0415 - help needs no numbers

    one_of(("--decisions FILE", decisions), ("--data DIR", data))
    name, experiment, wanted = _draft(draft, experiment)
    logged, source = _logged(decisions, data, columns, experiment, reward=(event, value, within), half=half)
    rows = logged.decisions
    if wanted is not None:
        target = estimating.target_of(rows, wanted.shares(rows.variants, rows.contexts))
    elif logged.target is not None:
        target = estimating.Target(logged.target)
    else:
        raise ConfigError("say what to judge: --policy FILE, or a column `target` in --decisions")
    asked = evaluating.Asked(level=level, replicates=replicates, seed=seed, clip=clip)
    found = evaluating.evaluate(rows, target, asked)
    told = {"policy": name or "target", "experiment": experiment, **source}
    if wanted is not None and (unseen := wanted.unseen(rows.contexts)):
        told["unseen_cells"] = list(unseen)
    if json:
        say_json({**told, "evaluation": found})
    else:
        from sojourn.cli.policy_report import for_people  # noqa: PLC0415 - as above

        show(*for_people(found, told))


@policy.command(
    epilog="`sojourn policy learn --experiment offer --data data --out drafts/offer.yaml`\n\n"
    "`sojourn policy learn --experiment offer --decisions log.parquet --with vw --half first`"
)
def learn(  # noqa: PLR0913 - one for each option
    *,
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="NAME", help="Whose decisions they are, and the draft's.")
    ],
    decisions: DecisionsOption = None,
    data: LakeOption = None,
    columns: MapOption = None,
    event: EventOption = None,
    value: ValueOption = None,
    within: WithinOption = DEFAULT_WITHIN,
    half: HalfOption = None,
    by: Annotated[
        Literal["thompson", "vw"],
        typer.Option(
            "--with",
            help="Each context by itself, by the chance that a variant is the best; or across contexts.",
        ),
    ] = "thompson",
    floor: Annotated[float, typer.Option(min=0, max=0.5, help="The least share of a variant.")] = 0.05,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to a file; by default to the output.")
    ] = None,
) -> None:
    """Write a draft policy as logged decisions teach it: the weight of each variant in each context."""
    from sojourn.analytics.policies import learning, vowpal  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.policies.draft import Drafts, write_drafts  # noqa: PLC0415

    one_of(("--decisions FILE", decisions), ("--data DIR", data))
    logged, _ = _logged(decisions, data, columns, experiment, reward=(event, value, within), half=half)
    rows = logged.decisions
    if by == "vw":
        draft = vowpal.learn_vowpal(rows, floor, seed=seed)
    else:
        draft = learning.learn_thompson(rows, floor)
    write_text(out, write_drafts(Drafts(f"{experiment} by {by}", {experiment: draft})))


def _draft(text: str | None, experiment: str | None) -> tuple[str, str | None, Draft | None]:
    """Read what is to be judged: its name, its experiment where it says one, and itself."""
    from sojourn.analytics.policies.draft import load_drafts, parse_draft  # noqa: PLC0415 - as above

    if text is None:
        return "", experiment, None
    short = parse_draft(text)
    if short is not None:
        return text, experiment, short
    drafts = load_drafts(Path(text))
    experiment, draft = drafts.of(experiment)
    return drafts.name or text, experiment, draft


def _logged(
    file: Path | None,
    data: Path | None,
    columns: str | None,
    experiment: str | None,
    *,
    reward: tuple[str | None, str | None, str],
    half: Literal["first", "second"] | None,
) -> tuple[Logged, dict[str, Any]]:
    """Read the decisions, and say where they are from and what they earn."""
    from sojourn.analytics.policies.reading import parse_columns, read_decisions  # noqa: PLC0415
    from sojourn.wiring.decisions import Rewards, read_logged  # noqa: PLC0415

    event, value, within = reward
    if file is not None:
        for option, given in (("--event", event), ("--value", value)):
            if given is not None:
                raise ConfigError(f"{option} is of --data: in --decisions, the column `reward` says")
        found, told = read_decisions(file, parse_columns(columns or "")), {"decisions": str(file)}
        return (found if half is None else found.half(half)), told
    assert data is not None, "one of both is given"
    if columns is not None:
        raise ConfigError("--map is of --decisions: the lake's columns are known")
    if experiment is None:
        raise ConfigError("say which experiment's decisions: --experiment NAME")
    try:
        within_ms = parse_duration(within)
    except ValueError as error:
        raise ConfigError(f"--within: {error}") from None
    rewards = Rewards(event=event, value=value, within_ms=within_ms)
    found = read_logged(data, experiment, rewards)
    return (found if half is None else found.half(half)), {"data": str(data), **rewards.told()}
