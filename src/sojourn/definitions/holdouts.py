"""Hold-outs: the seeds by which people are kept back, for the engine and for whoever finds them again.

Each is followed by the name of what it keeps people from, and hashed with their id, as an experiment's is.
"""

from __future__ import annotations

OF_ALL = "holdout/all"
OF_JOURNEY = "holdout:"
OF_CHANNEL = "holdout/channel/"
OF_NODE = "holdout/node/"
"""Of one state: JOURNEY/STATE follows."""
OF_EXPERIMENT = "holdout/experiment/"
