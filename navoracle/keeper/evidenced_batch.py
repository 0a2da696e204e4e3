"""A batch with the evidence that its root stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navoracle.domain.frame import NavFrame
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.merkle import leaf, root_and_proofs
from navoracle.publisher_port import Batch, FundPost, Publisher


@dataclass(frozen=True, slots=True)
class EvidencedBatch:
    """An encoded batch; by fund the hash of its evidence and the proof that it is under the batch's root (0x hex)."""

    batch: Batch
    hashes: Mapping[str, str]
    proofs: Mapping[str, tuple[str, ...]]


def evidenced_batch(publisher: Publisher, frame: NavFrame, posts: Sequence[FundPost]) -> EvidencedBatch:
    """Encode posts of a frame under the root of their evidence. Raises DomainError: a figure does not fit."""
    digests = {post.fund: evidence_hash(frame.evidence[post.fund]) for post in posts}
    root, proofs = root_and_proofs([leaf(post.fund_id, digests[post.fund]) for post in posts])
    return EvidencedBatch(
        batch=publisher.encode(posts, frame.now, "0x" + root.hex()),
        hashes={fund: "0x" + digest.hex() for fund, digest in digests.items()},
        proofs={
            post.fund: tuple("0x" + node.hex() for node in proof) for post, proof in zip(posts, proofs, strict=True)
        },
    )
