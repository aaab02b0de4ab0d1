"""Questions over HTTP, by the real server: the command line's answers, while the engine goes on."""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cli.commands import run
from tests.cli.folders import shop
from tests.wiring.houses import SLOW_ANALYST, START_S, TOKEN, Serving, serving, settle_in

ASKED: dict[str, list[list[str]]] = {
    "graph": [
        [],
        ["--by", "session", "--goal", "Buy", "--limit", "3", "--edges", "2", "--collapse"],
        ["--where", "land=SE|DE", "--where", "campaign_source!=mail", "--did", "Help > Buy"],
        ["--never", "Help", "--since", "2026-03-01", "--until", "2026-04-01T00:00:00Z"],
        ["--matrix", "4"],
        ["--compare", "land=SE:DE"],
        ["--map", "plan=context.app.plan", "--where", "plan=pro"],
        ["--segment", "fond", "--variant", "offer!=none"],
        ["--segment", "fond", "--by", "session", "--compare", "variant:offer=gift:none"],
        ["--compare", "segment=fond"],
    ],
    "people": [
        ["--step", "View", "--limit", "2"],
        ["--from", "View", "--to", "(end)", "--by", "session", "--collapse", "--where", "land=SE|DE"],
        ["--from", "(start)", "--to", "(other)", "--shown", "1", "--goal", "Buy"],
        ["--step", "View", "--did", "Help > Buy", "--since", "2026-03-01"],
        ["--step", "Buy", "--never", "Help", "--until", "2026-04-01T00:00:00Z"],
        ["--step", "Cart", "--segment", "fond", "--variant", "offer=gift"],
    ],
    "paths": [
        [],
        ["--limit", "1", "--per", "session", "--collapse"],
        ["--patterns", "--gaps", "--min-share", "0.4", "--length", "2-3", "--all"],
        ["--from", "View [land=SE]", "--columns", "3"],
        ["--to", "Buy"],
        ["--where", "land=SE|DE", "--did", "Help > Buy", "--since", "2026-03-01"],
        ["--never", "Help", "--until", "2026-04-01T00:00:00Z"],
        ["--segment", "fond", "--variant", "offer=gift|none"],
    ],
    "funnel": [
        ["View", "Cart | Help", "Buy [total>=20]"],
        ["View", "Buy", "--order", "strict", "--within", "1h", "--by", "land", "--limit", "1"],
        ["View", "Buy", "--without", "Help @1-2", "--after", "1", "--reached", "2", "--dropped", "1"],
        ["View", "Buy", "--per", "attempt", "--time-to-convert"],
        ["View", "Buy", "--where", "land=SE|DE", "--did", "Help > Buy", "--since", "2026-03-01"],
        ["View", "Buy", "--never", "Help", "--until", "2026-04-01T00:00:00Z"],
        ["Cart", "Buy", "--segment", "!fond", "--variant", "offer=gift"],
    ],
    "retention": [
        [],
        ["--first", "View", "--returning", "Buy", "--period", "day", "--periods", "3", "--by", "land"],
        ["--brackets", "0,1-6", "--period", "day", "--zone", "Europe/Berlin", "--until", "2026-03-20"],
        ["--counting", "rolling", "--period", "week", "--by", "land", "--limit", "1"],
        ["--active-days", "week"],
        ["--period", "day", "--segment", "fond", "--variant", "offer=gift"],
    ],
    "friction": [
        [],
        ["--by", "person", "--goal", "Buy", "--attribute", "land", "--seed", "3", "--limit", "2"],
        ["--by", "person", "--segment", "fond", "--variant", "offer=gift"],
    ],
    "attribution": [
        ["--conversion", "Buy", "--channel", "campaign_source", "--value", "total"],
        ["--conversion", "Buy", "--touch", "*", "--model", "first", "--model", "shapley"],
        [
            "--conversion", "Buy", "--channel", "land", "--model", "time-decay", "--half-life", "2d",
            "--no-reset", "--lookback", "30d", "--lookback-touches", "2", "--direct", "drop",
            "--replicates", "9",
            "--direct-name", "SE",
        ],
        [
            "--conversion", "Buy", "--touch", "View | Cart", "--model", "markov", "--model", "custom",
            "--order", "2", "--without-nulls", "--weights", "0.5,0.2,0.3", "--once-per-session",
            "--level", "0.9", "--seed", "2",
        ],
    ],
}  # fmt: skip

