"""Peers: one driver each, run by the Python of the environment that holds the peer alone.

Sojourn imports none of them, and ships none: some have licences that ours has not.
"""
