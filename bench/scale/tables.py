"""Tables of the model: what docs/scale.md shows, and `python -m bench scale` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.scale import skew, storage
from bench.scale.breaks import breaks, key_limit
from bench.scale.costs import Costs, Figure
from bench.scale.model import Load, Wait, batch_wait, capacity, drained, wait, work
from bench.scale.money import Prices
from bench.scale.plan import BUSY, TARGETS, Plan, Target, plan
from bench.scale.storage import Keeping
from bench.scale.validation import Beside, Cell, worst

AS_IT_IS = Keeping()
ADVISED = Keeping(seen_days=3, events_days=3, facts_days=3, actions_days=3, is_compressed=True)
COLD = Target("10k events/s, 1,000 M people", 10_000, 1e9)


def plans(costs: Costs, prices: Prices, keeping: Keeping) -> tuple[Plan, ...]:
    """Return the plans that are shown, the largest last."""
    first, *others = TARGETS
    return tuple(plan(target, costs, keeping, prices) for target in (first, COLD, *others))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def of_plans(found: Sequence[Plan]) -> str:
    """Write what each plan wants."""
    rows = [[name, *(said(one) for one in found)] for name, said in _ROWS.items()]
    return table(["", *(one.target.name for one in found)], rows)


_Said = Callable[[Plan], str]
_ROWS: dict[str, _Said] = {
    "doors": lambda one: f"{one.load.doors:,}",
    "shards (partitions of the events)": lambda one: f"{one.load.shards:,}",
    "tasks (TaskManagers of one slot)": lambda one: f"{one.load.tasks:,}",
    "`cluster.tick`": lambda one: f"{one.tick_ms:.0f} ms",
    "brokers, of 8 cores": lambda one: f"{one.brokers:,}",
    "cores: doors, tasks, brokers, others": lambda one: " / ".join(
        f"{number:,.0f}"
        for number in (
            one.cores["doors"], one.cores["tasks"], one.cores["brokers"],
            one.cores["workers"] + one.cores["serving"],
        )
    ),
    "cores, together": lambda one: f"{sum(one.cores.values()):,.0f}",
    "memory of the serving store, two copies": lambda one: size(one.serving),
    "state: people, devices, marks": lambda one: " / ".join(
        size(number) for number in (one.states.profiles, one.states.devices, one.states.marks)
    ),
    "state of the fullest task": lambda one: size(one.task_state),
    "a checkpoint of that task": lambda one: f"{one.checkpoint_s * 1_000:,.0f} ms",
    "the log on all brokers": lambda one: size(one.log.disk),
    "written to it": lambda one: f"{size(one.log.written_per_s)}/s",
    "ticks": lambda one: f"{one.ticks_per_s:,.0f}/s",
    "the lake, a year": lambda one: size(one.lake),
    "an event to its action, p50 / p99": lambda one: f"{one.p50_ms:,.0f} / {one.p99_ms:,.0f} ms",
    "a task's death: standing still / catching up": lambda one: (
        f"{one.down_s:,.0f} / {one.caught_up_s:,.0f} s"
    ),
}  # fmt: skip


def of_money(as_it_is: Sequence[Plan], advised: Sequence[Plan], prices: Prices) -> str:
    """Write what the plans cost a month, as it is and as advised."""

    def row(name: str, said: Callable[[Plan], float]) -> list[str]:
        pairs = zip(as_it_is, advised, strict=True)
        return [name, *(f"{_money(said(one))} / {_money(said(other))}" for one, other in pairs)]

    parts = {
        "cores": "cores, with their memory",
        "memory": "memory beyond",
        "disk": "disks of brokers and tasks",
        "objects": "objects: checkpoints, lake",
        "traffic": "traffic between zones",
    }
    rows = [row(name, lambda one, part=part: one.month[part]) for part, name in parts.items()]  # type: ignore[misc]
    rows.append(row("**together, a month**", lambda one: one.total))
    rows.append(["a million events", *(
        f"{one.a_million:.2f} / {other.a_million:.2f}" for one, other in zip(as_it_is, advised, strict=True)
    )])  # fmt: skip
    return table([prices.currency, *(one.target.name for one in as_it_is)], rows)


def of_range(target: Target, prices: Prices, ranges: dict[str, Costs]) -> str:
    """Write how far plans are apart where every figure is as good, or as bad, as it may be."""
    rows = []
    for name, costs in ranges.items():
        one = plan(target, costs, ADVISED, prices)
        rows.append([
            name, f"{one.load.tasks:,}", f"{sum(one.cores.values()):,.0f}", size(one.states.total),
            f"{one.p50_ms:,.0f} / {one.p99_ms:,.0f} ms", _money(one.total),
        ])  # fmt: skip
    heads = ["every figure", "tasks", "cores", "state", "p50 / p99", f"{prices.currency} a month"]
    return table(heads, rows)


def of_breaks(found: Sequence[Plan], costs: Costs) -> str:
    """Write what breaks first: how much of each limit each plan uses."""
    rows = [
        [one.what, one.limit, *(_used(use) for use in one.uses), one.remedy]
        for one in breaks(tuple(found), costs)
    ]
    return table(["what", "limit", *(one.target.name for one in found), "what to do"], rows)


def of_keys(costs: Costs) -> str:
    """Write what hot keys do: the fullest task beside an even one, by skew."""
    rows = []
    for exponent in (0.0, 0.5, 0.8, 1.0):
        cells = [
            f"{skew.fullest_share(exponent, people, tasks) * tasks:.2f}; "
            f"{_events(key_limit(costs) / skew.top_share(exponent, people))}"
            for people, tasks in ((10e6, 8), (100e6, 64), (1e9, 512))
        ]
        rows.append([f"{exponent:g}", *cells])
    heads = ["Zipf's exponent", "10 M people, 8 tasks", "100 M, 64", "1,000 M, 512"]
    return table(heads, rows)


def of_load(costs: Costs) -> str:
    """Write what an event costs a task, and how long it takes, by load."""
    rows = []
    for rate in (10, 100, 500, 1_000, 2_000, 4_000):
        load = Load(rate, 1, 16, 2)
        done = work(load, costs)
        said: Wait = wait(load, costs)
        # Beyond, steps lengthen until their work fits, and the batch formula says how late that is.
        tau = 3 * load.task_shards * costs.call_us / 1_000
        late = batch_wait(rate, alpha_ms=costs.event_us / 1_000, tau_ms=tau)
        waits = f"{said.quantile(0.5):,.0f} / {said.quantile(0.99):,.0f}"
        fixed = costs.append_ms + costs.fetch_ms + costs.out_ms + said.gate.mean
        rows.append([
            f"{rate:,}", f"{done.events_a_call:.1f}", f"{done.us_an_event:,.0f}", f"{done.busy:.0%}",
            waits if done.busy <= MOST_BUSY else f"some {fixed + late:,.0f}, in larger steps",
        ])  # fmt: skip
    heads = ["events/s of a task", "events a call", "us an event", "busy", "p50 / p99, ms"]
    return table(heads, rows)


MOST_BUSY = 0.9
"""Up to here the formulas say how long events wait."""


def of_task(costs: Costs) -> str:
    """Say in one line what a task takes."""
    load = Load(0, 1, 16, 2)
    planned, prompt = (capacity(load, costs, busy=busy) for busy in (BUSY, 1.0))
    most = drained(costs, shards=load.shards, in_record=200)
    return (
        f"A task of 16 shards behind two doors takes {planned:,.0f} events/s at {BUSY:.0%}, {prompt:,.0f} "
        f"before its steps lengthen, and {most:,.0f} of a log that lies there. One key is taken at "
        f"{key_limit(costs):,.0f} at most, with a task of its own."
    )


def of_cold(costs: Costs, prices: Prices) -> str:
    """Write what a person costs who never comes again."""
    keeping = AS_IT_IS
    kept = storage.states(costs, keeping, people=1, events_per_day=0).total
    month = {
        "in a task's state: a disk twice, a checkpoint twice":
            (kept * 2, kept * 2 / 1e9 * (prices.gb_disk_month + prices.gb_object_month)),
        "in the serving store: memory, two copies": (
            storage.serving_bytes(costs, people=1),
            storage.serving_bytes(costs, people=1) / 1e9 * prices.gb_memory_month,
        ),
        "in the log, compacted (three replicas)": (
            costs.served_bytes * 3, costs.served_bytes * 3 / 1e9 * prices.gb_disk_month
        ),
        "in the lake, as objects": (
            costs.served_bytes, costs.served_bytes / 1e9 * prices.gb_object_month
        ),
    }  # fmt: skip
    rows = [[name, f"{a:,.0f}", f"{price * 1e9:,.0f}"] for name, (a, price) in month.items()]
    return table(["where a person lies", "bytes", f"{prices.currency} a month, a billion of them"], rows)


def of_beside(pairs: Iterable[Beside], *, one: str, other: str) -> str:
    """Write figures twice, and how far they are apart."""
    rows = [
        [pair.what, _number(pair.one), _number(pair.other), pair.unit, f"{pair.error:+.0%}", pair.note]
        for pair in pairs
    ]
    return table(["", one, other, "", "error", ""], rows)


def of_grid(cells: Sequence[Cell]) -> str:
    """Write the worst and the mean error over a grid."""
    rows = []
    for name in ("busy", "mean", "p50", "p99"):
        pairs: list[Beside] = [getattr(cell, name) for cell in cells]
        mean = sum(pair.error for pair in pairs) / len(pairs)
        rows.append([name, f"{min(p.one for p in pairs):,.3g} to {max(p.one for p in pairs):,.3g}",
                     f"{mean:+.0%}", f"{worst(pairs):.0%}"])  # fmt: skip
    return table(["of the grid", "simulated", "mean error", "worst"], rows)


def of_figures(figures: dict[str, Figure]) -> str:
    """Write every figure with its range and its source."""
    rows = [
        [f"`{name}`", _number(one.value), f"{_number(one.low)} to {_number(one.high)}", one.unit, one.kind,
         one.source]
        for name, one in figures.items()
    ]  # fmt: skip
    return table(["figure", "value", "range", "unit", "", "from"], rows)


def of_prices(prices: Prices) -> str:
    """Say the prices in one line."""
    return (
        f"{prices.core_hour} {prices.currency} a core-hour with 4 GB, {prices.gb_memory_month} a GB of "
        f"memory and month beyond that, {prices.gb_disk_month} a GB of disk, {prices.gb_object_month} a GB "
        "of objects, "
        f"{prices.tb_traffic:g} a TB between zones: assumed, November 2026."
    )


def size(n_bytes: float) -> str:
    """Write bytes."""
    for unit, of in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= of:
            number = n_bytes / of
            return f"{number:,.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"
    return f"{n_bytes:,.0f} B"


def _events(number: float) -> str:
    return "never" if number > 1e9 else f"{float(f'{number:.2g}'):,.0f}"


def _used(share: float) -> str:
    if share >= 10:
        return f"**{share:,.0f} times**"
    if share >= 1:
        return f"**{share:.1f} times**"
    return f"{share:.0%}" if share >= 0.005 else "-"


def _money(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"


def _number(number: float) -> str:
    if number == 0:
        return "0"
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.3g}"
