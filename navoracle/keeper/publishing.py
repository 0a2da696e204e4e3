"""Publish: from the postable NAVs of a frame to one transaction on a registry, and what became of it.

Intent is stored before anything is signed and the signed bytes before anything is sent. A send that fails is looked
up by its hash and never repeated here. Mined is not accepted: the contract is read back and each fund's outcome
classified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from navoracle.domain.errors import CallReverted, ChainError, DomainError
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.nav import Breakdown, FundValuation
from navoracle.domain.units import Wad
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.merkle import leaf, root_and_proofs
from navoracle.keeper.plan import FundPlan
from navoracle.ports import Batch, ChainReader, Clock, FundPost, Publisher, ReadBack, SignedTransaction, Transactor
from navoracle.store_port import Store

_NO_ROOT = "0x" + bytes(32).hex()


@dataclass(slots=True)
class Submission:
    """What became of one frame's NAVs at one registry.

    `refused` are funds that were not sent, by reason; `failed` is set when nothing could be sent; `read_backs` is None
    until the transaction is mined and the contract was read again; `unanswered` is why the last look at it failed.
    """

    frame: str
    batch: Batch | None = None
    post: int | None = None
    transaction: SignedTransaction | None = None
    refused: dict[str, str] = field(default_factory=dict)
    failed: str | None = None
    read_backs: tuple[ReadBack, ...] | None = None
    unanswered: str | None = None

    @property
    def pending(self) -> bool:
        """Whether a transaction was sent whose outcome is not known yet."""
        return self.transaction is not None and self.read_backs is None and self.failed is None


class Outbox:
    """The way to one registry. Without `live` everything happens but the signing and the broadcast."""

    def __init__(
        self,
        *,
        chain: ChainReader,
        publisher: Publisher,
        transactor: Transactor | None,
        store: Store,
        clock: Clock,
        live: bool,
    ) -> None:
        self._chain = chain
        self._publisher = publisher
        self._transactor = transactor
        self._store = store
        self._clock = clock
        self._live = live
        self._submissions: dict[str, Submission] = {}

    @property
    def publisher(self) -> Publisher:
        """The contract behind this outbox."""
        return self._publisher

    def submission(self, frame: str) -> Submission:
        """What became of the frame's NAVs here."""
        return self._submissions.get(frame, Submission(frame))

    async def submit(self, frame: NavFrame, funds: Mapping[str, FundPlan]) -> None:
        """Preview, encode, sign and send the frame's postable NAVs of these funds. Does not wait for a block."""
        submission = Submission(frame.id)
        self._submissions = {frame.id: submission}
        posts = [
            fund_post(funds[found.fund], found, found.valuation)
            for found in frame.funds
            if found.fund in funds and found.postable and found.valuation is not None
        ]
        posts = [post for post in posts if self._fits(frame, post, submission)]
        if not posts:
            return
        try:
            await self._submit(frame, posts, submission)
        except (ChainError, CallReverted) as error:
            submission.failed = f"{error.code}: {error.message}"
            if submission.post is not None:
                self._store.fail_post(submission.post, submission.failed, self._clock.now())

    async def _submit(self, frame: NavFrame, posts: Sequence[FundPost], submission: Submission) -> None:
        batch, _, _ = self._encode(frame, posts)
        previews = {preview.fund: preview for preview in await self._publisher.preview(batch)}
        submission.refused.update(
            {fund: f"registry:{preview.reason}" for fund, preview in previews.items() if not preview.send}
        )
        sendable = [post for post in posts if previews[post.fund].send]
        if not sendable:
            return
        if not self._live or self._transactor is None:
            submission.refused.update({post.fund: _dry_run(previews[post.fund].reason) for post in sendable})
            return
        for stamp in frame.stamps:
            if stamp.chain == batch.chain and not await self._chain.is_canonical(stamp):
                raise ChainError(
                    f"block {stamp.number} of {stamp.chain} is no longer part of the chain",
                    advice="Nothing was sent; the next slot values a newer block.",
                )
        batch, hashes, proofs = self._encode(frame, sendable)
        submission.batch = batch
        submission.post = self._store.prepare_post(batch, frame.id, evidence=hashes, proofs=proofs)
        signed = await self._transactor.prepare(batch.to, batch.data)
        self._store.save_attempt(submission.post, signed, self._clock.now())
        submission.transaction = signed
        try:
            await self._transactor.send(signed)
        except ChainError as error:
            if not await self._is_mined(self._transactor, signed):
                self._store.note_ambiguous_send(submission.post, error.message, self._clock.now())
                return
        self._store.mark_sent(submission.post, self._clock.now())

    def _fits(self, frame: NavFrame, post: FundPost, submission: Submission) -> bool:
        """Whether the contract can hold the fund's figures; one that cannot be encoded must not stop the others."""
        try:
            self._publisher.encode([post], frame.now, _NO_ROOT)
        except DomainError as error:
            submission.refused[post.fund] = f"{error.code}: {error.message}"
            return False
        return True

    async def _is_mined(self, transactor: Transactor, signed: SignedTransaction) -> bool:
        """Whether the transaction is known to be mined; a node that does not say leaves it open."""
        try:
            return await transactor.receipt(signed.hash) is not None
        except ChainError:
            return False

    def _encode(
        self, frame: NavFrame, posts: Sequence[FundPost]
    ) -> tuple[Batch, dict[str, str], dict[str, tuple[str, ...]]]:
        digests = {post.fund: evidence_hash(frame.evidence[post.fund]) for post in posts}
        root, proofs = root_and_proofs([leaf(post.fund_id, digests[post.fund]) for post in posts])
        batch = self._publisher.encode(posts, frame.now, "0x" + root.hex())
        return (
            batch,
            {fund: "0x" + digest.hex() for fund, digest in digests.items()},
            {post.fund: tuple("0x" + node.hex() for node in proof) for post, proof in zip(posts, proofs, strict=True)},
        )

    async def settle(self, frame: str) -> Submission:
        """Look for the frame's receipt; once it is there, read the contract back and record every fund's outcome.

        A node that fails leaves the submission pending, with the reason in `unanswered`.
        """
        submission = self.submission(frame)
        if not submission.pending or self._transactor is None:
            return submission
        batch, signed, post = submission.batch, submission.transaction, submission.post
        if batch is None or signed is None or post is None:
            return submission
        submission.unanswered = None
        try:
            receipt = await self._transactor.receipt(signed.hash)
            if receipt is None:
                return submission
            read_backs = await self._publisher.read_back(batch, receipt) if receipt.success else ()
        except (ChainError, CallReverted) as error:
            submission.unanswered = f"{error.code}: {error.message}"
            return submission
        if receipt.success:
            submission.read_backs = read_backs
            self._store.finish_post(post, receipt, submission.read_backs, self._clock.now())
        else:
            submission.failed = f"reverted in block {receipt.block_number}"
            self._store.fail_post(post, submission.failed, self._clock.now())
        return submission


