"""Rewards of Merkl: earned off chain, proven by a Merkle root on chain, paid by its Distributor.

The service lists cumulative amounts with their proofs, and is not believed: an amount counts only when its proof leads
to the root that the Distributor would accept at the block, less what was claimed already. During a dispute window, and
while a dispute is open, that is the root before the newest one. Source: Merkl's Distributor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from eth_utils.crypto import keccak
from pydantic import BeforeValidator, WithJsonSchema

from navoracle.abi import decode_result, decode_uint256, encode_arguments, encode_call
from navoracle.domain.errors import MalformedResult
from navoracle.domain.positions import Position
from navoracle.ports import Address, Call, HttpGet, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.rewards import NOT_COVERED, RewardsPosition
from navoracle.readers import ChecksumAddress, Name, block_of
from navoracle.services import check_service_url, decode_json

MERKLE_ROOT: Final = encode_call("getMerkleRoot()")
CLAIMED_TYPES: Final = ("uint208", "uint48", "bytes32")
MAX_PROOF: Final = 64
"""A tree of more levels has more leaves than there are accounts."""
NOT_PROVEN: Final = "not of the active root"
"""The service's amount has no proof under the root that counts now: it is of a newer tree, or false."""

ServiceUrl = Annotated[
    str,
    BeforeValidator(check_service_url),
    WithJsonSchema({"type": "string", "pattern": "^https?://", "description": "https, or http to this machine."}),
]
"""The address of the service, without a slash at its end."""

_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_DIGITS = re.compile(r"[0-9]{1,78}")


class MerklRewards(RewardsPosition, frozen=True):
    """The holder's claimable Merkl rewards in the configured tokens: proven amount less `claimed`.

    Only what the Distributor holds enough of counts; what the service calls pending never does, nor does a token that
    is not configured (points and the like). The answer's age does not matter: its proof is held against the root of
    the block.

    Attributes:
        distributor: Merkl's Distributor on the chain.
        base_url: the service's address.
        credential: the name of the service's key, where it wants one.
    """

    asks_off_chain: ClassVar[bool] = True

    kind: Literal["merkl"]
    distributor: ChecksumAddress
    base_url: ServiceUrl = "https://api.merkl.xyz"
    credential: Name | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's rewards in each token."""
        return tuple(
            Claim(self.chain, self.distributor, self.holder, f"rewards in {reward.token.lower()}")
            for reward in self.rewards
        )

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the service and the Distributor in one round.

        Raises:
            MalformedResult: the service's answer is not of its documented shape.
            SourceDown, Unauthorized: the service does not answer; what it would have said is not zero.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the reader is not resolved, or reads no chain.
        """
        chain_id = block_of(self, at).chain_id
        decimals = self._require_decimals()
        count = len(self.rewards)
        url = f"{self.base_url}/v4/users/{self.holder.lower()}/rewards?chainId={chain_id}"
        body, root, *answers = yield (
            HttpGet(url, self.credential),
            Call(self.distributor, MERKLE_ROOT),
            *self._scale_calls(),
            *(
                Call(self.distributor, encode_call("claimed(address,address)", self.holder, reward.token))
                for reward in self.rewards
            ),
            *(Call(reward.token, encode_call(BALANCE_OF, self.distributor)) for reward in self.rewards),
        )
        self._check_scales(tuple(answers[:count]), decimals)
        (active,) = decode_result(("bytes32",), root)
        earned = self._earned(body, chain_id)
        positions: list[Position] = []
        for index, (reward, scale) in enumerate(zip(self.rewards, decimals, strict=True)):
            (taken, _, _) = decode_result(CLAIMED_TYPES, answers[count + index])
            balance = decode_uint256(answers[2 * count + index])
            listed = earned.get(reward.token.lower(), [])
            proven = [
                amount for amount, proof in listed if proof_holds(self.holder, reward.token, amount, proof, active)
            ]
            # Amounts are cumulative, so the largest proven one has the others in it.
            amount = max(0, max(proven, default=0) - taken)
            obstacle = NOT_PROVEN if listed and not proven else NOT_COVERED if amount > balance else None
            positions += self._holdings(reward, amount, scale, obstacle)
        return tuple(positions)

    def _earned(self, body: bytes, chain_id: int) -> dict[str, list[tuple[int, list[bytes]]]]:
        """Cumulative amounts with their proofs, by token in lower case; of the holder on that chain."""
        parsed = decode_json(body, f"{self.id}: {self.base_url}")
        found: dict[str, list[tuple[int, list[bytes]]]] = {}
        try:
            for entry in parsed:
                if _number(entry["chain"]["id"]) != chain_id:
                    continue
                for reward in entry["rewards"]:
                    if str(reward.get("recipient", self.holder)).lower() != self.holder.lower():
                        continue
                    token = str(reward["token"]["address"]).lower()
                    found.setdefault(token, []).append((_number(reward["amount"]), _proof(reward["proofs"])))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise MalformedResult(
                f"{self.id}: {self.base_url} answered {body[:80]!r}: {type(error).__name__} {error}",
                advice="Check `base_url`: the answer is a list of chains with their rewards, amounts and proofs.",
            ) from error
        return found


def reward_leaf(user: Address, token: Address, amount: int) -> bytes:
    """The leaf of a cumulative amount: keccak-256 of the three in the standard ABI."""
    return keccak(encode_arguments(("address", "address", "uint256"), (user, token, amount)))


def proof_holds(user: Address, token: Address, amount: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf to the root; each pair is hashed with the smaller one first."""
    node = reward_leaf(user, token, amount)
    for sibling in proof:
        node = keccak(min(node, sibling) + max(node, sibling))
    return node == root


def _number(value: Any) -> int:
    if not isinstance(value, str) or _DIGITS.fullmatch(value) is None or int(value) >= 2**256:
        raise ValueError(f"{value!r} is not a whole amount")
    return int(value)


def _proof(value: Any) -> list[bytes]:
    if not isinstance(value, list) or len(value) > MAX_PROOF:
        raise ValueError("a proof is a list of hashes")
    for sibling in value:
        if not isinstance(sibling, str) or _HASH.fullmatch(sibling) is None:
            raise ValueError(f"{sibling!r} is not a hash")
    return [bytes.fromhex(sibling[2:]) for sibling in value]
