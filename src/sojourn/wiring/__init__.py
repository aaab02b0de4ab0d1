"""Wiring: the room that puts ports, adapters and runtimes together."""

from sojourn.wiring.house import House, open_house, open_readings
from sojourn.wiring.serving import serve

__all__ = ["House", "open_house", "open_readings", "serve"]
