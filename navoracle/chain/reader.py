"""One chain, read at pinned blocks: the frame's `ChainReader` over a pool of nodes.

Reads go through Multicall3 in chunks. Each chunk is put to as many independent nodes as its scrutiny asks for; a node
that fails is replaced for that chunk alone, and one that contradicts a quorum is out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_utils.address import to_checksum_address

from navoracle.chain.chunks import Chunks, Target, as_targets
from navoracle.chain.node import Node
from navoracle.chain.pins import probe
from navoracle.chain.poll import Poll
from navoracle.chain.pool import NodePool
from navoracle.chain.pool_endpoint import PoolEndpoint
from navoracle.chain.read_questions import (
    ChunkQuestion,
    CodeQuestion,
    DirectQuestion,
    Refused,
    StorageQuestion,
    is_silent,
)
from navoracle.chain.reverts import call_reverted
from navoracle.chain.rpc import NoAnswer, NodeRefused, hex_bytes
from navoracle.chain.together import together
from navoracle.domain.errors import CallReverted, ChainError, EmptyResult, NoQuorum
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer, Call, ChainRequest, Scrutiny

MULTICALL3: Final = Address("0xcA11bde05977b3631167028862bE2a173976CA11")
"""Where Multicall3 stands on almost every chain."""

_IMPLEMENTATION: Final = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
"""The storage slot of a proxy's implementation, EIP-1967: keccak-256 of "eip1967.proxy.implementation", less one."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One read: its block, who is asked in which order, and how many must agree.

    `witnessed`: whether chunks prove their block. `noted`: whether a reading anew is to avoid who answered this one.
    `refused`: the chunks that were refused as too much, or as the single call that is to blame.
    """

    at: BlockStamp
    order: list[Node]
    copies: int
    witnessed: bool
    noted: bool
    refused: list[Sequence[Target]] = field(default_factory=list)


class Web3ChainReader:
    """Reads one chain.

    Args:
        pool: the chain's nodes.
        multicall: address of a Multicall3 contract.
        chunk_calls, chunk_bytes: most calls, and most bytes of call data, in one request.
    """

    def __init__(
        self, pool: NodePool, *, multicall: Address = MULTICALL3, chunk_calls: int = 500, chunk_bytes: int = 24_000
    ) -> None:
        self.pool = pool
        self.multicall = multicall
        self.endpoint = PoolEndpoint(pool)
        self._target = bytes.fromhex(multicall[2:])
        self._chunks = Chunks(chunk_calls, chunk_bytes)
        self._compared_at: BlockStamp | None = None
        self._compared_by: set[str] = set()

    @property
    def chain(self) -> str:
        """The configuration's name of the chain."""
        return self.pool.chain

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        return self.pool.chain_id

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block to value at, or that of a number.

        Raises:
            EndpointsDisagree, NoQuorum: nodes have different blocks, or too few can be read.
            ChainError: the only node failed or serves another chain, every head is too old, or there is no Multicall3.
        """
        stamp = await self.pool.stamp(number)
        await self._probe(stamp, self.pool.quorum)
        return stamp

    async def newest(self) -> BlockStamp:
        """The newest block that a quorum has. Raises as `stamp` does."""
        stamp = await self.pool.newest()
        await self._probe(stamp, self.pool.quorum)
        return stamp

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether a quorum of nodes still has the block."""
        return await self.pool.is_canonical(stamp)

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        """Answer all requests at that block, in order.

        Raises:
            EndpointsDisagree: nodes gave different bytes, and no quorum agrees on any.
            NoQuorum: too few nodes answered.
            ChainError: the only node failed, or nothing came within the deadline.
        """
        if not requests:
            return ()
        async with self.pool.within_deadline(f"a read of {len(requests)} requests"):
            reading = await self._begin(at, scrutiny)
            direct = [index for index, request in enumerate(requests) if isinstance(request, Call) and request.direct]
            batched = sorted(set(range(len(requests))).difference(direct)) if direct else range(len(requests))
            calls = as_targets([requests[index] for index in batched] if direct else requests, self._target)
            work: list[Coroutine[Any, Any, list[Answer]]] = []
            work += [self._chunk(chunk, reading) for chunk in self._chunks.cut(calls)]
            work += [self._direct(requests[index], reading) for index in direct]
            found = [answer for part in await together(work) for answer in part]
        if not direct:
            return tuple(found)
        answers = dict(zip([*batched, *direct], found, strict=True))
        return tuple(answers[index] for index in range(len(requests)))

    async def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """Call a contract at the newest block; where nodes are compared, at the newest one that a quorum has.

        Args:
            sender: who calls; nobody in particular when None.

        Raises:
            CallReverted: the contract refused; its reason is decoded.
            ChainError: as `read`.
        """
        what = f"call 0x{data[:4].hex()} of {to}"
        if self.pool.quorum > 1:
            return await self._compared_call(to, data, sender, what)
        transaction = {"to": to, "data": "0x" + data.hex()} | ({} if sender is None else {"from": sender})
        try:
            answer = await self.pool.ask("eth_call", [transaction, "latest"])
        except NodeRefused as refusal:
            if refusal.in_execution:
                raise call_reverted(what, refusal.data) from None
            raise
        return hex_bytes(answer, "call result")

    async def _compared_call(self, to: Address, data: bytes, sender: Address | None, what: str) -> bytes:
        async with self.pool.within_deadline(what):
            # Other nodes than the last comparison's where there are enough, and without a mark for the next one.
            reading = await self._begin(await self.pool.newest(), Scrutiny.ANEW)
            (answer,) = await self._direct(Call(to, data, direct=True, sender=sender), reading)
        if answer.failure == CallReverted.code:
            raise call_reverted(what, answer.data)
        return answer.data

    async def code(self, address: Address) -> bytes:
        """The run-time code at an address at the newest block, empty where there is no contract."""
        return hex_bytes(await self.pool.ask("eth_getCode", [address, "latest"]), "code")

    async def code_at(self, address: Address, at: BlockStamp) -> bytes:
        """The run-time code at an address at that block, empty where there is no contract; compared as `read` does.

        Raises:
            ChainError: as `read`.
        """
        async with self.pool.within_deadline(f"the code of {address}"):
            reading = await self._begin(at, Scrutiny.COMPARED)
            question = CodeQuestion(address, at)
            found = await self.pool.poll(question, reading.copies, reading.order)
            if not found.agreed:
                raise self.pool.refusal(found, f"the code of {address} at block {at.number}")
            for node, _ in found.dissent:
                self.pool.dispute(node, f"gave other code than a quorum at block {at.number}")
        return hex_bytes(found.answer, "code")

    async def storage_at(self, contract: Address, slot: int, at: BlockStamp) -> bytes:
        """The 32 bytes in a slot of a contract's storage at that block; compared as `read` does.

        Raises:
            ChainError: as `read`.
        """
        what = f"slot {slot:#x} of {contract}"
        async with self.pool.within_deadline(what):
            reading = await self._begin(at, Scrutiny.COMPARED)
            found = await self.pool.poll(StorageQuestion(contract, slot, at), reading.copies, reading.order)
            if not found.agreed:
                raise self.pool.refusal(found, f"{what} at block {at.number}")
            for node, _ in found.dissent:
                self.pool.dispute(node, f"gave another word of storage than a quorum at block {at.number}")
        return hex_bytes(found.answer, "storage")

    async def implementation(self, address: Address) -> Address | None:
        """The contract behind a proxy of EIP-1967 at the newest block; None where there is none."""
        slot = await self.pool.ask("eth_getStorageAt", [address, _IMPLEMENTATION, "latest"])
        word = int.from_bytes(hex_bytes(slot, "storage"), "big")
        return Address(to_checksum_address(word.to_bytes(32, "big")[12:])) if 0 < word < 1 << 160 else None

    async def close(self) -> None:
        """Give up the nodes' connections."""
        await self.pool.close()

    async def _probe(self, stamp: BlockStamp, operators: int) -> None:
        """Find out how nodes can be pinned that were not asked yet. Raises ChainError: too few can."""
        unknown = [node for node in self.pool.alive() if node.pin is None]
        failed = [error for error in await asyncio.gather(*(self._probed(node, stamp) for node in unknown)) if error]
        if len({node.operator for node in self._readable()}) >= operators:
            return
        if len(self.pool.nodes()) == 1 and failed:
            raise failed[0]
        raise NoQuorum(
            f"{self.chain}: fewer than {operators} independent nodes can be read at block {stamp.number}"
            + "".join(f"; {error.message}" for error in failed),
            advice=failed[0].advice if failed else "Bring the chain's endpoints back, or configure more of them.",
        )

    async def _probed(self, node: Node, stamp: BlockStamp) -> ChainError | None:
        try:
            await probe(node, stamp, self.multicall)
        except ChainError as error:
            if not isinstance(error, NodeRefused | NoAnswer):
                node.failed(error)
            return error
        return None

    def _readable(self) -> list[Node]:
        return [node for node in self.pool.alive() if node.pin is not None]

    async def _begin(self, at: BlockStamp, scrutiny: Scrutiny) -> _Reading:
        copies = 1 if scrutiny is Scrutiny.ONE else self.pool.quorum
        await self.pool.ensure(copies)
        await self._probe(at, copies)
        avoid = self._compared_by if scrutiny is Scrutiny.ANEW else ()
        order = [node for node in self.pool.alive(avoid) if node.pin is not None]
        if scrutiny is Scrutiny.COMPARED and at != self._compared_at:
            self._compared_at, self._compared_by = at, set()
        witnessed = any(node.pin == "number" for node in order)
        return _Reading(at, order, copies, witnessed, scrutiny is Scrutiny.COMPARED)

    async def _chunk(self, calls: Sequence[Target], reading: _Reading) -> list[Answer]:
        question = ChunkQuestion(calls, reading.at, self.multicall, witnessed=reading.witnessed)
        found = await self.pool.poll(question, reading.copies, reading.order)
        if not found.agreed:
            if len(calls) > 1 and _may_want_gas(found, question):
                return await self._halves(calls, reading)
            raise self.pool.refusal(found, f"a chunk of {len(calls)} calls at block {reading.at.number}")
        self._note(found, reading, question)
        if isinstance(found.answer, Refused):
            if len(calls) > 1:
                return await self._halves(calls, reading)
            reading.refused.append(calls)
            return [_reverted(found.answer)]
        answers = question.answers(found.answer)
        if len(calls) == 1:
            return answers
        # Calls that left too little gas starve those after them, which fail without data: they are asked again alone.
        silent = [index for index, answer in enumerate(answers) if answer.failure is not None and is_silent(answer)]
        again = await together([self._chunk([calls[index]], reading) for index in silent])
        for index, (answer,) in zip(silent, again, strict=True):
            answers[index] = answer
        return answers

    async def _halves(self, calls: Sequence[Target], reading: _Reading) -> list[Answer]:
        reading.refused.append(calls)
        inner, middle = replace(reading, refused=[]), len(calls) // 2
        first, second = await together([self._chunk(half, inner) for half in (calls[:middle], calls[middle:])])
        if not inner.refused:
            self._chunks.too_much(calls)
        return first + second

    async def _direct(self, request: ChainRequest, reading: _Reading) -> list[Answer]:
        sender = request.sender if isinstance(request, Call) else None
        question = DirectQuestion(as_targets([request], self._target)[0], sender, reading.at)
        found = await self.pool.poll(question, reading.copies, reading.order)
        if not found.agreed:
            raise self.pool.refusal(found, f"a direct call at block {reading.at.number}")
        self._note(found, reading, None)
        if isinstance(found.answer, Refused):
            return [_reverted(found.answer)]
        return [_answer(hex_bytes(found.answer, "call result"))]

    def _note(self, found: Poll[str | Refused], reading: _Reading, chunk: ChunkQuestion | None) -> None:
        """Remember who was compared, and put out who gave other bytes than the quorum."""
        if reading.noted:
            self._compared_by |= found.voters()
        for node, vote in found.dissent:
            if chunk is None or not (chunk.short_of_gas(vote, found.answer) or chunk.short_of_gas(found.answer, vote)):
                self.pool.dispute(node, f"gave other bytes than a quorum at block {reading.at.number}")


def _may_want_gas(found: Poll[str | Refused], question: ChunkQuestion) -> bool:
    """Whether nodes may differ only in how much gas they grant; smaller chunks then tell."""
    votes = list(found.votes)
    pairs = [(one, other) for one in votes for other in votes if one != other]
    return bool(found.weak) or any(question.short_of_gas(one, other) for one, other in pairs)


def _reverted(refused: Refused) -> Answer:
    return Answer(refused.data, CallReverted.code)


def _answer(data: bytes) -> Answer:
    return Answer(data) if data else Answer(data, EmptyResult.code)
