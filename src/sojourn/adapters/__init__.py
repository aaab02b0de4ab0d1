"""Adapters: the ports, on real things. Siblings never import one another."""
