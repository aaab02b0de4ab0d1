"""The model: what a task takes, how long an event is on its way, how long a failure lasts. Closed formulas.

A task is a server that takes what has come in batches: with each step of the watermark it calls every
shard that something waits for, in three stages. A call costs, an event costs: the more there is to a step,
the more events share a call. Where a step's work takes longer than a step, the next one is larger (batch
service with a cost of tau + alpha * n: Inoue, "Queueing analysis of GPU-based inference servers with dynamic
batching", 2021; the formula is derived in docs/scale.md). Where it does not, steps come at fixed times and
Kingman's bound (1961) says what waits. Times are ms, costs us, rates a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, exp, log, sqrt
from statistics import NormalDist

from bench.scale.clocks import Gate, gate
from bench.scale.costs import Costs
from bench.scale.skew import fullest_share

EULER = 0.5772
WHOLE_MS = 1.5
"""Instants are whole ms, and a watermark is one below: so much later, on average, than if they were not."""
S = 1_000.0
"""ms in a second."""


@dataclass(frozen=True)
class Load:
    """An installation, and what comes to it."""

    events_per_s: float
    tasks: int = 1
    shards: int = 32
    doors: int = 1
    people: float = 20_000
    skew: float = 0.0

    @property
    def task_share(self) -> float:
        """The part of all events that the fullest task gets: of its shards, and of the keys in them."""
        if self.tasks == 1:
            return 1.0
        uneven = ceil(self.shards / self.tasks) * self.tasks / self.shards
        return min(1.0, fullest_share(self.skew, self.people, self.tasks) * uneven)

    @property
    def task_shards(self) -> int:
        """The shards of the task that has most."""
        return ceil(self.shards / self.tasks)


@dataclass(frozen=True)
class Work:
    """What the fullest task does, a second."""

    events: float
    records: float
    passed: float
    calls: float
    busy: float
    """Of its interpreter's time, what events take."""
    step_ms: float
    """Between two steps of the watermark that it takes."""

    @property
    def us_an_event(self) -> float:
        """What an event comes to, us."""
        return self.busy / self.events * 1e6 if self.events else 0.0

    @property
    def events_a_call(self) -> float:
        """How many share a call."""
        return 3 * self.events / self.calls if self.calls else 0.0


def step_ms(load: Load, costs: Costs) -> float:
    """Return how far the watermark's steps are apart: ticks of all doors, or partitions that need none."""
    ticks = costs.tick_ms / load.doors
    return max(costs.watermark_ms, min(ticks, dense_ms(load, costs)))


def dense_ms(load: Load, costs: Costs) -> float:
    """Return how long until every partition has had a record: of n exponential waits the longest."""
    records = records_per_s(load.events_per_s, load, costs) / load.shards
    return (log(load.shards) + EULER) / records * S if records else 1e12


def records_per_s(events_per_s: float, load: Load, costs: Costs) -> float:
    """Return the records of so many events: while a lane's one is unconfirmed, what comes shares the next."""
    waiting = load.events_per_s / load.shards / load.doors * costs.door_ack_ms / S
    return events_per_s / (waiting + exp(-waiting))


def work(load: Load, costs: Costs) -> Work:
    """Return what the fullest task does; its steps lengthen until a step's work fits into it."""
    events = load.events_per_s * load.task_share
    step = step_ms(load, costs)
    found = _work(events, load, costs, step=step)
    if found.busy <= 1:
        return found
    longest = costs.buffered_events / events * S
    low, high = step, max(step, longest)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _work(events, load, costs, step=middle).busy > 1 else (low, middle)
    return _work(events, load, costs, step=high)


def _work(events: float, load: Load, costs: Costs, *, step: float) -> Work:
    """Return the work of so many events a second, taken in steps of a length."""
    steps = S / step
    shards = load.task_shards
    called = shards * (1 - exp(-events / steps / shards))
    a_call = events / steps / called if called else 1.0
    spread = load.shards * (1 - (1 - 1 / load.shards) ** a_call)
    records = records_per_s(events, load, costs)
    calls, passed = 3 * called * steps, (called * spread + called) * steps
    us = records * costs.record_us + passed * costs.passed_us + calls * costs.call_us
    return Work(events, records, passed, calls, (us + events * costs.event_us) / 1e6, step)


def capacity(load: Load, costs: Costs, *, busy: float) -> float:
    """Return the events a second of the whole installation at which its fullest task is so busy."""
    low, high = 0.0, 1e9
    for _ in range(60):
        middle = (low + high) / 2
        tried = replace(load, events_per_s=middle)
        is_more = _work(middle * load.task_share, tried, costs, step=step_ms(tried, costs)).busy > busy
        low, high = (low, middle) if is_more else (middle, high)
    return low


def drained(costs: Costs, *, shards: int, in_record: float) -> float:
    """Return how many events a second one task takes of a log that lies there.

    A step is at least a record of each partition, for none may be behind; or what the buffers hold.
    """
    n = max(costs.buffered_events, in_record * shards)
    called = shards * (1 - exp(-n / in_record / shards)) if in_record > 1 else shards * (1 - exp(-n / shards))
    later = shards * (1 - exp(-n / shards))
    spread = shards * (1 - (1 - 1 / shards) ** (n / called))
    us = n / in_record * costs.record_us + (called * spread + later) * costs.passed_us
    us += (called + 2 * later) * costs.call_us + n * costs.event_us
    return n / us * 1e6


