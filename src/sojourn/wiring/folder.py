"""The folder: what the API does for whoever asks a server, done in a data folder that nobody works in."""

from __future__ import annotations

from typing import Any

import msgspec

from sojourn.config import Config
from sojourn.model.views import HoldView, PlanView
from sojourn.server.asked import Hold, Publish, Rollback
from sojourn.wiring.desk import Desk, planned
from sojourn.wiring.house import open_house


def answer(config: Config, path: str, asked: dict[str, Any]) -> Any:
    """Answer as the API would; raises FolderInUseError where a server is to be asked instead.

    Everybody is asked about the change before it returns.
    """
    with open_house(config, publish=False) as house:
        desk = Desk(house.driver, house.store)
        if path == "/api/v1/holds":
            hold = msgspec.convert(asked, Hold)
            event = desk.holding(hold.name, hold.journey, now=house.driver.clock)
            if event is not None:
                house.driver.bring(event)
                house.driver.finish_sweep()
            return _plain(desk.holds())
        wanted: Publish | Rollback
        if path == "/api/v1/publish":
            wanted = msgspec.convert(asked, Publish)
        else:
            wanted = msgspec.convert(asked, Rollback)
        found = planned(desk, wanted)
        if found.publishing is not None and not found.view.refused and not wanted.dry_run:
            house.driver.bring(desk.publishing(found.publishing, now=house.driver.clock))
            house.driver.finish_sweep()
            found.view.revision = desk.in_force.revision
        return _plain(found.view)


def _plain(view: PlanView | HoldView) -> Any:
    return msgspec.to_builtins(view)
