"""A clock that a replay moves, and the embedded chain that follows it."""

from __future__ import annotations

from typing import Protocol

from navoracle.domain.errors import DomainError
from navoracle.domain.units import Timestamp


class MinedChain(Protocol):
    """A chain whose blocks come when they are asked for."""

    @property
    def now(self) -> Timestamp:
        """The newest block's timestamp."""

    def mine(self, at: Timestamp) -> None:
        """Mine one block at this time."""


class ReplayClock:
    """Implements `ports.Clock`; waiting moves it on."""

    def __init__(self, start: Timestamp, chain: MinedChain | None = None) -> None:
        self._now = start
        self._chain = chain

    def now(self) -> Timestamp:
        """The replay's present."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move on by these seconds (at least one), with a block at the new time."""
        self.advance(Timestamp(self._now + max(1, int(seconds))))
        self.mine()

    def advance(self, to: Timestamp) -> None:
        """Move on. Raises DomainError when the time has passed already."""
        if to < self._now:
            raise DomainError(f"the replay stands at {self._now}, after {to}", advice="Let the replay's times rise.")
        self._now = to

    def mine(self) -> None:
        """Give the chain, if there is one, a block at the present, unless its newest is that late already."""
        if self._chain is not None and self._chain.now < self._now:
            self._chain.mine(self._now)
