"""The hot path: events are taken before anybody is asked who they are."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from sojourn.adapters.memory import MemoryAccounts
from sojourn.model.account import Account, Session
from sojourn.server.access.gate import Access, AccessSettings
from sojourn.server.access.guard import Guarded
from sojourn.server.http import ROUTES, Http
from sojourn.server.ingest.door import Door
from sojourn.server.studio import Studio
from tests.engine.makers import T0
from tests.server.houses import CHEAP, House


class Asked(MemoryAccounts):
    """Accounts that note that they were asked."""

    n_asked = 0

    def find(self, name: str) -> Account | None:
        self.n_asked += 1
        return super().find(name)

    def session(self, mark: bytes) -> tuple[Session, Account | None] | None:
        self.n_asked += 1
        return super().session(mark)


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_no_route_of_the_door_reaches_pages_or_the_api(path: str) -> None:
    """Whatever a browser carries: what signing in costs, and what serving pages costs, no event pays."""
    house, reached, accounts = House(), [], Asked()

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    access = Access(accounts, AccessSettings(admin_token="x" * 16, cost=CHEAP), now_ms=lambda: T0)
    app = Http(Door({"k": "web"}, house.accept, now_ms=lambda: T0), rest=Studio(Guarded(rest, access)))

    async def ask() -> int:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            method = ROUTES[path].methods[0]
            headers = {"cookie": "sojourn_session=whatever", "accept": "text/html"}
            return (await client.request(method, f"/{path}", headers=headers)).status_code

    assert asyncio.run(ask()) in (200, 400, 401)
    assert (reached, accounts.n_asked) == ([], 0)
