"""The garbage collector: kept from looking at what is not garbage.

Reference counts free nearly everything here; the collector is for cycles. Its full passes look at every
state in memory: 350-450 ms at 100,000 hot people (measured at 10,000 events/s), in which nobody is
answered. So what has lived for some seconds is set aside (`gc.freeze`, which moves lists and looks at
nothing), and a full pass comes seldom.
"""

from __future__ import annotations

import asyncio
import gc

YOUNG_OBJECTS = 50_000  # between passes over the young: about 10,000 events' worth, 5-15 ms.
SET_ASIDE_S = 5.0  # by then requests, batches and commits of the moment are gone.
FULL_S = 900.0  # half a second in 15 minutes; what cycles leaked until then is a few MB.
_NEVER = 1_000_000


async def keep_pauses_short() -> None:
    """Set aside what lives long, every few seconds, and look at everything now and then; until cancelled."""
    loop = asyncio.get_running_loop()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, _NEVER, _NEVER)
    looked_at = loop.time()
    while True:
        await asyncio.sleep(SET_ASIDE_S)
        if loop.time() - looked_at < FULL_S:
            gc.collect(0)
        else:
            gc.unfreeze()
            gc.collect()
            looked_at = loop.time()
        gc.freeze()
