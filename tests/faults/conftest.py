"""A world in real time, for tests that run the service as a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.live_world import LiveWorld, live_world


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveWorld]:
    async with live_world(tmp_path) as built:
        yield built
