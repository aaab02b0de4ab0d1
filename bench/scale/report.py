"""The report: every table and picture of docs/scale.md, and how they come into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.figures import ROOT
from bench.scale import fitting, tables, validation
from bench.scale.breaks import breaks
from bench.scale.costs import costs, figures
from bench.scale.model import Load, wait, work
from bench.scale.money import Prices
from bench.scale.pictures import Axis, Series, bars, chart
from bench.scale.plan import TARGETS
from bench.scale.simulated import Orders, Told
from bench.scale.validation import Beside, Cell

PAGE = ROOT / "docs" / "scale.md"
PICTURES = ROOT / "docs" / "pictures"
RATES = (30.0, 100.0, 300.0, 1_000.0, 2_000.0, 3_000.0)
"""Of a task, which are simulated for the pictures."""
SHARDS, DOORS = 16, 2

SIMULATED = ("measured", "grid", "formulas")
"""Sections that the simulation writes."""
SHORT = {
    "marks": "marks of duplicates",
    "a change": "a change that asks everybody",
    "positions": "positions below 2^53",
    "the log": "the log's disks",
    "ticks": "ticks every 20 ms",
    "shards": "1,023 shards",
    "one key": "a key of 1 in 1,000 events",
    "people": "decoded states of a task",
    "RocksDB": "RocksDB's files",
    "facts": "8 partitions of facts",
    "the serving": "a serving store of 1 TB",
}
"""How a thing that breaks begins -> what it is called in the picture."""


@dataclass(frozen=True)
class Simulated:
    """All that takes seconds to find."""

    measured: list[Beside]
    formulas: list[Beside]
    fullest: list[Beside]
    grid: list[Cell]
    loads: list[tuple[float, Told]]


def sections(prices: Prices) -> dict[str, str]:
    """Return what the formulas say, by the name of the place in the page."""
    fitted = costs()
    as_it_is = tables.plans(fitted, prices, tables.AS_IT_IS)
    advised = tables.plans(fitted, prices, tables.ADVISED)
    ranges = {"as good as it may be": costs("low"), "as fitted": fitted, "as bad": costs("high")}
    return {
        "task": tables.of_task(fitted),
        "load": tables.of_load(fitted),
        "plans": tables.of_plans(advised),
        "money": tables.of_money(as_it_is, advised, prices),
        "prices": tables.of_prices(prices),
        "range": tables.of_range(TARGETS[1], prices, ranges),
        "breaks": tables.of_breaks(as_it_is, fitted),
        "keys": tables.of_keys(fitted),
        "cold": tables.of_cold(fitted, prices),
        "figures": tables.of_figures(figures()),
    }


def simulated() -> Simulated:
    """Simulate all that is shown."""
    fitted = costs()
    told = fitting.read_measured()
    as_measured = fitted.changed(**fitting.conditions(told))
    return Simulated(
        measured=validation.measured(as_measured, told),
        formulas=[*validation.drains(as_measured), validation.recovers(as_measured), *validation.batches()],
        fullest=validation.fullest(),
        grid=validation.grid(as_measured),
        loads=[
            (rate, validation.simulated(Orders(rate, 20, shards=SHARDS, doors=DOORS), fitted))
            for rate in RATES
        ],
    )


def simulated_sections(found: Simulated) -> dict[str, str]:
    """Return what the simulation says."""
    worst = validation.worst(found.fullest)
    return {
        "measured": tables.of_beside(found.measured, one="measured", other="simulated"),
        "grid": tables.of_grid(found.grid),
        "formulas": tables.of_beside(found.formulas, one="simulated", other="formula")
        + f"\n\nThe fullest of 8, 32 and 256 bins at five skews: its formula is {worst:.0%} off at worst.",
    }


def pictures(found: Simulated) -> dict[str, str]:
    """Draw the three pictures."""
    fitted = costs()
    rates = [10 * 1.25**n for n in range(28)]
    within = [rate for rate in rates if _busy(rate) <= tables.MOST_BUSY]
    works = [(rate, work(_load(rate), fitted).us_an_event) for rate in rates if _busy(rate) < 1]
    done = [
        (rate, max(told.busy) / rate * 1e6 * told.took_ms / (told.arrived[-1] - told.arrived[0]))
        for rate, told in found.loads
    ]
    x = Axis("events a second, of one task", 10, 6_000)
    waits = [
        Series(
            name,
            [(rate, wait(_load(rate), fitted).quantile(share)) for rate in within],
            [(rate, told.wait(share, after_ms=validation.WARM_MS)) for rate, told in found.loads],
        )
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ]
    plans = tables.plans(fitted, Prices(), tables.AS_IT_IS)
    shown = [0, 2, 3]
    groups = [(_short(one.what), [one.uses[n] for n in shown]) for one in breaks(plans, fitted)]
    return {
        "scale-cost.svg": chart(
            "What an event costs a task", x, Axis("us an event", 50, 2_000),
            [Series("formula; rings: simulated", works, done)],
        ),
        "scale-wait.svg": chart("From an event to its action", x, Axis("ms", 10, 1_000), waits),
        "scale-breaks.svg": bars(
            "What breaks first: a thousandth of each limit to a thousand times it",
            groups, [plans[n].target.name for n in shown], "the limit",
        ),
    }  # fmt: skip


def _load(rate: float) -> Load:
    return Load(rate, 1, SHARDS, DOORS)


def _busy(rate: float) -> float:
    return work(_load(rate), costs()).busy


def _short(what: str) -> str:
    return next(short for begins, short in SHORT.items() if what.startswith(begins))


def page(text: str, found: dict[str, str]) -> str:
    """Return the page with the sections as they are now; what is not in it is left out."""
    for name, section in found.items():
        begin, end = f"<!-- {name}: `python -m bench.scale --write` -->\n", "<!-- end -->\n"
        before, has, rest = text.partition(begin)
        if has:
            _, _, after = rest.partition(end)
            text = f"{before}{begin}\n{section}\n\n{end}{after}"
    return text


def write(found: dict[str, str], drawn: dict[str, str], *, to: Path = PAGE) -> None:
    """Write the page, and its pictures."""
    to.write_text(page(to.read_text(encoding="utf-8"), found), encoding="utf-8")
    for name, svg in drawn.items():
        (PICTURES / name).write_text(svg, encoding="utf-8")


def show() -> None:
    """Print the tables."""
    found = sections(Prices()) | simulated_sections(simulated())
    print("\n\n".join(f"{name}\n\n{text}" for name, text in found.items()))
