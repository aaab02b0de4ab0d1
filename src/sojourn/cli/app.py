"""The application: every command, its place in the help, and how an error leaves the house."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sojourn import __version__
from sojourn.cli import (
    accounts,
    attributing,
    backing_up,
    causal,
    checking,
    clustering,
    converting,
    deciding,
    drawing,
    experiments,
    explaining,
    finding,
    forgetting,
    funnels,
    graphing,
    importing,
    lake,
    letters,
    looking,
    members,
    migrating,
    operating,
    paths,
    people,
    policies,
    publishing,
    rehearsing,
    retaining,
    segments,
)
from sojourn.cli.output import complain, say_json
from sojourn.model.errors import ConfigError, SojournError

OK, FAILED, MISUSED = 0, 1, 2
"""Exit codes: as asked; what was asked failed; the question or the configuration is wrong."""


class Group(TyperGroup):
    """Commands whose errors are told in a line, not in a traceback. (A bug is not, and is loud.)"""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SojournError as error:
            complain(str(error))
            raise typer.Exit(MISUSED if isinstance(error, ConfigError) else FAILED) from None


app = typer.Typer(
    cls=Group,
    name="sojourn",
    help="Sojourn: a real-time customer-journey engine.",
    epilog="Begin with\n\n`sojourn init shop && cd shop && sojourn serve`",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # They show local variables, and some of those are secrets.
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"sojourn {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which release this is.")
    ] = False,
) -> None:
    """Sojourn: a real-time customer-journey engine."""
    del version


def _epilog(*examples: str) -> str:
    return "\n\n".join(["Examples", *(f"`{example}`" for example in examples)])


for name, command, *examples in (
    (
        "init",
        operating.init,
        "sojourn init",
        "sojourn init shop --source web",
        "sojourn init --write-key dev",
    ),
    ("serve", operating.serve, "sojourn serve", "SOJOURN_HTTP_PORT=9000 sojourn serve --data /srv/shop"),
    (
        "import",
        importing.import_events,
        "sojourn import events.jsonl.gz",
        "sojourn import visits.csv --map event=page,user_id=visitor,timestamp=time,properties.os=platform",
        "sojourn import orders.parquet --map event=kind,user_id=customer,timestamp=at,properties.*=*",
    ),
    ("check", checking.check, "sojourn check", "sojourn check journeys/*.yaml --json"),
    (
        "replay",
        rehearsing.replay,
        "sojourn replay drafts/welcome.yaml",
        "sojourn replay drafts/welcome.yaml --from 2026-03-01 --until 2026-04-01 --out differences.jsonl",
        "sojourn replay drafts/welcome.yaml --person ada",
        "sojourn replay new.yaml --against old.yaml --file may.csv --map event=page,user_id=who,timestamp=at",
    ),
    (
        "simulate",
        rehearsing.simulate,
        "sojourn simulate drafts/welcome.yaml",
        "sojourn simulate drafts/welcome.yaml --people 1000 --days 14 --seed 7",
        "sojourn simulate drafts/welcome.yaml --population shop.yaml --against none --json",
        "sojourn simulate --scenario C --people 200000 --holdout 10% --seed 1 --out typical",
    ),
    (
        "draw",
        drawing.draw,
        "sojourn draw journeys/welcome.yaml --out welcome.svg",
        "sojourn draw welcome --counts",
        "sojourn draw welcome --format svg > welcome.svg",
    ),
    (
        "convert",
        converting.convert,
        'sojourn convert signup.json --entry "Signed Up" > journeys/signup.yaml',
        'sojourn convert signup.json --entry "Signed Up" --names names.yaml --out journeys/signup.yaml',
    ),
    (
        "publish",
        publishing.publish,
        "sojourn publish --dry-run",
        "sojourn publish journeys/welcome.yaml --policy follow",
        "sojourn publish --map waiting=greeted --yes",
    ),
    (
        "rollback",
        publishing.rollback,
        "sojourn rollback welcome",
        "sojourn rollback welcome --to 1f2e3d4c5b6a",
    ),
    ("versions", publishing.versions, "sojourn versions welcome"),
    ("pause", publishing.pause, "sojourn pause welcome"),
    ("resume", publishing.resume, "sojourn resume welcome"),
    ("stop", publishing.stop, "sojourn stop --yes"),
    ("release", publishing.release, "sojourn release"),
    ("profile", people.profile, "sojourn profile ada", "sojourn profile ada --json | jq .enrolments"),
    ("search", looking.search, "sojourn search ada", "sojourn search ada@shop.example --json"),
    (
        "forget",
        forgetting.forget,
        "sojourn forget ada --dry-run",
        "sojourn forget ada --reason 'ticket 1234'",
        "sojourn forget ada --yes --json | jq .done.request_id",
    ),
    (
        "explain",
        explaining.explain,
        "sojourn explain ada checkout-rescue",
        "sojourn explain ada checkout-rescue --json | jq .runs[-1].awaits",
    ),
    (
        "decide",
        deciding.decide,
        "sojourn decide ada",
        "sojourn decide ada journey.checkout-rescue.next_action --json | jq .value",
        "sojourn decide ada banner --context plan=pro",
    ),
    ("segment", segments.segment, "sojourn segment loyal", "sojourn segment loyal --limit 10000 --json"),
    (
        "attribution",
        attributing.attribution,
        "sojourn attribution --paths paths.csv --model markov --order auto",
        "sojourn attribution --paths paths.parquet --model last --model markov --model shapley --json",
        "sojourn attribution --events shop.csv --conversion 'Order Completed' --value revenue --lookback 30d",
    ),
    (
        "causal",
        causal.causal,
        "sojourn causal --data data --conversion 'Order Completed' --value revenue",
        "sojourn causal --data data --conversion 'Order Completed' --within 14d --method fixed --json",
        "sojourn causal --data data --conversion 'Order Completed' --inside campaign_name --html causal.html",
    ),
    (
        "graph",
        graphing.graph,
        "sojourn graph --events shop.csv --by session --goal 'Order Completed'",
        "sojourn graph --events 'events/*.parquet' --compare device=mobile:desktop",
        "sojourn graph --events shop.csv --html map.html",
    ),
    (
        "people",
        members.people,
        "sojourn people --events shop.csv --step 'Checkout Started'",
        "sojourn people --data data --from 'Checkout Started' --to '(end)' --since 2026-03-01 --json",
    ),
    (
        "friction",
        finding.friction,
        "sojourn friction --events shop.csv --goal 'Order Completed'",
        "sojourn friction --events 'events/*.parquet' --attribute device --json",
    ),
    (
        "funnel",
        funnels.funnel,
        'sojourn funnel "Product Viewed" "Cart Viewed" "Order Completed" --events shop.csv --within 7d',
        'sojourn funnel Viewed "Ordered [total>=50]" --events "events/*.parquet" --by country --json',
    ),
    (
        "retention",
        retaining.retention,
        'sojourn retention --first "Signed Up" --period week --events events.parquet',
        "sojourn retention --active-days month --zone Europe/Berlin --events events.parquet",
    ),
    (
        "paths",
        paths.paths,
        "sojourn paths --events events.parquet --per session --collapse",
        'sojourn paths --to "Order Completed" --columns 4 --events events.parquet',
        "sojourn paths --patterns --gaps --min-share 0.1 --events events.parquet",
    ),
    ("journeys", people.journeys, "sojourn journeys", "sojourn journeys --json"),
    ("status", people.status, "sojourn status --json"),
    ("sinks", looking.sinks, "sojourn sinks"),
    ("backup", backing_up.backup, 'sojourn backup "/backups/$(date +%F-%H%M)"'),
    ("sources", looking.sources, "sojourn sources --json"),
):
    app.command(name, epilog=_epilog(*examples))(command)
app.add_typer(letters.failed, name="failed")
app.add_typer(letters.dead, name="dead")
app.add_typer(lake.lake, name="lake")
app.add_typer(experiments.experiment, name="experiment")
app.add_typer(policies.policy, name="policy")
app.add_typer(accounts.account, name="account")
app.add_typer(clustering.cluster, name="cluster")
app.add_typer(migrating.migrate, name="migrate")


@app.command("version")
def show_version(*, json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Say which release this is."""
    if json:
        say_json({"version": __version__})
    else:
        typer.echo(f"sojourn {__version__}")
