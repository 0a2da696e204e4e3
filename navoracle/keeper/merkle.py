"""The Merkle tree over the evidence of a batch: one root on chain, one proof per fund.

Leaves and pairs follow OpenZeppelin's MerkleProof, so that a contract can check a proof too:
leaf = keccak(keccak(abi.encode(uint256 fundId, bytes32 evidenceHash))), parent = keccak(smaller child ++ larger child).
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.crypto import keccak

from navoracle.domain.errors import DomainError


def leaf(fund_id: int, evidence_hash: bytes) -> bytes:
    """The leaf of one fund; hashed twice, so that no inner node can pass for a leaf."""
    return keccak(keccak(fund_id.to_bytes(32, "big") + evidence_hash))


def _parent(left: bytes, right: bytes) -> bytes:
    return keccak(min(left, right) + max(left, right))


def root_and_proofs(leaves: Sequence[bytes]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Return the root, and for each leaf the siblings on its way up. An odd node moves up unchanged.

    Raises:
        DomainError: there are no leaves.
    """
    if not leaves:
        raise DomainError("a Merkle tree needs a leaf", advice="Do not post an empty batch.")
    proofs: list[list[bytes]] = [[] for _ in leaves]
    level = list(leaves)
    members: list[list[int]] = [[index] for index in range(len(leaves))]
    while len(level) > 1:
        above: list[bytes] = []
        groups: list[list[int]] = []
        for index in range(0, len(level) - 1, 2):
            left, right = level[index], level[index + 1]
            for member in members[index]:
                proofs[member].append(right)
            for member in members[index + 1]:
                proofs[member].append(left)
            above.append(_parent(left, right))
            groups.append(members[index] + members[index + 1])
        if len(level) % 2:
            above.append(level[-1])
            groups.append(members[-1])
        level, members = above, groups
    return level[0], tuple(tuple(proof) for proof in proofs)


def proof_holds(root: bytes, leaf_hash: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the leaf belongs to the tree of that root."""
    node = leaf_hash
    for sibling in proof:
        node = _parent(node, sibling)
    return node == root
