"""The check that stands between every signer and every broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.chain.signers.base import FIELDS, Signer, signed_transaction, unsigned_payload
from navoracle.domain.errors import BadSignature, WrongSignature
from navoracle.ports import Address
from navoracle.publisher_port import SignedTransaction
from navoracle.signatures import Signature, recover_address

_ADVICE = "Nothing was sent. Check which key the signer holds; do not use one that changes what it signs."


async def sign_transaction(signer: Signer, fields: Mapping[str, int | bytes]) -> SignedTransaction:
    """Have a transaction signed, and believe nothing of it.

    The signed bytes must be the one encoding of exactly these fields with a low-s signature of the signer's key.

    Raises:
        WrongSignature: the signer returned anything else; nothing may be sent.
        SignerFailed: it did not sign.
    """
    raw = await signer.sign(fields)
    signed = _decoded(raw)
    try:
        signature = Signature(parity=_number(signed[-3]), r=_number(signed[-2]), s=_number(signed[-1]))
        sender = recover_address(keccak(unsigned_payload(fields)), signature)
    except BadSignature as error:
        raise WrongSignature(
            f"asked of {signer.address}, the signer returned a transaction with a bad signature: {error.message}",
            advice=_ADVICE,
        ) from error
    if raw != signed_transaction(fields, signature):
        asked = rlp.decode(signed_transaction(fields, signature)[1:])
        wrong = [name for name, one, other in zip(FIELDS, asked, signed, strict=False) if one != other]
        raise WrongSignature(
            f"asked of {signer.address}, the signer returned a transaction that differs in {wrong or 'its accesses'}",
            advice=_ADVICE,
        )
    if sender != signer.address:
        raise WrongSignature(
            f"asked of {signer.address}, the signer returned a transaction of {sender}", advice=_ADVICE
        )
    to = signed[FIELDS.index("to")]
    return SignedTransaction(
        raw="0x" + raw.hex(),
        hash="0x" + keccak(raw).hex(),
        nonce=_number(signed[FIELDS.index("nonce")]),
        sender=signer.address,
        to=Address(to_checksum_address(to)) if to else Address(""),
    )


async def sign_checked(signer: Signer, payload: bytes) -> Signature:
    """Have a payload signed, and check that the signer's own key signed its keccak-256.

    Raises:
        WrongSignature: another key or another payload was signed. SignerFailed: it did not sign.
    """
    signature = await signer.sign_payload(payload)
    try:
        sender = recover_address(keccak(payload), signature)
    except BadSignature as error:
        raise WrongSignature(
            f"asked of {signer.address}, the signer returned a bad signature: {error.message}", advice=_ADVICE
        ) from error
    if sender != signer.address:
        raise WrongSignature(
            f"asked of {signer.address}, the signer returned a signature of another key or payload", advice=_ADVICE
        )
    return signature


def _decoded(raw: bytes) -> list[Any]:
    """The fields of a signed EIP-1559 transaction as they are encoded. Raises WrongSignature: it is none."""
    try:
        found = rlp.decode(raw[1:]) if raw[:1] == b"\x02" else None
    except rlp.exceptions.DecodingError:
        found = None
    if not isinstance(found, list) or len(found) != len(FIELDS) + 4:
        raise WrongSignature("the signer returned a transaction that is none of EIP-1559", advice=_ADVICE)
    return found


def _number(encoded: object) -> int:
    """A number of a transaction; a list in its place is none, and no signature has it."""
    return int.from_bytes(encoded, "big") if isinstance(encoded, bytes) else -1
