"""A house in memory behind the whole HTTP application, and a line to it without a network."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec

from sojourn.adapters.memory import MemoryAccounts, MemoryLog, MemoryStore
from sojourn.definitions.publishing import InForce, Version
from sojourn.engine.decisions import Decision
from sojourn.model.account import Account, Role, Session
from sojourn.model.action import Letter
from sojourn.model.errors import InputError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.model.views import ForgottenRow, ForgottenView, HoldView, PlanView
from sojourn.runtime.books import Books
from sojourn.runtime.deciding import decide_kept
from sojourn.runtime.driver import Driver
from sojourn.runtime.kin import find_kin
from sojourn.server.access.callers import COOKIE
from sojourn.server.access.gate import Access, AccessSettings
from sojourn.server.access.passwords import Cost
from sojourn.server.api import make_api
from sojourn.server.asked import Hold, Inquiry, Publish, Rollback
from sojourn.server.forgetting import Forget
from sojourn.server.http import App, Http
from sojourn.server.ingest.door import Door
from sojourn.server.metrics import Metrics
from sojourn.server.ofrep import Ofrep
from sojourn.server.ofrep_reading import Asked, Caller, Callers
from sojourn.server.ofrep_streams import Streams
from sojourn.server.probes import Probes
from sojourn.server.pulse import Progress, Pulse
from sojourn.server.sources import Sources
from sojourn.server.tail import Tail
from sojourn.wiring.analyst import Basis, answered
from sojourn.wiring.desk import Desk, planned
from sojourn.wiring.house import Readings
from sojourn.wiring.looking import Known
from sojourn.wiring.operating import Operator, Surroundings
from tests.cli.folders import shop
from tests.engine.makers import T0, catalogue
from tests.runtime.outboxes import action
from tests.server.authors import Authors

KEY = "web-key"
CHEAP = Cost(log_n=4, r=1, p=1)  # passwords of tests are guarded by nothing
MAX_ANSWER_BYTES = 64 << 20
DECISION_KEY = "a-key-of-an-application"
TOKEN = "an-admin-token-of-24-byte"
WELCOME = """
journey: welcome
entry: { on: Signed Up, api: true }
states: { waiting: { after: { 1d: done } }, done: {} }
"""


@cache
def shop_folder() -> Path:
    """Return a data folder with a shop's events, until the process ends."""
    folder = TemporaryDirectory(prefix="sojourn-shop-")
    atexit.register(folder.cleanup)
    return shop(Path(folder.name))


