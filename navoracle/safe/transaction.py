"""A Safe's transaction and its hash: EIP-712 typed data in the domain {chainId, verifyingContract}, Safe 1.3.0 on.

The type is the Safe's own (`SAFE_TX_TYPEHASH` in its contract); a test holds the hash against `getTransactionHash`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from navoracle.domain.errors import ConfigurationError, DomainError, OutOfRange
from navoracle.ports import Address
from navoracle.safe.calls import SafeCall, pack_calls

CALL: Final = 0
DELEGATE_CALL: Final = 1
NOBODY: Final = Address("0x0000000000000000000000000000000000000000")

DOMAIN_FIELDS: Final = (("chainId", "uint256"), ("verifyingContract", "address"))
_FIELDS: Final = (
    ("to", "address"),
    ("value", "uint256"),
    ("data", "bytes"),
    ("operation", "uint8"),
    ("safeTxGas", "uint256"),
    ("baseGas", "uint256"),
    ("gasPrice", "uint256"),
    ("gasToken", "address"),
    ("refundReceiver", "address"),
    ("nonce", "uint256"),
)


@dataclass(frozen=True, slots=True)
class SafeTransaction:
    """What a Safe's owners sign. `value` in wei; `operation` 0 is a call, 1 a delegate call.

    The gas fields are 0 in all that we propose: the executor pays, and a call that fails reverts the whole execution.

    Raises:
        OutOfRange: a number does not fit its type.
    """

    chain_id: int
    safe: Address
    nonce: int
    to: Address
    value: int
    data: bytes
    operation: int = CALL
    safe_tx_gas: int = 0
    base_gas: int = 0
    gas_price: int = 0
    gas_token: Address = NOBODY
    refund_receiver: Address = NOBODY

    def __post_init__(self) -> None:
        numbers = (self.chain_id, self.nonce, self.value, self.safe_tx_gas, self.base_gas, self.gas_price)
        if not all(0 <= number < 1 << 256 for number in numbers) or self.operation not in (CALL, DELEGATE_CALL):
            raise OutOfRange(
                f"a field of transaction {self.nonce} of Safe {self.safe} does not fit its type",
                advice="Numbers have 256 bits, the operation is 0 or 1.",
            )

    @property
    def payload(self) -> bytes:
        """What is hashed and signed: 0x1901, the domain's separator, the transaction's hash."""
        return payload_of(self._signable())

    @property
    def digest(self) -> bytes:
        """The `safeTxHash`: keccak-256 of the payload."""
        return keccak(self.payload)

    @property
    def id(self) -> str:
        """The digest in hex, by which a Safe's owners know the transaction."""
        return "0x" + self.digest.hex()

    @property
    def domain_hash(self) -> bytes:
        """The domain's separator, which hardware wallets show."""
        return bytes(self._signable().header)

    @property
    def message_hash(self) -> bytes:
        """The transaction's own hash, which hardware wallets show."""
        return bytes(self._signable().body)

    def fields(self) -> dict[str, Any]:
        """The fields in the order of the type, by the Safe's names."""
        values = (self.to, self.value, self.data, self.operation, self.safe_tx_gas, self.base_gas, self.gas_price)
        return dict(
            zip((name for name, _ in _FIELDS), (*values, self.gas_token, self.refund_receiver, self.nonce), strict=True)
        )

    def typed_data(self) -> dict[str, Any]:
        """What a wallet signs with `eth_signTypedData_v4`."""
        return {
            "types": {"EIP712Domain": typed(DOMAIN_FIELDS), "SafeTx": typed(_FIELDS)},
            "primaryType": "SafeTx",
            "domain": {"chainId": self.chain_id, "verifyingContract": self.safe},
            "message": self.fields(),
        }

    def does_the_same(self, other: SafeTransaction) -> bool:
        """Whether the Safe would do the same, whatever the nonce."""
        mine, its = (
            (each.chain_id, each.safe, each.to, each.value, each.data, each.operation) for each in (self, other)
        )
        return mine == its

    def _signable(self) -> SignableMessage:
        return encode_typed_data(full_message=self.typed_data())


def transaction_of(
    calls: Sequence[SafeCall], *, chain_id: int, safe: Address, nonce: int, multisend: Address | None
) -> SafeTransaction:
    """The transaction that makes these calls: one directly, several through MultiSendCallOnly, all or none.

    Raises:
        DomainError: there is no call.
        ConfigurationError: there are several, and no MultiSendCallOnly is configured.
    """
    if not calls:
        raise DomainError("a proposal without a call", advice="Propose what is to be done.")
    if len(calls) == 1:
        (call,) = calls
        return SafeTransaction(chain_id, safe, nonce, call.to, 0, call.data)
    if multisend is None:
        raise ConfigurationError(
            f"{len(calls)} calls of Safe {safe} are to be made together, and no MultiSendCallOnly is configured",
            advice="Set `safe.multisend` to the chain's MultiSendCallOnly of your Safe's version.",
        )
    return SafeTransaction(chain_id, safe, nonce, multisend, 0, pack_calls(calls), DELEGATE_CALL)


def typed(fields: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Fields as EIP-712's JSON names them."""
    return [{"name": name, "type": kind} for name, kind in fields]


def payload_of(signable: SignableMessage) -> bytes:
    """The bytes whose keccak-256 is signed."""
    return bytes(b"\x19" + signable.version + signable.header + signable.body)
