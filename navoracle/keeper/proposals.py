"""What the RISK role can decide on a fund that its registry holds: to accept the held record, forget it, or end a hold.

Pure descriptions, for a person who signs: nothing here sends anything. A held record can be accepted only as it was
posted, to the byte, and a registry keeps the first one until it is accepted or discarded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from navoracle.domain.errors import GuardRefused
from navoracle.domain.frame import NavStatus
from navoracle.domain.guards.distance import UNITS_PER_BPS, contract_step
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Address
from navoracle.registry_port import Hold, PostedRecord, RegistryCalls
from navoracle.store_port import PostRow


class Decision(Enum):
    """What is proposed: ACCEPT serves the held record, DISCARD forgets it, RELEASE ends a guardian's hold."""

    ACCEPT = "accept"
    DISCARD = "discard"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call of the RISK role, and all that speaks for or against it. Prices are Wad per share.

    Attributes:
        chain, to, data: the call.
        header, record: the held record, as it was sent and is held; None for a release.
        served, served_time: what the registry serves meanwhile.
        proposed, proposed_time: what would be served after ACCEPT; None for a release.
        change_bps: from served to proposed, signed, in basis points rounded away from zero.
        held_for: the hold's reasons, joined by "+"; since when (block time) in `since`.
        frame, status: the frame that found the value and what it said of it; VERIFIED means that two frames agreed.
        evidence_hash, evidence_root, proof: what anyone can recompute the value from, and its place in the post.
    """

    decision: Decision
    fund: str
    fund_id: int
    chain: str
    to: Address
    data: bytes
    served: Wad
    served_time: Timestamp
    held_for: str
    since: Timestamp
    header: int | None = None
    record: bytes | None = None
    proposed: Wad | None = None
    proposed_time: Timestamp | None = None
    change_bps: int | None = None
    post: int | None = None
    frame: str | None = None
    status: NavStatus | None = None
    evidence_hash: str | None = None
    evidence_root: str | None = None
    proof: tuple[str, ...] = ()


def held_post(posts: Iterable[PostRow], fund: str, hold: Hold, calls: RegistryCalls) -> PostRow:
    """The post whose record of the fund is the one that is held.

    Raises:
        GuardRefused: no record is held, or none of these posts carried it.
    """
    if hold.digest is None:
        raise GuardRefused(
            f"fund {fund} is held ({hold.reasons}), and no record is held with it",
            advice="There is nothing to accept; the RISK role can release a guardian's hold.",
        )
    for post in posts:
        carries = any(record.fund == fund for record in post.batch.posts)
        if carries and calls.is_held(calls.posted(post.batch, fund), hold):
            return post
    raise GuardRefused(
        f"none of our posts carried the record that is held for fund {fund}",
        advice="Another keeper or another key posted it: find out who, and discard it unless you can recompute it.",
    )


def accept_proposal(
    post: PostRow, fund: str, *, served: ConfirmedNav, hold: Hold, status: NavStatus | None, calls: RegistryCalls
) -> Proposal:
    """The proposal to serve the held record of a post after all.

    Args:
        served: what the registry serves, read together with the hold.
        status: what the post's frame said of the fund; None where the frame is not at hand.

    Raises:
        GuardRefused: the post's record is not the one that is held, or a guardian's hold must be released first.
        DomainError: the post does not carry the fund.
    """
    posted = calls.posted(post.batch, fund)
    if not calls.is_held(posted, hold):
        raise GuardRefused(
            f"post {post.id} is not what is held for fund {fund} on {post.batch.chain}",
            advice="The first held record stays until it is accepted or discarded: look for the post that carried it.",
        )
    if hold.by_guardian:
        raise GuardRefused(
            f"a guardian holds fund {fund} ({hold.reasons}): the registry accepts nothing before that ends",
            advice="Ask the guardian why, release the hold first, then accept.",
        )
    return _of_record(Decision.ACCEPT, calls.accept(posted), post, fund, posted, served, hold, status)


def discard_proposal(
    post: PostRow, fund: str, *, served: ConfirmedNav, hold: Hold, status: NavStatus | None, calls: RegistryCalls
) -> Proposal:
    """The proposal to forget the held record of a post: the served value is good again. Raises as `accept_proposal`."""
    posted = calls.posted(post.batch, fund)
    if not calls.is_held(posted, hold):
        raise GuardRefused(
            f"post {post.id} is not what is held for fund {fund} on {post.batch.chain}",
            advice="Look for the post that carried the held record, so that you know what you discard.",
        )
    return _of_record(Decision.DISCARD, calls.discard(posted.fund_id), post, fund, posted, served, hold, status)


def release_proposal(
    fund: str, fund_id: int, *, chain: str, registry: Address, served: ConfirmedNav, hold: Hold, calls: RegistryCalls
) -> Proposal:
    """The proposal to end a guardian's hold; a record that is held too stays so.

    Raises:
        GuardRefused: no guardian holds the fund.
    """
    if not hold.by_guardian:
        raise GuardRefused(
            f"no guardian holds fund {fund}: it is held for {hold.reasons}",
            advice="Accept or discard the held record instead.",
        )
    return Proposal(
        decision=Decision.RELEASE,
        fund=fund,
        fund_id=fund_id,
        chain=chain,
        to=registry,
        data=calls.release([fund_id]),
        served=served.price_per_share,
        served_time=served.valuation_time,
        held_for=hold.reasons,
        since=hold.since,
    )


def _of_record(
    decision: Decision,
    data: bytes,
    post: PostRow,
    fund: str,
    posted: PostedRecord,
    served: ConfirmedNav,
    hold: Hold,
    status: NavStatus | None,
) -> Proposal:
    batch = post.batch
    said = next(record for record in batch.posts if record.fund == fund)
    evidence = next((part for part in post.funds if part.fund == fund), None)
    return Proposal(
        decision=decision,
        fund=fund,
        fund_id=posted.fund_id,
        chain=batch.chain,
        to=batch.to,
        data=data,
        served=served.price_per_share,
        served_time=served.valuation_time,
        held_for=hold.reasons,
        since=hold.since,
        header=posted.header,
        record=posted.record,
        proposed=said.price_per_share,
        proposed_time=batch.valuation_time,
        change_bps=_whole_bps(contract_step(served.price_per_share, said.price_per_share)),
        post=post.id,
        frame=post.frame,
        status=status,
        evidence_hash=None if evidence is None else evidence.evidence_hash,
        evidence_root=batch.evidence_root,
        proof=() if evidence is None else evidence.proof,
    )


def _whole_bps(units: int) -> int:
    """Tenths of a basis point as basis points, rounded away from zero."""
    magnitude = -(-abs(units) // UNITS_PER_BPS)
    return magnitude if units >= 0 else -magnitude
