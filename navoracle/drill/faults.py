"""Faults beyond those of a single request: for so many times, after so many, and nodes with rules of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from navoracle.drill.proxy import Fault, Forward, Message, Reply, forward


def times(count: int, fault: Fault) -> Fault:
    """The fault for the first `count` requests; the others go through."""
    left = count

    async def counted(asked: Message, node: Forward) -> Reply:
        nonlocal left
        left -= 1
        return await (fault if left >= 0 else forward)(asked, node)

    return counted


def refusing_after(code: int, message: str) -> Fault:
    """Let the node act on the request, and answer with an error of this text."""

    async def fault(asked: Message, node: Forward) -> Reply:
        await node(asked)
        return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": message}}

    return fault


def slow_drip(chunk: bytes = b" ", pause: float = 0.2) -> Fault:
    """An answer that never ends and never stops."""

    async def fault(_asked: Message, _node: Forward) -> Reply:
        return _Drip(chunk, pause)

    return fault


def flood(megabytes: int) -> Fault:
    """An answer of so many megabytes."""

    async def fault(_asked: Message, _node: Forward) -> Reply:
        return web.Response(body=b'{"jsonrpc":"2.0","id":1,"result":"' + b"0" * (megabytes << 20) + b'"}')

    return fault


class _Drip(web.StreamResponse):
    """Sends a chunk now and then for as long as somebody listens."""

    def __init__(self, chunk: bytes, pause: float) -> None:
        super().__init__(headers={"Content-Type": "application/json"})
        self._chunk = chunk
        self._pause = pause

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Begin, and go on until the other side hangs up."""
        writer = await super().prepare(request)
        transport = request.transport
        while transport is not None and not transport.is_closing():
            await self.write(self._chunk)
            await asyncio.sleep(self._pause)
        return writer


class TenPercentRule:
    """A node that takes the place of a transaction only for both fees raised by a tenth, as public nodes do.

    Attributes:
        refused: how many replacements were refused.
        floor: what the pool already holds for a nonce, (max fee, tip): somebody else's view of the same transaction.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.floor: dict[tuple[str, int], tuple[int, int]] = {}

    async def __call__(self, asked: Message, node: Forward) -> Reply:
        raw = HexBytes(str(asked["params"][0]))
        fields = TypedTransaction.from_bytes(raw).as_dict()
        fees = (int(fields["maxFeePerGas"]), int(fields["maxPriorityFeePerGas"]))
        place = (str(Account.recover_transaction(raw)), int(fields["nonce"]))
        held = self.floor.get(place)
        if held is not None and fees != held and any(10 * new < 11 * old for new, old in zip(fees, held, strict=True)):
            self.refused += 1
            error = {"code": -32000, "message": "replacement transaction underpriced"}
            return {"jsonrpc": "2.0", "id": asked["id"], "error": error}
        self.floor[place] = fees
        return await node(asked)


def counted_back(by: int, *, tags: tuple[str, ...] = ("latest", "pending")) -> Fault:
    """For `eth_getTransactionCount`: fewer transactions than there are, by `by`, under these tags."""

    async def fault(asked: Message, node: Forward) -> Reply:
        found = await node(asked)
        tag = asked["params"][1] if len(asked["params"]) > 1 else "latest"
        if "result" not in found or (isinstance(tag, str) and tag not in tags and not tag.startswith("0x")):
            return found
        return {**found, "result": hex(max(0, int(found["result"], 16) - by))}

    return fault


def frozen_head() -> Fault:
    """For `eth_getBlockByNumber` and `eth_blockNumber`: the newest block stays what it was at the first question."""
    newest: Message | None = None

    async def fault(asked: Message, node: Forward) -> Reply:
        nonlocal newest
        if newest is None:
            newest = await node({**asked, "method": "eth_getBlockByNumber", "params": ["latest", False]})
        head = int(newest["result"]["number"], 16)
        if asked["method"] == "eth_blockNumber":
            return {"jsonrpc": "2.0", "id": asked["id"], "result": hex(head)}
        which = asked["params"][0]
        if which == "latest":
            return await node({**asked, "params": [hex(head), *asked["params"][1:]]})
        if which.startswith("0x") and int(which, 16) > head:
            return {"jsonrpc": "2.0", "id": asked["id"], "result": None}
        return await node(asked)

    return fault
