"""A position that somebody vouches for: a signed, expiring document, for what no contract can be asked.

The document is canonical JSON, `{"attestation": {...}, "signature": "0x..."}`: keys sorted, no white space. The
signature is EIP-712 over the attestation, so that a wallet shows its signer what is signed. The raw bytes are evidence;
any byte changed is refused, because the document must be the canonical form of what was signed.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar, Final, Literal

from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError as KeyValidationError
from pydantic import BaseModel, Field, StrictInt, StrictStr, ValidationError

from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.positions import Position
from navoracle.domain.units import Bps, RawAmount
from navoracle.ports import Document, Read, ReadPoint
from navoracle.positions.base import ComponentPosition
from navoracle.readers import BasisPoints, ChecksumAddress, Decimals, Name, Seconds, raw_amount

DOMAIN_NAME: Final = "navoracle position attestation"
DOMAIN_VERSION: Final = "1"
MAX_BYTES: Final = 4_096
"""A longer document is refused unread: deeply nested JSON can bring the interpreter down."""
TYPES: Final = {
    "Attestation": [
        {"name": "fund", "type": "string"},
        {"name": "position", "type": "string"},
        {"name": "asset", "type": "string"},
        {"name": "amount", "type": "string"},
        {"name": "decimals", "type": "uint8"},
        {"name": "as_of", "type": "uint64"},
        {"name": "expires", "type": "uint64"},
    ]
}

_SIGNATURE = re.compile(r"0x[0-9a-f]{130}")
_V = (27, 28)
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Attestation(BaseModel, frozen=True, extra="forbid"):
    """What is vouched for: that the fund's position held `amount` (whole tokens, of `decimals` places) at `as_of`.

    `position` is the reader's id as frames show it ("alpha.custody" for the position custody of the fund alpha).

    `as_of` and `expires` are Unix seconds; `chain_id` binds the document to one deployment.
    """

    fund: StrictStr
    position: StrictStr
    asset: StrictStr
    amount: StrictStr
    decimals: StrictInt = Field(ge=0, le=36)
    as_of: StrictInt = Field(ge=0, lt=2**64)
    expires: StrictInt = Field(ge=0, lt=2**64)
    chain_id: StrictInt = Field(ge=1, lt=2**64)

    def raw(self) -> RawAmount:
        """The amount in the token's own units. Raises ValueError when it is no amount of this scale."""
        return raw_amount(self.amount, self.decimals)


class AttestedPosition(ComponentPosition, frozen=True):
    """A position read from a signed document.

    Attributes:
        fund: the fund that the document must name.
        document: its name, as the reader of documents knows it.
        signer: whose signature counts.
        chain_id: the deployment that the document must name.
        max_age: seconds after `as_of` at which it is refused, whatever expiry its signer chose.
        confidence: of the stated amount.
        decimals: places to which the document states the amount.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"fund"})

    kind: Literal["attested"]
    fund: Name
    document: Name
    signer: ChecksumAddress
    chain_id: int = Field(ge=1, lt=2**64)
    decimals: Decimals
    max_age: Seconds = 86_400
    confidence: BasisPoints = Bps(9_000)

    @property
    def chain(self) -> None:
        """Documents are read off chain."""
        return

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the document, check its signature, then what it says.

        Raises:
            MalformedResult: not a canonical, signed document.
            SourceRefused: another signer, fund, position, asset, scale or chain; expired, too old or of the future.
        """
        (data,) = yield (Document(self.document),)
        attestation, signature = decode_document(data)
        signer = recover_signer(attestation, signature)
        if signer != self.signer:
            raise SourceRefused(
                f"{self.id}: {self.document} is signed by {signer}, not by {self.signer}",
                advice="Have the configured signer sign it, or correct `signer`; a changed document looks the same.",
            )
        self._check_subject(attestation)
        self._check_time(attestation, at.now)
        try:
            amount = attestation.raw()
        except ValueError as error:
            raise MalformedResult(
                f"{self.id}: {self.document}: {error}", advice="Have it signed again with a plain decimal amount."
            ) from error
        return self.holding(amount, self.confidence)

    def _check_subject(self, attestation: Attestation) -> None:
        expected = {
            "fund": self.fund,
            "position": self.id,
            "asset": self.asset,
            "decimals": self.decimals,
            "chain_id": self.chain_id,
        }
        for name, value in expected.items():
            stated = getattr(attestation, name)
            if stated != value:
                raise SourceRefused(
                    f"{self.id}: {self.document} is for {name} {stated!r}, not {value!r}",
                    advice="Supply the document that was signed for this position.",
                )

    def _check_time(self, attestation: Attestation, now: int) -> None:
        if attestation.as_of > now:
            raise SourceRefused(
                f"{self.id}: {self.document} speaks of {attestation.as_of}, later than now ({now})",
                advice="Check the signer's clock.",
            )
        end = min(attestation.expires, attestation.as_of + self.max_age)
        if now >= end:
            raise SourceRefused(
                f"{self.id}: {self.document} expired at {end}",
                advice="Have the position attested again; an expired statement is not used.",
            )


