"""The studio's side of a house in memory: its files and tables lie in a folder, made when they are used."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sojourn.adapters.sqlite.drafts import SqliteDrafts
from sojourn.adapters.sqlite.traffic import SqliteTraffic
from sojourn.config import Config
from sojourn.model.lake import Reach
from sojourn.server.authoring_routes import Authored
from sojourn.wiring import authoring, drafting
from sojourn.wiring.rehearsals import Rehearsals
from tests.engine.makers import T0

if TYPE_CHECKING:
    from tests.server.houses import House

SINKS = ("console",)


class Authors:
    """Who answers authors, of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.authored = Authored(_Late(self, "authors"), _Late(self, "drafts"), _Late(self, "rehearsals"))  # type: ignore[arg-type]

    @cached_property
    def folder(self) -> Path:
        """The folder, with an empty one for journeys in it."""
        self._kept = TemporaryDirectory(prefix="sojourn-authors-")
        folder = Path(self._kept.name)
        (folder / "journeys").mkdir()
        return folder

    @cached_property
    def config(self) -> Config:
        """Of a house that has a folder of journeys."""
        return Config(
            data=self.folder, journeys=[self.folder / "journeys"], metrics=[self.folder / "metrics"]
        )

    @cached_property
    def traffic(self) -> SqliteTraffic:
        """The tables of traffic, as far as `count` has brought them."""
        return SqliteTraffic(self.folder)

    def count(self) -> None:
        """Count what the house has seen since."""
        store, known = self._house.store, self.traffic.reach()
        progress = store.progress()
        groups = store.facts_after(known.group, 1 << 30)
        last = groups[-1][0] if groups else known.group
        self.traffic.take(groups, Reach(progress.position, last, progress.clock))

    @cached_property
    def authors(self) -> authoring.Authors:
        """Who answers about journeys."""
        driver = self._house.driver
        assert driver.controls is not None
        controls = driver.controls
        return authoring.Authors(
            self.traffic,
            in_force=lambda: controls.in_force,
            catalogue=lambda: driver.catalogue,
            sinks=SINKS,
        )

    @cached_property
    def drafts(self) -> drafting.Drafts:
        """Who keeps drafts."""
        kept = SqliteDrafts(self.folder)
        return drafting.Drafts(self.config, kept, bring=self._house.publish, now=lambda: T0)

    @cached_property
    def rehearsals(self) -> Rehearsals:
        """Who rehearses."""
        return Rehearsals(self.config, now=lambda: T0)


class _Late:
    """Stands for one of them until it is asked: most houses never are."""

    def __init__(self, owner: Authors, name: str) -> None:
        self._owner = owner
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._owner, self._name), name)
