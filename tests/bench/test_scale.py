"""The model of scale: formulas beside the simulation, figures with their sources, and the page; seeded."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

import pytest

from bench.scale import costs, fitting, measuring, report, storage, tables, validation
from bench.scale.breaks import breaks, key_limit
from bench.scale.clocks import gate
from bench.scale.costs import Costs
from bench.scale.model import Load, capacity, recovery, tasks_for, wait, work
from bench.scale.money import Prices, a_month, read_prices
from bench.scale.pictures import Axis, Series, bars, chart
from bench.scale.plan import BUSY, TARGETS, plan, sized
from bench.scale.simulated import Orders
from bench.scale.skew import fullest_share, power_sum
from bench.scale.validation import SHAPES, orders_of, simulated

FITTED = costs.costs()
AS_MEASURED = FITTED.changed(**fitting.conditions(fitting.read_measured()))
CELLS = tuple(
    orders_of(AS_MEASURED, shape, share) for shape, share in zip(SHAPES, (0.6, 0.35, 0.6, 0.1), strict=True)
)


def test_every_figure_says_its_range_and_where_it_is_from() -> None:
    """What is assumed has a reason, and no value lies outside its range."""
    found = costs.figures()
    assert set(found) == {field.name for field in fields(Costs)}
    assert [name for name, one in found.items() if not one.low <= one.value <= one.high] == []
    assert [name for name, one in found.items() if len(one.source) < 10] == []


def test_the_engine_is_measured_on_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more events share a call, the fewer calls there are; what comes of them is the same."""
    monkeypatch.setattr(measuring, "N_EVENTS", 800)
    found = measuring.measure(is_quick=True)
    assert found["calls_at_1"] > found["calls_at_16"] > found["calls_at_256"] > 0
    assert found["facts_an_event"] > 1


def test_what_is_fitted_follows_from_what_was_measured() -> None:
    """Nobody has turned at a figure by hand."""
    again = fitting.fit(fitting.read_measured())
    fitted = costs.figures()
    assert {name: one.value for name, one in again.items()} == {
        name: pytest.approx(one.value, rel=0.02) for name, one in fitted.items()
    }


def test_the_simulation_comes_to_what_was_measured() -> None:
    """Of what nothing was fitted to: the slowest of a hundred, a drain, a rate in between, a death."""
    found = {one.what: one for one in validation.measured(AS_MEASURED, fitting.read_measured())}
    assert abs(found["an action at rest, p99"].error) < 0.25
    assert abs(found["drained by a task, two cores for all"].error) < 0.6  # a JVM that had just begun
    held_out = [abs(one.error) for what, one in found.items() if what.startswith("a task's threads")]
    assert median(held_out) < 0.35
    assert abs(found["a task's death: its longest wait"].error) < 0.25


@pytest.mark.parametrize("orders", CELLS)
def test_formulas_are_near_the_simulation(orders: Orders) -> None:
    """How busy a task is, and how long an event takes, by loads, shards, doors and skews."""
    cell = validation.cell(orders, AS_MEASURED)
    assert abs(cell.busy.error) < 0.2
    assert abs(cell.mean.error) < 0.2
    assert abs(cell.p50.error) < 0.2
    assert abs(cell.p99.error) < 0.3


def test_a_dearer_call_would_be_noticed() -> None:
    """The bounds are no wider than what they are to find."""
    dearer = FITTED.changed(call_us=FITTED.call_us * 2)
    run = simulated(CELLS[1], FITTED)
    assert work(validation.load_of(CELLS[1]), dearer).busy / max(run.busy) - 1 > 0.2


def test_batches_wait_as_the_formula_says() -> None:
    """A server that takes all that waits: close from half load on, and never below."""
    light, half, heavy = validation.batches()
    assert -0.03 < half.error < 0.06
    assert -0.05 < heavy.error < 0.1
    assert light.error > -0.03


