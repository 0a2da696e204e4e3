"""The two DER documents of a key service: a public key of secp256k1, and the two numbers of a signature."""

from __future__ import annotations

from typing import Final

from navoracle.domain.errors import BadSignature

_SECP256K1: Final = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a03420004")
"""SubjectPublicKeyInfo up to the point: an EC public key on secp256k1, a bit string of 65 bytes that begins with 4."""

_POINT: Final = 64


def uncompressed_point(document: object) -> bytes:
    """The 64 bytes of a public key. Raises ValueError: it is no SubjectPublicKeyInfo of secp256k1."""
    if not isinstance(document, bytes) or len(document) != len(_SECP256K1) + _POINT:
        raise ValueError("its public key has another length")
    if not document.startswith(_SECP256K1):
        raise ValueError("its public key is on another curve")
    return document[len(_SECP256K1) :]


def signature_numbers(document: object) -> tuple[int, int]:
    """r and s of a DER signature. Raises BadSignature: it is not the DER of two positive numbers."""
    refusal = BadSignature("it is not the DER of two numbers", advice="Use a signer that signs with ECDSA.")
    if not isinstance(document, bytes) or document[:1] != b"\x30" or document[1:2] != bytes([len(document) - 2 & 0xFF]):
        raise refusal
    numbers: list[int] = []
    rest = document[2:]
    while rest:
        if len(rest) < 3 or rest[0] != 2 or not 0 < rest[1] <= min(33, len(rest) - 2):
            raise refusal
        digits, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        # The shortest form, and not negative.
        if digits[0] & 0x80 or (len(digits) > 1 and digits[0] == 0 and not digits[1] & 0x80):
            raise refusal
        numbers.append(int.from_bytes(digits, "big"))
    if len(numbers) != 2:
        raise refusal
    return numbers[0], numbers[1]
