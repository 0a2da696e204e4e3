"""Slots: one (fund, scheduled time) is worked on once, and ends as posted, held, skipped or failed, with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError, NavoracleError, StoreError
from navoracle.domain.frame import FirstLook, FundFrame, NavFrame, NavStatus
from navoracle.domain.units import Timestamp
from navoracle.keeper.frame import FramePorts, run_frame
from navoracle.keeper.planner import Planner
from navoracle.keeper.publishing import Submission
from navoracle.store_port import SlotOutcome, SlotState, Store

BLOCK_WAIT = 12.0
"""Seconds between two looks for a newer block."""

BLOCK_TRIES = 10
RECEIPT_TRIES = 30
RECEIPT_WAIT = 4.0

_HELD_BY_KEEPER = frozenset({NavStatus.SUSPICIOUS, NavStatus.INSOLVENT})


class SlotRunner:
    """Works slots off: claim, frame, second look where one is asked for, settle, record the end."""

    def __init__(self, planner: Planner, ports: FramePorts, store: Store) -> None:
        self._planner = planner
        self._ports = ports
        self._store = store

    async def sample(self, at: Timestamp) -> NavFrame:
        """Run the sampler's frame: the same line, stopped after the prices."""
        frame = await run_frame(self._planner.sample(at), self._ports)
        self._planner.absorb(frame)
        return frame

    async def run(
        self, funds: Iterable[str], slot_time: Timestamp, cadence: Cadence
    ) -> tuple[tuple[NavFrame, ...], dict[str, SlotOutcome]]:
        """Work off one slot of each fund; a fund whose slot is taken is left out.

        Returns:
            The frames that were run and the outcome by fund.

        Raises:
            StoreError: the store cannot be written; what was claimed stays claimed.
        """
        at = self._ports.clock.now()
        claimed = [fund for fund in funds if self._store.claim_slot(fund, slot_time, cadence, at)]
        if not claimed:
            return (), {}
        frames: list[NavFrame] = []
        try:
            outcomes = await self._work(claimed, slot_time, cadence, frames)
        except StoreError:
            raise
        except NavoracleError as error:
            frame = frames[-1].id if frames else None
            outcomes = {
                fund: SlotOutcome(SlotState.FAILED, f"{error.code}: {error.message}", frame, None) for fund in claimed
            }
        for fund, outcome in outcomes.items():
            self._store.finish_slot(fund, slot_time, outcome, self._ports.clock.now())
        return tuple(frames), outcomes

    async def _work(
        self, funds: Sequence[str], slot_time: Timestamp, cadence: Cadence, frames: list[NavFrame]
    ) -> dict[str, SlotOutcome]:
        first = await self._frame(funds, slot_time, cadence)
        frames.append(first)
        outcomes = await self._settle(first)
        doubtful = [found for found in first.funds if found.status is NavStatus.SUSPICIOUS]
        if doubtful:
            try:
                second = await self._second_look(first, doubtful)
            except StoreError:
                raise
            except NavoracleError as error:
                for found in doubtful:
                    outcomes[found.fund] = SlotOutcome(
                        SlotState.HELD, f"{found.reason}; second frame failed: {error.message}", first.id, None
                    )
                return outcomes
            frames.append(second)
            outcomes.update(await self._settle(second))
        return outcomes

    async def _frame(
        self,
        funds: Sequence[str],
        slot_time: Timestamp,
        cadence: Cadence,
        *,
        first_looks: dict[str, FirstLook] | None = None,
        verifies: str | None = None,
    ) -> NavFrame:
        plan = await self._planner.slot(
            funds,
            slot_time,
            cadence,
            publish=True,
            now=self._ports.clock.now(),
            first_looks=first_looks,
            verifies=verifies,
        )
        frame = await run_frame(plan, self._ports)
        self._planner.absorb(frame)
        return frame

    async def _second_look(self, first: NavFrame, doubtful: Sequence[FundFrame]) -> NavFrame:
        await self._newer_block(first)
        home = self._home(first)
        looks = {
            found.fund: FirstLook(first.id, found.valuation.price_per_share, home)
            for found in doubtful
            if found.valuation is not None
        }
        return await self._frame(list(looks), first.slot_time, first.cadence, first_looks=looks, verifies=first.id)

    def _home(self, frame: NavFrame) -> int:
        chain = self._planner.subject.home_chain
        return next((stamp.number for stamp in frame.stamps if stamp.chain == chain), 0)

    async def _newer_block(self, first: NavFrame) -> None:
        chain = self._planner.subject.home_chain
        for _ in range(BLOCK_TRIES):
            await self._ports.clock.sleep(BLOCK_WAIT)
            if chain is None:
                return
            stamp = await self._ports.chains[chain].stamp()
            if stamp.number > self._home(first):
                return
        raise ChainError(
            f"no block newer than {self._home(first)} on {chain}", advice="The chain or its node has stopped; check it."
        )

    async def _settle(self, frame: NavFrame) -> dict[str, SlotOutcome]:
        submissions: dict[str, Submission] = {}
        chains = {self._planner.subject.funds[found.fund].chain for found in frame.funds}
        for chain, outbox in sorted(self._ports.outboxes.items()):
            if chain not in chains:
                continue
            submission = await outbox.settle(frame.id)
            for _ in range(RECEIPT_TRIES):
                if not submission.pending:
                    break
                await self._ports.clock.sleep(RECEIPT_WAIT)
                submission = await outbox.settle(frame.id)
            submissions[chain] = submission
        return {
            found.fund: outcome_of(found, frame, submissions.get(self._planner.subject.funds[found.fund].chain or ""))
            for found in frame.funds
        }


def outcome_of(found: FundFrame, frame: NavFrame, submission: Submission | None) -> SlotOutcome:
    """How a fund's slot ended: by the keeper's own verdict, or by what became of its post."""
    if not found.postable:
        state = SlotState.HELD if found.status in _HELD_BY_KEEPER else SlotState.SKIPPED
        return SlotOutcome(state, found.reason, frame.id, None)
    if submission is None:
        return SlotOutcome(SlotState.SKIPPED, "no_registry", frame.id, None)
    if found.fund in submission.refused:
        return SlotOutcome(SlotState.SKIPPED, submission.refused[found.fund], frame.id, submission.post)
    if submission.failed is not None:
        return SlotOutcome(SlotState.FAILED, submission.failed, frame.id, submission.post)
    for read_back in submission.read_backs or ():
        if read_back.fund == found.fund:
            state = SlotState.POSTED if read_back.accepted else SlotState.HELD
            reason = None if read_back.reason is None else f"registry:{read_back.reason}"
            return SlotOutcome(state, reason, frame.id, submission.post)
    sent = "" if submission.transaction is None else f" ({submission.transaction.hash})"
    why = "not mined in time" if submission.unanswered is None else submission.unanswered
    return SlotOutcome(SlotState.FAILED, f"{why}{sent}", frame.id, submission.post)
