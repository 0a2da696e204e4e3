"""One chain, read at pinned blocks: the frame's `ChainReader` over a node.

Reads go through Multicall3 in chunks, pinned by block hash (EIP-1898). Where a node cannot do that, they are pinned by
number, each chunk proves by the parent's hash and the timestamp which block it saw, and the header is read again after.
That proof does not hold on chains whose contracts see another chain's block numbers (Arbitrum): they need `pin="hash"`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from eth_utils.address import to_checksum_address

from navoracle.abi import encode_call
from navoracle.chain.multicall import decode_aggregate3, encode_aggregate3
from navoracle.chain.reverts import call_reverted
from navoracle.chain.rpc import Endpoint, NodeRefused, block_stamp, hex_bytes, quantity
from navoracle.domain.errors import ChainError, MalformedResult
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer, Call, ChainRequest, Scrutiny

Finality: TypeAlias = int | Literal["safe", "finalized"]
"""Which block is final enough to value at: the newest less so many confirmations, or the chain's own tag."""

Pin: TypeAlias = Literal["auto", "hash", "number"]

MULTICALL3: Final = Address("0xcA11bde05977b3631167028862bE2a173976CA11")
"""Where Multicall3 stands on almost every chain."""

_TIMESTAMP: Final = encode_call("getCurrentBlockTimestamp()")
_INVALID_REQUEST: Final = frozenset({-32600, -32601, -32602})


