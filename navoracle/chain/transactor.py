"""Transactions of one signer on one chain: simulate, price, sign, check, send once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from navoracle.chain.reverts import call_reverted
from navoracle.chain.rpc import Endpoint, NodeRefused, block_field, quantity
from navoracle.chain.signers import Signer, sign_transaction
from navoracle.chain.transactions.receipts import parse_receipt
from navoracle.domain.errors import ChainError, ConfigurationError, FeeAboveCeiling
from navoracle.domain.gas_fees import FeeLimits, Fees, first_fees, gas_with_margin
from navoracle.ports import Address
from navoracle.publisher_port import Receipt, SignedTransaction

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
        mined = parse_receipt(found, transaction_hash)
        return None if mined is None else mined.receipt

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
        fees = self._price(quantity(block_field(block, "baseFeePerGas"), "base fee"), quantity(tip, "tip"))
        fields: dict[str, int | bytes] = {
            "type": _TRANSACTION_TYPE,
            "chainId": self._chain_id,
            "nonce": quantity(nonce, "nonce"),
            "gas": gas_with_margin(quantity(estimate, "gas estimate"), limit),
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.max_tip,
            "to": bytes.fromhex(to[2:]),
            "value": 0,
            "data": data,
        }
        return await sign_transaction(self._signer, fields)

    def _price(self, base_fee: int, tip: int) -> Fees:
        limits = FeeLimits(ceiling=self._fees.max_fee, min_tip=self._fees.min_tip, max_tip=self._fees.max_tip)
        fees = first_fees(base_fee, tip, limits)
        if fees is None:
            raise FeeAboveCeiling(
                f"the base fee is {base_fee} wei per gas now, the cap is {self._fees.max_fee}",
                advice="Wait for the base fee to fall, or raise the chain's max_fee.",
            )
        return fees
