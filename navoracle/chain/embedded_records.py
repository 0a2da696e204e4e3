"""What the embedded chain holds, as nodes describe it: blocks, transactions, receipts and logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from eth.abc import BlockHeaderAPI, LogAPI, ReceiptAPI, SignedTransactionAPI
from eth.chains.base import MiningChain
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth_bloom.bloom import BloomFilter
from eth_typing import BlockNumber, Hash32
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.chain.embedded_params import LogsRequest

MOST_BLOCKS: Final = 10_000
"""Blocks that are searched for logs at once."""

_EMPTY_UNCLES: Final = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"


class TooManyBlocks(Exception):
    """A search for logs covers more blocks than are searched at once."""


class EmbeddedRecords:
    """Looks things up in the chain; every block is canonical, and has one transaction or none."""

    def __init__(self, chain: MiningChain) -> None:
        self._chain = chain

    def head(self) -> BlockHeaderAPI:
        """The newest block's header."""
        return self._chain.get_canonical_head()

    def header(self, block: object) -> BlockHeaderAPI:
        """A block's header, by what `block_param` gives. Raises HeaderNotFound."""
        if isinstance(block, bytes):
            # There is one chain, and no block is ever taken back.
            return self._chain.get_block_header_by_hash(Hash32(block))
        if isinstance(block, int):
            return self._chain.get_canonical_block_header_by_number(BlockNumber(block))
        # Nothing is ever pending.
        return self._chain.get_canonical_block_header_by_number(BlockNumber(0)) if block == "earliest" else self.head()

    def block(self, block: object, *, whole: bool) -> dict[str, object] | None:
        """A block, with its transactions whole or by their hashes; None where there is none."""
        try:
            header = self.header(block)
        except HeaderNotFound:
            return None
        hashes = self._chain.chaindb.get_block_transaction_hashes(header)
        return {
            "number": hex(header.block_number),
            "hash": as_hex(header.hash),
            "parentHash": as_hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(header.gas_used),
            "baseFeePerGas": hex(header.base_fee_per_gas or 0),
            "miner": to_checksum_address(header.coinbase),
            "stateRoot": as_hex(header.state_root),
            "transactionsRoot": as_hex(header.transaction_root),
            "receiptsRoot": as_hex(header.receipt_root),
            "logsBloom": _bloom(header.bloom),
            "mixHash": as_hex(header.mix_hash),
            "nonce": as_hex(header.nonce),
            "difficulty": hex(header.difficulty),
            "extraData": as_hex(header.extra_data),
            "sha3Uncles": _EMPTY_UNCLES,
            "uncles": [],
            "transactions": [self.transaction(each) if whole else as_hex(each) for each in hashes],
        }

    def transaction(self, transaction_hash: bytes) -> dict[str, object] | None:
        """A mined transaction; None where there is none."""
        found = self._found(transaction_hash)
        if found is None:
            return None
        header, index, transaction, _ = found
        base_fee = header.base_fee_per_gas or 0
        kind = getattr(transaction, "type_id", 0) or 0
        fees = {"gasPrice": hex(_price_paid(transaction, base_fee))}
        if kind >= 2:
            fees |= {
                "maxFeePerGas": hex(transaction.max_fee_per_gas),
                "maxPriorityFeePerGas": hex(transaction.max_priority_fee_per_gas),
            }
        return {
            "hash": as_hex(transaction.hash),
            "type": hex(kind),
            "chainId": hex(self._chain.chain_id),
            "nonce": hex(transaction.nonce),
            "from": to_checksum_address(transaction.sender),
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "value": hex(transaction.value),
            "gas": hex(transaction.gas),
            "input": as_hex(transaction.data),
            **fees,
            "blockNumber": hex(header.block_number),
            "blockHash": as_hex(header.hash),
            "transactionIndex": hex(index),
        }

    def receipt(self, transaction_hash: bytes) -> dict[str, object] | None:
        """A transaction's receipt; None while it is not mined."""
        found = self._found(transaction_hash)
        if found is None:
            return None
        header, index, transaction, receipt = found
        created = None
        if not transaction.to:
            created = to_checksum_address(created_address(transaction.sender, transaction.nonce))
        return {
            "transactionHash": as_hex(transaction.hash),
            "transactionIndex": hex(index),
            "type": hex(getattr(transaction, "type_id", 0) or 0),
            "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
            "from": to_checksum_address(transaction.sender),
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "contractAddress": created,
            "blockNumber": hex(header.block_number),
            "blockHash": as_hex(header.hash),
            "gasUsed": hex(receipt.gas_used),  # of the block, which has no other transaction
            "cumulativeGasUsed": hex(receipt.gas_used),
            "effectiveGasPrice": hex(_price_paid(transaction, header.base_fee_per_gas or 0)),
            "logsBloom": _bloom(receipt.bloom),
            "logs": list(_logs(header, transaction.hash, receipt.logs)),
        }

    def logs(self, wanted: LogsRequest) -> list[dict[str, object]]:
        """The logs that are wanted, in the chain's order.

        Raises:
            HeaderNotFound: the block that is named by its hash does not exist.
            TooManyBlocks: the range is too large.
        """
        found: list[dict[str, object]] = []
        for header in self._headers(wanted):
            if not header.bloom or not _may_hold(header.bloom, wanted):
                continue
            (transaction_hash,) = self._chain.chaindb.get_block_transaction_hashes(header)
            receipt = self._chain.get_transaction_receipt_by_index(header.block_number, 0)
            logs = [each for each in enumerate(receipt.logs) if _fits(each[1], wanted)]
            found += [_log(header, transaction_hash, index, each) for index, each in logs]
        return found

    def _headers(self, wanted: LogsRequest) -> Iterator[BlockHeaderAPI]:
        if wanted.block_hash is not None:
            yield self.header(wanted.block_hash)
            return
        head = self.head().block_number
        first, last = (
            each if isinstance(each, int) else self.header(each).block_number for each in (wanted.first, wanted.last)
        )
        last = min(last, head)
        if last - first >= MOST_BLOCKS:
            raise TooManyBlocks(f"block range too large: {last - first + 1} of at most {MOST_BLOCKS}")
        for number in range(first, last + 1):
            yield self._chain.get_canonical_block_header_by_number(BlockNumber(number))

    def _found(self, transaction_hash: bytes) -> tuple[BlockHeaderAPI, int, SignedTransactionAPI, ReceiptAPI] | None:
        try:
            number, index = self._chain.get_canonical_transaction_index(Hash32(transaction_hash))
        except TransactionNotFound:
            return None
        return (
            self._chain.get_canonical_block_header_by_number(number),
            index,
            self._chain.get_canonical_transaction_by_index(number, index),
            self._chain.get_transaction_receipt_by_index(number, index),
        )


