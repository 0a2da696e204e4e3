"""A Safe as it is at a block, and what it says of a transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError, EmptyResult, VerificationFailed
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer, Call, ChainReader
from navoracle.safe.calls import MULTISEND_CODE
from navoracle.safe.transaction import DELEGATE_CALL, SafeTransaction

OLDEST: Final = (1, 3, 0)
"""The first version whose hashes name the chain: signatures for an older one are good on every chain."""

_VERSION: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\+[A-Za-z0-9.]{1,16})?")
_HASH_OF: Final = "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"
_SIMULATE: Final = "simulateAndRevert(address,bytes)"
_SIMULATED_HEAD: Final = 64

ExplainRevert = Callable[[bytes], str]
"""Says in words what revert data means."""


class SafeChain(ChainReader, Protocol):
    """A chain whose code can be read too."""

    async def code_at(self, address: Address, at: BlockStamp) -> bytes:
        """The run-time code at an address at that block, empty where there is no contract. Raises ChainError."""


@dataclass(frozen=True, slots=True)
class SafeState:
    """A Safe at a block. `nonce` is the number of the next transaction that it takes."""

    safe: Address
    chain_id: int
    version: str
    nonce: int
    threshold: int
    owners: tuple[Address, ...]
    block: BlockStamp


async def read_safe(chain: ChainReader, safe: Address, at: BlockStamp) -> SafeState:
    """Read a Safe at a block.

    Raises:
        ConfigurationError: there is no Safe at the address, it is older than 1.3.0, or it hashes in another domain.
        ChainError: the chain could not be read.
    """
    questions = ("VERSION()", "nonce()", "getThreshold()", "getOwners()", "domainSeparator()")
    answers = await chain.read([Call(safe, encode_call(question)) for question in questions], at)
    version, nonce, threshold, owners, separator = (
        _decoded(safe, question, types, answer)
        for question, types, answer in zip(
            questions, ("string", "uint256", "uint256", "address[]", "bytes32"), answers, strict=True
        )
    )
    _check_version(safe, version)
    if separator != SafeTransaction(at.chain_id, safe, 0, safe, 0, b"").domain_hash:
        raise ConfigurationError(
            f"the contract at {safe} signs in another domain than a Safe of chain {at.chain_id}",
            advice="Check the address: it is no Safe of the official releases.",
        )
    names = tuple(Address(to_checksum_address(owner)) for owner in owners)
    return SafeState(safe, at.chain_id, version, nonce, threshold, names, at)


async def check_hash(chain: ChainReader, transaction: SafeTransaction, at: BlockStamp) -> None:
    """Hold our hash against the Safe's own.

    Raises:
        VerificationFailed: they differ. ChainError: the Safe could not be asked.
    """
    data = encode_call(_HASH_OF, *transaction.fields().values())
    (answer,) = await chain.read([Call(transaction.safe, data)], at)
    if answer.failure is not None:
        raise ChainError(
            f"Safe {transaction.safe} does not say the hash of a transaction: {answer.failure}",
            advice="Check the address and the chain's endpoints; nothing was signed.",
        )
    found = decode_uint256(answer.data).to_bytes(32, "big")
    if found != transaction.digest:
        raise VerificationFailed(
            f"Safe {transaction.safe} hashes its transaction to 0x{found.hex()}, not to {transaction.id}",
            advice="Sign nothing for this Safe: its code is not that of an official release.",
        )


async def check_code(chain: SafeChain, transaction: SafeTransaction, at: BlockStamp) -> None:
    """Refuse a call of nothing, and a delegate call of anything but MultiSendCallOnly.

    Raises:
        ConfigurationError: the code at the target is another one, or there is none. ChainError: it cannot be read.
    """
    code = await chain.code_at(transaction.to, at)
    if not code:
        raise ConfigurationError(
            f"there is no contract at {transaction.to} on {at.chain}", advice="Check the address and the chain."
        )
    if transaction.operation == DELEGATE_CALL and "0x" + keccak(code).hex() not in MULTISEND_CODE:
        raise ConfigurationError(
            f"the contract at {transaction.to} is no MultiSendCallOnly of {', '.join(MULTISEND_CODE.values())}",
            advice="Whatever a Safe calls by delegate call owns it: use the official MultiSendCallOnly, and no other.",
        )


async def why_it_fails(
    chain: ChainReader, transaction: SafeTransaction, at: BlockStamp, explain: ExplainRevert
) -> str | None:
    """Why the Safe's transaction would fail at that block; None where it would not.

    A call is asked for with the Safe as its sender, a delegate call through the Safe's own `simulateAndRevert`.

    Raises:
        ChainError: the chain could not be asked.
    """
    if transaction.operation != DELEGATE_CALL:
        direct = Call(transaction.to, transaction.data, direct=True, sender=transaction.safe)
        (answer,) = await chain.read([direct], at)
        # A setter that returns nothing has answered.
        if answer.failure is None or answer.failure == EmptyResult.code:
            return None
        return explain(answer.data) if answer.failure.startswith(CallReverted.code) else _unasked(answer.failure)
    data = encode_call(_SIMULATE, transaction.to, transaction.data)
    (answer,) = await chain.read([Call(transaction.safe, data, direct=True)], at)
    if answer.failure is None or not answer.failure.startswith(CallReverted.code):
        _unasked(answer.failure or "it did not answer as a Safe does")
    if len(answer.data) < _SIMULATED_HEAD:
        return explain(answer.data)
    succeeded = decode_uint256(answer.data) == 1
    return None if succeeded else explain(answer.data[_SIMULATED_HEAD:])


def _unasked(failure: str) -> str:
    raise ChainError(
        f"what the Safe would do could not be simulated: {failure}", advice="Check the chain's endpoints and repeat it."
    )


def _decoded(safe: Address, question: str, kind: str, answer: Answer) -> Any:
    if answer.failure is not None and answer.failure.partition(":")[0] not in (EmptyResult.code, CallReverted.code):
        raise ChainError(
            f"Safe {safe} could not be read ({question}): {answer.failure}", advice="Check the chain's endpoints."
        )
    if answer.failure is not None or not answer.data:
        raise ConfigurationError(
            f"the contract at {safe} does not answer {question}: it is no Safe",
            advice="Correct `safe.address`; check that the Safe is deployed on this chain.",
        )
    (value,) = decode_result((kind,), answer.data)
    return value


def _check_version(safe: Address, version: str) -> None:
    found = _VERSION.fullmatch(version)
    parts: Sequence[int] = () if found is None else tuple(int(part) for part in found.groups())
    if tuple(parts) < OLDEST:
        raise ConfigurationError(
            f"Safe {safe} is of version {version[:32]!r}, and proposals need 1.3.0 or later",
            advice="Let its owners move it to a newer release (changeMasterCopy), or use a newer Safe.",
        )
