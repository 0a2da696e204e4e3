"""Audit: what a store says of a fund's frame and its post, held against the fund's evidence."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.errors import StoreError, VerificationFailed
from navoracle.keeper.verify import PlanBuilder, VerifiedFund, verify_document, verify_proof
from navoracle.store_port import FundFrameRow, History, PostRow

_ROOT_IN_CALL = slice(36, 68)
_KEEP = "Keep the database as it is, and find out who changed what."


@dataclass(frozen=True, slots=True)
class Audit:
    """Evidence that holds: what it proves, and the posts whose roots cover it."""

    verified: VerifiedFund
    posts: tuple[PostRow, ...]


def audit(history: History, frame: str, fund: str, rebuild: PlanBuilder) -> Audit:
    """Compute a fund's frame again from its stored evidence, and compare it with all that the store says of it.

    Checked are the document itself, its hash, the frame's stored figures, and for each post of the frame its figures,
    its Merkle proof and, where it went to a registry, the root in its call. Other contracts are told no root.

    Raises:
        VerificationFailed: naming the first difference; evidence that is gone or damaged supports nothing either.
        StoreError: the database cannot be read.
    """
    rows = history.fund_frames(fund=fund, frame=frame)
    try:
        document = history.evidence(frame, fund)
    except StoreError as error:
        raise VerificationFailed(error.message, advice=error.advice) from error
    verified = verify_document(document, rebuild)
    _same("the document's frame", frame, verified.frame, verified)
    _same("the document's fund", fund, verified.fund, verified)
    for row in rows:
        _check_row(row, verified)
    posts = history.posts(fund=fund, frame=frame)
    for post in posts:
        _check_post(post, verified)
    return Audit(verified, posts)


def _check_row(row: FundFrameRow, verified: VerifiedFund) -> None:
    _same("the stored evidence hash", row.evidence_hash, verified.evidence_hash, verified)
    _same("the stored status", row.status, verified.status, verified)
    _same("the stored reason", row.reason, verified.reason, verified)
    stored, found = row.values, verified.found.valuation
    if stored is None or found is None:
        _same("that the stored frame has figures", stored is not None, found is not None, verified)
        return
    _same("the stored NAV", stored.nav_after, found.after.nav, verified)
    _same("the stored NAV before deposits", stored.nav_before, found.before.nav, verified)
    _same("the stored components", (stored.before, stored.after), (found.before, found.after), verified)
    _same("the stored price per share", stored.price_per_share, found.price_per_share, verified)
    _same("the stored number of shares", stored.shares, found.shares, verified)
    _same("the stored confidence", stored.confidence, found.confidence, verified)
    _same("the stored undecayed NAV", stored.undecayed_nav, found.undecayed_nav, verified)
    _same("that the stored NAV is estimated", stored.estimated, found.estimated, verified)


def _check_post(post: PostRow, verified: VerifiedFund) -> None:
    for part in post.funds:
        if part.fund == verified.fund:
            _same("the posted evidence hash", part.evidence_hash, verified.evidence_hash, verified)
            verify_proof(verified, post.batch.evidence_root, part.proof)
    for record in post.batch.posts:
        if record.fund == verified.fund:
            _same("the posted NAV", record.nav, verified.nav, verified)
            _same("the posted price per share", record.price_per_share, verified.price_per_share, verified)
    if verified.publisher is not None:
        return
    called = "0x" + post.batch.data[_ROOT_IN_CALL].hex()
    _same("the root in the posted call", called, post.batch.evidence_root, verified)


def _same(what: str, stored: object, computed: object, verified: VerifiedFund) -> None:
    if stored != computed:
        raise VerificationFailed(
            f"frame {verified.frame}, fund {verified.fund}: {what} is {stored}, by the evidence it is {computed}",
            advice=_KEEP,
        )
