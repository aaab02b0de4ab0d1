"""Inputs: files of events and of paths, made by our own generator, the same for whoever is measured.

They are written once and kept beside what was installed, under a name that changes with the generator. This
runs in a process of its own: Linux counts the memory of a parent as its child's for a moment, and a parent
that once held ten million events would spoil every figure.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.analytics.children import environment
from bench.figures import ROOT

if TYPE_CHECKING:
    from bench.analytics.walks import Trail

Kind = Literal["paths", "events", "arrivals", "encoded"]

CACHE = Path(os.environ.get("SOJOURN_BENCH", ROOT / ".bench"))
"""Gigabytes that can be made again: inputs, and peers."""
SEED = 20_260_101
BATCH = 1_000  # events that arrive together
N_BATCHES = 20
SHARE_KNOWN = 0.8  # of those who arrive
SHARE_LATE = 0.05


def made(kind: Kind, n: int) -> Path:
    """Return a file (`encoded`: a folder) of so many rows; make it where it is not there yet.

    `arrivals` are N_BATCHES times BATCH events that come after `n` others.
    """
    suffix = "" if kind == "encoded" else ".parquet"
    place = CACHE / "inputs" / f"{kind}-{n}-{_made_by(kind)}{suffix}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "bench.analytics.inputs", kind, str(n), str(place)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment())
        _forget_older(place, f"{kind}-{n}-*")
    return place


def _forget_older(place: Path, pattern: str) -> None:
    """Remove what an earlier generator made of the same kind and size."""
    for old in set(place.parent.glob(pattern)) - {place}:
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()


def _made_by(kind: Kind) -> str:
    """Name what makes an input by its text."""
    here = Path(__file__).parent
    makers = [here / name for name in ("inputs.py", "shop.py", "walks.py")]
    if kind == "encoded":
        makers += sorted((ROOT / "src" / "sojourn" / "analytics" / "reading").glob("*.py"))
    return hashlib.sha256(b"".join(maker.read_bytes() for maker in makers)).hexdigest()[:8]


def write_paths(n: int, place: Path, *, seed: int = SEED) -> None:
    """Write a file of paths, one row a person."""
    import duckdb  # whoever only asks for the file needs none of this
    import numpy as np

    from bench.analytics import shop
    from bench.analytics.walks import touched

    found = touched(n, seed=seed)
    path = np.repeat(np.arange(n), np.diff(found.offsets))
    with duckdb.connect() as connection:
        touches = {"path": path, "place": np.arange(len(path)), "code": found.codes}
        ends = {"path": np.arange(n), "is_conversion": found.is_conversion, "value": found.value}
        connection.register("touches", touches)
        connection.register("ends", ends)
        names = list(shop.CHANNELS)
        connection.execute(
            """
            create table written as
            select walked.path as path, is_conversion::integer as total_conversions,
                   value as total_conversion_value, (not is_conversion)::integer as total_null
            from (select path as number, string_agg(?[code + 1], ' > ' order by place) as path
                  from touches group by number) as walked
            join ends on ends.path = number
            order by number
            """,
            [names],
        )
        connection.execute(f"copy written to '{place}' (format parquet)")


def write_events(n: int, place: Path, *, seed: int = SEED) -> None:
    """Write a file of events in the order of time, as a log has them: who, what, when and, at an entrance,
    through which channel."""
    import numpy as np

    from bench.analytics.walks import trail

    found = trail(n, seed=seed)
    order = np.argsort(found.at, kind="stable")
    _write(type(found)(*(column[order] for column in found)), place)


def write_arrivals(n: int, place: Path, *, seed: int = SEED) -> None:
    """Write what arrives after `n` events, in the order of arrival: known people's and others', some late."""
    import duckdb
    import numpy as np

    from bench.analytics.walks import DAY_MS, trail

    (last, n_known), *_ = duckdb.execute(
        "select epoch_ms(max(timestamp)), count(distinct user_id) from read_parquet(?)",
        [str(made("events", n))],
    ).fetchall()
    found = trail(N_BATCHES * BATCH, seed=seed + 1)
    random = np.random.default_rng([seed, 3])
    n_arriving = int(found.person[-1]) + 1
    is_known = random.random(n_arriving) < SHARE_KNOWN
    known, new = random.integers(0, n_known, n_arriving), n_known + np.arange(n_arriving)
    at = found.at - found.at.min() + last + 1
    order = np.argsort(at, kind="stable")
    late = np.where(random.random(len(at)) < SHARE_LATE, random.integers(0, 30 * DAY_MS, len(at)), 0)
    arrived = found._replace(
        person=np.where(is_known, known, new).astype(np.int32)[found.person], at=at - late
    )
    _write(type(found)(*(column[order] for column in arrived)), place)


def save_encoded(n: int, place: Path) -> None:
    """Encode the events once, and keep them as the next question finds them quickest."""
    from sojourn.analytics import Mapping, read_events, save_events

    mapping = Mapping(attributes={"channel": "channel"})
    save_events(read_events(made("events", n), mapping), place)


def _write(found: Trail, place: Path) -> None:
    """Write events as they lie."""
    import duckdb

    from bench.analytics import shop

    with duckdb.connect() as connection:
        connection.register("happened", found._asdict())
        connection.execute(
            """
            create table written as
            select 'u' || lpad(person::varchar, 8, '0') as user_id, ?[step + 1] as event,
                   make_timestamp("at" * 1000) as timestamp,
                   case when channel >= 0 then ?[channel + 1] end as channel
            from happened
            """,
            [list(shop.STEPS), list(shop.CHANNELS)],
        )
        connection.execute(f"copy written to '{place}' (format parquet)")


def main() -> None:
    """Make one input; who looks for it meanwhile sees none, or the whole of it."""
    kind, n, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    make: dict[str, Callable[[int, Path], None]] = {
        "paths": write_paths, "events": write_events, "arrivals": write_arrivals, "encoded": save_encoded,
    }  # fmt: skip
    making = place.with_name("making-" + place.name)
    make[kind](n, making)
    making.rename(place)


if __name__ == "__main__":
    main()
