"""For authors of price sources and position readers: fakes of the world, and the spec tests every reader must pass."""

from __future__ import annotations

from navoracle.testing.fakes import FakeChain, FakeOffChain, FixedClock, block_stamp, drive, read_point
from navoracle.testing.spec import Example, ReaderSpec, SpecFailed

__all__ = [
    "Example",
    "FakeChain",
    "FakeOffChain",
    "FixedClock",
    "ReaderSpec",
    "SpecFailed",
    "block_stamp",
    "drive",
    "read_point",
]
