"""Wiring: the room that puts ports, adapters and runtimes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.config import Config

if TYPE_CHECKING:
    from sojourn.wiring.house import House, Readings, open_house, open_readings

__all__ = ["House", "Readings", "open_house", "open_readings", "serve"]


def __getattr__(name: str) -> Any:
    """Load what a house is made of where somebody wants one: a question to the lake needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sojourn.wiring import house  # noqa: PLC0415 - as it says

    return getattr(house, name)


async def serve(config: Config) -> None:
    """Run the house until SIGINT or SIGTERM; what was acknowledged is processed before it returns.

    Raises ConfigError and DefinitionError with what to do, and whatever ended the engine.
    """
    from sojourn.wiring.serving import serve as run  # noqa: PLC0415 - only a server needs HTTP

    await run(config)
