"""Publish: from the postable NAVs of a frame to transactions on a registry, and what became of them.

Intent is stored before anything is signed, under the claims of the slots that it is to end; the lane stores the signed
bytes before it sends them. Mined is not accepted: once a transaction is confirmed the contract is read back and each
fund's outcome classified.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import (
    CallReverted,
    ChainError,
    DomainError,
    NavoracleError,
    StoreError,
)
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.failpoints import fail_point
from navoracle.keeper.evidenced_batch import evidenced_batch
from navoracle.keeper.peer_wait import wait_until_ready
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.preflight import Preflight
from navoracle.keeper.proposed_posts import follow_up, proposed_post
from navoracle.keeper.records import fund_post
from navoracle.keeper.submissions import REGISTRY, Previewed, SentBatch, Submission
from navoracle.lane_port import Lane, Proposer
from navoracle.ports import Address, ChainReader, Clock
from navoracle.publisher_port import FundPost, Preview, Publisher
from navoracle.store_port import Claim, PostRow, Store, TransactionState, Urgency

_NO_ROOT: Final = "0x" + bytes(32).hex()

DRY_RUN: Final = "dry_run"
MAX_POST_AGE: Final = 900
"""Seconds after which a registry refuses a valuation, unless the registry that was deployed says otherwise."""

GAS_PER_BATCH: Final = 60_000
GAS_PER_FUND: Final = 9_000
"""Upper bounds of what a batch and each of its funds take in the steady state; `bench/gas.py` measures them."""


class Outbox:
    """The way to one contract. Without `live` everything happens but the signing and the broadcast.

    Args:
        lane: the poster's lane; None without a signer.
        look: says of funds (by name, with their numbers) and a sender whether the registry is still the one that we
            know and takes their posts; None to leave that to the registry.
        label: what the contract is called in reasons.
        proposer: where posts are proposed instead of sent.
        settler: where the calls are proposed that posts need to be served; they are only named when None.
        max_batch_gas: a frame's funds are split so that no transaction takes more (estimated in the steady state).
    """

    def __init__(
        self,
        *,
        chain: ChainReader,
        publisher: Publisher,
        lane: Lane | None,
        store: Store,
        clock: Clock,
        live: bool,
        look: Callable[[Mapping[str, int], Address | None], Awaitable[Preflight]] | None = None,
        label: str = REGISTRY,
        proposer: Proposer | None = None,
        settler: Proposer | None = None,
        max_batch_gas: int = 12_000_000,
    ) -> None:
        self._chain = chain
        self._publisher = publisher
        self._lane = lane
        self._store = store
        self._clock = clock
        self._live = live
        fitting = max(1, (max_batch_gas - GAS_PER_BATCH) // GAS_PER_FUND)
        self._batch_funds = 1 if publisher.one_by_one else fitting
        self._label = label
        self._proposer = proposer
        self._settler = settler
        self._look = look
        self._max_post_age = MAX_POST_AGE
        self._submissions: dict[str, Submission] = {}
        self._previewed: dict[str, Previewed] = {}

    @property
    def publisher(self) -> Publisher:
        """The contract behind this outbox."""
        return self._publisher

    @property
    def lane(self) -> Lane | None:
        """The lane that posts go out by."""
        return self._lane

    def submission(self, frame: str) -> Submission:
        """What became of the frame's NAVs here."""
        return self._submissions.get(frame, Submission(frame, self._label))

    def previewed(self, fund: str) -> Previewed | None:
        """The fund's newest preview; None before there was one."""
        return self._previewed.get(fund)

    def forget(self, frame: str) -> None:
        """The frame's slots have ended: nothing more is asked about it."""
        self._submissions.pop(frame, None)

    async def submit(self, frame: NavFrame, funds: Mapping[str, FundPlan], claims: Sequence[Claim]) -> None:
        """Preview, encode, sign and send the frame's postable NAVs of these funds. Does not wait for a block.

        Raises:
            LeaseLost: another keeper has a slot or the lane; what was handed to the lane before goes its way.
            StoreError: the intent could not be stored; then nothing of it was signed.
        """
        submission = self._submissions[frame.id] = Submission(frame.id, self._label)
        posts = [
            fund_post(funds[found.fund], found, found.valuation, frame.estimates)
            for found in frame.funds
            if found.fund in funds and found.postable and found.valuation is not None
        ]
        posts = [post for post in posts if self._fits(frame, post, submission)]
        posts = await self._cleared(frame, posts, submission) if posts else []
        for start in range(0, len(posts), self._batch_funds):
            await self._submit_part(frame, posts[start : start + self._batch_funds], claims, submission)

    async def _cleared(self, frame: NavFrame, posts: list[FundPost], submission: Submission) -> list[FundPost]:
        """The posts that nothing about the registry itself speaks against; the others are refused with the reason."""
        if self._look is None:
            return posts
        sends = self._lane if self._proposer is None else self._proposer
        sender = sends.address if self._live and sends is not None else None
        found = await self._look({post.fund: post.fund_id for post in posts}, sender)
        if found.state is not None:
            self._max_post_age = found.state.max_post_age
        for post in posts:
            refusal = found.of(post.fund)
            if refusal is not None:
                submission.refused[post.fund] = f"preflight:{refusal.reason}"
        return [post for post in posts if post.fund not in submission.refused]

    async def _submit_part(
        self, frame: NavFrame, posts: Sequence[FundPost], claims: Sequence[Claim], submission: Submission
    ) -> None:
        try:
            sendable = await self._sendable(frame, posts, claims, submission)
            if sendable and self._proposer is not None:
                await self._propose(frame, sendable, self._proposer, submission)
            elif sendable:
                await self._send(frame, sendable, claims, submission)
        except StoreError:
            raise
        except NavoracleError as error:
            reason = f"{error.code}: {error.message}"
            submission.failed.update({post.fund: reason for post in posts if post.fund not in submission.refused})

    async def _sendable(
        self, frame: NavFrame, posts: Sequence[FundPost], claims: Sequence[Claim], submission: Submission
    ) -> list[FundPost]:
        """The posts that are worth sending; the reasons of the others go into the submission."""
        previews = await self._previews(frame, posts)
        # A dry run does not wait: it says when the contract would take the post.
        if self._live and await wait_until_ready(previews.values(), claims, store=self._store, clock=self._clock):
            previews = await self._previews(frame, posts)
        submission.refused.update(
            {fund: f"{self._label}:{preview.reason}" for fund, preview in previews.items() if not preview.send}
        )
        sendable = [post for post in posts if previews[post.fund].send]
        if self._live and (self._lane is not None or self._proposer is not None):
            return sendable
        submission.refused.update({post.fund: _dry_run(previews[post.fund].reason) for post in sendable})
        return []

    async def _previews(self, frame: NavFrame, posts: Sequence[FundPost]) -> dict[str, Preview]:
        """What the contract would do with each record. One that makes it revert is found by halving, and left out."""
        batch = evidenced_batch(self._publisher, frame, posts).batch
        try:
            found = {preview.fund: preview for preview in await self._publisher.preview(batch)}
            self._previewed.update({fund: Previewed(batch, preview) for fund, preview in found.items()})
            return found
        except CallReverted as error:
            if len(posts) == 1:
                return {posts[0].fund: Preview(posts[0].fund, f"reverts: {error.message}", send=False)}
        half = len(posts) // 2
        return {**await self._previews(frame, posts[:half]), **await self._previews(frame, posts[half:])}

    async def _require_canonical(self, frame: NavFrame) -> None:
        """Raises ChainError: the block that was valued is no longer part of the contract's chain."""
        for stamp in frame.stamps:
            if stamp.chain == self._publisher.chain and not await self._chain.is_canonical(stamp):
                raise ChainError(
                    f"block {stamp.number} of {stamp.chain} is no longer part of the chain",
                    advice="Nothing was sent; the next slot values a newer block.",
                )

    async def _propose(
        self, frame: NavFrame, posts: Sequence[FundPost], proposer: Proposer, submission: Submission
    ) -> None:
        await self._require_canonical(frame)
        batch = evidenced_batch(self._publisher, frame, posts).batch
        place = await proposer.propose(proposed_post("post", batch, frame.slot_time, max_post_age=self._max_post_age))
        submission.proposed.update({post.fund: f"proposed: {place}" for post in posts})

    async def _send(
        self, frame: NavFrame, posts: Sequence[FundPost], claims: Sequence[Claim], submission: Submission
    ) -> None:
        if self._lane is None:
            return
        await self._require_canonical(frame)
        if not await self._lane.open():
            raise ChainError(
                f"another keeper has the lane of {self._lane.address} on {self._publisher.chain}",
                advice="Nothing was sent: the other keeper posts. Stop one of the two, or give them keys of their own.",
            )
        made = evidenced_batch(self._publisher, frame, posts)
        named = {post.fund for post in posts}
        post = self._store.prepare_post(
            made.batch,
            frame.id,
            evidence=made.hashes,
            proofs=made.proofs,
            claims=[claim for claim in claims if claim.fund in named],
            lane=self._lane.lease,
            urgency=Urgency.EMERGENCY if frame.cadence is Cadence.EMERGENCY else Urgency.ROUTINE,
            valid_until=Timestamp(frame.now + self._max_post_age),
        )
        fail_point("after_prepare")
        sent = SentBatch(post)
        submission.batches.append(sent)
        try:
            await self._lane.submit(post.transaction)
        except (ChainError, CallReverted) as error:
            sent.failed = f"{error.code}: {error.message}"

    def _fits(self, frame: NavFrame, post: FundPost, submission: Submission) -> bool:
        """Whether the contract can hold the fund's figures; one that cannot be encoded must not stop the others."""
        try:
            self._publisher.encode([post], frame.now, _NO_ROOT)
        except DomainError as error:
            submission.refused[post.fund] = f"{error.code}: {error.message}"
            return False
        return True

    def adopt(self, post: PostRow) -> Submission:
        """Take over a post that an earlier run left unfinished; `settle` its frame to see it to its end."""
        submission = self._submissions.setdefault(post.frame, Submission(post.frame, self._label))
        if all(sent.post.id != post.id for sent in submission.batches):
            submission.batches.append(SentBatch(post))
        return submission

    async def settle(self, frame: str) -> Submission:
        """Look at the frame's transactions; read the contract back for each that is confirmed, and record the outcome.

        A node that fails leaves a batch pending, with the reason in `unanswered`. Raises LeaseLost, StoreError.
        """
        submission = self.submission(frame)
        if submission.pending and self._lane is not None and await self._lane.open():
            await self._lane.tick()
            for sent in submission.batches:
                if sent.pending:
                    await self._settle(sent, self._lane)
        return submission

    async def _settle(self, sent: SentBatch, lane: Lane) -> None:
        transaction = self._store.find_transaction(sent.post.transaction)
        if not transaction.state.is_end:
            return
        if transaction.state is not TransactionState.CONFIRMED or transaction.receipt is None:
            sent.failed = transaction.error or transaction.state.value
            return
        sent.unanswered = None
        try:
            read_backs = await self._publisher.read_back(sent.post.batch, transaction.receipt)
        except (ChainError, CallReverted) as error:
            sent.unanswered = f"{error.code}: {error.message}"
            return
        fail_point("after_read_back")
        self._store.finish_post(lane.lease, sent.post.id, read_backs, self._clock.now())
        sent.read_backs = read_backs
        for found in read_backs:
            known = self._previewed.get(found.fund)
            # A newer post of the fund may have been previewed since.
            if known is not None and known.batch.data == sent.post.batch.data:
                self._previewed[found.fund] = replace(known, read_back=found)
        if all(read_back.accepted for read_back in read_backs):
            sent.follow_up = await follow_up(
                sent.post.batch, self._publisher, self._settler, self._store, max_post_age=self._max_post_age
            )


def _dry_run(reason: str | None) -> str:
    """Why a dry run did not send a record, with what the contract would have made of it."""
    return DRY_RUN if reason is None else f"{DRY_RUN}: the contract would hold it ({reason})"
