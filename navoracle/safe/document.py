"""A proposal as a signed file: one form in JSON with all that a signer needs to check it, read strictly.

Everything that follows from something else (hashes, decoded calls) is written down for the reader and made anew when
the file is read: a file whose parts do not fit together is none. The proposer signs twice: the Safe's transaction, and
the whole document, so that its sentences and its expiry are the proposer's too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from navoracle.domain.errors import BadSignature, DomainError, MalformedResult, NavoracleError, VerificationFailed
from navoracle.json_depth import require_shallow
from navoracle.ports import Address
from navoracle.readers import check_address
from navoracle.safe.calls import SafeCall, unpack_calls
from navoracle.safe.purpose import Purpose
from navoracle.safe.transaction import CALL, DOMAIN_FIELDS, SafeTransaction, payload_of, typed
from navoracle.signatures import Signature, decode_signature, recover_address

FORMAT: Final = "navoracle safe proposal 1"
LARGEST_DOCUMENT: Final = 1 << 20
_DEEPEST: Final = 32

_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,77}")
_MESSAGE: Final = (("safeTxHash", "bytes32"), ("document", "bytes32"))
_DOMAIN: Final = (("name", "string"), ("version", "string"), *DOMAIN_FIELDS)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed, to a Safe of that version (its own word), and by whom.

    Raises:
        DomainError: the transaction does not make exactly these calls.
    """

    transaction: SafeTransaction
    calls: tuple[SafeCall, ...]
    purpose: Purpose
    version: str
    proposer: Address

    def __post_init__(self) -> None:
        made = tuple((call.to, 0, call.data) for call in self.calls)
        said = self.transaction
        try:
            found = ((said.to, said.value, said.data),) if said.operation == CALL else unpack_calls(said.data)
        except MalformedResult as error:
            raise DomainError(f"the transaction of a proposal: {error.message}", advice=error.advice) from error
        if found != made:
            raise DomainError("the transaction makes other calls than it says", advice="Do not sign it.")

    @property
    def payload(self) -> bytes:
        """What the proposer signs for the document: the Safe's hash, and that of all that the document says."""
        text = json.dumps(self.fields(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        chain_and_safe = {"chainId": self.transaction.chain_id, "verifyingContract": self.transaction.safe}
        message = {
            "types": {"EIP712Domain": typed(_DOMAIN), "Proposal": typed(_MESSAGE)},
            "primaryType": "Proposal",
            "domain": {"name": "navoracle", "version": "1", **chain_and_safe},
            "message": {"safeTxHash": self.transaction.digest, "document": keccak(text=text)},
        }
        return payload_of(encode_typed_data(full_message=message))

    def fields(self) -> dict[str, Any]:
        """Everything but the signatures, as plain JSON."""
        said = self.transaction
        fields = {**said.fields(), "data": _hex(said.data)}
        numbers = ("value", "safeTxGas", "baseGas", "gasPrice")
        return {
            "format": FORMAT,
            "safe": {"address": said.safe, "chain_id": said.chain_id, "version": self.version},
            "hashes": {
                "safe_tx_hash": said.id,
                "domain_hash": _hex(said.domain_hash),
                "message_hash": _hex(said.message_hash),
            },
            "transaction": {name: str(value) if name in numbers else value for name, value in fields.items()},
            "calls": [_call_fields(call) for call in self.calls],
            "purpose": self.purpose.fields(),
            "proposer": self.proposer,
        }


@dataclass(frozen=True, slots=True)
class SignedProposal:
    """A proposal with the proposer's signatures of the transaction and of the document; see `check_signatures`."""

    proposal: Proposal
    signature: Signature
    document_signature: Signature

    @property
    def transaction(self) -> SafeTransaction:
        """What the Safe is asked to do."""
        return self.proposal.transaction

    def document(self) -> bytes:
        """The one form in which it is read."""
        signatures = {
            "signature": _hex(self.signature.to_bytes()),
            "document_signature": _hex(self.document_signature.to_bytes()),
        }
        return json.dumps({**self.proposal.fields(), **signatures}, indent=2, ensure_ascii=True).encode() + b"\n"


def parse_proposal(document: bytes, name: str) -> SignedProposal:
    """A proposal out of its file, whose `name` errors give. The signatures are not looked at: see `check_signatures`.

    Raises:
        VerificationFailed: it is none, or its parts do not fit together.
    """
    try:
        if len(document) > LARGEST_DOCUMENT:
            raise ValueError(f"more than {LARGEST_DOCUMENT} bytes")
        require_shallow(document, _DEEPEST)
        signed = _signed(json.loads(document))
        if signed.document() != document:
            raise ValueError("it says something else than follows from its calls, or in another form")
    except KeyError as error:
        raise _not_good(name, f"{error.args[0]!r} is missing") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _not_good(name, str(error)) from error
    except NavoracleError as error:
        raise _not_good(name, error.message) from error
    return signed


def check_signatures(signed: SignedProposal, name: str) -> None:
    """Hold both signatures against the proposer. Raises VerificationFailed: one is not the proposer's."""
    proposer = signed.proposal.proposer
    for what, payload, signature in (
        ("transaction", signed.transaction.payload, signed.signature),
        ("document", signed.proposal.payload, signed.document_signature),
    ):
        try:
            found = recover_address(keccak(payload), signature)
        except BadSignature as error:
            raise _not_good(name, f"the signature of its {what}: {error.message}") from error
        if found != proposer:
            raise _not_good(name, f"its {what} is not signed by {proposer}, whom it names as its proposer")


def _signed(found: Mapping[str, Any]) -> SignedProposal:
    safe, said, purpose = found["safe"], found["transaction"], found["purpose"]
    for address in (safe["address"], said["to"], found["proposer"]):
        check_address(address)
    transaction = SafeTransaction(
        chain_id=_int(safe["chain_id"]),
        safe=Address(safe["address"]),
        nonce=_int(said["nonce"]),
        to=Address(said["to"]),
        value=_number(said["value"]),
        data=_bytes(said["data"]),
        operation=_int(said["operation"]),
    )
    calls = tuple(SafeCall(Address(call["to"]), _bytes(call["data"]), call["signature"]) for call in found["calls"])
    meant = Purpose(**{**purpose, "funds": tuple(purpose["funds"]), "sentences": tuple(purpose["sentences"])})
    proposal = Proposal(transaction, calls, meant, str(safe["version"]), Address(found["proposer"]))
    signatures = (decode_signature(_bytes(found[name])) for name in ("signature", "document_signature"))
    return SignedProposal(proposal, *signatures)


def _call_fields(call: SafeCall) -> dict[str, Any]:
    decoded = call.decoded()
    return {
        "to": call.to,
        "signature": decoded.signature,
        "arguments": list(decoded.arguments),
        "data": _hex(call.data),
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(text: str) -> bytes:
    if _HEX.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is not 0x and lower-case hexadecimal digits")
    return bytes.fromhex(text[2:])


def _number(text: str) -> int:
    if _DIGITS.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is no whole number")
    return int(text)


def _int(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{str(value)[:20]!r} is no whole number")
    return value


def _not_good(name: str, why: str) -> VerificationFailed:
    return VerificationFailed(
        f"{name} is no proposal that can be trusted: {why}",
        advice="Sign nothing that it says. Get the file from the keeper's own folder, and find out who changed it.",
    )
