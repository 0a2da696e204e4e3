"""Posts that others send: proposed once they are good, held until then, never signed by the keeper's own lane."""

from __future__ import annotations

from dataclasses import dataclass, field

from navoracle.domain.errors import GuardRefused, NavoracleError
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.slot_outcomes import outcome_of
from navoracle.lane_port import ProposedCall
from navoracle.ports import Address
from navoracle.publisher_port import FollowUp
from navoracle.store_port import Claim, SlotState
from tests.unit.keeper.fakes import FakePublisher, FakeStore, MovingChain
from tests.unit.keeper.test_publishing import post
from tests.unit.keeper.world import frame_plan, funds, world

SAFE = Address("0x5aFE000000000000000000000000000000000000")


@dataclass
class Proposals:
    """Takes proposals. Implements `lane_port.Proposer`."""

    error: NavoracleError | None = None
    taken: list[ProposedCall] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return SAFE

    async def propose(self, call: ProposedCall) -> str:
        if self.error is not None:
            raise self.error
        self.taken.append(call)
        return f"pending at nonce 7 of {SAFE}"


class Proposing:
    """A frame of three funds, and an outbox that proposes."""

    def __init__(self, *, live: bool = True, error: NavoracleError | None = None) -> None:
        self.log: list[str] = []
        self.world = world()
        self.proposals = Proposals(error)
        self.publisher = FakePublisher(self.log)
        self.chain = MovingChain(self.world.clock, self.world.chain.block)
        self.outbox = Outbox(
            chain=self.chain,
            publisher=self.publisher,
            lane=None,
            store=FakeStore(self.log).port,
            clock=self.world.clock,
            live=live,
            proposer=self.proposals,
        )

    async def outcomes(self) -> dict[str, tuple[SlotState, str | None]]:
        frame = await self.world.frame(frame_plan())
        claims = [Claim(name, frame.slot_time, frame.cadence, "keeper", 1) for name in funds()]
        await self.outbox.submit(frame, funds(), claims)
        submission = self.outbox.submission(frame.id)
        ended = {found.fund: outcome_of(found, frame, submission) for found in frame.funds}
        return {fund: (outcome.state, outcome.reason) for fund, outcome in ended.items()}


async def test_submit__safe__proposes_one_batch_and_holds_the_slots_with_its_place() -> None:
    going = Proposing()
    outcomes = await going.outcomes()
    assert set(outcomes.values()) == {(SlotState.HELD, f"proposed: pending at nonce 7 of {SAFE}")}
    (call,) = going.proposals.taken
    assert (call.action, list(call.funds)) == ("post", list(outcomes))
    assert call.valid_until == call.valuation_time + 900
    assert [sentence.partition(":")[0] for sentence in call.sentences] == list(call.funds)
    assert going.log == ["preview"]  # nothing is stored as a transaction of ours, nothing goes to a lane


async def test_submit__block_no_longer_canonical__is_not_proposed() -> None:
    going = Proposing()
    going.chain.reorganized = True
    outcomes = await going.outcomes()
    assert {state for state, _ in outcomes.values()} == {SlotState.FAILED}
    assert going.proposals.taken == []


async def test_submit__dry_run_with_a_safe__proposes_nothing() -> None:
    going = Proposing(live=False)
    assert set((await going.outcomes()).values()) == {(SlotState.SKIPPED, "dry_run")}
    assert going.proposals.taken == []


async def test_submit__contract_would_refuse__is_not_proposed() -> None:
    going = Proposing()
    going.publisher.previews["cash"] = ("paused", False)
    outcomes = await going.outcomes()
    assert outcomes["cash"] == (SlotState.SKIPPED, "registry:paused")
    (call,) = going.proposals.taken
    assert "cash" not in call.funds


async def test_submit__safe_that_could_not_do_it__fails_with_the_reason() -> None:
    going = Proposing(error=GuardRefused("the Safe cannot do it: Unauthorized", advice="Give it the role."))
    outcomes = await going.outcomes()
    assert {state for state, _ in outcomes.values()} == {SlotState.FAILED}
    assert all("Unauthorized" in (reason or "") for _, reason in outcomes.values())


async def test_settle__contract_needs_the_safes_call__proposes_it_as_a_settlement() -> None:
    going = await post()
    settler = Proposals()
    going.outbox = Outbox(
        chain=going.chain,
        publisher=going.publisher,
        lane=going.lane,
        store=going.store.port,
        clock=going.world.clock,
        live=True,
        settler=settler,
    )
    going.publisher.needs = FollowUp(Address("0x" + "11" * 20), b"\xab\xcd", "safe")
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    (sent,) = submission.batches
    (call,) = settler.taken
    assert (call.action, call.to, call.data) == ("settle", "0x" + "11" * 20, b"\xab\xcd")
    assert call.valid_until == call.valuation_time + 900
    outcome = outcome_of(going.frame.fund("cash"), going.frame, submission)
    assert (outcome.state, outcome.reason) == (SlotState.POSTED, f"registry; proposed: pending at nonce 7 of {SAFE}")
    assert sent.follow_up == f"proposed: pending at nonce 7 of {SAFE}"
