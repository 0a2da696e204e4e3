"""A world that stands still: chains at blocks that somebody chose, and the clock at their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from navoracle.domain.errors import UsageError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.keeper.collect import chains_of
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.plan import FramePlan
from navoracle.ports import (
    Address,
    Answer,
    ChainReader,
    ChainRequest,
    Document,
    OffChainReader,
    OffChainRequest,
    RecordedRow,
    Scrutiny,
)


class PinnedChain:
    """A chain whose block to value at is given. Implements `ports.ChainReader`; everything else is the chain's own."""

    def __init__(self, chain: ChainReader, block: BlockStamp) -> None:
        self._chain = chain
        self.block = block

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The given block, or that of a number."""
        return self.block if number is None else await self._chain.stamp(number)

    async def newest(self) -> BlockStamp:
        """The chain's newest block. Raises ChainError."""
        return await self._chain.newest()

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether the block is part of the chain."""
        return await self._chain.is_canonical(stamp)

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        """Answer at the block. Raises ChainError."""
        return await self._chain.read(requests, at, scrutiny)

    async def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """Call a contract at the newest block. Raises ChainError, CallReverted."""
        return await self._chain.call(to, data, sender)


class PinnedClock:
    """A clock that stands. Implements `ports.Clock`."""

    def __init__(self, time: Timestamp) -> None:
        self._time = time

    def now(self) -> Timestamp:
        """The time that it stands at, in Unix seconds."""
        return self._time

    async def sleep(self, seconds: float) -> None:
        """Return at once: nothing moves."""


class PastServices:
    """What is off chain, as far as it can be asked about the past: recorded series and documents, nothing live."""

    def __init__(self, reader: OffChainReader) -> None:
        self._reader = reader

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        """Answer from what is kept; a live service fails, because it would answer of today."""
        kept = [request for request in requests if isinstance(request, RecordedRow | Document)]
        answers = dict(zip(kept, await self._reader.read(kept, now), strict=True))
        live = Answer(b"", "source_down: a live service cannot be asked about a past block")
        return tuple(answers[request] if isinstance(request, RecordedRow | Document) else live for request in requests)


async def ports_at(plan: FramePlan, ports: FramePorts, blocks: Mapping[str, int]) -> FramePorts:
    """The world at past blocks: nothing is recorded or posted, and the clock stands at the newest block's time.

    Live services off chain have no past: sources that ask them fail.

    Raises:
        UsageError: a chain that the plan reads has no block, or a block's chain is none of them.
        ChainError: a block cannot be had.
    """
    needed = chains_of(plan)
    for name in sorted({*needed, *blocks}):
        if name not in blocks:
            raise UsageError(
                f"the funds also read {name}, and no block of it is named", advice=f"Add --at {name}=BLOCK."
            )
        if name not in needed:
            raise UsageError(f"nothing reads a chain {name}", advice=f"Name blocks of: {', '.join(needed) or 'none'}.")
    stamps = {name: await ports.chains[name].stamp(number) for name, number in blocks.items()}
    chains: dict[str, ChainReader] = {name: PinnedChain(ports.chains[name], stamp) for name, stamp in stamps.items()}
    clock = PinnedClock(max(stamp.timestamp for stamp in stamps.values()))
    return FramePorts(chains, PastServices(ports.off_chain), clock, None, {})
