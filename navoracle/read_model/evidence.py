"""Evidence: the document of a fund's frame, its hash, where it was posted, and what can be read out of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.domain.errors import StoreError
from navoracle.domain.frame import EVIDENCE_FORMAT
from navoracle.json_depth import require_shallow
from navoracle.read_model.records import Record
from navoracle.store_port import History

NO_EVIDENCE: Final = "there is no evidence of it, or it cannot be read"

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same evidence is the same archive."""


class Anchor(Record):
    """A post that proves a document: its root, and the way to it from the document's leaf."""

    post: int
    chain: str
    contract: str
    state: str
    transaction: str | None
    root: str
    proof: list[str]


class Proof(Record):
    """What a document is held against."""

    frame: str
    fund: str
    evidence_hash: str
    """keccak-256 of the document."""
    bytes: int
    posts: list[Anchor]


def proof_of(history: History, frame: str, fund: str, document: bytes) -> Proof:
    """The hash of a document and the posts that cover it. Raises StoreError."""
    return Proof(
        frame=frame,
        fund=fund,
        evidence_hash=hash_of(document),
        bytes=len(document),
        posts=[
            Anchor(
                post=post.id,
                chain=post.batch.chain,
                contract=post.batch.to,
                state=post.state.value,
                transaction=post.transaction_hash,
                root=post.batch.evidence_root,
                proof=list(part.proof),
            )
            for post in history.posts(fund=fund, frame=frame)
            for part in post.funds
            if part.fund == fund
        ],
    )


def archive_of(proof: Proof, document: bytes) -> bytes:
    """A zip archive of the document and its proof, with the commands that check it; the same bytes for the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("evidence.json", document),
            ("proof.json", (proof.model_dump_json(indent=2) + "\n").encode()),
            ("README.txt", _readme(proof).encode()),
        ):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def hash_of(document: bytes) -> str:
    """keccak-256 of a document, as 0x-hex."""
    return "0x" + keccak(document).hex()


def parsed(history: History, frame: str, fund: str) -> Mapping[str, Any] | None:
    """A fund's evidence as JSON; None where there is none, or it is damaged or of another version."""
    try:
        document = history.evidence(frame, fund)
        require_shallow(document)
        found = json.loads(document)
    except (StoreError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("format") == str(EVIDENCE_FORMAT) else None


def _readme(proof: Proof) -> str:
    lines = [
        f"Evidence of {proof.fund} in frame {proof.frame}.",
        "",
        "The NAV and its verdicts follow from evidence.json alone. Compute them again with:",
        "",
        f"  navoracle verify --evidence evidence.json --hash {proof.evidence_hash}",
    ]
    for post in proof.posts:
        steps = "".join(f" --proof {node}" for node in post.proof)
        lines += ["", f"Posted to {post.contract} on {post.chain} in {post.transaction or 'no transaction yet'}:", ""]
        lines.append(f"  navoracle verify --evidence evidence.json --root {post.root}{steps}")
    return "\n".join(lines) + "\n"
