"""Transactions of the demo's people, without the simulations that a keeper makes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.reader import MULTICALL3
from navoracle.demo.world.cast import OPERATOR
from navoracle.domain.errors import ChainError
from navoracle.ports import Address

BUNDLE: Final = Address(MULTICALL3)
"""Who the sender is of every call of a bundle."""

Sent = tuple[Address, bytes]
"""A contract, and the call data that it is sent."""

_GAS: Final = 5_000_000
_MAX_FEE: Final = 10**11
_TIP: Final = 10**9


async def send(
    chain: EmbeddedChain, to: Address, data: bytes = b"", *, value: int = 0, account: int = OPERATOR
) -> None:
    """Send a call from an account, with `value` wei.

    Raises:
        ChainError: it was mined and failed.
    """
    sender, endpoint = chain.signers[account], chain.endpoint
    nonce = str(await endpoint.request("eth_getTransactionCount", [sender.address, "latest"]))
    raw = await sender.sign(
        {
            "type": 2,
            "chainId": chain.chain_id,
            "nonce": int(nonce, 16),
            "gas": _GAS,
            "maxFeePerGas": _MAX_FEE,
            "maxPriorityFeePerGas": _TIP,
            "to": bytes.fromhex(to[2:]),
            "value": value,
            "data": data,
        }
    )
    sent = str(await endpoint.request("eth_sendRawTransaction", ["0x" + raw.hex()]))
    receipt = await chain.transactor(account).receipt(sent)
    if receipt is None or not receipt.success:
        raise ChainError(f"call 0x{data[:4].hex()} of {to} failed", advice="Report this as a defect of the demo.")


async def send_all(chain: EmbeddedChain, calls: Sequence[Sent]) -> None:
    """Make several calls in one transaction, in order; all or none. Raises ChainError as `send`."""
    bundle = [(to, False, data) for to, data in calls]
    await send(chain, BUNDLE, encode_call("aggregate3((address,bool,bytes)[])", bundle))
