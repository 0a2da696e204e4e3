"""What a chain says of a keeper: the records that its registry stored, and the transactions that its senders made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.abi import decode_result
from navoracle.domain.units import Timestamp, Wad
from navoracle.drill.node import LocalNode
from navoracle.drill.world import World
from navoracle.ports import Address
from navoracle.publishers.nav_registry_codec import decode_record

NAV_BATCH: Final = "0x" + keccak(text="NavBatch(uint256,bytes32,bytes)").hex()
NAV_HELD: Final = "0x" + keccak(text="NavHeld(uint256,uint256,uint256,uint256)").hex()
NAV_REJECTED: Final = "0x" + keccak(text="NavRejected(uint256,uint256,uint256,uint256)").hex()
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that a registry stored: one fund's value, and the transaction that brought it."""

    number: int
    nav: Wad
    price_per_share: Wad
    valuation_time: Timestamp
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A sender's transaction in a block; `fee` in wei."""

    hash: str
    sender: Address
    nonce: int
    success: bool
    fee: int
    to: str
    block: int


async def stored_records(world: World) -> list[StoredRecord]:
    """Every record that the registry stored, oldest first; those that it held or ignored are left out."""
    logs = await world.node.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": world.registry})
    refused = {
        (log["transactionHash"], int(log["topics"][1], 16))
        for log in logs
        if log["topics"][0] in (NAV_HELD, NAV_REJECTED)
    }
    found: list[StoredRecord] = []
    for log in logs:
        if log["topics"][0] != NAV_BATCH:
            continue
        header = int(log["topics"][1], 16)
        (records,) = decode_result(("bytes",), bytes.fromhex(log["data"][2:]))
        size = header & 0xFF
        for start in range(0, len(records), size):
            record = decode_record(records[start : start + size])
            if (log["transactionHash"], record.fund_id) not in refused:
                found.append(
                    StoredRecord(
                        record.fund_id,
                        record.nav,
                        record.price_per_share,
                        Timestamp(header >> 16),
                        log["transactionHash"],
                        int(log["blockNumber"], 16),
                    )
                )
    return found


async def transactions_of(node: LocalNode, senders: Sequence[Address]) -> list[MinedTransaction]:
    """Every transaction of these senders that is part of the chain, oldest first."""
    wanted = {sender.lower(): sender for sender in senders}
    newest = int(await node.rpc("eth_blockNumber"), 16)
    found: list[dict[str, Any]] = []
    for start in range(0, newest + 1, _CHUNK):
        numbers = range(start, min(start + _CHUNK, newest + 1))
        blocks = await node.batch([("eth_getBlockByNumber", [hex(number), True]) for number in numbers])
        found += [sent for block in blocks for sent in block["transactions"] if sent["from"].lower() in wanted]
    receipts = await node.batch([("eth_getTransactionReceipt", [sent["hash"]]) for sent in found]) if found else []
    return [
        MinedTransaction(
            sent["hash"],
            wanted[sent["from"].lower()],
            int(sent["nonce"], 16),
            int(receipt["status"], 16) == 1,
            int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16),
            str(sent["to"] or ""),
            int(receipt["blockNumber"], 16),
        )
        for sent, receipt in zip(found, receipts, strict=True)
    ]