def test_the_fullest_bin_is_where_it_is_drawn() -> None:
    """At any skew, for few shards and many."""
    assert validation.worst(validation.fullest(n_drawn=12, n_keys=3_000)) < 0.13


def test_a_death_is_made_up_for_as_the_formula_says() -> None:
    """What came meanwhile is drained while more comes; nothing is lost, and some is done twice."""
    short = Orders(500, 12, dies_at_s=3.5, down_s=4)
    assert abs(validation.recovers(AS_MEASURED, short).error) < 0.25
    run = simulated(short, AS_MEASURED)
    assert len(run.waits) == len(set(zip(run.arrived, run.waits, strict=True)))
    assert len(run.waits) == pytest.approx(6_000, rel=0.05)
    assert max(run.waits) > 4_000
    assert run.n_again > 0


def test_a_simulation_is_the_same_again() -> None:
    """By its seed, and another by another."""
    once, again = (simulated(Orders(300, 2, seed=7), FITTED) for _ in range(2))
    assert once.waits == again.waits
    assert simulated(Orders(300, 2, seed=8), FITTED).waits != once.waits


def test_bursts_wait_longer() -> None:
    """The mean of a second is the same; what comes in a tenth of it is not."""
    even = simulated(Orders(1_000, 3), FITTED)
    bursty = simulated(Orders(1_000, 3, burst=5), FITTED)
    assert len(bursty.waits) == pytest.approx(len(even.waits), rel=0.2)
    assert bursty.wait(0.9) > even.wait(0.9)


def test_load_makes_events_cheaper_until_there_is_no_more() -> None:
    """The more comes, the more share a call; and a task has a most."""
    each = [work(Load(rate, 1, 16, 2), FITTED).us_an_event for rate in (10, 500, 3_000)]
    assert each == sorted(each, reverse=True)
    most = capacity(Load(0, 1, 16, 2), FITTED, busy=1.0)
    assert work(Load(most, 1, 16, 2), FITTED).busy == pytest.approx(1, abs=0.01)
    assert most < key_limit(FITTED)


def test_the_clocks_are_waited_for() -> None:
    """Sparse partitions wait for half a tick of one door, a third of two; dense ones for none."""
    sparse = {"partitions": 32, "lane_per_ms": 1e-6, "tick_ms": 20.0, "step_ms": 0.0}
    assert gate(doors=1, **sparse).mean == pytest.approx(10, rel=0.05)  # type: ignore[arg-type]
    assert gate(doors=2, **sparse).mean == pytest.approx(5, rel=0.1)  # type: ignore[arg-type]
    dense = gate(partitions=32, doors=1, lane_per_ms=5.0, tick_ms=20.0, step_ms=0.0)
    assert dense.mean < 2


def test_tasks_are_enough_and_no_more() -> None:
    """One less would be busier than planned."""
    load = Load(50_000, 1, 256, 4, 1e7, 0.5)
    n = tasks_for(load, FITTED, busy=BUSY)
    busy = [work(replace(load, tasks=tasks), FITTED).busy for tasks in (n - 1, n)]
    assert busy[0] > BUSY >= busy[1]


def test_more_keys_make_a_sum_of_powers_longer() -> None:
    """The integral goes on where the sum ends."""
    naive = sum(rank**-0.8 for rank in range(1, 10_001))
    assert power_sum(0.8, 10_000) == pytest.approx(naive, rel=1e-4)
    assert fullest_share(1.0, 1e9, 512) > 2 / 512


def test_plans_grow_with_what_is_asked() -> None:
    """Ten times the events want more of everything, and less money each."""
    found = [plan(target, FITTED, tables.ADVISED, Prices()) for target in TARGETS]
    assert [one.load.tasks for one in found] == sorted({one.load.tasks for one in found})
    assert [one.total for one in found] == sorted(one.total for one in found)
    assert found[0].a_million > found[-1].a_million
    assert all(one.load.tasks <= one.load.shards for one in found)
    assert all(work(*sized(target, FITTED)).busy <= BUSY for target in TARGETS)


