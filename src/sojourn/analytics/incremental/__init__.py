"""Incremental: answers kept up to date as events arrive, equal to the full recompute at every moment."""

from sojourn.analytics.incremental.keeping import Kept, New
from sojourn.analytics.incremental.views import Counts, FunnelView, GraphView, MarkovView, View, exchanged

__all__ = ["Counts", "FunnelView", "GraphView", "Kept", "MarkovView", "New", "View", "exchanged"]
