"""Moving: an installation from one machine into a cluster, and back, as records.

Pure but for what is handed in: what a folder holds goes in, and records for topics come out, always the same
ones in the same order; and the other way round.
"""
