"""Shards: one stage's keys in a fixed number of parts, each with its states, what waits for it and its wakes.

A shard is what moves when a cluster grows. Whatever keeps it (`Shelf`) and whatever calls it when an instant
has come is an existing engine's; what is here is the same however many tasks the shards are spread over.
"""
