"""The Merkle tree over a batch: every leaf proves, nothing else does, and a contract would agree."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError
from navoracle.keeper.merkle import leaf, proof_holds, root_and_proofs

hashes = st.binary(min_size=32, max_size=32)
leaf_lists = st.lists(hashes, min_size=1, max_size=40, unique=True)


def openzeppelin_process_proof(proof: tuple[bytes, ...], node: bytes) -> bytes:
    """MerkleProof.processProof of OpenZeppelin Contracts 5, by its definition: pairs are hashed in sorted order."""
    computed = node
    for sibling in proof:
        computed = keccak(computed + sibling if computed < sibling else sibling + computed)
    return computed


@given(leaf_lists)
def test_tree__every_leaf__proves_with_its_own_proof_and_as_a_contract_would(leaves: list[bytes]) -> None:
    root, proofs = root_and_proofs(leaves)
    assert len(proofs) == len(leaves)
    for node, proof in zip(leaves, proofs, strict=True):
        assert proof_holds(root, node, proof)
        assert openzeppelin_process_proof(proof, node) == root
        assert len(proof) <= (len(leaves) - 1).bit_length()


@given(leaf_lists, hashes, st.data())
def test_tree__another_leaf__never_proves(leaves: list[bytes], stranger: bytes, data: st.DataObject) -> None:
    root, proofs = root_and_proofs(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    for node in [stranger, *leaves]:
        if node != leaves[index]:
            # A sibling's proof differs in one node: its own leaf for the sibling's.
            assert not proof_holds(root, node, proofs[index])


@given(leaf_lists, st.data())
def test_tree__any_changed_bit_of_leaf_proof_or_root__fails(leaves: list[bytes], data: st.DataObject) -> None:
    root, proofs = root_and_proofs(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    parts = [root, leaves[index], *proofs[index]]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    assert not proof_holds(parts[0], parts[1], parts[2:])


@given(leaf_lists, st.data())
def test_tree__proof_cut_or_lengthened__fails(leaves: list[bytes], data: st.DataObject) -> None:
    root, proofs = root_and_proofs(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = proofs[index]
    assert not proof_holds(root, leaves[index], (*proof, data.draw(hashes)))
    if proof:
        assert not proof_holds(root, leaves[index], proof[:-1])
        assert not proof_holds(root, leaves[index], proof[1:])


@pytest.mark.parametrize("count", range(1, 41))
def test_tree__of_so_many_leaves__has_its_root_change_with_every_leaf(count: int) -> None:
    leaves = [leaf(number, keccak(bytes([number]))) for number in range(count)]
    roots = {root_and_proofs(leaves)[0]}
    for number in range(count):
        changed = [*leaves]
        changed[number] = leaf(number, keccak(b"other"))
        roots.add(root_and_proofs(changed)[0])
    assert len(roots) == count + 1


def test_tree__one_leaf__is_its_own_root() -> None:
    node = leaf(1, bytes(32))
    assert root_and_proofs([node]) == (node, ((),))


def test_tree__no_leaves__raises() -> None:
    with pytest.raises(DomainError, match="needs a leaf"):
        root_and_proofs([])


@given(st.integers(0, 65_535), hashes)
def test_leaf__of_any_fund__is_the_double_hash_of_its_abi_encoding(fund_id: int, evidence_hash: bytes) -> None:
    encoded = encode(["uint256", "bytes32"], [fund_id, evidence_hash])
    assert leaf(fund_id, evidence_hash) == keccak(keccak(encoded))


def test_leaf__inner_node__cannot_pass_for_one() -> None:
    leaves = [leaf(number, keccak(bytes([number]))) for number in range(4)]
    root, proofs = root_and_proofs(leaves)
    inner = keccak(min(leaves[0], leaves[1]) + max(leaves[0], leaves[1]))
    assert proof_holds(root, inner, proofs[0][1:])
    # The pair is 64 bytes, just as a leaf's encoding is; hashing leaves twice keeps them apart.
    assert leaf(int.from_bytes(min(leaves[0], leaves[1]), "big"), max(leaves[0], leaves[1])) != inner


def test_tree__known_batch_of_three__has_the_root_worked_out_by_hand() -> None:
    one, two, three = (leaf(number, bytes([number]) * 32) for number in (1, 2, 3))
    pair = keccak(b"".join(sorted([one, two])))
    root = keccak(b"".join(sorted([pair, three])))
    found, proofs = root_and_proofs([one, two, three])
    assert found == root
    assert proofs == ((two, three), (one, three), (pair,))
