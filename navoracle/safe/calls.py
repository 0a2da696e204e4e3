"""The calls that a Safe is asked to make, decoded for those who sign, and several of them as one MultiSendCallOnly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.grammar import ABIType, BasicType, TupleType, parse
from eth_utils.address import to_checksum_address

from navoracle.abi import argument_types, decode_result, encode_call, known_signature
from navoracle.domain.errors import DomainError, MalformedResult
from navoracle.ports import Address
from navoracle.readers import check_address

MULTISEND: Final = "multiSend(bytes)"
MULTISEND_CODE: Final[Mapping[str, str]] = {
    "0xa9865ac2d9c7a1591619b188c4d88167b50df6cc0c5327fcbd1c8c75f7c066ad": "1.3.0",
    "0xecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939": "1.4.1",
    "0xcdbdcec38d2f1c7d961b0029ff8416b7e86e9974d6f0e9c9580c7d17fcfb6663": "1.5.0",
}
"""keccak-256 of MultiSendCallOnly's run-time code: the releases' own, and the `codeHash` in safe-deployments.

A delegate call hands the Safe over to whatever code it runs: no other is ever proposed.
"""

MULTISEND_ADDRESSES: Final[frozenset[str]] = frozenset(
    {
        "0x40A2aCCbd92BCA938b02010E17A5b8929b49130D",
        "0xA1dabEF33b3B82c7814B6D82A79e50F4AC44102B",
        "0x9641d764fc13c8B624c04430C7356C1C7C8102e2",
        "0xA83c336B20401Af773B6219BA5027174338D1836",
    }
)
"""Where MultiSendCallOnly is on most chains: 1.3.0 (two), 1.4.1, 1.5.0 (github.com/safe-global/safe-deployments)."""

_HEAD: Final = 85
"""Bytes before a call's data: operation 1, address 20, value 32, length of the data 32."""


@dataclass(frozen=True, slots=True)
class SafeCall:
    """A call that a Safe is asked to make; no coins go with it.

    Attributes:
        signature: the function, as Solidity writes its type; found by itself where this process encoded the call. Data
            must be its one encoding, so that a signer sees all that it says.

    Raises:
        DomainError: no address, or data that cannot be decoded to the last byte.
    """

    to: Address
    data: bytes
    signature: str | None = None

    def __post_init__(self) -> None:
        try:
            check_address(self.to)
        except ValueError as error:
            raise DomainError(
                f"the call's target: {error}", advice="Name the contract that is to be called."
            ) from error
        if self.signature is None:
            object.__setattr__(self, "signature", known_signature(self.data))
        self.decoded()

    def decoded(self) -> DecodedCall:
        """What the call says."""
        if self.signature is None:
            raise DomainError(
                f"the call 0x{self.data[:4].hex()} of {self.to} has no signature: nobody could see what it does",
                advice='Give it: "post(uint256,bytes32,bytes)".',
            )
        types = argument_types(self.signature)
        try:
            values = decode_result(types, self.data[4:])
            again = encode_call(self.signature, *values)
        except (MalformedResult, DomainError) as error:
            raise self._hidden() from error
        if again != self.data:
            raise self._hidden()
        return DecodedCall(self.to, self.signature, tuple(map(_shown, map(parse, types), values)))

    def _hidden(self) -> DomainError:
        return DomainError(
            f"the data of the call of {self.to} is not the encoding of {self.signature}",
            advice="Correct the signature. Bytes that it does not account for could hide something from a signer.",
        )


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call as a signer reads it: numbers in decimal, bytes in hex, addresses checksummed."""

    to: Address
    signature: str
    arguments: tuple[Any, ...]


def pack_calls(calls: Sequence[SafeCall]) -> bytes:
    """The call data of MultiSendCallOnly for these calls, in order; all of them succeed or none does.

    Each is packed as operation 0, address, value, length, data (the contract's own documentation of `multiSend`).
    """
    packed = b"".join(
        b"\0" + bytes.fromhex(call.to[2:]) + bytes(32) + len(call.data).to_bytes(32, "big") + call.data
        for call in calls
    )
    return encode_call(MULTISEND, packed)


def unpack_calls(data: bytes) -> tuple[tuple[Address, int, bytes], ...]:
    """Target, wei and data of each call in MultiSendCallOnly's call data.

    Raises:
        MalformedResult: it is not the one encoding of such calls.
    """
    refusal = MalformedResult(
        "the data is not a call of MultiSendCallOnly", advice="Do not sign it: it does something else than it says."
    )
    try:
        (packed,) = decode_result(("bytes",), data[4:])
    except (MalformedResult, DomainError) as error:
        raise refusal from error
    if encode_call(MULTISEND, packed) != data:
        raise refusal
    found = []
    while packed:
        length = int.from_bytes(packed[53:_HEAD], "big")
        if len(packed) < _HEAD + length or packed[0] != 0:
            raise refusal
        to = Address(to_checksum_address(packed[1:21]))
        found.append((to, int.from_bytes(packed[21:53], "big"), packed[_HEAD : _HEAD + length]))
        packed = packed[_HEAD + length :]
    return tuple(found)


def _shown(kind: ABIType, value: Any) -> Any:
    """A decoded value as plain JSON; numbers become text, which every reader keeps exactly."""
    if kind.is_array:
        return [_shown(kind.item_type, item) for item in value]
    if isinstance(kind, TupleType):
        return [_shown(part, item) for part, item in zip(kind.components, value, strict=True)]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    return to_checksum_address(value) if isinstance(kind, BasicType) and kind.base == "address" else str(value)