def test_every_limit_is_drawn_and_something_breaks_at_a_million() -> None:
    """And less of it at ten thousand."""
    found = breaks(tables.plans(FITTED, Prices(), tables.AS_IT_IS), FITTED)
    assert {report._short(one.what) for one in found} == set(report.SHORT.values())
    assert sum(one.uses[-1] > 1 for one in found) > sum(one.uses[0] > 1 for one in found)


def test_a_larger_state_takes_longer_to_come_back() -> None:
    """And who is busier longer to catch up; who is too busy never does."""
    small, large = (recovery(Load(500), FITTED, task_state_mb=mb).down for mb in (0, 10_000))
    assert large - small == pytest.approx(10_000 / FITTED.restore_mb_per_s)
    assert recovery(Load(1e6), FITTED, task_state_mb=0).caught_up == float("inf")


def test_waits_are_a_distribution() -> None:
    """From none to all, and its quantiles where it says."""
    said = wait(Load(1_000), FITTED)
    assert said.below(0) == 0
    assert said.below(1e6) == pytest.approx(1)
    for share in (0.5, 0.95, 0.99):
        at = said.quantile(share)
        assert said.below(at - 0.1) <= share <= said.below(at + 0.1)


def test_what_is_kept_longer_is_more() -> None:
    """Marks by the window, the log by its retention; compression spares the log alone."""
    day = 1e9
    short, long = (replace(tables.AS_IT_IS, seen_days=days, events_days=days) for days in (3, 30))
    marks = [storage.states(FITTED, one, people=1, events_per_day=day).marks for one in (short, long)]
    disks = [storage.log(FITTED, one, events_per_s=1, events_per_day=day).disk for one in (short, long)]
    assert marks[1] == pytest.approx(10 * marks[0])
    assert 4 < disks[1] / disks[0] < 10
    packed = replace(long, is_compressed=True)
    assert storage.log(FITTED, packed, events_per_s=1, events_per_day=day).disk < disks[1]


def test_money_is_by_ones_own_prices(tmp_path: Path) -> None:
    """Fields that are left out stay; one that is unknown is refused."""
    mine = tmp_path / "mine.json"
    mine.write_text('{"core_hour": 0.01, "currency": "EUR"}')
    prices = read_prices(mine)
    used = {"cores": 2.0, "memory": 0.0, "disk": 1e9, "objects": 0.0, "traffic": 0.0}
    assert a_month(prices, used)["cores"] == pytest.approx(2 * 730 * 0.01)
    assert a_month(prices, used)["disk"] == pytest.approx(Prices().gb_disk_month)
    mine.write_text('{"core_hours": 1}')
    with pytest.raises(ValueError, match="core_hours"):
        read_prices(mine)


def test_the_page_shows_what_the_model_says_now() -> None:
    """Whoever changes a figure or a formula writes the page anew: python -m bench.scale --write."""
    text = report.PAGE.read_text(encoding="utf-8")
    found = report.sections(Prices())
    assert report.page(text, found) == text
    assert [name for name, section in found.items() if section not in text] == []
    assert [name for name in report.SIMULATED if f"<!-- {name}: " not in text] == []


def test_pictures_are_drawn_within_their_frames() -> None:
    """And read as what they are: SVG with a title."""
    x, y = Axis("x", 1, 100), Axis("y", 1, 100)
    drawn = chart("A & B", x, y, [Series("s", [(1, 1), (100, 100)], [(10, 10)])])
    root = ElementTree.fromstring(drawn)
    ring = next(one for one in root.iter("{http://www.w3.org/2000/svg}circle"))
    assert (float(ring.attrib["cx"]), float(ring.attrib["cy"])) == (295, 177)
    assert "A &amp; B" in drawn
    assert ElementTree.fromstring(bars("t", [("a", [1e9, 0.5])], ["m", "n"], "limit")) is not None
