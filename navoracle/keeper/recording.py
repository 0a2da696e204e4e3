"""A recorded world: every raw answer of a live frame in one file, and the frame run again from it without a node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from navoracle import __version__
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp, NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.evidence import canonical, evidence_hash, record_of_answer
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.pinned import PinnedChain, PinnedClock
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.session import Asked
from navoracle.ports import Address, Answer, ChainReader, ChainRequest, OffChainReader, OffChainRequest, Scrutiny

FORMAT: Final = "world-1"
NOT_RECORDED: Final = "not_recorded: the recorded world holds no answer to this"


class Recorder:
    """Keeps every answer that a frame's ports give, each question's first one, with every chain at one block."""

    def __init__(self) -> None:
        self.answers: dict[Asked, Answer] = {}
        self.stamps: dict[str, BlockStamp] = {}

    async def ports(self, ports: FramePorts) -> FramePorts:
        """The same ports, listened to. Raises ChainError when a chain cannot be stamped."""
        for name, chain in ports.chains.items():
            self.stamps[name] = await chain.stamp()
        chains: dict[str, ChainReader] = {
            name: _RecordedChain(chain, self.stamps[name], name, self.answers) for name, chain in ports.chains.items()
        }
        clock = PinnedClock(ports.clock.now())
        return FramePorts(chains, _RecordedOffChain(ports.off_chain, self.answers), clock, ports.store, ports.outboxes)

    def document(self, plan: FramePlan, frame: NavFrame, config: Mapping[str, Any]) -> bytes:
        """The world as canonical JSON. `config` is the configuration without its secrets, as plain JSON."""
        records = [record_of_answer(chain, request, answer) for (chain, request), answer in self.answers.items()]
        records.sort(key=lambda record: (record.chain or "", record.kind, sorted(record.request.items())))
        return canonical(
            {
                "format": FORMAT,
                "code_version": __version__,
                "config": json.dumps(config, sort_keys=True),
                "clock": frame.clock,
                "slot_time": plan.slot_time,
                "cadence": plan.cadence,
                "funds": [fund.fund for fund in plan.funds],
                "stamps": [self.stamps[name] for name in sorted(self.stamps)],
                "prior": plan.prior,
                "reads": records,
                "result": {fund: "0x" + evidence_hash(document).hex() for fund, document in frame.evidence.items()},
            }
        )


class _RecordedChain(PinnedChain):
    def __init__(self, chain: ChainReader, block: BlockStamp, name: str, answers: dict[Asked, Answer]) -> None:
        super().__init__(chain, block)
        self._name = name
        self._answers = answers

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        found = await super().read(requests, at, scrutiny)
        for request, answer in zip(requests, found, strict=True):
            self._answers.setdefault((self._name, request), answer)
        return found


class _RecordedOffChain:
    def __init__(self, reader: OffChainReader, answers: dict[Asked, Answer]) -> None:
        self._reader = reader
        self._answers = answers

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        found = await self._reader.read(requests, now)
        for request, answer in zip(requests, found, strict=True):
            self._answers.setdefault((None, request), answer)
        return found


@dataclass(frozen=True, slots=True)
class World:
    """A world out of a file: what was asked of it and answered, when, and at which blocks."""

    clock: Timestamp
    stamps: tuple[BlockStamp, ...]
    answers: Mapping[Asked, Answer]

    def ports(self) -> FramePorts:
        """Ports that answer from the file, record nothing and post nothing."""
        chains: dict[str, ChainReader] = {stamp.chain: _WorldChain(stamp, self.answers) for stamp in self.stamps}
        return FramePorts(chains, _WorldOffChain(self.answers), PinnedClock(self.clock), None, {})


class _WorldChain:
    """One chain of a recorded world; what was not asked while it was recorded is an answer that fails."""

    def __init__(self, block: BlockStamp, answers: Mapping[Asked, Answer]) -> None:
        self._block = block
        self._answers = answers

    async def stamp(self, number: int | None = None) -> BlockStamp:
        if number not in (None, self._block.number):
            raise ChainError(
                f"the recorded world holds block {self._block.number} of {self._block.chain} and no other",
                advice="Leave the block out, or ask a node.",
            )
        return self._block

    async def newest(self) -> BlockStamp:
        return self._block

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        return stamp == self._block

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        missing = Answer(b"", NOT_RECORDED)
        return tuple(self._answers.get((self._block.chain, request), missing) for request in requests)

    async def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        raise ChainError(
            f"a recorded world cannot be called ({to} on {self._block.chain})", advice="Ask a node of the chain."
        )


class _WorldOffChain:
    def __init__(self, answers: Mapping[Asked, Answer]) -> None:
        self._answers = answers

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        missing = Answer(b"", NOT_RECORDED)
        return tuple(self._answers.get((None, request), missing) for request in requests)
