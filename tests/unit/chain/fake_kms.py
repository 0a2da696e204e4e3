"""A key service of our own: real ECDSA with `cryptography` over the digest as it is given, answers in real DER."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from navoracle.signatures import ORDER

KEY_ID = "alias/poster"


class FakeKms:
    """Answers as AWS KMS does, for one key.

    Args:
        high: which value of s it returns: the higher, the lower, or None for whichever comes.
        curve: of the key.
    """

    def __init__(self, *, high: bool | None = None, curve: ec.EllipticCurve | None = None) -> None:
        self.high = high
        self.key = ec.generate_private_key(curve or ec.SECP256K1())
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.answer: Any = None

    def get_public_key(self, *, KeyId: str) -> Any:  # noqa: N803
        self._note(KeyId=KeyId)
        encoded = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {"PublicKey": encoded, "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY"}

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Any:  # noqa: N803
        self._note(KeyId=KeyId, Message=Message, MessageType=MessageType, SigningAlgorithm=SigningAlgorithm)
        if self.answer is not None:
            return {"Signature": self.answer}
        hashed = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        r, s = utils.decode_dss_signature(self.key.sign(Message, hashed))
        if self.high is not None and (s > ORDER // 2) is not self.high:
            s = ORDER - s
        return {"Signature": utils.encode_dss_signature(r, s)}

    @property
    def secret(self) -> bytes:
        """The private key."""
        return self.key.private_numbers().private_value.to_bytes(32, "big")

    def _note(self, **asked: Any) -> None:
        self.asked.append(asked)
        if self.failure is not None:
            raise self.failure


def random_payload() -> bytes:
    """Something to sign."""
    return secrets.token_bytes(100)
