"""Pinning a read to a block: by its hash where the node can, else by its number with proof of what was read.

By number, each chunk reads the parent's hash and the block's timestamp along with its calls, and the header is read
again after it. That proof does not hold on chains whose contracts see another chain's block numbers (Arbitrum): they
need `pin="hash"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_utils.address import to_checksum_address

from navoracle.abi import encode_call
from navoracle.chain.node import Node, Pin
from navoracle.chain.rpc import UNSUPPORTED, NodeRefused, block_stamp, hex_bytes
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer

_TIMESTAMP: Final = encode_call("getCurrentBlockTimestamp()")


def block_of(pin: Pin | None, stamp: BlockStamp) -> object:
    """The block parameter of a pinned request."""
    return hex(stamp.number) if pin == "number" else {"blockHash": stamp.hash, "requireCanonical": True}


def witness_calls(multicall: bytes, stamp: BlockStamp) -> list[tuple[bytes, bytes]]:
    """The calls that say which block a chunk was read from."""
    parent = encode_call("getBlockHash(uint256)", max(0, stamp.number - 1))
    return [(multicall, _TIMESTAMP), (multicall, parent)]


def require_block(node: Node, answers: Sequence[Answer], stamp: BlockStamp) -> None:
    """Refuse a chunk whose witnesses (its first two answers) come from another block. Raises ChainError."""
    time_seen, parent_seen = answers[0].data, answers[1].data
    # The first block has no parent to prove it by.
    right_parent = stamp.number == 0 or parent_seen == bytes.fromhex(stamp.parent_hash[2:])
    if time_seen != stamp.timestamp.to_bytes(32, "big") or not right_parent:
        raise _moved(node, stamp)


async def require_unchanged(node: Node, stamp: BlockStamp) -> None:
    """Refuse what was read by number when the node's block of that number is another one now. Raises ChainError."""
    block = await node.request("eth_getBlockByNumber", [hex(stamp.number), False])
    if block is None or block_stamp(block, stamp.chain, stamp.chain_id).hash != stamp.hash:
        raise _moved(node, stamp)


async def probe(node: Node, stamp: BlockStamp, multicall: Address) -> None:
    """Find out how the node can be pinned; sets its `pin`.

    Raises:
        ChainError: it has no Multicall3 at that block, or cannot be pinned at all.
    """
    code = await node.request("eth_getCode", [multicall, hex(stamp.number)])
    if not hex_bytes(code, "code"):
        raise ChainError(
            f"{node.name}: there is no Multicall3 at {multicall} on {stamp.chain} in block {stamp.number}",
            advice="Set the chain's `multicall` to its Multicall3; `navoracle deploy` can put one there.",
        )
    pins: tuple[Pin, ...] = ("hash", "number") if node.wanted_pin == "auto" else (node.wanted_pin,)
    for pin in pins:
        if await _can_pin(node, pin, stamp, multicall):
            node.pin = pin
            return
    raise ChainError(
        f"{node.name} cannot read {stamp.chain} at a pinned block through {multicall}",
        advice="Check that `multicall` is a Multicall3 contract; set `pin: number` where the node lacks EIP-1898.",
    )


async def _can_pin(node: Node, pin: Pin, stamp: BlockStamp, multicall: Address) -> bool:
    transaction = {"to": to_checksum_address(multicall), "data": "0x" + _TIMESTAMP.hex()}
    try:
        answer = await node.request("eth_call", [transaction, block_of(pin, stamp)])
    except NodeRefused as refusal:
        # A node that merely lacks the block says so in other words: that is no reason to pin less well.
        if refusal.in_execution or refusal.rpc_code in UNSUPPORTED or "support" in refusal.detail.lower():
            return False
        raise
    return hex_bytes(answer, "call result") == stamp.timestamp.to_bytes(32, "big")


def _moved(node: Node, stamp: BlockStamp) -> ChainError:
    return ChainError(
        f"{node.name} did not read from block {stamp.number} ({stamp.hash}) of {stamp.chain}",
        advice="The chain was reorganized, or the endpoint mixes nodes; the next slot reads a newer block.",
    )
