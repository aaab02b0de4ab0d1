"""Attribution: which channels stood on the paths to conversions, by every model; credit, not cause."""

from __future__ import annotations

from sojourn.analytics.attribution.attributing import Bootstrap, attribute
from sojourn.analytics.attribution.choosing import OrderScore, score_orders
from sojourn.analytics.attribution.direct import DIRECT_NAMES
from sojourn.analytics.attribution.journeys import JourneyRules, paths_of
from sojourn.analytics.attribution.models import MODELS, Options, Weights
from sojourn.analytics.attribution.paths import NONE, Paths, Sample
from sojourn.analytics.attribution.reading import Reading, read_paths
from sojourn.analytics.attribution.results import (
    Attribution,
    ChannelCredit,
    Definition,
    Interval,
    Totals,
)

__all__ = [
    "DIRECT_NAMES",
    "MODELS",
    "NONE",
    "Attribution",
    "Bootstrap",
    "ChannelCredit",
    "Definition",
    "Interval",
    "JourneyRules",
    "Options",
    "OrderScore",
    "Paths",
    "Reading",
    "Sample",
    "Totals",
    "Weights",
    "attribute",
    "paths_of",
    "read_paths",
    "score_orders",
]
