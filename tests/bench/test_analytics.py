"""The bench of analytics: the same input for everybody, and every part runs; nothing here is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from bench.analytics import shop
from bench.analytics.agreeing import explained, same_numbers, same_rows
from bench.analytics.asking import Asked, Goal, ask, table
from bench.analytics.children import Cost, run
from bench.analytics.inputs import write_events, write_paths
from bench.analytics.walks import touched, trail

ROOT = Path(__file__).parents[2]


def test_the_same_seed_makes_the_same_input() -> None:
    """Figures of two days are of the same people."""
    assert all(map(np.array_equal, trail(3_000, seed=7), trail(3_000, seed=7)))
    assert all(map(np.array_equal, touched(3_000, seed=7), touched(3_000, seed=7)))
    assert not np.array_equal(trail(3_000, seed=7).step, trail(3_000, seed=8).step)


def test_people_walk_as_the_shop_lets_them() -> None:
    """No step follows another that it cannot follow, and nobody does two things at one instant."""
    walked = trail(20_000, seed=7)
    is_same = walked.person[1:] == walked.person[:-1]
    is_visit = is_same & (walked.channel[1:] < 0)
    pairs = {
        (shop.STEPS[a], shop.STEPS[b])
        for a, b in zip(walked.step[:-1][is_visit], walked.step[1:][is_visit], strict=True)
    }
    assert all(target in shop.WAYS[source] for source, target in pairs)
    assert (np.diff(walked.at)[is_same] > 0).all()


def test_a_file_of_paths_says_what_the_walks_were(tmp_path: Path) -> None:
    """What is written is what was drawn: counts, value and touches."""
    write_paths(500, tmp_path / "paths.parquet", seed=7)
    drawn = touched(500, seed=7)
    rows = duckdb.execute("from read_parquet(?)", [str(tmp_path / "paths.parquet")]).fetchall()
    first, last = drawn.offsets[0], drawn.offsets[1]
    assert rows[0][0].split(" > ") == [shop.CHANNELS[code] for code in drawn.codes[first:last]]
    assert [row[1] for row in rows] == drawn.is_conversion.astype(int).tolist()
    assert [row[2] for row in rows] == drawn.value.tolist()


def test_a_file_of_events_is_in_the_order_of_time(tmp_path: Path) -> None:
    """As a log has them: people lie mixed, which is what makes reading dear."""
    write_events(2_000, tmp_path / "events.parquet", seed=7)
    times = duckdb.execute(
        "select timestamp from read_parquet(?)", [str(tmp_path / "events.parquet")]
    ).fetchall()
    assert len(times) == 2_000
    assert times == sorted(times)


def test_a_child_is_charged_the_memory_it_took_itself() -> None:
    """Of two children of a small parent, the one that takes 80 MB more is charged 80 MB more."""
    hold = "import sys; held = b'x' * {}; open(sys.argv[1], 'w').write('1')"
    parent = (
        "import sys; from bench.analytics.children import ANSWER, run\n"
        f"commands = [[sys.executable, '-c', {hold!r}.format(n), ANSWER] for n in (0, 80_000_000)]\n"
        "small, large = (run(command).cost.peak_mb for command in commands)\n"
        "print(large - small)"
    )
    told = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 70 < float(told.stdout) < 90


def test_who_takes_too_long_is_stopped_and_said_so() -> None:
    """A peer that does not end must not keep the others waiting."""
    found = run([sys.executable, "-c", "import time; time.sleep(60)"], limit_s=0.2)
    assert found.failure == "stopped after 0.2 s"


def test_who_fails_has_a_reason_in_the_table(tmp_path: Path) -> None:
    """A contender that does not run here is a row without figures."""
    broken = [sys.executable, "-c", "raise SystemExit('no such wheel')"]
    rows = [
        ask(Asked("graph", "a peer", command, tmp_path, note=note), is_quick=True)
        for command, note in ((broken, ""), ([], "does not install here"))
    ]
    assert [line.split()[-3:] for line in table(rows).splitlines()[1:]] == [
        ["no", "such", "wheel"],
        ["not", "install", "here"],
    ]


def test_a_goal_is_met_where_every_bound_is_kept() -> None:
    """Fast and fat is not met."""
    goal = Goal(wall_s=6, peak_mb=1_100)
    assert goal.is_met(Cost(cpu_s=50, wall_s=6, peak_mb=900, read_mb=0))
    assert not goal.is_met(Cost(cpu_s=1, wall_s=1, peak_mb=1_200, read_mb=0))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (same_numbers("effects", {"a": 0.5}, {"a": 0.5 + 1e-9}), "agree"),
        (same_numbers("effects", {"a": 0.5}, {"a": 0.51}), "DIFFER"),
        (same_numbers("effects", {"a": 0.5}, {"b": 0.5}), "DIFFER"),
        (same_numbers("effects", {"a": 0.5}, None), "not compared"),
        (same_rows("graph", [["a", "b", 2]], [("a", "b", 2)]), "agree"),
        (same_rows("graph", [["a", "b", 2]], [("a", "b", 3)]), "DIFFER"),
        (same_rows("graph", [["a", "b", 2]], [("a", "b", 2), ("a", "b", 2)]), "DIFFER"),
        (explained(same_rows("graph", [["a"]], [["b"]]), "it counts otherwise"), "differ as explained"),
        (explained(same_rows("graph", [["a"]], [["a"]]), "it counts otherwise"), "agree"),
    ],
)  # fmt: skip
def test_a_difference_is_seen(found: object, verdict: str) -> None:
    """A comparison that cannot fail would compare nothing."""
    assert found.verdict == verdict  # type: ignore[attr-defined]


def test_every_part_runs_and_agrees_without_peers(tmp_path: Path) -> None:
    """A hundredth of the rows, once: library, command and plain SQL find the same, and the file says so."""
    place = tmp_path / "found.json"
    command = [sys.executable, "-m", "bench.analytics", "--quick", "--no-peers", "--to", str(place)]
    world = {**os.environ, "SOJOURN_BENCH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=world)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(place.read_text(encoding="utf-8"))
    assert {one["verdict"] for one in found["agreements"].values()} == {"agree"}
    assert {name.split(" / ")[0] for name in found["figures"]} == {"paths", "events", "incremental"}
    assert all(one["cpu_s"] > 0 and one["peak_mb"] > 0 for one in found["figures"].values())
