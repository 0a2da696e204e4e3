"""Slots: claimed once, ended once, and a doubtful NAV is looked at twice before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError, ConfigurationError, LeaseLost, NavoracleError, StoreError
from navoracle.domain.frame import NavFrame, NavStatus
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp, to_wad
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.planner import Planner, Subject
from navoracle.keeper.slot_outcomes import outcome_of
from navoracle.keeper.slots import BLOCK_TRIES, SETTLE_WAIT, SlotRunner
from navoracle.keeper.submissions import Submission
from navoracle.store_port import SlotOutcome, SlotState
from navoracle.testing import FixedClock
from tests.unit.keeper.fakes import FakeLane, FakePublisher, FakeStore, MovingChain, outbox
from tests.unit.keeper.world import (
    CHAIN,
    HOLDER,
    NOW,
    TOKEN,
    World,
    declared,
    frame_plan,
    fund,
    position,
    subject,
    world,
)

DOWN = ChainError("node down", advice="Check the endpoint.")
SLOT = Timestamp(NOW)
ALL = ("cash", "levered", "mixed")
PATIENCE = 120.0
LOOKS = int(PATIENCE / SETTLE_WAIT)


class SteppingClock(FixedClock):
    """A clock on which something may happen at its n-th wait."""

    def __init__(self, time: int) -> None:
        super().__init__(time)
        self.waits = 0
        self.at_wait: dict[int, Callable[[], object]] = {}

    async def sleep(self, seconds: float) -> None:
        """Wait, then let happen what was planned."""
        await super().sleep(seconds)
        self.waits += 1
        self.at_wait.get(self.waits, lambda: None)()


class Keeper:
    """A slot runner over the small world, its registry and its store."""

    def __init__(self, of: Subject | None = None) -> None:
        self.log: list[str] = []
        self.clock = SteppingClock(NOW + 5)
        self.world: World = world()
        self.chain = MovingChain(self.clock, self.world.chain.block)
        self.chain.answers = self.world.chain.answers
        self.store = FakeStore(self.log)
        self.publisher = FakePublisher(self.log)
        self.lane = FakeLane(self.log, self.store)
        outboxes = {CHAIN: outbox(self.chain, self.store, self.publisher, self.lane, self.clock)}
        ports = FramePorts({CHAIN: self.chain}, self.world.markets, self.clock, self.store.port, outboxes)
        self.planner = Planner(of or subject(), self.store.port, outboxes, now=self.clock.now())
        self.runner = SlotRunner(self.planner, ports, self.store.port, owner="keeper", patience=PATIENCE)

    def confirm(self, number: int, price: str, *, age: int = 3_600) -> None:
        """Let the registry serve a share price."""
        self.publisher.served[number] = ConfirmedNav(
            to_wad("500"), to_wad(price), Timestamp(NOW - age), held=False, block_number=1, frame=None
        )

    def set_balance(self, usdc: int) -> None:
        """Set what the cash fund holds."""
        self.chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), usdc * 10**6)

    async def run(self, *names: str, at: Timestamp = SLOT) -> tuple[tuple[NavFrame, ...], dict[str, SlotOutcome]]:
        """Work off a slot of these funds, or of all."""
        return await self.runner.run(names or ALL, at, Cadence.HOURLY)

    def states(self, at: Timestamp = SLOT) -> dict[str, tuple[str, str | None]]:
        """How the slots ended in the store."""
        return {
            name: ("claimed", None) if outcome is None else (outcome.state.value, outcome.reason)
            for (name, time), outcome in self.store.slots.items()
            if time == at
        }


POSTED = ("posted", None)


async def test_run__all_well__posts_every_fund_and_ends_its_slot() -> None:
    keeper = Keeper()
    frames, outcomes = await keeper.run()
    assert len(frames) == 1
    assert keeper.states() == dict.fromkeys(ALL, POSTED)
    assert outcomes["cash"] == SlotOutcome(SlotState.POSTED, None, frames[0].id, 0)
    assert "tick" in keeper.log
    assert keeper.log[:3] == ["claim cash", "claim levered", "claim mixed"]
    assert keeper.log[-3:] == ["finish cash posted", "finish levered posted", "finish mixed posted"]


async def test_run__slot_taken__is_left_alone() -> None:
    keeper = Keeper()
    await keeper.run("cash")
    before = list(keeper.log)
    assert await keeper.run("cash") == ((), {})
    assert keeper.log == before


async def test_run__one_slot_of_several_taken__works_off_the_others() -> None:
    keeper = Keeper()
    keeper.store.slots["levered", SLOT] = None
    frames, outcomes = await keeper.run()
    assert set(outcomes) == {"cash", "mixed"}
    assert {part.fund for part in frames[0].funds} == {"cash", "mixed"}
    assert keeper.states()["levered"] == ("claimed", None)


async def test_run__next_slot_of_the_same_fund__is_another() -> None:
    keeper = Keeper()
    await keeper.run("cash")
    keeper.clock.set(NOW + 120)
    await keeper.run("cash", at=Timestamp(SLOT + 60))
    assert keeper.states(Timestamp(SLOT + 60)) == {"cash": POSTED}


async def test_run__unreadable_fund__is_skipped_with_its_reason_and_the_rest_posted() -> None:
    keeper = Keeper()
    keeper.chain.revert(TOKEN, "balanceOf(address)", HOLDER)
    await keeper.run()
    assert keeper.states() == {
        "cash": ("skipped", "unread:cash.usdc:call_reverted"),
        "levered": POSTED,
        "mixed": POSTED,
    }


async def test_run__large_change_that_a_second_frame_confirms__is_verified_and_posted() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    frames, outcomes = await keeper.run()
    first, second = frames
    assert first.fund("cash").status is NavStatus.SUSPICIOUS
    assert second.fund("cash").status is NavStatus.VERIFIED
    assert second.verifies == first.id
    assert second.stamps[0].number > first.stamps[0].number
    assert [part.fund for part in second.funds] == ["cash"]
    assert (outcomes["cash"].state, outcomes["cash"].frame) == (SlotState.POSTED, second.id)
    assert (outcomes["levered"].state, outcomes["levered"].frame) == (SlotState.POSTED, first.id)
    assert keeper.store.frames == [first, second]


async def test_run__second_frame_disagrees__is_held_and_nothing_of_it_is_sent() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    keeper.clock.at_wait[1] = lambda: keeper.set_balance(1_100)
    frames, _ = await keeper.run()
    assert len(frames) == 2
    assert keeper.states() == {"cash": ("held", "second_frame_disagrees"), "levered": POSTED, "mixed": POSTED}
    sent = [each.fund for stored in keeper.store.posts for each in stored["batch"].posts]
    assert "cash" not in sent


async def test_run__second_frame_lacks_a_source__is_held() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    keeper.clock.at_wait[1] = lambda: keeper.world.markets.rows.pop("USDC.two")
    await keeper.run()
    assert keeper.states()["cash"] == ("held", "second_frame_disagrees")


async def test_run__change_is_gone_at_the_second_look__is_held_until_the_next_slot() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    keeper.clock.at_wait[1] = lambda: keeper.set_balance(510)
    frames, _ = await keeper.run("cash")
    assert frames[1].fund("cash").status is NavStatus.SUSPICIOUS
    assert keeper.states() == {"cash": ("held", "second_frame_disagrees")}


async def test_run__no_newer_block__holds_the_doubtful_fund_and_keeps_what_was_posted() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    keeper.chain.stopped = True
    frames, _ = await keeper.run()
    assert len(frames) == 1
    assert keeper.clock.waits == BLOCK_TRIES
    state, reason = keeper.states()["cash"]
    assert (state, reason) == ("held", "change; second frame failed: no block newer than 100 on local")
    assert keeper.states()["mixed"] == POSTED


async def test_run__chain_fails_during_the_second_look__holds_the_doubtful_fund_only() -> None:
    keeper = Keeper()
    keeper.confirm(1, "0.5")
    keeper.clock.at_wait[1] = lambda: setattr(keeper.chain, "error", DOWN)
    await keeper.run()
    assert keeper.states() == {
        "cash": ("held", "change; second frame failed: node down"),
        "levered": POSTED,
        "mixed": POSTED,
    }


async def test_run__contract_cannot_be_read_back__leaves_the_slot_claimed_with_its_post_on_its_way() -> None:
    keeper = Keeper()
    keeper.publisher.errors.update(read_back=[DOWN] * 100)
    _, outcomes = await keeper.run("cash")
    assert keeper.states() == {"cash": ("claimed", None)}
    assert outcomes["cash"] == SlotOutcome(SlotState.CLAIMED, "chain: node down", outcomes["cash"].frame, 0)


async def test_run__home_chain_down__fails_every_slot_with_the_reason() -> None:
    keeper = Keeper()
    keeper.chain.error = DOWN
    frames, outcomes = await keeper.run()
    assert frames == ()
    assert keeper.states() == dict.fromkeys(ALL, ("failed", "chain: node down"))
    assert outcomes["cash"].frame is None


async def test_run__registry_cannot_be_read__fails_without_valuing() -> None:
    keeper = Keeper()
    keeper.publisher.errors["confirmed"] = [DOWN]
    await keeper.run()
    assert keeper.states() == dict.fromkeys(ALL, ("failed", "chain: node down"))
    assert keeper.store.frames == []


async def test_run__assets_in_a_circle__fails_the_slots_instead_of_leaving_them_claimed() -> None:
    of = subject()
    usdc = of.assets["USDC"]
    sources: tuple[Any, ...] = usdc.sources
    ring = tuple(source.model_copy(update={"quoted_in": "ETH"}) for source in sources)
    keeper = Keeper(replace(of, assets={**of.assets, "USDC": replace(usdc, sources=ring)}))
    await keeper.run()
    assert {state for state, _ in keeper.states().values()} == {"failed"}
    assert all(
        str(reason).startswith("configuration: assets are priced in a circle") for _, reason in keeper.states().values()
    )


@pytest.mark.parametrize("error", [DOWN, ConfigurationError("wrong", advice="Mend it.")])
async def test_run__any_error_of_ours__ends_the_slot(error: NavoracleError, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper()

    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(keeper.planner, "slot", fail)
    await keeper.run("cash")
    assert keeper.states() == {"cash": ("failed", f"{error.code}: {error.message}")}


async def test_run__store_fails__raises_and_leaves_the_slot_claimed() -> None:
    keeper = Keeper()
    full = StoreError("disk full", advice="Free some space.")
    original = keeper.store.record_frame

    def record(*_: Any, **__: Any) -> None:
        raise full

    keeper.store.record_frame = record  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="disk full"):
        await keeper.run("cash")
    assert keeper.states() == {"cash": ("claimed", None)}
    assert "submit" not in keeper.log
    keeper.store.record_frame = original  # type: ignore[method-assign]


async def test_run__mined_late__waits_for_it_and_keeps_its_lease() -> None:
    keeper = Keeper()
    keeper.lane.looks = LOOKS
    await keeper.run("cash")
    assert keeper.states() == {"cash": POSTED}
    assert (keeper.clock.waits, keeper.store.renewals) == (LOOKS, LOOKS)


async def test_run__not_settled_in_time__leaves_the_slot_claimed() -> None:
    keeper = Keeper()
    keeper.lane.looks = LOOKS + 1
    _, outcomes = await keeper.run("cash")
    assert keeper.states() == {"cash": ("claimed", None)}
    assert (outcomes["cash"].state, outcomes["cash"].reason) == (SlotState.CLAIMED, "not settled yet")


async def test_run__lease_lost_while_waiting__ends_nothing() -> None:
    keeper = Keeper()
    keeper.lane.looks = 5
    keeper.store.lost_after = 2
    with pytest.raises(LeaseLost):
        await keeper.run("cash")
    assert keeper.states() == {"cash": ("claimed", None)}


async def test_run__insolvent_fund__is_held_without_a_post() -> None:
    of = subject()
    broke = fund("cash", 1, declared("cash.loan", "USDC", "debt", "1"))
    keeper = Keeper(replace(of, funds={**of.funds, "cash": broke}))
    await keeper.run()
    assert keeper.states() == {"cash": ("held", "insolvent"), "levered": POSTED, "mixed": POSTED}


async def test_run__fund_without_a_registry__is_valued_and_skipped() -> None:
    of = subject()
    keeper = Keeper(replace(of, funds={"cash": replace(of.funds["cash"], chain=None)}))
    frames, _ = await keeper.run("cash")
    assert frames[0].fund("cash").status is NavStatus.LIVE
    assert keeper.states() == {"cash": ("skipped", "no_registry")}


async def test_run__contract_holds_the_record__is_held_for_the_contracts_reason() -> None:
    keeper = Keeper()
    keeper.publisher.outcomes = {"levered": "step"}
    await keeper.run()
    assert keeper.states() == {"cash": POSTED, "levered": ("held", "registry:step"), "mixed": POSTED}


async def test_run__posted_once__is_too_early_a_minute_later_by_the_chains_clock() -> None:
    keeper = Keeper()
    await keeper.run("cash")
    keeper.clock.set(NOW + 50)
    await keeper.run("cash", at=Timestamp(SLOT + 50))
    assert keeper.states(Timestamp(SLOT + 50)) == {"cash": ("skipped", "interval")}


async def test_run__funds_that_share_a_reader_id__fail_with_the_reason() -> None:
    of = subject()
    twin = fund(
        "twin",
        9,
        position("erc20", "cash.usdc", "USDC", chain=CHAIN, token=TOKEN, holder=HOLDER, component="cash", decimals=6),
    )
    keeper = Keeper(replace(of, funds={**of.funds, "twin": twin}))
    await keeper.run("cash", "twin")
    assert keeper.states()["twin"] == ("failed", "read_failed: two readers are named cash.usdc")


async def test_sample__of_every_asset__is_absorbed_for_the_next_slot() -> None:
    keeper = Keeper()
    frame = await keeper.runner.sample(SLOT)
    plan = await keeper.planner.slot(["cash"], SLOT, Cadence.HOURLY, publish=False, now=SLOT)
    assert keeper.log == ["sample"]
    assert {sample.frame for sample in plan.prior.samples} == {frame.id}
    assert {(known.asset, known.side) for known in plan.prior.prices} == {
        (asset, side) for asset in ("USDC", "ETH", "sUSD", "mUSD") for side in ("asset", "debt")
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (NavStatus.SUSPICIOUS, SlotState.HELD),
        (NavStatus.INSOLVENT, SlotState.HELD),
        (NavStatus.HALTED, SlotState.SKIPPED),
    ],
)
async def test_outcome__not_postable__is_by_the_keepers_own_verdict(status: NavStatus, state: SlotState) -> None:
    frame = await world().frame(frame_plan("cash"))
    found = replace(frame.fund("cash"), status=status, reason="why")
    assert outcome_of(found, frame, Submission(frame.id)) == SlotOutcome(state, "why", frame.id, None)


async def test_outcome__postable__is_by_what_became_of_the_post() -> None:
    frame = await world().frame(frame_plan("cash"))
    found = frame.fund("cash")

    def of(submission: Submission | None) -> tuple[SlotState, str | None]:
        outcome = outcome_of(found, frame, submission)
        return outcome.state, outcome.reason

    assert of(None) == (SlotState.SKIPPED, "no_registry")
    assert of(Submission(frame.id, refused={"cash": "dry_run"})) == (SlotState.SKIPPED, "dry_run")
    assert of(Submission(frame.id, refused={"other": "x"}, failed={"cash": "broke"})) == (SlotState.FAILED, "broke")
    assert of(Submission(frame.id)) == (SlotState.FAILED, "not_sent")
