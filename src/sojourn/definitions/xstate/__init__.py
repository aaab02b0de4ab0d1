"""XState: machines of XState v5, as JSON, become charts or journeys.

What XState means by a machine differs from SCXML in a few points, all of which are decided here and not in
the kernel: see `domains.py` for what a transition leaves, and `differences.py` for what is refused.
"""

from sojourn.definitions.xstate.lowering import chart_of
from sojourn.definitions.xstate.names import Names, read_names
from sojourn.definitions.xstate.writing import convert

__all__ = ["Names", "chart_of", "convert", "read_names"]
