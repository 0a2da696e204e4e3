"""What goes wrong in the tests of a lane: nodes, signers, and other users of the key."""

from __future__ import annotations

from typing import Any

from navoracle.chain.rpc import NoAnswer
from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import SignerFailed
from tests.unit.chain.transactions.mempool import Fault, Request
from tests.unit.chain.transactions.rig import GWEI, SIGNER, TARGET, Rig

PAUSED = bytes.fromhex("9e87fac8")
"""What a paused registry reverts with."""


def on(method: str, fault: Fault) -> Fault:
    """The fault for one method."""

    def some(sound: Request, asked: str, params: Any) -> Any:
        return fault(sound, asked, params) if asked == method else sound(asked, params)

    return some


def answering(answer: Any) -> Fault:
    def fault(_sound: Request, _method: str, _params: Any) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return fault


def lost_after(sound: Request, method: str, params: Any) -> Any:
    """The node acts, and its answer is lost."""
    sound(method, params)
    raise NoAnswer("node: the connection was closed", advice="Check it.")


def lost_before(_sound: Request, _method: str, _params: Any) -> Any:
    raise NoAnswer("node: the connection was closed", advice="Check it.")


class FaultySigner(EphemeralSigner):
    """Signs something else, with another key, or not at all."""

    def __init__(self, fault: str) -> None:
        super().__init__(bytes(31) + b"\x07")
        self.fault = fault

    async def sign(self, transaction: Any) -> bytes:
        if self.fault == "down":
            raise SignerFailed("the signer did not answer", advice="Start it.")
        if self.fault == "other key":
            return await EphemeralSigner(bytes(31) + b"\x08").sign(transaction)
        if self.fault == "other field":
            return await super().sign({**transaction, "value": 1})
        return await super().sign(transaction)


async def foreign(here: Rig, *, nonce: int, fee: int = 30 * GWEI, tip: int = 3 * GWEI, mine: bool = False) -> None:
    """A transaction of the same key that nobody told the keeper of."""
    raw = await SIGNER.sign(
        {
            "type": 2,
            "chainId": 1,
            "nonce": nonce,
            "gas": 100_000,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
            "to": bytes.fromhex(TARGET[2:]),
            "value": 0,
            "data": b"foreign!",
        }
    )
    for node in here.nodes:
        node.take("0x" + raw.hex())
    if mine:
        here.chain.mine()
