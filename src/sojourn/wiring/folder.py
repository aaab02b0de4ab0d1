"""The folder: what the API does for whoever asks a server, done in a data folder that nobody works in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.model.errors import InputError
from sojourn.model.operating import FailedRetried
from sojourn.model.views import ForgottenView, HoldView, PlanView
from sojourn.server.asked import FailedRetriedList, Hold, Publish, Retried, Retry, RetryFailed, Rollback
from sojourn.server.forgetting import BEFORE as PEOPLE
from sojourn.server.forgetting import Forget, id_of
from sojourn.wiring.desk import Desk, planned
from sojourn.wiring.forgetting import forget_in
from sojourn.wiring.house import House, now_ms, open_house
from sojourn.wiring.retrying import mended, read_failed, told

Answered = PlanView | HoldView | Retried | FailedRetriedList | ForgottenView

_ASKED: Mapping[str, type[Publish | Rollback | Hold | Retry | RetryFailed]] = {
    "/api/v1/publish": Publish,
    "/api/v1/rollback": Rollback,
    "/api/v1/holds": Hold,
    "/api/v1/dead-letters/retry": Retry,
    "/api/v1/failed-events/retry": RetryFailed,
}
_Asked = Publish | Rollback | Hold | Retry | RetryFailed | Forget


def answer(config: Config, path: str, asked: dict[str, Any]) -> Answered:
    """Answer as the API would; raises FolderInUseError where a server is to be asked instead.

    Everybody is asked about the change before it returns.
    """
    try:
        kind: type[_Asked] = Forget if path.startswith(PEOPLE) else _ASKED[path]
        wanted: _Asked = msgspec.convert(asked, kind)
    except msgspec.ValidationError as error:
        raise InputError("bad-parameter", str(error)) from None
    with open_house(config, publish=False) as house:
        match wanted:
            case Retry():
                return Retried(revived=house.outbox.revive(wanted.action_ids, now=now_ms()))
            case RetryFailed():
                return FailedRetriedList(retried=_retry_failed(config, house, wanted.ids))
            case Hold():
                return _hold(house, wanted)
            case Forget():
                return forget_in(config, house, id_of(path), wanted)
            case _:
                return _publish(house, wanted)


def _retry_failed(config: Config, house: House, ids: Sequence[int]) -> list[FailedRetried]:
    """Take what reads well now, and process it."""
    lookups = LocalLookups(config.geo_database)
    try:
        tried = read_failed(house, ids, sources=config.sources, lookups=lookups)
    finally:
        lookups.close()
    found, log = mended(tried), house.driver.log
    appended = log.append([each.event for each in found], now=now_ms())
    house.driver.catch_up()
    log.mark_retried([each.id for each in found], at=now_ms())
    return told(tried, appended.duplicates)


def _hold(house: House, wanted: Hold) -> HoldView:
    desk = Desk(house.driver, house.store)
    event = desk.holding(wanted.name, wanted.journey, now=house.driver.clock)
    if event is not None:
        house.driver.bring(event)
        house.driver.finish_sweep()
    return desk.holds()


def _publish(house: House, wanted: Publish | Rollback) -> PlanView:
    desk = Desk(house.driver, house.store)
    found = planned(desk, wanted)
    if found.publishing is not None and not found.view.refused and not wanted.dry_run:
        house.driver.bring(desk.publishing(found.publishing, now=house.driver.clock))
        house.driver.finish_sweep()
        found.view.revision = desk.in_force.revision
    return found.view
