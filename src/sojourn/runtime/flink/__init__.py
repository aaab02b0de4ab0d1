"""The runtime on Apache Flink: Flink keeps the shards, calls them when an instant has come, makes it durable.

Runs where PyFlink is installed, in an environment of its own, and needs of ours only what is pure.
"""