RESCUE = """
journey: rescue
holdout: off
entry: { on: Cart }
steps:
  - split: { id: offer, variants: { none: 1, gift: 1 }, steps: { gift: [{ wait: 1h }] } }
"""
FOND = "segments: { fond: \"count('Wish') > 0\" }"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the shop's events, and a configuration beside it."""
    folder = tmp_path_factory.mktemp("shop")
    made = shop(folder)
    settle_in(folder)
    (folder / "journeys/rescue.yaml").write_text(RESCUE)
    (folder / "journeys/segments.yaml").write_text(FOND)
    return made


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Serving]:
    """A server of the folder, where some people meet an experiment, and some are in a segment."""
    with serving(data.parent / "sojourn.yaml") as house:
        batch = [
            {
                "type": "track",
                "event": step,
                "userId": f"p{i}",
                "messageId": f"{step}-{i}",
                "timestamp": f"2026-03-10T10:{minute:02}:00Z",
            }
            for i in range(12)
            for minute, step in enumerate(("View", "Cart", "Wish" if i % 2 else "Help", "Buy"))
        ]
        assert house.ask("/v1/batch", {"batch": batch})[0] == 200
        soon(lambda: met(house) == 12)
        yield house


def met(house: Serving) -> int:
    """Count who met the experiment."""
    status, told = house.ask("/api/v1/experiments")
    return told["experiments"][0]["people"] if status == 200 else 0


