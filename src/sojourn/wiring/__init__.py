"""Wiring: the room that puts ports, adapters and runtimes together."""

from sojourn.config import Config
from sojourn.wiring.house import House, Readings, open_house, open_readings

__all__ = ["House", "Readings", "open_house", "open_readings", "serve"]


async def serve(config: Config) -> None:
    """Run the house until SIGINT or SIGTERM; what was acknowledged is processed before it returns.

    Raises ConfigError and DefinitionError with what to do, and whatever ended the engine.
    """
    from sojourn.wiring.serving import serve as run  # noqa: PLC0415 - only a server needs HTTP

    await run(config)
