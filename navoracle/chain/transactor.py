"""Transactions of one signer on one chain: simulate, price, sign, check, send once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from navoracle.chain.reverts import call_reverted
from navoracle.chain.rpc import Endpoint, NodeRefused, block_field, hex_bytes, quantity
from navoracle.chain.signers import Signer, sign_transaction
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.ports import Address, Receipt, SignedTransaction

GWEI: Final = 10**9
_TRANSACTION_TYPE: Final = 2


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What a transaction may cost, in wei per gas.

    Attributes:
        max_fee: the most that is ever offered, base fee and tip together.
        max_tip: the most that is offered to the block's proposer.
        min_tip: the least.

    Raises:
        ConfigurationError: the three contradict one another.
    """

    max_fee: int = 500 * GWEI
    max_tip: int = 20 * GWEI
    min_tip: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.min_tip <= self.max_tip <= self.max_fee:
            raise ConfigurationError(
                f"min_tip {self.min_tip}, max_tip {self.max_tip} and max_fee {self.max_fee} contradict one another",
                advice="State 0 <= min_tip <= max_tip <= max_fee, in wei per gas.",
            )


class Web3Transactor:
    """Sends the transactions of one signer to one endpoint. One owner per key: the nonce is the node's pending count.

    Args:
        endpoint: the node.
        signer: who signs.
        chain_id: the chain that transactions are made for; checked against the node's at every `prepare`.
        fees: what they may cost.
    """

    def __init__(self, endpoint: Endpoint, signer: Signer, *, chain_id: int, fees: FeePolicy | None = None) -> None:
        self._endpoint = endpoint
        self._signer = signer
        self._chain_id = chain_id
        self._fees = fees or FeePolicy()

    @property
    def address(self) -> Address:
        """The sender."""
        return self._signer.address

    async def prepare(self, to: Address, data: bytes) -> SignedTransaction:
        """Simulate, then sign. Nothing is sent.

        Raises:
            CallReverted: the contract would refuse; its custom error is decoded.
            ChainError: the node failed, serves another chain, or the fee is above the cap.
        """
        call = {"from": self.address, "to": to, "data": "0x" + data.hex()}
        return await self._sign(call, to, data)

    async def prepare_creation(self, code: bytes) -> SignedTransaction:
        """As `prepare`, for the creation of a contract; `to` is empty in what it returns."""
        return await self._sign({"from": self.address, "data": "0x" + code.hex()}, Address(""), code)

    async def send(self, transaction: SignedTransaction) -> None:
        """Broadcast once.

        Raises:
            ChainError: the node refused or did not answer. The transaction may be on its way all the same: look its
                hash up before anything else is sent with that nonce.
        """
        answer = await self._endpoint.request("eth_sendRawTransaction", [transaction.raw])
        if answer != transaction.hash:
            raise ChainError(
                f"{self._endpoint.name} took {transaction.hash} and answered {str(answer)[:80]!r}",
                advice="Look the hash up through another endpoint; do not send again before it is known to be gone.",
            )

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt, or None while the transaction is not mined. Raises ChainError."""
        found = await self._endpoint.request("eth_getTransactionReceipt", [transaction_hash])
        if found is None or block_field(found, "blockNumber") is None:
            return None
        return Receipt(
            hash="0x" + hex_bytes(block_field(found, "transactionHash"), "transaction hash", 32).hex(),
            success=quantity(block_field(found, "status"), "status") == 1,
            block_number=quantity(block_field(found, "blockNumber"), "block number"),
            block_hash="0x" + hex_bytes(block_field(found, "blockHash"), "block hash", 32).hex(),
            gas_used=quantity(block_field(found, "gasUsed"), "gas used"),
        )

    async def _sign(self, call: dict[str, str], to: Address, data: bytes) -> SignedTransaction:
        ask = self._endpoint.request
        try:
            if to:
                await ask("eth_call", [call, "latest"])
            estimate, found, block, tip, nonce = await asyncio.gather(
                ask("eth_estimateGas", [call]),
                ask("eth_chainId", []),
                ask("eth_getBlockByNumber", ["latest", False]),
                ask("eth_maxPriorityFeePerGas", []),
                ask("eth_getTransactionCount", [self.address, "pending"]),
            )
        except NodeRefused as refusal:
            if refusal.in_execution:
                what = f"simulation of 0x{data[:4].hex()} on {to}" if to else "simulated creation"
                raise call_reverted(what, refusal.data) from None
            raise
        if (served := quantity(found, "chain id")) != self._chain_id:
            raise ChainError(
                f"{self._endpoint.name} serves chain {served}, not {self._chain_id}: nothing was signed",
                advice="Correct the endpoint's URL or the chain's id in the configuration.",
            )
        limit = quantity(block_field(block, "gasLimit"), "block gas limit")
        max_fee, max_tip = self._price(quantity(block_field(block, "baseFeePerGas"), "base fee"), quantity(tip, "tip"))
        fields: dict[str, int | bytes] = {
            "type": _TRANSACTION_TYPE,
            "chainId": self._chain_id,
            "nonce": quantity(nonce, "nonce"),
            "gas": min(limit, -(-quantity(estimate, "gas estimate") * 12 // 10)),
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": max_tip,
            "to": bytes.fromhex(to[2:]),
            "value": 0,
            "data": data,
        }
        return await sign_transaction(self._signer, fields)

    def _price(self, base_fee: int, tip: int) -> tuple[int, int]:
        """Fee cap and tip: room for the base fee to double, within the policy."""
        tip = min(max(tip, self._fees.min_tip), self._fees.max_tip)
        if base_fee + tip > self._fees.max_fee:
            raise ChainError(
                f"a transaction costs {base_fee + tip} wei per gas now, the cap is {self._fees.max_fee}",
                advice="Wait for the base fee to fall, or raise the chain's max_fee.",
            )
        return min(2 * base_fee + tip, self._fees.max_fee), tip
