"""Authorship: who answers the authors of a house, and the processes beside the server that do it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sojourn.adapters.sqlite.drafts import SqliteDrafts
from sojourn.adapters.sqlite.traffic import SqliteTraffic
from sojourn.config import Config
from sojourn.runtime.driver import Driver
from sojourn.server.authoring_routes import Authored
from sojourn.wiring.authoring import Authors
from sojourn.wiring.drafting import Bring, Drafts
from sojourn.wiring.rehearsals import Rehearsals
from sojourn.wiring.trafficside import Counted, Trafficside


class Authorship:
    """All that is opened for authors, and let go when the server stops."""

    def __init__(self, config: Config, driver: Driver, *, bring: Bring, now: Callable[[], int]) -> None:
        controls = driver.controls
        assert controls is not None, "a house knows what is in force"
        self._traffic = SqliteTraffic(config.data)
        self._drafts = SqliteDrafts(config.data)
        self._trafficside = Trafficside(config.data)
        self.counted = Counted(self._traffic)
        """For whoever erases facts."""
        self._rehearsals = Rehearsals(config, now=now)
        self._following: asyncio.Task[None] | None = None
        authors = Authors(
            self._traffic,
            in_force=lambda: controls.in_force,
            catalogue=lambda: driver.catalogue,
            sinks=tuple(config.sinks_in_force()) if config.sinks or config.sources else None,
        )
        drafts = Drafts(config, self._drafts, bring=bring, now=now)
        self.authored = Authored(authors, drafts, self._rehearsals)

    def forget(self) -> None:
        """Let go of reports: somebody whose story may be in them was forgotten."""
        self._rehearsals.forget()

    def start(self) -> None:
        """Begin to count traffic."""
        self._following = asyncio.create_task(self._trafficside.run(), name="traffic")

    async def stop(self) -> None:
        """End the processes; what was asked and is not answered is told so."""
        await self._rehearsals.stop()
        await self._trafficside.stop()
        if self._following is not None:
            await self._following

    def close(self) -> None:
        """Release the files, once nobody asks any more."""
        self._traffic.close()
        self._drafts.close()
