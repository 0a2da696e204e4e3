"""Requests that are prepared here and signed elsewhere: a key's command, a wallet, a smart account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import is_hex_address, to_checksum_address

from navoracle.domain.errors import BadSignature, RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.json_depth import require_shallow
from navoracle.ports import Address
from navoracle.requests.actions import Action
from navoracle.requests.desk import RequestTarget
from navoracle.requests.document import (
    LARGEST_DOCUMENT,
    ActionRequest,
    SignedRequest,
    canonical_json,
    parse_signed_request,
)
from navoracle.signatures import decode_signature, recover_address

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 65
_FIRST_V: Final = 27
_LARGEST_TEXT: Final = 4 * LARGEST_DOCUMENT


@dataclass(frozen=True, slots=True)
class Checked:
    """A signed request, and whether its signature is of the signer's key; the signer's roles are not looked at."""

    signed: SignedRequest
    by_key: bool


def prepared(
    fund: str, action: Action, reason: str, target: RequestTarget, *, now: Timestamp, valid_for: int, nonce: int
) -> ActionRequest:
    """The request to sign. Raises RequestRefused: `malformed`: the reason cannot be used."""
    return ActionRequest(
        fund=fund,
        action=action,
        slot=now,
        reason=reason.strip(),
        deadline=now + valid_for,
        nonce=nonce,
        chain=target.chain_id,
        contract=target.contract,
    )


def request_file(request: ActionRequest) -> str:
    """What `navoracle emergency --request FILE` reads: the request, its digest, and what a wallet signs."""
    document = {"request": request.fields(), "digest": request.id, "typed_data": request.typed_data()}
    return json.dumps(document, indent=2) + "\n"


def checked(text: str, signer: str, request: ActionRequest | None) -> Checked:
    """Take what was put in: a signature of the prepared request, or a whole signed document.

    Args:
        text: 0x-hex, the canonical document, or what `navoracle emergency --json` prints.
        signer: whose signature it is; needed for a smart account's alone.
        request: what was prepared; None where a document has to say it.

    Raises:
        RequestRefused: `malformed`: it is neither; it has the length of a private key.
    """
    text = text.strip()
    if text.startswith("{"):
        signed = _signed_document(text)
        return Checked(signed, _key_of(signed.request, signed.signature) == signed.signer)
    if request is None:
        raise _malformed("there is no request that this would be the signature of", "Prepare the request first.")
    signature = _signature(text)
    key = _key_of(request, signature)
    if not signer.strip():
        if key is None:
            raise _malformed("the signature fits no key", "Copy it whole; of a smart account say the address too.")
        return Checked(SignedRequest(request, key, signature), by_key=True)
    said = _address(signer.strip())
    return Checked(SignedRequest(request, said, signature), key == said)


def _signed_document(text: str) -> SignedRequest:
    if len(text) > _LARGEST_TEXT:
        raise _malformed("it is too long for a signed request", "Put in what `navoracle emergency` printed.")
    try:
        require_shallow(text.encode(), 12)
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed("it begins like JSON and is none", "Copy the document whole.") from None
    if isinstance(found, dict) and isinstance(found.get("document"), str):
        return parse_signed_request(found["document"].encode())
    return parse_signed_request(canonical_json(found))


def _signature(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise _malformed("the signature is not hexadecimal", "Copy it as the wallet or the command shows it.") from None
    if len(found) == _KEY_BYTES:
        raise _malformed(
            "it has the length of a private key, and is not kept",
            "If it was one, it is no secret any more: replace the key. A signature has 65 bytes.",
        )
    if len(found) == _SIGNATURE_BYTES and found[-1] in (0, 1):
        return found[:-1] + bytes([found[-1] + _FIRST_V])  # how some wallets count the last byte
    return found


def _key_of(request: ActionRequest, signature: bytes) -> Address | None:
    """The address of the key that made a signature; None where it is of no key."""
    try:
        return recover_address(request.digest, decode_signature(signature))
    except BadSignature:
        return None


def _address(text: str) -> Address:
    """An address; one without upper-case letters gets its checksum."""
    return Address(to_checksum_address(text) if is_hex_address(text) and text == text.lower() else text)


def _malformed(what: str, advice: str) -> RequestRefused:
    return RequestRefused("malformed", what, advice=advice)