def over_http(house: Serving, name: str, query: str) -> bytes:
    """Ask a server; return the bytes of its answer."""
    request = urllib.request.Request(
        f"{house.url}/api/v1/analytics/{name}?{query}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=START_S * 4) as answer:
        assert answer.headers["content-type"] == "application/json"
        body: bytes = answer.read()
        return body


def as_query(arguments: list[str]) -> str:
    """Write a command's arguments as a query: the same names, and those of a funnel's steps are `step`."""
    pairs, waiting = [], list(arguments)
    while waiting:
        one = waiting.pop(0)
        if not one.startswith("--"):
            pairs.append(("step", one))
        elif waiting and not waiting[0].startswith("--"):
            pairs.append((one.removeprefix("--"), waiting.pop(0)))
        else:
            pairs.append((one.removeprefix("--"), "true"))
    return urlencode(pairs)


@pytest.mark.parametrize(
    ("name", "arguments"), [(name, each) for name, several in ASKED.items() for each in several]
)
def test_an_answer_over_http_is_the_command_s_to_the_byte(
    server: Serving, data: Path, name: str, arguments: list[str]
) -> None:
    """Beside a running server, of one folder, by the same words."""
    said = run(name, *arguments, "--data", str(data), "--json")
    assert said.exit_code == 0, said.output
    assert over_http(server, name, as_query(arguments)) == said.stdout.removesuffix("\n").encode()


def test_every_option_of_every_question_was_asked_over_http() -> None:
    """So that the test above forgets none."""
    from sojourn.analytics.questions import QUESTIONS
    from sojourn.analytics.questions.fields import fields_of

    spared = {"graph": {"gap"}, "people": {"gap"}}  # a lake has sessions of its own
    for name, several in ASKED.items():
        asked = {each.removeprefix("--") for arguments in several for each in arguments if each[:2] == "--"}
        known = {field.option for field in fields_of(QUESTIONS[name])} - {"step"}
        assert known - asked - spared.get(name, set()) == set()


def test_step_rules_are_written_into_the_query(server: Serving, data: Path) -> None:
    """What a command reads from a file."""
    rules = "steps: { Shop: { events: [View, Cart], rank: 1 }, Bought: { events: Buy, rank: 2 } }\n"
    file = data.parent / "steps.yaml"
    file.write_text(rules)
    said = run("graph", "--data", str(data), "--steps", str(file), "--json").stdout
    assert over_http(server, "graph", urlencode({"steps": rules})) == said.removesuffix("\n").encode()


def test_what_came_in_a_moment_ago_is_counted(data: Path, tmp_path: Path) -> None:
    """Files and tail are one lake."""
    file = settle_in(tmp_path)
    with serving(file) as house:
        assert house.ask("/api/v1/analytics/graph")[0] == 404
        batch = [{"type": "track", "event": name, "userId": "ann"} for name in ("View", "Buy")]
        assert house.ask("/v1/batch", {"batch": batch})[0] == 200
        until = monotonic() + START_S
        while (told := house.ask("/api/v1/analytics/graph"))[0] != 200 and monotonic() < until:
            sleep(0.05)
    assert sum(edge["count"] for edge in told[1]["edges"]) == 1


def test_nobody_acted_yet_is_a_clear_answer(tmp_path: Path) -> None:
    """A server that was started just now."""
    with serving(settle_in(tmp_path)) as house:
        status, refusal = house.ask("/api/v1/analytics/funnel?step=View")
    assert (status, refusal["code"]) == (404, "no-events")
    assert "send events" in refusal["message"]


ANALYST = re.compile(rb"wiring\.analyst|analyst\.main")
"""In the command of one."""

SLOWLY = f"""
import sys
from sojourn.wiring import child
module = child.module
def slow(name, *rest):
    slowly = (sys.executable, "-c", {SLOW_ANALYST!r}, *rest)
    return slowly if name.endswith("analyst") else module(name, *rest)
child.module = slow
from sojourn.cli import main
main()
"""


def test_the_engine_goes_on_while_a_question_is_answered(tmp_path: Path) -> None:
    """Ingest, the API and the journeys do not wait for analytics; a stop does not, either."""
    shop(tmp_path)
    with serving(settle_in(tmp_path), program=SLOWLY) as house, ThreadPoolExecutor(2) as clients:
        question = clients.submit(house.ask, "/api/v1/analytics/graph")
        soon(lambda: bool(analysts(house)))
        batch = {"batch": [{"type": "track", "event": "Signed Up", "userId": "ann"}]}
        assert house.ask("/v1/batch", batch)[0] == 200
        soon(lambda: house.ask("/api/v1/profiles/ann")[0] == 200)
        assert not question.done()
        (tmp_path / "data" / "go").touch()
        assert question.result()[0] == 200
        (tmp_path / "data" / "go").unlink()
        late = clients.submit(house.ask, "/api/v1/analytics/graph")
        sleep(0.2)  # it is on its way, or is told the same where it is not
        house.signal()
        assert house.end() == 0
        assert late.exception() is not None or late.result()[0] == 503


def test_what_becomes_of_questions_is_counted(tmp_path: Path) -> None:
    """By question and outcome, as Prometheus reads it; limits are settings."""
    shop(tmp_path)
    setup = settle_in(tmp_path, analytics={"waiting": 1, "time_limit": "1m", "answer_mb": 1})
    with serving(setup, program=SLOWLY) as house, ThreadPoolExecutor(1) as clients:
        question = clients.submit(house.ask, "/api/v1/analytics/graph")
        soon(lambda: "sojourn_analytics_waiting 1.0" in house.read("/metrics"))
        assert house.ask("/api/v1/analytics/graph")[0] == 503
        (tmp_path / "data" / "go").touch()
        assert question.result()[0] == 200
        assert house.ask("/api/v1/analytics/graph?goal=Byu")[0] == 422
        (pid,) = analysts(house)
        kill(house, pid)
        assert house.ask("/api/v1/analytics/graph")[0] == 200
        lines = house.read("/metrics").splitlines()
    for outcome, n in (("answered", 2), ("refused", 1), ("turned-away", 1)):
        assert f'sojourn_analytics_questions_total{{outcome="{outcome}",question="graph"}} {n}.0' in lines
    assert 'sojourn_analytics_seconds_count{question="graph"} 4.0' in lines
    assert "sojourn_analytics_restarts_total 1.0" in lines
    assert "sojourn_analytics_waiting 0.0" in lines


def test_an_analyst_ends_with_a_server_that_was_killed(data: Path, tmp_path: Path) -> None:
    """Nothing is left running behind it."""
    shop(tmp_path)
    with serving(settle_in(tmp_path)) as house:
        assert house.ask("/api/v1/analytics/graph")[0] == 200
        (pid,) = analysts(house)
        kill(house, pid)
        assert house.ask("/api/v1/analytics/graph")[0] == 200
        (pid,) = analysts(house)
        house.signal(signal.SIGKILL)
        soon(lambda: not Path(f"/proc/{pid}").exists())


def analysts(house: Serving) -> list[int]:
    """Return the process ids of a server's analysts."""
    pid = house.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {each: Path(f"/proc/{each}/cmdline") for each in children}
    return [
        int(each) for each, path in commands.items() if path.exists() and ANALYST.search(path.read_bytes())
    ]


def kill(house: Serving, pid: int) -> None:
    """Kill an analyst, and wait until it is gone: one that is asked while it dies answers nobody."""
    os.kill(pid, signal.SIGKILL)
    soon(lambda: pid not in analysts(house))


def soon(is_so: Any) -> None:
    """Wait for it."""
    until = monotonic() + START_S
    while not is_so():
        assert monotonic() < until, "it does not come to that"
        sleep(0.05)


def test_segments_are_listed_with_who_was_ever_in_them(server: Serving) -> None:
    """What filters offer."""
    status, told = server.ask("/api/v1/segments")
    assert (status, [(each["segment"], each["people"]) for each in told["segments"]]) == (200, [("fond", 6)])
