"""What a signer is, and how the bytes of a transaction follow from its signature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, Protocol

import rlp  # type: ignore[import-untyped]

from navoracle.domain.errors import SignerFailed
from navoracle.ports import Address
from navoracle.signatures import Signature

_EIP_1559: Final = 2
FIELDS: Final = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data")
"""The fields of an EIP-1559 transaction in the order of its encoding; its list of accesses, always empty, follows."""


class Signer(Protocol):
    """Signs for one address. What it returns is checked by the caller: see `navoracle.chain.signers.checked`."""

    @property
    def address(self) -> Address:
        """The address that its signatures recover to."""

    async def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        """The signed transaction, ready to be sent. `transaction` has the fields of an EIP-1559 transaction.

        Raises:
            SignerFailed: it did not sign.
        """

    async def sign_payload(self, payload: bytes) -> Signature:
        """The signature of the keccak-256 of `payload`. Raises SignerFailed: it did not sign."""


class PayloadSigner(ABC):
    """A signer that can sign any payload, and so every transaction."""

    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    @abstractmethod
    async def sign_payload(self, payload: bytes) -> Signature:
        """The signature of the keccak-256 of `payload`. Raises SignerFailed."""

    async def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        """Sign a transaction."""
        return signed_transaction(transaction, await self.sign_payload(unsigned_payload(transaction)))


def unsigned_payload(transaction: Mapping[str, int | bytes]) -> bytes:
    """What is hashed and signed of an EIP-1559 transaction: its type, and the RLP of its fields."""
    return bytes([_EIP_1559]) + bytes(rlp.encode(_values(transaction)))


def signed_transaction(transaction: Mapping[str, int | bytes], signature: Signature) -> bytes:
    """The transaction as it is sent: there is exactly one encoding of given fields and a given signature."""
    values = [*_values(transaction), signature.parity, signature.r, signature.s]
    return bytes([_EIP_1559]) + bytes(rlp.encode(values))


def _values(transaction: Mapping[str, int | bytes]) -> list[object]:
    if transaction.get("type", _EIP_1559) != _EIP_1559 or not {*FIELDS} <= {*transaction} <= {*FIELDS, "type"}:
        raise SignerFailed(
            f"fields {sorted(transaction)} are not those of an EIP-1559 transaction: it was not signed",
            advice="This is a defect of navoracle: report it.",
        )
    return [*(transaction[name] for name in FIELDS), []]
