"""Slots: one (fund, scheduled time) is worked on by one keeper at a time, and ends once, with a reason.

A slot is claimed with a lease. While its post is under way the lease is renewed; a keeper that lost it writes and
sends nothing more about it. A slot whose transaction is not settled yet stays claimed, and whoever claims it after a
crash sees that transaction to its end before anything else is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError, NavoracleError, StoreError
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.prior import FirstLook
from navoracle.domain.units import Timestamp
from navoracle.failpoints import fail_point
from navoracle.keeper.frame import FramePorts, run_frame
from navoracle.keeper.planner import Planner
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.slot_outcomes import outcome_of, outcome_of_submission
from navoracle.keeper.submissions import Submission
from navoracle.store_port import Claim, PostRow, SlotOutcome, SlotRow, SlotState, Store, TransactionState

BLOCK_WAIT: Final = 1.0
"""Seconds between two looks for a newer block."""

BLOCK_TRIES: Final = 120
SETTLE_WAIT: Final = 2.0
"""Seconds between two looks at a transaction."""

LEASE: Final = 60
"""Seconds for which a slot is claimed; renewed at every look."""


class SlotRunner:
    """Works slots off: claim, frame, second look where one is asked for, settle, record the end.

    Args:
        owner: the name under which slots are claimed; another one for every process.
        lease: seconds that a claim lasts unless it is renewed.
        patience: seconds to wait for a transaction to settle; None for as long as it takes. A slot that is still open
            then stays claimed, and its outcome is CLAIMED.
        on_frame: told of every frame as soon as it was run: of slots, looks and samples. May not raise.
    """

    def __init__(
        self,
        planner: Planner,
        ports: FramePorts,
        store: Store,
        *,
        owner: str,
        lease: int = LEASE,
        patience: float | None = 120.0,
        on_frame: Callable[[NavFrame], None] = lambda _frame: None,
    ) -> None:
        self._planner = planner
        self._ports = ports
        self._store = store
        self._owner = owner
        self._lease = lease
        self._patience = patience
        self._on_frame = on_frame

    async def sample(self, at: Timestamp) -> NavFrame:
        """Run the sampler's frame: the same line, stopped after the prices."""
        frame = await run_frame(self._planner.sample(at), self._ports)
        self._planner.absorb(frame)
        self._on_frame(frame)
        return frame

    async def look(self, funds: Iterable[str]) -> NavFrame:
        """Value funds between slots: nothing is recorded or posted, and no later frame is held against it.

        Raises:
            ChainError: the home chain, or a registry, cannot be read.
        """
        now = self._ports.clock.now()
        plan = await self._planner.slot(funds, now, Cadence.HOURLY, publish=False, now=now)
        frame = await run_frame(replace(plan, stop_after="guard"), self._ports)
        self._on_frame(frame)
        return frame

    async def run(
        self, funds: Iterable[str], slot_time: Timestamp, cadence: Cadence
    ) -> tuple[tuple[NavFrame, ...], dict[str, SlotOutcome]]:
        """Work off one slot of each fund; a fund whose slot is taken is left out.

        Returns:
            The frames that were run and the outcome by fund.

        Raises:
            LeaseLost: another keeper took over; it ends what is left.
            StoreError: the store cannot be written; what was claimed stays claimed until its lease runs out.
        """
        claims = self.claim(funds, slot_time, cadence)
        return await self.work(claims, slot_time, cadence) if claims else ((), {})

    def claim(self, funds: Iterable[str], slot_time: Timestamp, cadence: Cadence) -> tuple[Claim, ...]:
        """Take the slots that can be had."""
        at = self._ports.clock.now()
        with self._store.transaction():
            wanted = [
                self._store.claim_slot(fund, slot_time, cadence, owner=self._owner, lease=self._lease, at=at)
                for fund in sorted(funds)  # in one order, so that two keepers never wait for one another
            ]
        fail_point("after_claim")
        return tuple(claim for claim in wanted if claim is not None)

    async def work(
        self, claims: Sequence[Claim], slot_time: Timestamp, cadence: Cadence
    ) -> tuple[tuple[NavFrame, ...], dict[str, SlotOutcome]]:
        """Work off claimed slots of one time. Returns and raises as `run`."""
        frames: list[NavFrame] = []
        try:
            outcomes = await self._work(claims, slot_time, cadence, frames)
        except StoreError:
            raise
        except NavoracleError as error:
            frame = frames[-1].id if frames else None
            failed = SlotOutcome(SlotState.FAILED, f"{error.code}: {error.message}", frame, None)
            outcomes = dict.fromkeys([claim.fund for claim in claims], failed)
        self._finish(claims, outcomes)
        return tuple(frames), outcomes

    async def resume(self, row: SlotRow, *, still_due: bool) -> SlotOutcome | None:
        """Take over a slot that was left behind, and see its post to its end.

        Args:
            still_due: whether to run it again when nothing of it was ever signed; it ends as MISSED otherwise.

        Returns:
            How it ended; None when it cannot be had.

        Raises:
            LeaseLost, StoreError: as `run`.
        """
        claim = self._store.claim_slot(
            row.fund,
            row.slot_time,
            row.cadence,
            owner=self._owner,
            lease=self._lease,
            at=self._ports.clock.now(),
        )
        if claim is None:
            return None
        post = None if row.post is None else self._store.find_post(row.post)
        outbox = None if post is None else self._ports.outboxes.get(self._planner.subject.funds[row.fund].target or "")
        if post is None or outbox is None or not await self._was_signed(post, outbox):
            if still_due:
                _, outcomes = await self.work([claim], row.slot_time, row.cadence)
                return outcomes[row.fund]
            outcome = SlotOutcome(SlotState.MISSED, "interrupted, and a newer slot was due", row.frame, row.post)
            self._finish([claim], {row.fund: outcome})
            return outcome
        outbox.adopt(post)
        submission = await self._settled(outbox, post.frame, [claim])
        outcome = outcome_of_submission(row.fund, post.frame, submission)
        self._finish([claim], {row.fund: outcome})
        return outcome

    async def _was_signed(self, post: PostRow, outbox: Outbox) -> bool:
        """Whether anything of the post may be on its way; where nothing is, its transaction is given up for good."""
        transaction = self._store.find_transaction(post.transaction)
        if transaction.attempts:
            return True
        if transaction.state.is_end:
            return False  # Another fund of the same batch was taken over before, and gave it up.
        if outbox.lane is None or not await outbox.lane.open():
            return True
        self._store.end_transaction(
            outbox.lane.lease,
            transaction.id,
            TransactionState.FAILED,
            self._ports.clock.now(),
            "the keeper was interrupted before it signed",
        )
        return False

    def _finish(self, claims: Sequence[Claim], outcomes: dict[str, SlotOutcome]) -> None:
        for claim in claims:
            outcome = outcomes[claim.fund]
            if outcome.state is not SlotState.CLAIMED:
                self._store.finish_slot(claim, outcome, self._ports.clock.now())
        fail_point("after_finish")

    async def _work(
        self, claims: Sequence[Claim], slot_time: Timestamp, cadence: Cadence, frames: list[NavFrame]
    ) -> dict[str, SlotOutcome]:
        first = await self._frame(claims, slot_time, cadence)
        frames.append(first)
        fail_point("after_frame")
        doubtful = [found for found in first.funds if found.status is NavStatus.SUSPICIOUS]
        second, held = None, dict[str, SlotOutcome]()
        if doubtful:
            # Looked at again before anything is waited for: what was sent already goes its way meanwhile.
            try:
                second = await self._second_look(first, doubtful, claims)
                frames.append(second)
            except StoreError:
                raise
            except NavoracleError as error:
                why = f"second frame failed: {error.message}"
                held = {
                    found.fund: SlotOutcome(SlotState.HELD, f"{found.reason}; {why}", first.id, None)
                    for found in doubtful
                }
        outcomes = await self._settle(first, claims)
        if second is not None:
            outcomes |= await self._settle(second, claims)
        return outcomes | held

    async def _frame(
        self,
        claims: Sequence[Claim],
        slot_time: Timestamp,
        cadence: Cadence,
        *,
        first_looks: dict[str, FirstLook] | None = None,
        verifies: str | None = None,
    ) -> NavFrame:
        plan = await self._planner.slot(
            [claim.fund for claim in claims],
            slot_time,
            cadence,
            publish=True,
            now=self._ports.clock.now(),
            claims=claims,
            first_looks=first_looks,
            verifies=verifies,
        )
        frame = await run_frame(plan, self._ports)
        self._planner.absorb(frame)
        self._on_frame(frame)
        return frame

    async def _second_look(self, first: NavFrame, doubtful: Sequence[FundFrame], claims: Sequence[Claim]) -> NavFrame:
        await self._newer_block(first, claims)
        home = self._home(first)
        looks = {
            found.fund: FirstLook(first.id, found.valuation.price_per_share, home)
            for found in doubtful
            if found.valuation is not None
        }
        valued = [claim for claim in claims if claim.fund in looks]
        return await self._frame(valued, first.slot_time, first.cadence, first_looks=looks, verifies=first.id)

    def _home(self, frame: NavFrame) -> int:
        chain = self._planner.subject.home_chain
        return next((stamp.number for stamp in frame.stamps if stamp.chain == chain), 0)

    async def _newer_block(self, first: NavFrame, claims: Sequence[Claim]) -> None:
        chain = self._planner.subject.home_chain
        for _ in range(BLOCK_TRIES):
            await self._ports.clock.sleep(BLOCK_WAIT)
            self._store.renew_claims(claims, self._lease)
            if chain is None:
                return
            stamp = await self._ports.chains[chain].stamp()
            if stamp.number > self._home(first):
                return
        raise ChainError(
            f"no block newer than {self._home(first)} on {chain}", advice="The chain or its node has stopped; check it."
        )

    async def _settle(self, frame: NavFrame, claims: Sequence[Claim]) -> dict[str, SlotOutcome]:
        submissions: dict[str, Submission] = {}
        funds = self._planner.subject.funds
        targets = {funds[found.fund].target for found in frame.funds}
        for target, outbox in sorted(self._ports.outboxes.items()):
            if target in targets:
                submissions[target] = await self._settled(outbox, frame.id, claims)
        return {
            found.fund: outcome_of(found, frame, submissions.get(funds[found.fund].target or ""))
            for found in frame.funds
        }

    async def _settled(self, outbox: Outbox, frame: str, claims: Sequence[Claim]) -> Submission:
        """The frame's submission once its transactions have ended, or the patience has."""
        waited = 0.0
        submission = await outbox.settle(frame)
        while submission.pending and (self._patience is None or waited < self._patience):
            await self._ports.clock.sleep(SETTLE_WAIT)
            waited += SETTLE_WAIT
            self._store.renew_claims(claims, self._lease)
            submission = await outbox.settle(frame)
        if not submission.pending:
            outbox.forget(frame)
        return submission
