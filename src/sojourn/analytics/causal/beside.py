"""Beside: what path credit says of the same channels, and how wrong it is where a hold-out tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution import JourneyRules, Options, Paths, attribute, paths_of
from sojourn.analytics.attribution.attributing import Bootstrap
from sojourn.analytics.causal.effects import Total
from sojourn.analytics.causal.results import ChannelCredit, Inside, PathCredit
from sojourn.analytics.causal.shares import shares_of, total_variation
from sojourn.analytics.events import MISSING, Column, Events
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Floats = NDArray[np.float64]

MODELS = ("last", "linear", "time-decay", "u-shaped", "markov", "shapley")
INSIDE_MODEL = "markov"
_BETWEEN = "\x1f"  # between a channel and its part: nobody's name has it.
_NO_BOOTSTRAP = Bootstrap(replicates=0)


def path_credit(
    paths: Paths, causal: Mapping[str, float], shares: Floats, *, models: Sequence[str] = MODELS
) -> list[PathCredit]:
    """Credit channels by each model, and say how far that is from what was brought about.

    Args:
        paths: Of the channels' touches.
        causal: Channel -> conversions it brought about.
        shares: Of the same channels, of all gains; shape (n_channels,).
        models: As `attribute` has them.
    """
    if not causal:
        return []
    found = attribute(paths, models, options=Options(), bootstrap=_NO_BOOTSTRAP)
    return [
        compared(answer.model, {row.channel: row.conversions for row in answer.channels}, causal, shares)
        for answer in found
    ]


def compared(
    model: str, credit: Mapping[str, float], causal: Mapping[str, float], true_shares: Floats
) -> PathCredit:
    """Hold one model's credit against what was brought about; both are of conversions, by channel.

    `true_shares`, shape (n_channels,), are of the channels in `causal`; NaN where nothing was gained.
    """
    given = np.array([credit.get(name, 0.0) for name in causal])
    true = np.array(list(causal.values()))
    shares = shares_of(given)
    rows = [
        ChannelCredit(
            channel=name,
            credit=float(given[i]),
            share=float(shares[i]) if np.isfinite(shares[i]) else 0.0,
            share_error=float(shares[i] / true_shares[i] - 1) if true_shares[i] > 0 else None,
            credit_error=float(given[i] / true[i] - 1) if true[i] > 0 else None,
            not_caused=float(1 - true[i] / given[i]) if given[i] > 0 else None,
        )
        for i, name in enumerate(causal)
    ]
    is_known = np.isfinite(shares).all() and np.isfinite(true_shares).all()
    return PathCredit(
        model=model,
        channels=rows,
        total_variation=total_variation(shares, true_shares) if is_known else None,
    )


def spread_inside(
    events: Events, rules: JourneyRules, part: str, totals: Mapping[str, Total]
) -> list[Inside]:
    """Spread what each channel brought about over its parts (campaigns), as path credit spreads its own.

    The total of a channel is the hold-out's. How it is spread is path credit's, and no experiment's.

    Args:
        events: They have the attribute.
        rules: As for path credit.
        part: The attribute that tells parts of a channel apart.
        totals: Channel -> what it brought about.

    Raises:
        ConfigError: No attribute is called so.
    """
    channel = rules.channel or "channel"
    if part not in events.columns:
        raise ConfigError(f"no attribute is called {part!r}{did_you_mean(part, events.columns)}")
    both = _both(events.columns[channel], events.columns[part])
    joined = Events(
        starts=events.starts,
        step=events.step,
        at=events.at,
        steps=events.steps,
        people=events.people,
        session=events.session,
        columns={**events.columns, channel: both},
        values=events.values,
    )
    answer = attribute(paths_of(joined, rules), (INSIDE_MODEL,), bootstrap=_NO_BOOTSTRAP)[0]
    parts = [
        (*row.channel.partition(_BETWEEN)[::2], row.conversions)
        for row in answer.channels
        if _BETWEEN in row.channel
    ]
    whole: dict[str, float] = {}
    for name, _, credit in parts:
        whole[name] = whole.get(name, 0.0) + credit
    return [
        Inside(
            channel=name, part=piece, credit=credit, incremental=_scaled(totals[name], credit / whole[name])
        )
        for name, piece, credit in sorted(parts, key=lambda row: (row[0], -row[2], row[1]))
        if name in totals and whole[name] > 0
    ]


def _both(channel: Column, part: Column) -> Column:
    """Make one attribute of a channel and its part; without a part it is the channel's rest."""
    n_parts = len(part.values) + 1
    pair = channel.codes.astype(np.int64) * n_parts + np.where(part.codes == MISSING, n_parts - 1, part.codes)
    found, codes = np.unique(np.where(channel.codes == MISSING, MISSING, pair), return_inverse=True)
    n_missing = int(len(found) > 0 and found[0] == MISSING)
    names = [*part.values, "(none)"]
    values = [
        f"{channel.values[each // n_parts]}{_BETWEEN}{names[each % n_parts]}"
        for each in found.tolist()[n_missing:]
    ]
    return Column((codes - n_missing).astype(np.int32), values)


def _scaled(total: Total, part: float) -> Total:
    return Total(
        estimate=None if total.estimate is None else total.estimate * part,
        low=None if total.low is None else total.low * part,
        high=None if total.high is None else total.high * part,
    )
