"""`python -m demo`: a shop, the program, a receiver and a screen; ends non-zero where a promise is broken."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import time
import urllib.error
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.live import Live

from demo.causes import draw_causes, find_causes
from demo.place import prepare, remember
from demo.program import Program, ProgramError, Setup, script
from demo.receiver import Receiver, Webhook, new_secret
from demo.screen import Look, draw, line, told
from demo.sending import Sender
from demo.shop import Shop

FOLDER = Path("demo-data")
N_PEOPLE = 300
TICK_S = 0.05
LOOK_S = {True: 0.5, False: 3.0}
"""Between two looks: on a terminal, and without one."""
DEFAULT_S = 60.0  # without a terminal nobody can press Ctrl-C
SHARE_UNWELL = 0.05  # of webhooks are answered 503
SETTLE_S = 20.0  # at the end, for the outbox to empty


class Demo:
    """All parts of it, running together."""

    def __init__(self, setup: Setup, program: Program, receiver: Receiver, *, seconds: float | None) -> None:
        self._setup = setup
        self._program = program
        self._receiver = receiver
        self._seconds = seconds
        self._started = time.monotonic()
        self._stopping = asyncio.Event()
        self._sender: Sender | None = None
        self._speed = [(0.0, 0)]
        self.shop = Shop(seed=secrets.randbits(32), n_people=N_PEOPLE, started_at_s=time.time())

    def hear(self, webhook: Webhook) -> None:
        """Let a webhook reach its person; called on the receiver's threads."""
        self.shop.nudge(webhook.data.get("user_id") or webhook.data.get("anonymous_id") or "")

    async def run(self, console: Console) -> Look:
        """Let people shop until the time is over or somebody presses Ctrl-C; return the last look."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, self._stopping.set)
        watching = asyncio.create_task(self._watch(console))
        await self._shop()
        await watching
        return await self._settle()

    async def _shop(self) -> None:
        async with Sender(self._program.address, self._setup.write_key, self._stopping) as sender:
            self._sender = sender
            while not self._stopping.is_set():
                if self._seconds is not None and time.monotonic() - self._started >= self._seconds:
                    self._stopping.set()
                for batch in [] if sender.lags else self.shop.batches(time.time()):
                    sender.send(batch)
                ticked = time.monotonic()
                await asyncio.sleep(TICK_S)
                if sender.lags:
                    self.shop.rest(time.monotonic() - ticked)
            await sender.finish(SETTLE_S)

    async def _watch(self, console: Console) -> None:
        is_terminal = console.is_terminal and "DEMO_SECONDS" not in os.environ
        left = "Ctrl-C ends it" if self._seconds is None else f"ends by itself after {self._seconds:.0f} s"
        screen = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        with screen if is_terminal else _Lines() as live:
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), LOOK_S[is_terminal])
                if not self._program.is_running():
                    raise ProgramError(f"the server ended:\n{self._program.log_end()}")
                look = await self._look()
                if look is None:
                    continue
                if isinstance(live, Live):
                    live.update(draw(look, address=self._program.studio, left=left), refresh=True)
                else:
                    console.print(line(look), highlight=False, soft_wrap=True)

    async def _look(self) -> Look | None:
        try:
            metrics = await asyncio.to_thread(self._program.metrics)
            journeys = await asyncio.to_thread(self._program.journeys)
            answer = await asyncio.to_thread(self._ask)
        except (urllib.error.URLError, OSError):
            return None  # busy; the next look will do
        now = time.monotonic()
        n_sent, n_lost = (self._sender.n_sent, self._sender.n_lost) if self._sender else (0, 0)
        self._speed = [*self._speed[-10:], (now - self._started, n_sent)]
        (first_s, n_first), (last_s, n_last) = self._speed[0], self._speed[-1]
        return Look(
            elapsed_s=now - self._started,
            metrics=metrics,
            journeys=journeys,
            n_people=self.shop.n_people,
            n_lost=n_lost,
            events_per_s=(n_last - n_first) / max(last_s - first_s, 0.001),
            tally=self._receiver.tally,
            latest=list(self._receiver.latest),
            told=answer,
        )

    def _ask(self) -> str:
        """Ask as a page would what to show whoever was written to last."""
        for webhook in reversed(self._receiver.latest):
            who = webhook.data.get("user_id") or webhook.data.get("anonymous_id")
            if who:
                flag = f"journey.{webhook.data['journey']}.next_action"
                return told(who, self._program.decide(who, flag))
        return ""

    async def _settle(self) -> Look:
        """Wait until what was decided is delivered; the receiver is well now."""
        self._receiver.get_well()
        deadline = time.monotonic() + SETTLE_S
        while True:
            look = await self._look()
            is_settled = look is not None and look.tally.n_acted >= look.n_decided
            if look is not None and (is_settled or time.monotonic() > deadline):
                return look
            await asyncio.sleep(0.5)


class _Lines:
    """Stands where a live screen would, when lines are written instead."""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def main() -> int:
    """Run the demo; return the status to end with."""
    console = Console()
    seconds = _seconds(console)
    shutil.rmtree(FOLDER, ignore_errors=True)
    secret = new_secret()
    receiver = Receiver(secret, share_unwell=SHARE_UNWELL)
    setup = prepare(
        FOLDER.resolve(), sinks={"shop": {"type": "webhook", "url": receiver.url, "secret": secret}}
    )
    receiver.start()
    try:
        console.print("A week of a shop's past is being imported ...")
        n_events = remember(setup)
        with Program(setup) as program:
            console.print(
                f"The shop's last week, {n_events:,} events, is there; {N_PEOPLE} people are about to enter."
            )
            console.print(f"Look at it in a browser: {program.studio}", highlight=False, soft_wrap=True)
            demo = Demo(setup, program, receiver, seconds=seconds)
            receiver.on_action = demo.hear
            look = asyncio.run(demo.run(console))
            status = program.stop()
    except ProgramError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    finally:
        receiver.stop()
    return _conclude(console, look, receiver.latest, server_status=status)


def _seconds(console: Console) -> float | None:
    given = os.environ.get("DEMO_SECONDS", "")
    try:
        return float(given) if given else (None if console.is_terminal else DEFAULT_S)
    except ValueError:
        console.print(f"DEMO_SECONDS: expected a number of seconds, got {given!r}")
        sys.exit(2)


def _conclude(console: Console, look: Look, latest: Iterable[Webhook], *, server_status: int) -> int:
    """Say what happened, and what to try next; return 1 where a promise was broken."""
    console.print(line(look), highlight=False, soft_wrap=True)
    broken = _broken(look)
    if server_status != 0:
        broken.append(f"the server ended with status {server_status}")
    for what in broken:
        console.print(what, style="red", markup=False)
    if broken:
        return 1
    tally = look.tally
    console.print(
        f"{tally.n_acted} actions were decided, and each was delivered once: {tally.n_unwell} answers of "
        f"503 were tried again, {tally.n_repeated} repetitions dropped by their key.",
        soft_wrap=True,
    )
    if look.told:
        console.print(look.told, highlight=False, markup=False, soft_wrap=True)
    try:
        console.print(draw_causes(find_causes(FOLDER / "truth")))
    except ProgramError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    _suggest(console, latest)
    return 0


def _broken(look: Look) -> list[str]:
    """Say which promises were not kept."""
    tally = look.tally
    broken = [f"seen twice with effect: {what}" for what in tally.doubled]
    if not look.n_decided or not tally.n_acted:
        broken.append("no journey acted")
    if tally.n_forged:
        broken.append(f"{tally.n_forged} webhooks had a wrong signature")
    if tally.n_acted < look.n_decided:  # it may have got further than our look: timers go on firing
        broken.append(f"{look.n_decided} actions were decided and {tally.n_acted} delivered")
    if look.n_lost:
        broken.append(f"{look.n_lost} requests were not answered with 200")
    return broken


def _suggest(console: Console, latest: Iterable[Webhook]) -> None:
    named = [webhook.data["user_id"] for webhook in latest if webhook.data.get("user_id")]
    command = os.path.relpath(script()[0])
    config = f"--config {FOLDER / 'sojourn.yaml'}"
    lines = [
        "Try next:",
        f"  {command} profile {named[-1] if named else 'ID'} {config}   # why this person got what they got",
        f"  {command} journeys {config}   # how many are where",
        f"  {command} experiment report rescue-offer {config}   # which offer does more",
        f"  {command} causal --data {FOLDER / 'truth'} --conversion 'Order Completed'   # the table, in full",
        f"  {command} serve {config}   # the same data, served again",
        f"  {command} check {FOLDER / 'journeys'}   # after you changed one of the four",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