class Web3ChainReader:
    """Reads one chain through one endpoint.

    Args:
        endpoint: the node.
        chain: the configuration's name of the chain.
        chain_id: what the node must say its chain is.
        finality: see Finality.
        pin: how reads are pinned; `auto` asks the node once, at the first stamp.
        multicall: address of a Multicall3 contract.
        chunk_calls, chunk_bytes: most calls, and most bytes of call data, in one request.
        concurrency: most requests under way at once.
        deadline: seconds for one `read` as a whole.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        chain: str,
        chain_id: int,
        finality: Finality = 2,
        pin: Pin = "auto",
        multicall: Address = MULTICALL3,
        chunk_calls: int = 500,
        chunk_bytes: int = 24_000,
        concurrency: int = 8,
        deadline: float = 60.0,
    ) -> None:
        self.endpoint = endpoint
        self.chain = chain
        self.chain_id = chain_id
        self.finality = finality
        self.pin = pin
        self.multicall = multicall
        self._target = bytes.fromhex(multicall[2:])
        self._chunk_calls = chunk_calls
        self._chunk_bytes = chunk_bytes
        self._concurrency = concurrency
        self._deadline = deadline
        self._probed = False

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block to value at, or that of a number. Raises ChainError: no answer, another chain, no Multicall3."""
        answered, block = await asyncio.gather(self.endpoint.request("eth_chainId", []), self._final_block(number))
        if (found := quantity(answered, "chain id")) != self.chain_id:
            raise ChainError(
                f"{self.endpoint.name} serves chain {found}, not {self.chain_id} ({self.chain})",
                advice="Correct the endpoint's URL or the chain's id in the configuration.",
            )
        stamp = block_stamp(block, self.chain, self.chain_id)
        if not self._probed:
            await self._probe(stamp)
            self._probed = True
        return stamp

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether the block is still part of the chain, as this node sees it."""
        block = await self.endpoint.request("eth_getBlockByNumber", [hex(stamp.number), False])
        return block is not None and block_stamp(block, self.chain, self.chain_id).hash == stamp.hash

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        """Answer all requests at that block, in order; one endpoint cannot be compared with itself.

        Raises:
            ChainError: the node failed, answered from another block, or did not finish within the deadline.
        """
        slots = asyncio.Semaphore(self._concurrency)
        direct = [index for index, request in enumerate(requests) if isinstance(request, Call) and request.direct]
        batched = sorted(set(range(len(requests))) - set(direct))
        chunks = list(self._chunks([self._as_call(requests[index]) for index in batched]))
        reads = [self._read_chunk(chunk, at, slots) for chunk in chunks]
        reads += [self._read_direct(requests[index], at, slots) for index in direct]
        try:
            async with asyncio.timeout(self._deadline):
                found = [answer for part in await asyncio.gather(*reads) for answer in part]
                if self.pin == "number" and requests and not await self.is_canonical(at):
                    raise self._moved(at)
        except TimeoutError:
            raise ChainError(
                f"{self.endpoint.name}: {len(requests)} reads were not answered within {self._deadline:g} s",
                advice="Use a faster endpoint, or raise the chain's deadline.",
            ) from None
        answers = dict(zip(batched + direct, found, strict=True))
        return tuple(answers[index] for index in range(len(requests)))

    async def call(self, to: Address, data: bytes) -> bytes:
        """Call a contract at the newest block. Raises ChainError, CallReverted (its reason decoded)."""
        try:
            answer = await self.endpoint.request("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"])
        except NodeRefused as refusal:
            if refusal.in_execution:
                raise call_reverted(f"call 0x{data[:4].hex()} of {to}", refusal.data) from None
            raise
        return hex_bytes(answer, "call result")

    async def code(self, address: Address) -> bytes:
        """The run-time code at an address at the newest block, empty where there is no contract."""
        return hex_bytes(await self.endpoint.request("eth_getCode", [address, "latest"]), "code")

    async def close(self) -> None:
        """Give up the endpoint's connections."""
        await self.endpoint.close()

    async def _final_block(self, number: int | None) -> object:
        if number is not None:
            return await self.endpoint.request("eth_getBlockByNumber", [hex(number), False])
        tag: object = self.finality if isinstance(self.finality, str) else "latest"
        if isinstance(self.finality, int) and self.finality > 0:
            newest = quantity(await self.endpoint.request("eth_blockNumber", []), "block number")
            tag = hex(max(0, newest - self.finality))
        return await self.endpoint.request("eth_getBlockByNumber", [tag, False])

    async def _probe(self, stamp: BlockStamp) -> None:
        code = await self.endpoint.request("eth_getCode", [self.multicall, hex(stamp.number)])
        if not hex_bytes(code, "code"):
            raise ChainError(
                f"there is no Multicall3 at {self.multicall} on {self.chain} in block {stamp.number}",
                advice="Set the chain's `multicall` to its Multicall3; `navoracle deploy` can put one there.",
            )
        for pin in (self.pin,) if self.pin != "auto" else ("hash", "number"):
            if await self._can_pin(pin, stamp):
                self.pin = pin
                return
        raise ChainError(
            f"{self.endpoint.name} cannot read {self.chain} at a pinned block through {self.multicall}",
            advice="Check that `multicall` is a Multicall3 contract; set `pin: number` where the node lacks EIP-1898.",
        )

    async def _can_pin(self, pin: Pin, stamp: BlockStamp) -> bool:
        try:
            answer = await self._eth_call(self._target, _TIMESTAMP, _block_of(pin, stamp))
        except NodeRefused as refusal:
            # A node that merely lacks the block says so in other words: that is no reason to pin less well.
            if refusal.in_execution or refusal.rpc_code in _INVALID_REQUEST or "support" in refusal.detail.lower():
                return False
            raise
        return answer == stamp.timestamp.to_bytes(32, "big")

    async def _eth_call(self, to: bytes, data: bytes, block: object, sender: Address | None = None) -> bytes:
        transaction = {"to": to_checksum_address(to), "data": "0x" + data.hex()}
        if sender is not None:
            transaction["from"] = sender
        return hex_bytes(await self.endpoint.request("eth_call", [transaction, block]), "call result")

    def _as_call(self, request: ChainRequest) -> tuple[bytes, bytes]:
        if isinstance(request, Call):
            return bytes.fromhex(request.target[2:]), request.data
        return self._target, encode_call("getEthBalance(address)", request.account)

    def _chunks(self, calls: list[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
        chunk: list[tuple[bytes, bytes]] = []
        size = 0
        for call in calls:
            if chunk and (len(chunk) == self._chunk_calls or size + len(call[1]) > self._chunk_bytes):
                yield chunk
                chunk, size = [], 0
            chunk.append(call)
            size += len(call[1])
        if chunk:
            yield chunk

    async def _read_chunk(
        self, calls: list[tuple[bytes, bytes]], at: BlockStamp, slots: asyncio.Semaphore
    ) -> list[Answer]:
        try:
            async with slots:
                results = await self._aggregate(calls, at)
        except NodeRefused as refusal:
            if not refusal.in_execution:
                raise
            if len(calls) == 1:
                return [Answer(refusal.data, "call_reverted")]
            middle = len(calls) // 2
            first = await self._read_chunk(calls[:middle], at, slots)
            return first + await self._read_chunk(calls[middle:], at, slots)
        answers = [_answer(data) if success else Answer(data, "call_reverted") for success, data in results]
        # A call that burns all its gas starves those after it, which fail without data: they are asked again alone.
        silent = [index for index, (success, data) in enumerate(results) if not success and not data][1:]
        again = await asyncio.gather(*(self._read_chunk([calls[index]], at, slots) for index in silent))
        for index, (answer,) in zip(silent, again, strict=True):
            answers[index] = answer
        return answers

    async def _aggregate(self, calls: list[tuple[bytes, bytes]], at: BlockStamp) -> list[tuple[bool, bytes]]:
        witnesses: list[tuple[bytes, bytes]] = []
        if self.pin == "number":
            parent = encode_call("getBlockHash(uint256)", max(0, at.number - 1))
            witnesses = [(self._target, _TIMESTAMP), (self._target, parent)]
        data = await self._eth_call(self._target, encode_aggregate3(witnesses + calls), _block_of(self.pin, at))
        if not data:
            raise ChainError(
                f"{self.endpoint.name} answered nothing for block {at.number} of {self.chain}",
                advice="The node may not have this block's state: use one with enough history.",
            )
        try:
            results = decode_aggregate3(data, len(witnesses) + len(calls))
        except MalformedResult as error:
            raise ChainError(f"{self.endpoint.name}: {error.message}", advice=error.advice) from error
        if witnesses:
            time_seen, parent_seen = results[0][1], results[1][1]
            expected_parent = bytes.fromhex(at.parent_hash[2:])
            # The first block has no parent to prove it by.
            if time_seen != at.timestamp.to_bytes(32, "big") or (at.number > 0 and parent_seen != expected_parent):
                raise self._moved(at)
        return results[len(witnesses) :]

    async def _read_direct(self, request: ChainRequest, at: BlockStamp, slots: asyncio.Semaphore) -> list[Answer]:
        target, data = self._as_call(request)
        sender = request.sender if isinstance(request, Call) else None
        try:
            async with slots:
                return [_answer(await self._eth_call(target, data, _block_of(self.pin, at), sender))]
        except NodeRefused as refusal:
            if refusal.in_execution:
                return [Answer(refusal.data, "call_reverted")]
            raise

    def _moved(self, at: BlockStamp) -> ChainError:
        return ChainError(
            f"{self.endpoint.name} did not read from block {at.number} ({at.hash}) of {self.chain}",
            advice="The chain was reorganized, or the endpoint mixes nodes; the next slot reads a newer block.",
        )


def _block_of(pin: Pin, stamp: BlockStamp) -> object:
    return hex(stamp.number) if pin == "number" else {"blockHash": stamp.hash, "requireCanonical": True}


def _answer(data: bytes) -> Answer:
    return Answer(data) if data else Answer(data, "empty_result")
