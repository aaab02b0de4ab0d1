"""Peers: one driver each, run by the Python of the environment that holds the peer alone."""
