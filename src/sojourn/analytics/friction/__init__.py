"""Friction: where people struggle, found in what they did, with when and whose it was."""