def tasks_for(load: Load, costs: Costs, *, busy: float) -> int:
    """Return the tasks that are needed so that the fullest is at most so busy."""
    low, high = 1, load.shards
    while low < high:
        middle = (low + high) // 2
        tried = replace(load, tasks=middle)
        is_enough = (
            _work(tried.events_per_s * tried.task_share, tried, costs, step=step_ms(tried, costs)).busy
            <= busy
        )
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return low


@dataclass(frozen=True)
class Wait:
    """How long an event is on its way from its door to what it leads to, ms."""

    fixed: float
    """Append, fetch, out, and the work of its step."""
    gate: Gate
    """Until the watermark has passed it."""
    met: float
    """How probably it meets what a checkpoint holds up."""
    pause: float
    """The longest that it then waits."""
    tasks: int
    """Of so many pauses the longest counts."""

    @property
    def mean(self) -> float:
        """The mean."""
        return self.fixed + self.gate.mean + self.met * self.pause * (self.tasks + 1) / (self.tasks + 2) / 2

    def quantile(self, share: float) -> float:
        """Return a quantile, by bisection of the distribution."""
        low, high = 0.0, self.fixed + self.gate.waits[-1] + self.pause
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self.below(middle) < share else (low, middle)
        return high

    def below(self, wait: float) -> float:
        """Return how probably a wait is shorter."""
        past = wait - self.fixed
        pairs = zip(self.gate.waits, self.gate.weights, strict=True)
        return sum(weight * self._rest_below(past - gated) for gated, weight in pairs)

    def _rest_below(self, wait: float) -> float:
        """Of a pause that is met, what is left: the longest of `tasks` even ones, met as long as it is."""
        part = min(1.0, max(0.0, wait / self.pause))
        n = self.tasks
        met = part * (n + 1) / n - part ** (n + 1) / n
        return (1 - self.met) * (wait >= 0) + self.met * met


def wait(load: Load, costs: Costs) -> Wait:
    """Return how long an event is on its way while no task is given more than it takes."""
    done = work(load, costs)
    a_step = done.events * done.step_ms / S
    alpha = costs.event_us / S
    tau = done.busy * done.step_ms - alpha * a_step
    # The slowest task holds the watermark back: the greatest of as many Poisson numbers of events.
    step_work = tau + alpha * (a_step + sqrt(a_step) * _greatest(load.tasks))
    busy = min(0.99, done.busy)
    # Kingman. Service varies by the number of events; steps come unevenly, for a door's rounds follow its
    # events, and doors do not agree: n of them at random have gaps of a variation of (n - 1) / (n + 1).
    uneven = load.doors / (load.doors + 1) + a_step * (alpha / max(step_work, 1e-9)) ** 2
    queued = step_work * busy / (1 - busy) * uneven / 2
    late = max(0.0, done.step_ms - step_ms(load, costs)) / 2
    # What a pause of x has held up takes rho x, what comes meanwhile rho^2 x, and so on; each at once.
    rho = min(0.95, done.events * costs.event_us / 1e6)
    longest = 2 * costs.pause_ms * (1 + rho)
    met = 2 * costs.pause_ms * load.tasks / (load.tasks + 1) / costs.checkpoint_every_ms
    met *= (1 + 2 * rho) / (1 - rho**2) / (1 + rho)
    fixed = costs.append_ms + costs.fetch_ms + costs.out_ms + WHOLE_MS
    fixed += step_work + late + min(queued, 3 * done.step_ms)
    return Wait(fixed, gate_of(load, costs), min(1.0, met), longest, load.tasks)


def gate_of(load: Load, costs: Costs) -> Gate:
    """Return how long an event waits for the watermark."""
    records = records_per_s(load.events_per_s, load, costs)
    return gate(
        partitions=load.shards,
        doors=load.doors,
        lane_per_ms=records / load.shards / load.doors / S,
        tick_ms=costs.tick_ms,
        step_ms=costs.watermark_ms,
    )


def batch_wait(events_per_s: float, *, alpha_ms: float, tau_ms: float) -> float:
    """Return the mean time of an event at a server that takes all that waits, n of them in tau + alpha n, ms.

    Without idle times, so an upper bound that is close from half load on (Inoue 2021, there by another way).
    """
    rho = events_per_s / S * alpha_ms
    return 1.5 * tau_ms / (1 - rho) + alpha_ms / 2 * (2 + rho) / (1 - rho**2)


def _greatest(n: float) -> float:
    return 0.0 if n <= 1 else NormalDist().inv_cdf((n - 0.375) / (n + 0.25))


@dataclass(frozen=True)
class Recovery:
    """A task's death, s."""

    down: float
    """Until all of it runs again."""
    caught_up: float
    """From then until nothing lies in the log any more."""


def recovery(load: Load, costs: Costs, *, task_state_mb: float) -> Recovery:
    """Return how long nothing happens, and how long until it is as before."""
    down = costs.detect_s + costs.restart_s + task_state_mb / costs.restore_mb_per_s
    comes = load.events_per_s * load.task_share
    takes = drained(
        costs, shards=load.task_shards, in_record=comes / max(1e-9, records_per_s(comes, load, costs))
    )
    behind = comes * (down + costs.checkpoint_every_ms / S / 2)
    return Recovery(down, behind / (takes - comes) if takes > comes else float("inf"))