class House:
    """Log, store and engine in memory; what comes in by the door is processed before it is answered."""

    def __init__(self, *, admin_token: str | None = TOKEN, access: AccessSettings | None = None) -> None:
        self.log = MemoryLog(floor=T0)
        self.store = MemoryStore()
        compiled = catalogue(WELCOME)
        in_force = InForce(
            current={name: one.version for name, one in compiled.journeys.items()},
            versions=[
                Version(journey=name, version=one.version, text=one.text)
                for name, one in compiled.journeys.items()
            ],
        )
        self.driver = Driver(self.log, self.store, compiled, in_force=in_force)
        self.desk = Desk(self.driver, self.store)
        self.metrics = Metrics()
        self.is_ready = True
        self.retried: list[Sequence[str] | None] = []
        self.now = T0
        self.accounts = MemoryAccounts()
        settings = access or AccessSettings(admin_token=admin_token, cost=CHEAP)
        self.access = Access(self.accounts, settings, now_ms=lambda: self.now)
        readings = Readings(self.log, self.store, self.store, self.driver.catalogue)
        self.authors = Authors(self)
        self.sources = Sources()
        self.books = Books(now=lambda: T0)
        self.operator = Operator(
            readings,
            Surroundings(
                log=self.log,
                accept=self.accept,
                sources=self.sources,
                books=self.books,
                pulse=Pulse(lambda: Progress(position=0, clock=0, lag=0), lambda: []),
                tail=Tail(),
                known=Known(write_keys={KEY: "web"}, types={"console": "console"}),
            ),
        )
        api = make_api(
            readings, self, self, self.operator, authored=self.authors.authored, access=self.access
        )
        probes = Probes(self.metrics, is_ready=lambda: self.is_ready, rest=api)
        callers = Callers({DECISION_KEY: Caller(name="shop")})
        streams = Streams(self, callers.may_see, max_open=1)
        rest = Ofrep(self, callers, streams=streams, rest=probes)
        self.app: App = Http(
            Door({KEY: "web"}, self.accept, heard=self.sources.heard, now_ms=lambda: T0), rest=rest
        )

    async def accept(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        appended = self.log.append(events, now=T0, failed=failed)
        self.driver.take(appended.entries)
        return appended

    async def decide(self, asked: Asked, key: str) -> tuple[Decision | None, bool]:
        all_flags, _ = await self.decide_all(asked)
        return next((one for one in all_flags if one.key == key), None), True

    async def decide_all(self, asked: Asked) -> tuple[list[Decision], bool]:
        force, context = self.driver.catalogue, asked.context
        return decide_kept(self.store, force, asked.targeting_key, now=T0, context=context), True

    async def answers(self, watch: object) -> list[Decision]:
        raise AssertionError("nobody opens a stream here")

    def watch(self, asked: Asked, on_change: object) -> object:
        raise AssertionError("nobody opens a stream here")

    def unwatch(self, watch: object) -> None:
        raise AssertionError("nobody opens a stream here")

    def warm(self) -> None:
        """Need no start: whoever answers here is this process."""

    async def answer(self, inquiry: Inquiry) -> bytes:
        """Answer of a shop's data folder: what is in memory has no lake."""
        return await asyncio.to_thread(
            answered, Basis(data=shop_folder(), max_bytes=MAX_ANSWER_BYTES), inquiry
        )

    async def publish(self, asked: Publish | Rollback, first: Callable[[], None] = lambda: None) -> PlanView:
        found = planned(self.desk, asked)
        if not found.view.refused and not asked.dry_run:
            first()
        if found.publishing is not None and not found.view.refused and not asked.dry_run:
            self.take(self.desk.publishing(found.publishing, now=T0))
            found.view.revision = self.desk.in_force.revision
        return found.view

    async def hold(self, asked: Hold) -> HoldView:
        event = self.desk.holding(asked.name, asked.journey, now=T0)
        if event is not None:
            self.take(event)
        return self.desk.holds()

    async def forget(self, any_id: str, asked: Forget, *, by: str) -> ForgottenView:
        """Show what is kept: erasing wants a folder, and has tests of its own."""
        if not asked.dry_run and asked.confirm != any_id:
            raise InputError("unconfirmed", "confirm: expected the id once more", path="confirm")
        kin = find_kin(self.store, any_id, also=asked.also)
        return ForgottenView(
            request_id=None,
            ids=sorted({*kin.users, *kin.devices}),
            shared=kin.shared,
            n_events=kin.n_events,
            n_journeys=kin.n_journeys,
            n_failed=0,
        )

    def forgotten(self) -> Sequence[ForgottenRow]:
        return self.driver.forgotten.ledger

    async def retry_dead(self, action_ids: Sequence[str] | None) -> int:
        self.retried.append(action_ids)
        return self.store.revive(action_ids, now=T0)

    def may_enter(self, journey: str) -> bool:
        found = self.driver.catalogue.journeys.get(journey)
        return found is not None and found.entry.is_api

    async def let_in(self, event: Event) -> bool:
        return bool((await self.accept([event], ())).entries)

    def take(self, *events: Event) -> None:
        """Let people do something."""
        self.driver.take(self.log.append(events, now=T0).entries)

    def fail(self, n_events: int) -> None:
        """Refuse events."""
        self.log.append(
            (),
            now=T0,
            failed=[
                FailedEvent(
                    source="web", received_at=T0, code="missing-id", reason="no id", message_id=str(number)
                )
                for number in range(n_events)
            ],
        )

    def bury(self, *dead_at: int) -> None:
        """Give up actions, at these instants."""
        for number, instant in enumerate(dead_at):
            given_up = Letter(action=action(f"a{number}"), attempts=12, last_error="503", dead_at=instant)
            self.store.letters[given_up.action.id] = given_up

    def sign_in(self, role: Role, *, name: str = "") -> dict[str, str]:
        """Let somebody sign in, in a role; return the headers of their requests."""
        name = name or role
        self.accounts.add(Account(name=name, role=role, password="", created_at=T0))
        cookie = self.cookie(name)
        csrf = self.ask("/api/v1/session", token=None, headers=cookie).json()["csrf"]
        return {**cookie, "x-csrf-token": csrf}

    def cookie(self, name: str) -> dict[str, str]:
        """Begin a session of an account; return its cookie."""
        token = secrets.token_urlsafe()
        mark = hashlib.sha256(token.encode()).digest()
        session = Session(mark=mark, account=name, started_at=self.now, seen_at=self.now)
        assert self.accounts.open_session(session, password=None, most=1_000)
        return {"cookie": f"{COOKIE}={token}"}

    def ask(
        self, path: str, *, method: str = "GET", token: str | None = TOKEN, **options: Any
    ) -> httpx.Response:
        """Make one request of the application; with a token, carry it."""
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        return asyncio.run(self._ask(method, path, headers | options.pop("headers", {}), options))

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            return await client.request(method, path, headers=headers, **options)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal, whose shape is checked."""
    content = msgspec.json.decode(answer.content)
    assert set(content) == {"code", "message", "do"}
    assert all(content.values())
    return answer.status_code, content["code"]