def as_hex(data: bytes) -> str:
    """Data as JSON-RPC writes it."""
    return "0x" + data.hex()


def created_address(sender: bytes, nonce: int) -> bytes:
    """Where a contract lies that an account creates with a transaction of this nonce (yellow paper, section 7)."""
    return keccak(rlp.encode([sender, nonce]))[12:]


def _price_paid(transaction: SignedTransactionAPI, base_fee: int) -> int:
    return min(transaction.max_fee_per_gas, base_fee + transaction.max_priority_fee_per_gas)


def _bloom(bits: int) -> str:
    return f"0x{bits:0512x}"


def _may_hold(bits: int, wanted: LogsRequest) -> bool:
    bloom = BloomFilter(bits)
    places = (wanted.addresses, *wanted.topics)
    return all(not place or any(each in bloom for each in place) for place in places)


def _fits(log: LogAPI, wanted: LogsRequest) -> bool:
    if wanted.addresses and log.address not in wanted.addresses:
        return False
    words = [topic.to_bytes(32, "big") for topic in log.topics]
    return len(words) >= len(wanted.topics) and all(
        not place or words[at] in place for at, place in enumerate(wanted.topics)
    )


def _logs(header: BlockHeaderAPI, transaction: bytes, logs: Iterable[LogAPI]) -> Iterator[dict[str, Any]]:
    for index, each in enumerate(logs):
        yield _log(header, transaction, index, each)


def _log(header: BlockHeaderAPI, transaction: bytes, index: int, log: LogAPI) -> dict[str, object]:
    return {
        "address": to_checksum_address(log.address),
        "topics": [f"0x{topic:064x}" for topic in log.topics],
        "data": as_hex(log.data),
        "blockNumber": hex(header.block_number),
        "blockHash": as_hex(header.hash),
        "transactionHash": as_hex(transaction),
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "removed": False,
    }