def sign_attestation(attestation: Attestation, private_key: bytes) -> bytes:
    """Sign an attestation and return its document.

    Raises:
        DomainError: the amount is no amount of this scale, it expires before it begins, or it is too long.
    """
    from eth_account import Account

    try:
        attestation.raw()
    except ValueError as error:
        raise DomainError(f"the attestation's amount: {error}", advice="State whole tokens: 1000000.5.") from error
    if attestation.expires <= attestation.as_of:
        raise DomainError(
            f"the attestation expires at {attestation.expires}, not after {attestation.as_of}",
            advice="Choose an expiry later than the time it speaks of.",
        )
    signed = Account.sign_message(_signable(attestation), private_key)
    document = canonical_document(attestation, "0x" + bytes(signed.signature).hex())
    if len(document) > MAX_BYTES:
        raise DomainError(
            f"the attestation is {len(document)} bytes, more than {MAX_BYTES}", advice="Shorten the names in it."
        )
    return document


def canonical_document(attestation: Attestation, signature: str) -> bytes:
    """The one form in which an attestation and its signature (0x and 130 lower-case digits) are accepted."""
    body = {"attestation": attestation.model_dump(), "signature": signature}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def decode_document(data: bytes) -> tuple[Attestation, str]:
    """Decode a document; the signature is not yet checked.

    Raises:
        EmptyResult: no document.
        MalformedResult: not the canonical form of an attestation and a signature.
    """
    if not data:
        raise EmptyResult("the attestation is empty", advice="Put the signed document where the configuration says.")
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes, more than {MAX_BYTES}")
        body: Any = json.loads(data)
        if not isinstance(body, dict) or set(body) != {"attestation", "signature"}:
            raise ValueError("expected the keys attestation and signature")
        attestation, signature = Attestation.model_validate(body["attestation"]), body["signature"]
        if not isinstance(signature, str) or _SIGNATURE.fullmatch(signature) is None:
            raise ValueError("the signature is not 0x and 130 lower-case hexadecimal digits")
        if canonical_document(attestation, signature) != data:
            raise ValueError("the JSON is not in canonical form")
    except (ValueError, RecursionError) as error:
        reason = f"{error.error_count()} fields are wrong" if isinstance(error, ValidationError) else str(error)
        raise MalformedResult(
            f"the attestation is malformed: {reason}", advice="Supply the document exactly as it was signed."
        ) from error
    return attestation, signature


def recover_signer(attestation: Attestation, signature: str) -> str:
    """The checksummed address that signed; of the two forms of a signature only the canonical (low s) one counts.

    Raises:
        MalformedResult: not a signature at all, or not the canonical one.
    """
    from eth_account import Account

    raw = bytes.fromhex(signature.removeprefix("0x"))
    if raw[64] not in _V or int.from_bytes(raw[32:64], "big") > _SECP256K1_ORDER // 2:
        raise MalformedResult(
            "the attestation's signature is not in canonical form", advice="Sign with v of 27 or 28 and low s."
        )
    try:
        return str(Account.recover_message(_signable(attestation), signature=raw))
    except (BadSignature, KeyValidationError) as error:
        raise MalformedResult(
            "the attestation's signature fits no key", advice="Supply the document exactly as it was signed."
        ) from error


def _signable(attestation: Attestation) -> Any:
    # Slow to import, and every configuration knows this position: only one that is read needs it.
    from eth_account.messages import encode_typed_data

    message = attestation.model_dump()
    domain = {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": message.pop("chain_id")}
    return encode_typed_data(domain, TYPES, message)
