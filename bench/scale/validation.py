"""Validation: the simulation beside what was measured, and the formulas beside the simulation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from bench.scale.costs import Costs
from bench.scale.fitting import held_out
from bench.scale.model import Load, batch_wait, capacity, drained, recovery, wait, work
from bench.scale.simulated import Orders, Told
from bench.scale.simulation import Simulation
from bench.scale.skew import fullest_share

WARM_MS = 500.0
CORES = 2
"""Of the machine that everything was measured on."""


@dataclass(frozen=True)
class Beside:
    """One figure twice."""

    what: str
    unit: str
    one: float
    """What was measured, or simulated."""
    other: float
    """What the simulation, or the formulas, say."""
    note: str = ""

    @property
    def error(self) -> float:
        """The second beside the first, less 1."""
        return self.other / self.one - 1


# The simulation beside the machine.


def measured(costs: Costs, told: dict[str, dict[str, float]]) -> list[Beside]:
    """Set what was measured beside what the simulation comes to."""
    rest = simulated(Orders(100, 60, seed=3), costs)
    drains = Simulation(Orders(0, 2, backlog=40_000, in_record=200, shards=32), costs).run()
    quiet, cluster = told["quiet"], told["cluster"]
    # Sender, broker and task shared two cores: what all of them take of an event bounds it, too.
    shared = sum(cluster[f"drain_200_{name}_us"] for name in ("task", "broker", "asking"))
    drained_per_s = min(drains.drained_per_s(), CORES * 1e6 / shared)
    died = Simulation(Orders(100, 120, dies_at_s=20, down_s=costs.detect_s + costs.restart_s), costs).run()
    longest = max(died.waits) / 1_000
    return [
        Beside("an action at rest, p50", "ms", quiet["cluster_action_p50_ms"], rest.wait(0.5), "fitted"),
        Beside("an action at rest, p95", "ms", quiet["cluster_action_p95_ms"], rest.wait(0.95), "fitted"),
        Beside("an action at rest, p99", "ms", quiet["cluster_action_p99_ms"], rest.wait(0.99)),
        Beside(
            "drained by a task, two cores for all", "events/s", quiet["cluster_1_events_per_s"],
            drained_per_s, f"in a JVM that had just begun; the task alone: {drains.drained_per_s():,.0f}",
        ),
        *(
            Beside(f"a task's threads, {name}", "us an event", us, said, "held out: fitted to the others")
            for name, us, said in held_out(cluster)
        ),
        Beside("a task's death: its longest wait", "s", RECOVERY_S, longest, "middle of 31 to 39"),
    ]  # fmt: skip


RECOVERY_S = 35.0


def simulated(orders: Orders, costs: Costs) -> Told:
    """Run a simulation."""
    return Simulation(orders, costs).run()


# The formulas beside the simulation.


@dataclass(frozen=True)
class Cell:
    """One cell of the grid, of how busy the fullest task is, and how long events are on their way."""

    orders: Orders
    busy: Beside
    mean: Beside
    p50: Beside
    p99: Beside


SHAPES = ((1, 16, 1, 0.0), (1, 64, 2, 0.7), (4, 64, 2, 0.0), (4, 64, 2, 0.7))
"""Tasks, shards, doors, and people's skew."""
SHARES = (0.1, 0.4, 0.65)
"""How busy a task is to be: beyond what is planned, and where it begins to be more than it takes."""


def orders_of(costs: Costs, shape: tuple[int, int, int, float], share: float) -> Orders:
    """Return a load of a shape that makes tasks about so busy, long enough for some checkpoints."""
    tasks, shards, doors, skew = shape
    rate = round(capacity(Load(0, tasks, shards, doors), costs, busy=share))
    return Orders(
        rate,
        max(32.0 / (tasks + 1), min(24.0, 8_000 / rate)),
        tasks=tasks,
        shards=shards,
        doors=doors,
        skew=skew,
    )


def grid(costs: Costs) -> list[Cell]:
    """Run every cell both ways."""
    return [cell(orders_of(costs, shape, share), costs) for share in SHARES for shape in SHAPES]


