"""Public batteries: what every adapter, ours or yours, must pass."""
