"""ECDSA signatures over secp256k1 in the one form that is accepted: low s, v of 27 or 28."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_keys.datatypes import Signature as EthSignature
from eth_keys.exceptions import BadSignature as NoSuchSignature
from eth_utils.exceptions import ValidationError

from navoracle.domain.errors import BadSignature
from navoracle.ports import Address

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of the curve's group."""

_LENGTH: Final = 65
_FIRST_V: Final = 27


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature; `parity` (0 or 1) tells which of two keys made it.

    Raises:
        BadSignature: r or s lies outside the group, s is the higher of its two forms, or the parity is neither.
    """

    r: int
    s: int
    parity: int

    def __post_init__(self) -> None:
        if not (0 < self.r < ORDER and 0 < self.s < ORDER and self.parity in (0, 1)):
            raise BadSignature(
                "the signature's numbers lie outside the curve's group", advice="Supply the signature as it was made."
            )
        if self.s > ORDER // 2:
            raise BadSignature(
                "the signature has the higher of its two values of s",
                advice="Sign with low s: the other form would let one signature be changed into another.",
            )

    def to_bytes(self) -> bytes:
        """r, s and v: 65 bytes."""
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big") + bytes([_FIRST_V + self.parity])


def decode_signature(raw: bytes) -> Signature:
    """The signature in 65 bytes: r, s and v of 27 or 28. Raises BadSignature."""
    if len(raw) != _LENGTH or raw[64] - _FIRST_V not in (0, 1):
        raise BadSignature(
            "a signature is 65 bytes whose last is 27 or 28", advice="Supply r, s and v, 130 hexadecimal digits."
        )
    return Signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64] - _FIRST_V)


def recover_address(digest: bytes, signature: Signature) -> Address:
    """The address of the key that signed a digest of 32 bytes. Raises BadSignature: no key could have."""
    found = EthSignature(vrs=(signature.parity, signature.r, signature.s))
    try:
        return Address(found.recover_public_key_from_msg_hash(digest).to_checksum_address())
    except (NoSuchSignature, ValidationError) as error:
        raise BadSignature("the signature fits no key", advice="Supply the signature as it was made.") from error


def signature_of(digest: bytes, r: int, s: int, signer: Address) -> Signature:
    """The signature of a known signer for r and either value of s: low s, and the parity that recovers to it.

    Raises:
        BadSignature: neither parity does: another key signed, or another digest was signed.
    """
    for parity in (0, 1):
        candidate = Signature(r, ORDER - s if s > ORDER // 2 else s, parity)
        try:
            if recover_address(digest, candidate) == signer:
                return candidate
        except BadSignature:
            continue
    raise BadSignature(
        f"the signature is not {signer}'s", advice="Check which key signed, and that it signs the digest as given."
    )
