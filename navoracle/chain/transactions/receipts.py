"""Receipts as nodes state them: a malformed one is the node's error, never a transaction's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from navoracle.chain.rpc import block_field, hex_bytes, quantity
from navoracle.domain.errors import ChainError
from navoracle.publisher_port import Receipt


@dataclass(frozen=True, slots=True)
class MinedReceipt:
    """A receipt, and what the transaction cost in wei (None where the node does not say)."""

    receipt: Receipt
    fee_paid: int | None

    def fee_or(self, max_fee: int) -> int:
        """What it cost; at the most that it offered where that is unknown."""
        return self.receipt.gas_used * max_fee if self.fee_paid is None else self.fee_paid


def parse_receipt(answer: object, asked: str) -> MinedReceipt | None:
    """The receipt of the hash that was asked for; None while it is in no block.

    Raises:
        ChainError: it is another transaction's, or lacks what a receipt has.
    """
    if answer is None or (isinstance(answer, Mapping) and answer.get("blockNumber", "") is None):
        return None
    found = "0x" + hex_bytes(block_field(answer, "transactionHash"), "transaction hash", 32).hex()
    if found != asked:
        raise ChainError(
            f"asked for the receipt of {asked}, the node answered with that of {found}",
            advice="The endpoint mixes answers up: use another one.",
        )
    status = quantity(block_field(answer, "status"), "status")
    if status not in (0, 1):
        raise ChainError(f"a receipt states the status {status}", advice="Use another endpoint.")
    gas_used = quantity(block_field(answer, "gasUsed"), "gas used")
    return MinedReceipt(
        Receipt(
            hash=found,
            success=status == 1,
            block_number=quantity(block_field(answer, "blockNumber"), "block number"),
            block_hash="0x" + hex_bytes(block_field(answer, "blockHash"), "block hash", 32).hex(),
            gas_used=gas_used,
        ),
        _fee_paid(answer, gas_used),
    )


def _fee_paid(answer: object, gas_used: int) -> int | None:
    if not isinstance(answer, Mapping) or answer.get("effectiveGasPrice") is None:
        return None
    price = quantity(answer["effectiveGasPrice"], "gas price")
    # Rollups charge for the data that they write to their parent chain beside it.
    parent_fee = 0 if answer.get("l1Fee") is None else quantity(answer["l1Fee"], "parent chain's fee")
    return gas_used * price + parent_fee
