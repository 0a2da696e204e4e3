"""Signed requests as documents: one canonical JSON form, read strictly, signed as EIP-712 typed data.

    {"request":{"action":...,"chain":...,"contract":...,"deadline":...,"fund":...,"nonce":...,"reason":...,"slot":...},
     "signature":"0x...","signer":"0x..."}

Chain and contract are the domain of the signature (name "navoracle", version "1"), the other fields its message. A byte
that is changed anywhere either breaks the form or the signature.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.domain.errors import RequestRefused
from navoracle.json_depth import require_shallow
from navoracle.ports import Address
from navoracle.readers import check_address
from navoracle.requests.actions import Action

LARGEST_DOCUMENT: Final = 16_384
LONGEST_REASON: Final = 500
LONGEST_SIGNATURE: Final = 4_096
"""Bytes; a key's signature has 65, a smart account's may have more."""

_FUND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SIGNATURE: Final = re.compile(r"0x(?:[0-9a-f]{2}){1,4096}")
_LARGEST_TIME: Final = 2**32 - 1
_LARGEST_NUMBER: Final = 2**53 - 1
"""What every JSON reader holds exactly."""

_FIELDS: Final = (
    ("fund", "string"),
    ("action", "string"),
    ("slot", "uint64"),
    ("reason", "string"),
    ("deadline", "uint64"),
    ("nonce", "uint64"),
)
_DOMAIN_FIELDS: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_NAME: Final = "navoracle"
_VERSION: Final = "1"
_KEYS: Final = frozenset({"request", "signature", "signer"})
_REQUEST_KEYS: Final = frozenset({"chain", "contract", *(name for name, _ in _FIELDS)})


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What is asked for.

    Attributes:
        fund: the fund's name in the configuration.
        slot: the time (Unix seconds) that it speaks of: not before, for a held record its valuation time.
        reason: why, for those who read the log.
        deadline: until when it may be taken (Unix seconds).
        nonce: a number that the signer uses once on this registry.
        chain, contract: the chain id and the address of the registry that the fund is posted to.

    Raises:
        RequestRefused: `malformed`: a field is out of its range.
    """

    fund: str
    action: Action
    slot: int
    reason: str
    deadline: int
    nonce: int
    chain: int
    contract: Address

    def __post_init__(self) -> None:
        if _FUND.fullmatch(self.fund) is None:
            raise malformed("fund is no name of a fund")
        if not 1 <= len(self.reason) <= LONGEST_REASON or self.reason != self.reason.strip():
            raise malformed(f"reason has not 1 to {LONGEST_REASON} characters, or blanks at an end")
        if not self.reason.isprintable():
            raise malformed("reason holds line breaks or what cannot be printed")
        for name, value, largest in (
            ("slot", self.slot, _LARGEST_TIME),
            ("deadline", self.deadline, _LARGEST_TIME),
            ("nonce", self.nonce, _LARGEST_NUMBER),
            ("chain", self.chain, _LARGEST_NUMBER),
        ):
            if type(value) is not int or not 0 <= value <= largest:
                raise malformed(f"{name} is no whole number from 0 to {largest}")
        try:
            check_address(self.contract)
        except ValueError as error:
            raise malformed(f"contract: {error}") from error

    @property
    def payload(self) -> bytes:
        """What is hashed and signed: 0x1901, the domain's separator, the message's hash (EIP-712)."""
        message = _hash_of("Request", _FIELDS, self._message())
        return b"\x19\x01" + _hash_of("EIP712Domain", _DOMAIN_FIELDS, self._domain()) + message

    @property
    def digest(self) -> bytes:
        """The keccak-256 of the payload."""
        return keccak(self.payload)

    @property
    def id(self) -> str:
        """The digest in hex: the request's name."""
        return "0x" + self.digest.hex()

    def typed_data(self) -> dict[str, Any]:
        """What a wallet signs with `eth_signTypedData_v4`."""
        return {
            "types": {
                "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS],
                "Request": [{"name": name, "type": kind} for name, kind in _FIELDS],
            },
            "primaryType": "Request",
            "domain": self._domain(),
            "message": self._message(),
        }

    def fields(self) -> dict[str, Any]:
        """The fields as plain JSON."""
        return {**self._message(), "chain": self.chain, "contract": str(self.contract)}

    def _message(self) -> dict[str, Any]:
        return {name: self.action.value if name == "action" else getattr(self, name) for name, _ in _FIELDS}

    def _domain(self) -> dict[str, Any]:
        return {"name": _NAME, "version": _VERSION, "chainId": self.chain, "verifyingContract": str(self.contract)}


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request, who says to have signed it, and the signature; whether it is one is not looked at here.

    Raises:
        RequestRefused: `malformed`.
    """

    request: ActionRequest
    signer: Address
    signature: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.signature) <= LONGEST_SIGNATURE:
            raise malformed(f"the signature has not 1 to {LONGEST_SIGNATURE} bytes")
        try:
            check_address(self.signer)
        except ValueError as error:
            raise malformed(f"signer: {error}") from error

    def document(self) -> bytes:
        """The one form in which it is accepted."""
        return canonical_json(
            {"request": self.request.fields(), "signature": "0x" + self.signature.hex(), "signer": str(self.signer)}
        )


def parse_request(fields: object) -> ActionRequest:
    """An unsigned request out of plain JSON. Raises RequestRefused: `malformed`."""
    if not isinstance(fields, dict) or set(fields) != _REQUEST_KEYS:
        raise malformed(f"a request has the fields {', '.join(sorted(_REQUEST_KEYS))}, and no others")
    for name in ("fund", "action", "reason", "contract"):
        if not isinstance(fields[name], str):
            raise malformed(f"{name} is no text")
    try:
        action = Action(fields["action"])
    except ValueError:
        raise malformed(f"action is none of {', '.join(known.value for known in Action)}") from None
    return ActionRequest(**{**fields, "action": action, "contract": Address(fields["contract"])})


def parse_signed_request(document: bytes) -> SignedRequest:
    """A signed request out of its canonical document; one line break at the end is no part of it.

    Raises:
        RequestRefused: `malformed`: too large, not JSON, another form, unknown fields, or a value out of its range.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise malformed(f"the document has more than {LARGEST_DOCUMENT} bytes")
    document = document.removesuffix(b"\n")
    try:
        require_shallow(document, 8)
        found: object = json.loads(document)
    except (ValueError, RecursionError):
        raise malformed("the document is not JSON") from None
    if not isinstance(found, dict) or set(found) != _KEYS:
        raise malformed(f"a document has the fields {', '.join(sorted(_KEYS))}, and no others")
    signature, signer = found["signature"], found["signer"]
    if not isinstance(signature, str) or _SIGNATURE.fullmatch(signature) is None:
        raise malformed("signature is not 0x and lower-case hexadecimal digits")
    if not isinstance(signer, str):
        raise malformed("signer is no text")
    signed = SignedRequest(parse_request(found["request"]), Address(signer), bytes.fromhex(signature[2:]))
    if signed.document() != document:
        raise malformed("the JSON is not in canonical form: sorted keys, no blanks, ASCII")
    return signed


def canonical_json(value: object) -> bytes:
    """Sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def malformed(what: str) -> RequestRefused:
    """The refusal of a document that cannot be read."""
    return RequestRefused(
        "malformed", f"the request is malformed: {what}", advice="Make it with `navoracle emergency`."
    )


def _hash_of(name: str, fields: tuple[tuple[str, str], ...], values: dict[str, Any]) -> bytes:
    """hashStruct of EIP-712 for a type of flat fields."""
    declared = f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})"
    return keccak(keccak(text=declared) + b"".join(_word(kind, values[field]) for field, kind in fields))


def _word(kind: str, value: Any) -> bytes:
    if kind == "string":
        return keccak(text=value)
    if kind == "address":
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    return int(value).to_bytes(32, "big")