def cell(orders: Orders, costs: Costs) -> Cell:
    """Run one load both ways."""
    run = simulated(orders, costs)
    load = load_of(orders)
    said, busy = wait(load, costs), work(load, costs).busy
    return Cell(
        orders,
        Beside("busy", "", max(run.busy), busy),
        Beside("mean", "ms", run.mean_wait(after_ms=WARM_MS), said.mean),
        Beside("p50", "ms", run.wait(0.5, after_ms=WARM_MS), said.quantile(0.5)),
        Beside("p99", "ms", run.wait(0.99, after_ms=WARM_MS), said.quantile(0.99)),
    )


def load_of(orders: Orders) -> Load:
    """Return what the formulas take for the same."""
    return Load(orders.events_per_s, orders.tasks, orders.shards, orders.doors, orders.people, orders.skew)


def drains(costs: Costs, sizes: Sequence[int] = (2, 20, 200)) -> list[Beside]:
    """Drain a log both ways, by the size of its records."""
    found = []
    for size in sizes:
        # Rounds enough that what is between a tenth and nine tenths is steady.
        run = simulated(Orders(0, 2, backlog=max(12_000, 6 * 32 * size), in_record=size), costs)
        said = drained(costs, shards=32, in_record=size)
        found.append(Beside(f"drained, {size} to a record", "events/s", run.drained_per_s(), said))
    return found


DEATH = Orders(1_000, 25, dies_at_s=4, down_s=8)


def recovers(costs: Costs, orders: Orders = DEATH) -> Beside:
    """Let a task die at half load, and count until nobody waits longer than before."""
    run = simulated(orders, costs)
    calm = 5 * max(wait for wait, at in zip(run.waits, run.arrived, strict=True) if at < 2_500)
    back = max(done for wait, done in zip(run.waits, run.done, strict=True) if wait > calm)
    now = costs.changed(detect_s=0.0, restart_s=orders.down_s)
    said = recovery(load_of(orders), now, task_state_mb=0.0)
    return Beside(
        "from a death until all is as before",
        "s",
        back / 1_000 - orders.dies_at_s,
        said.down + said.caught_up,
    )


def batches(seed: int = 1) -> list[Beside]:
    """Serve batches of tau + alpha n, one after another, and look at the mean beside its formula."""
    return [
        Beside(f"batch service, {rho:.0%} busy by events", "ms", _batch_mean(rho, seed), _batch_said(rho))
        for rho in (0.3, 0.6, 0.9)
    ]


ALPHA_MS, TAU_MS = 0.15, 5.0


def _batch_said(rho: float) -> float:
    return batch_wait(rho / ALPHA_MS * 1_000, alpha_ms=ALPHA_MS, tau_ms=TAU_MS)


def _batch_mean(rho: float, seed: int, n: int = 40_000) -> float:
    random = Random(seed)
    rate = rho / ALPHA_MS
    arrivals, at = [], 0.0
    for _ in range(n):
        at += random.expovariate(rate)
        arrivals.append(at)
    now, first, total = 0.0, 0, 0.0
    while first < n:
        now = max(now, arrivals[first])
        last = first
        while last < n and arrivals[last] <= now:
            last += 1
        now += TAU_MS + ALPHA_MS * (last - first)
        total += sum(now - each for each in arrivals[first:last])
        first = last
    return total / n


def fullest(n_drawn: int = 6, seed: int = 1, n_keys: int = 20_000) -> list[Beside]:
    """Put keys into bins at random, some times, and look at the fullest beside its formula."""
    random = Random(seed)
    found = []
    for skew in (0.0, 0.5, 0.8, 1.0, 1.2):
        weights = [rank**-skew for rank in range(1, n_keys + 1)]
        whole = sum(weights)
        for n_bins in (8, 32, 256):
            most = 0.0
            for _ in range(n_drawn):
                bins = [0.0] * n_bins
                for weight in weights:
                    bins[int(random.random() * n_bins)] += weight
                most += max(bins) / whole / n_drawn
            said = fullest_share(skew, n_keys, n_bins)
            found.append(Beside(f"fullest of {n_bins}, s = {skew}", "of even", most * n_bins, said * n_bins))
    return found


def worst(pairs: Iterable[Beside]) -> float:
    """Return the greatest error, in either direction."""
    return max(abs(pair.error) for pair in pairs)
