"""The machine's clock."""

from __future__ import annotations

import asyncio
import time

from navoracle.domain.units import Timestamp


class SystemClock:
    """The present, by the machine; implements `ports.Clock`."""

    def now(self) -> Timestamp:
        """Unix seconds, UTC."""
        return Timestamp(int(time.time()))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
