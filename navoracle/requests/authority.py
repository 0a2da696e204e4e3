"""Who may ask: the roles that an address holds on chain, and the signatures of keys and of smart accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import BadSignature, ChainError, ReadError, RequestRefused
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer, Call, ChainReader
from navoracle.requests.actions import ROLE_BITS, ROLES, Role
from navoracle.requests.document import SignedRequest
from navoracle.signatures import decode_signature, recover_address

_VALID: Final = bytes.fromhex("1626ba7e").ljust(32, b"\0")
"""What a smart account answers to a signature that is its own (EIP-1271)."""


@dataclass(frozen=True, slots=True)
class RoleCheck:
    """Where a fund's manager is known instead of on the registry.

    Attributes:
        contract: with `role`, a contract that answers `hasRole(bytes32,address)`; without, one that answers `owner()`.
        role: the role's 32 bytes.
    """

    contract: Address
    role: bytes | None = None

    def call(self, account: Address) -> Call:
        """The question about an account."""
        if self.role is None:
            return Call(self.contract, encode_call("owner()"))
        return Call(self.contract, encode_call("hasRole(bytes32,address)", self.role, account))

    def holds(self, account: Address, answer: Answer) -> bool:
        """Whether the answer says that the account holds it. Raises ChainError: it is no answer to that question."""
        if self.role is None:
            (owner,) = _decode(("address",), answer, self.contract, "an owner")
            return bool(owner == account.lower())
        (held,) = _decode(("bool",), answer, self.contract, "roles")
        return bool(held)


@dataclass(frozen=True, slots=True)
class Authority:
    """The roles on one registry, read at its chain's final block.

    Attributes:
        manager: where the fund's manager is known; by the registry's own bit when None.
    """

    reader: ChainReader
    registry: Address
    manager: RoleCheck | None = None

    async def authorize(self, signed: SignedRequest) -> tuple[Role, BlockStamp]:
        """The role in which the request was signed, and the block at which the signer held it.

        Raises:
            RequestRefused: `bad_signature` or `wrong_role`.
            ChainError: the chain cannot be read, or a contract does not answer as it should.
        """
        by_key = _signed_by_key(signed)
        at = await self.reader.stamp()
        role = await self._role(signed, at)
        if role is None:
            wanted = " or ".join(role.value.upper() for role in ROLES[signed.request.action])
            raise RequestRefused(
                "wrong_role",
                f"{signed.signer} holds no role for {signed.request.action.value} at block {at.number}",
                advice=f"It takes {wanted}; whoever holds ADMIN on the registry can grant it.",
            )
        # Only an account that holds the role is asked, so that nobody else's contract is ever called.
        if not by_key and not await self._signed_by_account(signed, at):
            raise RequestRefused(
                "bad_signature",
                f"the signature is not {signed.signer}'s",
                advice="Sign the request as it is; a request that was changed has to be signed anew.",
            )
        return role, at

    async def _role(self, signed: SignedRequest, at: BlockStamp) -> Role | None:
        wanted = ROLES[signed.request.action]
        calls = [Call(self.registry, encode_call("grantedRoles(address)", signed.signer))]
        check = self.manager if Role.MANAGER in wanted else None
        if check is not None:
            calls.append(check.call(signed.signer))
        answers = await self.reader.read(calls, at)
        (bits,) = _decode(("uint256",), answers[0], self.registry, "roles")
        for role in wanted:
            if role is Role.MANAGER and check is not None:
                if check.holds(signed.signer, answers[1]):
                    return role
            elif bits & ROLE_BITS[role]:
                return role
        return None

    async def _signed_by_account(self, signed: SignedRequest, at: BlockStamp) -> bool:
        data = encode_call("isValidSignature(bytes32,bytes)", signed.request.digest, signed.signature)
        (answer,) = await self.reader.read([Call(signed.signer, data, direct=True)], at)
        return answer.failure is None and answer.data == _VALID


def _signed_by_key(signed: SignedRequest) -> bool:
    try:
        return recover_address(signed.request.digest, decode_signature(signed.signature)) == signed.signer
    except BadSignature:
        return False


def _decode(types: Sequence[str], answer: Answer, contract: Address, what: str) -> tuple[Any, ...]:
    problem = answer.failure
    if problem is None:
        try:
            return decode_result(tuple(types), answer.data)
        except ReadError as error:
            problem = error.message
    raise ChainError(
        f"{contract} does not answer with {what}: {problem}",
        advice="Check that the address is the contract that the configuration says it is.",
    )
