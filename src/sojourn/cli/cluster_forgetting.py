"""Forgetting on a cluster: the control, and until when what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.forgetting import AlsoOption, ReasonOption, converse
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import complain, instant, say_json, show, table
from sojourn.cli.publishing import DryOption, YesOption
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.config import Config
    from sojourn.model.remains import ClusterForgottenView, Remain


def forget(  # noqa: PLR0913 - the options of a command
    person: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A user id or an anonymous id of theirs.", show_default=False),
    ] = None,
    *,
    reason: ReasonOption = "",
    also: AlsoOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    is_status: Annotated[
        bool, typer.Option("--status", help="Say of everybody who was forgotten what is left, until when.")
    ] = False,
    is_finish: Annotated[
        bool,
        typer.Option("--finish", help="Take the ids out of controls of whom the log has nothing any more."),
    ] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Forget a person on a cluster (GDPR, Article 17): end their life in every shard.

    It shows whom that is, what is kept where and until when, and asks. There is no way back. Kafka's records
        are not rewritten: they go for their age, and the date by which the last is gone is said.
    """
    from sojourn.wiring import cluster_forgetting  # noqa: PLC0415 - help needs no Kafka

    if [person is not None, is_status, is_finish].count(True) != 1:
        raise ConfigError("cluster forget: name one id, or say --status, or --finish")
    settings = configuration(config, data)
    if is_status:
        _show_ledger(settings, json=json)
    elif is_finish:
        done = cluster_forgetting.finish(settings)
        if json:
            say_json({"finished": done})
        else:
            typer.echo(
                f"{len(done)} controls have lost their ids; `--status` says when the last byte is gone"
            )
    else:
        assert person is not None
        _forget(settings, person, reason=reason, also=also, dry_run=dry_run, yes=yes, json=json)


def _forget(
    settings: Config,
    person: str,
    *,
    reason: str,
    also: list[str] | None,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    from sojourn.server.forgetting import Forget  # noqa: PLC0415
    from sojourn.wiring import cluster_forgetting  # noqa: PLC0415

    def do(is_dry: bool) -> ClusterForgottenView:
        asked = Forget(confirm=person, reason=reason, also=also or [], dry_run=is_dry)
        return cluster_forgetting.forget(settings, person, asked)

    found = converse(
        do, lambda view: _describe(view, person), lambda view: view.view.ids,
        dry_run=dry_run, yes=yes, json=json,
    )  # fmt: skip
    if found is None:
        return
    if json:
        say_json(found)
    elif found.view.done is None:
        typer.echo("Nothing is kept of them, so nothing was done.")
    else:
        if yes:
            show(*_describe(found, person))
        rows = [
            ("request", found.view.done.request_id),
            ("their life ended (UTC)", instant(found.view.done.at)),
            ("what is left, until when", "sojourn cluster forget --status"),
        ]
        show(table(("forgotten", ""), rows))
    if not found.is_known:
        complain(_UNKNOWN)


_UNKNOWN = (
    "people's states cannot be asked here, so that only the ids you named are forgotten; name their devices, "
    "too, with --also, or keep a topic of states (cluster.states)"
)


def _describe(found: ClusterForgottenView, person: str) -> list[Any]:
    view = found.view
    if not view.ids:
        return [f"{person}: nothing is kept of anybody with this id"]
    rows = [(each, "stays others', who named it, too" if each in view.shared else "") for each in view.ids]
    tables = [table(("id", ""), rows)]
    kept = [("failed events that name them", f"{view.n_failed:,}")]
    if found.is_known:
        kept += [("events", f"{view.n_events:,}"), ("journeys they are inside", f"{view.n_journeys:,}")]
    tables.append(table(("kept", ""), kept))
    return [*tables, _remains(found.remains)]


def _show_ledger(settings: Config, *, json: bool) -> None:
    from sojourn.wiring.cluster_forgetting import ledger  # noqa: PLC0415

    found = ledger(settings)
    if json:
        say_json(found)
        return
    if not found:
        typer.echo("Nobody was forgotten.")
    for one in found:
        rows = [
            ("request", one.row.request_id),
            ("their life ended (UTC)", instant(one.row.at)),
            ("in shards", "nobody tells" if one.ended is None else f"{one.ended} of {one.shards}"),
            ("asked by", one.row.by),
            ("reason", one.row.reason),
        ]
        show(table(("forgotten", ""), rows), _remains(one.remains))


def _remains(remains: Sequence[Remain]) -> Any:
    rows = [
        (each.place, "gone" if each.is_gone else instant(each.until) if each.until else "", each.how)
        for each in remains
    ]
    return table(("where", "the last byte is gone by (UTC)", "how"), rows)