def _dry_run(reason: str | None) -> str:
    """Why a dry run did not send a record, with what the contract would have made of it."""
    return "dry_run" if reason is None else f"dry_run: the contract would hold it ({reason})"


def fund_post(fund: FundPlan, found: FundFrame, valuation: FundValuation) -> FundPost:
    """What section 13's record says of one fund: NAV_after, NAV_before / shares, and the components of NAV_after."""
    return FundPost(
        fund=found.fund,
        fund_id=fund.fund_id,
        nav=valuation.after.nav,
        price_per_share=valuation.price_per_share,
        confidence=valuation.confidence,
        estimated=valuation.estimated,
        components=record_components(valuation.after),
        nav_before=valuation.before.nav,
    )


def record_components(after: Breakdown) -> tuple[Wad, Wad, Wad, Wad, Wad]:
    """Cash, collateral, income and rewards, debt, other liabilities and fees (Wad, never negative).

    A loss on positions carried at cost is negative income; a record has no sign, so it counts among the liabilities and
    the five still add up to the NAV.
    """
    income = after.accrued_income + after.rewards
    other = after.pending_withdrawals + after.margin_calls + after.fees
    return (
        after.cash,
        after.collateral,
        Wad(max(0, income)),
        after.debt,
        Wad(other + max(0, -income)),
    )
