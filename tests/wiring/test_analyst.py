"""The analyst, by the real process: what it answers, how long it may take, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.config import Analytics
from sojourn.model.errors import InputError, UnavailableError
from sojourn.server.analytics import read_inquiry
from sojourn.server.asked import Inquiry
from sojourn.wiring import analyst, child
from sojourn.wiring.analyst import SCRATCH, Analyst, AnalystError, Basis, Became, answered
from tests.cli.folders import WALKS, shop
from tests.wiring.houses import SLOW_ANALYST

GRAPH = read_inquiry("graph", b"")
WAIT_S = 60.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the shop's events."""
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def go(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let an analyst answer only once this file is there."""
    monkeypatch.setattr(child, "module", lambda _, *rest: (sys.executable, "-c", SLOW_ANALYST, *rest))
    file = data / "go"
    file.unlink(missing_ok=True)
    return file


def live(data: Path, story: Callable[[Analyst], Coroutine[Any, Any, Any]], **limits: Any) -> Any:
    """Let a story happen to an analyst, and end it."""

    async def run() -> Any:
        made = Analyst(data, Analytics(**limits))
        try:
            return await story(made)
        finally:
            await made.stop()

    return asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether there is such a process, and not only its end."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def edges(body: bytes) -> int:
    """Count the transitions of an answer."""
    return sum(edge["count"] for edge in msgspec.json.decode(body)["edges"])


N_EDGES = sum(len(steps) - 1 for _, _, steps in WALKS.values())


def test_one_process_answers_question_after_question(data: Path) -> None:
    """It is started by the first, and kept."""

    async def story(made: Analyst) -> tuple[list[bytes], list[int | None]]:
        pids, answers = [made.pid], []
        for _ in range(2):
            answers.append(await made.answer(GRAPH))
            pids.append(made.pid)
        return answers, pids

    answers, (before, first, second) = live(data, story)
    assert [edges(answer) for answer in answers] == [N_EDGES, N_EDGES]
    assert before is None
    assert first == second is not None


def test_it_is_there_before_the_first_question_of_somebody_who_was_expected(data: Path) -> None:
    """A page that opens asks in a moment, and is not to wait for a start."""

    async def story(made: Analyst) -> tuple[int | None, int | None, int]:
        made.warm()
        made.warm()
        await until(lambda: made.pid is not None)
        expected, answer = made.pid, await made.answer(GRAPH)
        return expected, made.pid, edges(answer)

    first, then, n_edges = live(data, story)
    assert first == then is not None
    assert n_edges == N_EDGES


def test_whoever_is_expected_and_never_asks_costs_nothing_for_long(data: Path) -> None:
    """It rests as after an answer."""

    async def story(made: Analyst) -> int | None:
        made.warm()
        await until(lambda: made.pid is not None)
        pid = made.pid
        assert pid is not None
        await until(lambda: made.pid is None and not is_alive(pid))
        return made.pid

    assert live(data, story, idle_ms=50) is None


def test_what_cannot_be_answered_is_refused_and_the_process_stays(data: Path) -> None:
    """A wrong question is nothing's end."""

    async def story(made: Analyst) -> tuple[str, bool]:
        with pytest.raises(InputError) as refused:
            await made.answer(read_inquiry("graph", b"goal=Byu"))
        pid = made.pid
        await made.answer(GRAPH)
        return refused.value.reason, pid == made.pid

    assert live(data, story) == ("goal: no step is called 'Byu'; did you mean 'Buy'?", True)


def test_a_bug_is_loud_and_the_next_question_is_answered(data: Path) -> None:
    """Its traceback reaches the server's log."""

    async def story(made: Analyst) -> int:
        with pytest.raises(AnalystError, match="KeyError: 'nothing'"):
            await made.answer(Inquiry(name="nothing", asked=msgspec.Raw(b"{}")))
        return edges(await made.answer(GRAPH))

    assert live(data, story) == N_EDGES


def test_one_that_was_killed_while_nobody_asked_is_not_missed(data: Path) -> None:
    """The next question finds a new one."""

    async def story(made: Analyst) -> int:
        await made.answer(GRAPH)
        assert made.pid is not None
        os.kill(made.pid, signal.SIGKILL)
        return edges(await made.answer(GRAPH))

    assert live(data, story) == N_EDGES


def test_a_question_that_is_the_end_of_it_is_told_so(data: Path, go: Path) -> None:
    """As where memory runs out; and the one after it is answered."""

    async def story(made: Analyst) -> tuple[str, int]:
        question = asyncio.create_task(made.answer(GRAPH))
        await until(lambda: made.pid is not None)
        assert made.pid is not None
        os.kill(made.pid, signal.SIGKILL)
        with pytest.raises(InputError) as refused:
            await question
        go.touch()
        return refused.value.code, edges(await made.answer(GRAPH))

    assert live(data, story) == ("no-answer", N_EDGES)


def test_what_takes_too_long_is_ended_and_the_next_is_answered(data: Path, go: Path) -> None:
    """The process that was at it is gone."""

    async def story(made: Analyst) -> tuple[int, str, int]:
        question = asyncio.create_task(made.answer(GRAPH))
        await until(lambda: made.pid is not None)
        pid = made.pid
        with pytest.raises(InputError) as refused:
            await question
        go.touch()
        assert pid is not None
        assert not is_alive(pid)
        return refused.value.status, refused.value.reason, edges(await made.answer(GRAPH))

    status, reason, n_edges = live(data, story, time_limit_ms=10_000)
    assert (status, n_edges) == (504, N_EDGES)
    assert reason.startswith("graph: took longer than 10 s; ask about less")


def test_more_than_may_wait_are_sent_away(data: Path, go: Path) -> None:
    """With when to come again; who waits is answered in turn."""

    async def story(made: Analyst) -> tuple[int, list[int]]:
        questions = [asyncio.create_task(made.answer(GRAPH)) for _ in range(2)]
        await until(lambda: made.pid is not None)
        with pytest.raises(UnavailableError) as refused:
            await made.answer(GRAPH)
        go.touch()
        return refused.value.retry_after_s, [edges(body) for body in await asyncio.gather(*questions)]

    assert live(data, story, waiting=2) == (analyst.RETRY_AFTER_S, [N_EDGES, N_EDGES])


def test_it_ends_when_nobody_asks_for_a_while(data: Path) -> None:
    """Its memory is given back; whoever asks then starts another."""

    async def story(made: Analyst) -> int:
        await made.answer(GRAPH)
        pid = made.pid
        assert pid is not None
        await until(lambda: made.pid is None and not is_alive(pid))
        return edges(await made.answer(GRAPH))

    assert live(data, story, idle_ms=50) == N_EDGES


def test_who_waits_when_the_server_stops_is_told(data: Path, go: Path) -> None:
    """And nobody waits for an answer that nobody will read."""

    async def story(made: Analyst) -> list[bool]:
        questions = [asyncio.create_task(made.answer(GRAPH)) for _ in range(2)]
        await until(lambda: made.pid is not None)
        await made.stop()
        told = await asyncio.gather(*questions, return_exceptions=True)
        return [isinstance(each, UnavailableError) for each in told]

    assert live(data, story) == [True, True]


def test_it_gives_way_to_the_engine_in_time_and_memory(data: Path) -> None:
    """It is nice, and the first to go where memory runs out."""

    async def story(made: Analyst) -> tuple[int, str]:
        await made.answer(GRAPH)
        assert made.pid is not None
        score = Path(f"/proc/{made.pid}/oom_score_adj").read_text().strip()
        return os.getpriority(os.PRIO_PROCESS, made.pid), score

    assert live(data, story) == (os.getpriority(os.PRIO_PROCESS, 0) + child.NICENESS, "1000")


def test_what_a_killed_one_left_behind_is_cleared_away(data: Path) -> None:
    """Disks fill by what nobody remembers."""
    left = data / SCRATCH / "left" / "behind"
    left.parent.mkdir(parents=True)
    left.touch()

    async def story(made: Analyst) -> list[Path]:
        await made.answer(GRAPH)
        return list((data / SCRATCH).iterdir())

    assert live(data, story) == []


def test_an_answer_that_is_too_large_is_refused(data: Path) -> None:
    """With what to ask instead."""
    with pytest.raises(InputError, match="set a limit") as refused:
        answered(Basis(data=data, max_bytes=1_000), GRAPH)
    assert refused.value.status == 413


def test_what_became_of_each_question_is_told(data: Path, go: Path) -> None:
    """Answered, refused, turned away, and ended; how many wait; and how often there had to be a new one."""
    told: list[tuple[str, Became]] = []

    async def run() -> tuple[int, int]:
        made = Analyst(
            data, Analytics(waiting=1), observe=lambda name, became, _: told.append((name, became))
        )
        first = asyncio.create_task(made.answer(GRAPH))
        await until(lambda: made.pid is not None)
        with pytest.raises(UnavailableError):
            await made.answer(GRAPH)
        n_waiting = made.n_asked
        assert made.pid is not None
        os.kill(made.pid, signal.SIGKILL)
        with pytest.raises(InputError):
            await first
        go.touch()
        await made.answer(GRAPH)
        with pytest.raises(InputError):
            await made.answer(read_inquiry("funnel", b"step=Byu"))
        with pytest.raises(AnalystError):
            await made.answer(Inquiry(name="nothing", asked=msgspec.Raw(b"{}")))
        await made.stop()
        with pytest.raises(UnavailableError):
            await made.answer(GRAPH)
        return n_waiting, made.n_ended

    assert asyncio.run(run()) == (1, 1)
    assert told == [
        ("graph", "turned-away"),
        ("graph", "no-answer"),
        ("graph", "answered"),
        ("funnel", "refused"),
        ("nothing", "bug"),
        ("graph", "stopped"),
    ]
