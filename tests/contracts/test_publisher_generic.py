"""The shipped declarations on the doubles of their contracts: the full circle, and the harm of each avoided."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.units import WAD
from navoracle.ports import Address
from tests.contracts.circle import OWNER, POSTER, STRANGER, Circle
from tests.unit.publishers.peers.examples import example

DAY, MARGIN = 86_400, 30


class TestOndo:
    """RWAOracleRateCheck: 23 hours and 1 %, rounded up."""

    async def start(self, **changes: Any) -> Circle:
        here = Circle()
        self.oracle = await here.chain.deploy("OndoOracle", here.account(OWNER), here.account(POSTER), WAD)
        settings = {"chain": "embedded", "sender": here.account(POSTER)} | changes
        await here.open(example("ondo", {"ONDO_ORACLE": self.oracle}, **settings))
        self.started = here.chain.now
        here.wait_until(self.started + 82_800 + MARGIN)
        return here

    async def test_one_per_cent__exactly__is_posted_and_one_wei_more_is_not(self) -> None:
        here = await self.start()
        edge = WAD + WAD // 100
        found = await here.preview(edge + 1)
        assert (found.reason, found.send, found.role) == ("upper_bound", False, "DEFAULT_ADMIN_ROLE")
        with pytest.raises(CallReverted):
            await here.send(here.batch(edge + 1))
        outcome = await here.post(edge)
        assert (outcome.accepted, outcome.confirmed.price_per_share) == (True, edge)
        assert (await here.preview(edge)).reason == "unchanged"

    async def test_window__one_second_short__waits(self) -> None:
        here = await self.start()
        await here.post(WAD + 1)
        posted = here.chain.now
        here.wait_until(posted + 82_800 + MARGIN - 1)
        found = await here.preview(WAD + 2)
        assert (found.reason, found.ready_at) == ("too_early", posted + 82_800 + MARGIN)
        here.wait_until(posted + 82_800 + MARGIN)
        assert (await here.post(WAD + 2)).accepted

    async def test_stranger__is_refused_by_the_error_that_is_declared(self) -> None:
        here = await self.start(sender=Circle().account(STRANGER))
        found = await here.preview(WAD + 1)
        assert found.reason == "peer_refuses"
        assert "AccessControlUnauthorizedAccount" in found.advice


class TestEnzyme:
    """ManualValueOracle: no guard but ours."""

    async def start(self) -> Circle:
        here = Circle()
        who = (here.account(OWNER), here.account(POSTER))
        self.oracle = await here.chain.deploy("EnzymeValue", *who, b"value".ljust(32, b"\0"))
        settings = {"chain": "embedded", "sender": here.account(POSTER)}
        await here.open(example("enzyme", {"ENZYME_ORACLE": self.oracle}, **settings))
        return here

    async def test_first_value__is_left_to_people_and_the_next_goes_through(self) -> None:
        here = await self.start()
        assert (await here.confirmed(), (await here.preview(WAD)).reason) == (None, "no_baseline")
        await here.call(self.oracle, "updateValue(int192)", WAD, account=POSTER)
        here.wait(600 + MARGIN)
        outcome = await here.post(WAD + 5)
        assert (outcome.accepted, outcome.confirmed.price_per_share) == (True, WAD + 5)

    async def test_tenfold_value__which_the_contract_would_take__is_not_sent(self) -> None:
        here = await self.start()
        await here.call(self.oracle, "updateValue(int192)", WAD, account=POSTER)
        here.wait(600 + MARGIN)
        found = await here.preview(10 * WAD)
        assert (found.reason, found.send, found.role) == ("upper_bound", False, "updater")
        assert (await here.send(here.batch(10 * WAD))).accepted

    async def test_post_right_after_another__waits(self) -> None:
        here = await self.start()
        await here.call(self.oracle, "updateValue(int192)", WAD, account=POSTER)
        assert (await here.preview(WAD + 1)).reason == "too_early"


class TestSuperstate:
    """Checkpoints: effective ahead, an absolute bound, one pending at a time."""

    async def start(self, delta: int = 100_000) -> Circle:
        """An oracle with checkpoints of 10.000000 and 10.001000 in effect."""
        here = Circle()
        poster = here.account(POSTER)
        self.oracle = await here.chain.deploy("SuperstateOracle", poster, here.account(STRANGER), delta)
        here.wait(DAY)
        for navs in (10_000_000, 10_001_000):
            await self.checkpoint(here, here.chain.now - 10, here.chain.now + 2, navs)
            here.wait(DAY)
        settings = {"chain": "embedded", "sender": poster}
        await here.open(example("superstate", {"SUPERSTATE_ORACLE": self.oracle}, **settings))
        return here

    async def checkpoint(self, here: Circle, time: int, effective_at: int, navs: int) -> None:
        signature = "addCheckpoint(uint64,uint64,uint128,bool)"
        await here.call(self.oracle, signature, time, effective_at, navs, False, account=POSTER)

    async def test_checkpoint__set_ahead__is_accepted_before_it_is_in_effect(self) -> None:
        here = await self.start()
        time = here.chain.now - 100
        outcome = await here.post(10_002_000 * 10**12 + 10**12 // 2, time)
        assert (outcome.accepted, outcome.reason) == (True, None)
        data = await here.chain.reader().call(self.oracle, encode_call("checkpoints(uint256)", 2))
        assert decode_result(("uint64", "uint64", "uint128"), data) == (time, time + 600, 10_002_001)
        assert outcome.confirmed.price_per_share == 10_001_000 * 10**12
        here.wait(600)
        served = await here.confirmed()
        assert served is not None
        assert (served.price_per_share, served.valuation_time) == (10_002_001 * 10**12, time)

    async def test_pending_checkpoint__another_post__waits_for_it(self) -> None:
        here = await self.start()
        await here.post(10_002_000 * 10**12, here.chain.now - 100)
        found = await here.preview(10_003_000 * 10**12, here.chain.now - 1)
        assert (found.reason, found.send) == ("checkpoint_pending", False)
        assert "after that" in found.advice

    async def test_effective_time__that_could_pass_before_it_is_mined__is_not_sent(self) -> None:
        here = await self.start()
        value = 10_002_000 * 10**12
        found = await here.preview(value, here.chain.now - 600 + MARGIN - 1)
        assert (found.reason, found.send) == ("expired", False)
        # In effect from the newest block's time on: a simulation passes, and the block after it refuses.
        with pytest.raises(ChainError, match="and failed"):
            await here.send(here.batch(value, here.chain.now - 600))
        assert (await here.post(value, here.chain.now - 600 + MARGIN)).accepted

    async def test_delta__absolute_and_inclusive__is_kept_to_the_unit(self) -> None:
        here = await self.start(delta=1_000)
        for value, reason in ((10_002_001, "upper_delta"), (9_999_999, "lower_delta")):
            found = await here.preview(value * 10**12, here.chain.now - 100)
            assert (found.reason, found.role) == (reason, "owner")
        assert (await here.post(10_002_000 * 10**12, here.chain.now - 100)).accepted

    async def test_delta_above_the_value__with_which_every_checkpoint_panics__is_refused_in_simulation(self) -> None:
        here = await self.start()
        await here.call(self.oracle, "setMaximumAcceptablePriceDelta(uint256)", 20_000_000, account=POSTER)
        found = await here.preview(10_002_000 * 10**12, here.chain.now - 100)
        assert (found.reason, found.send) == ("peer_refuses", False)
        assert "panic 0x11" in found.advice

    async def test_time_of_the_newest_block__is_not_yet_in_the_past__waits_for_the_next(self) -> None:
        here = await self.start()
        time = here.chain.now
        found = await here.preview(10_002_000 * 10**12, time)
        assert (found.reason, found.ready_at) == ("too_early", time + 1 + MARGIN)
        here.wait(1)
        assert (await here.post(10_002_000 * 10**12, time)).accepted

    async def test_time_that_is_held_already__is_not_posted_again(self) -> None:
        here = await self.start()
        served = await here.confirmed()
        assert served is not None
        assert (await here.preview(10_002_000 * 10**12, served.valuation_time)).reason == "not_newer"

    async def test_five_days_without_a_checkpoint__nothing_can_be_read__is_left_to_the_owner(self) -> None:
        here = await self.start()
        here.wait(5 * DAY)
        assert await here.confirmed() is None
        found = await here.preview(10_002_000 * 10**12)
        assert (found.reason, found.send, found.role) == ("unreadable", False, "owner")
        assert "StaleCheckpoint" in found.advice


class TestCentrifuge:
    """The hub: any price of any time up to now."""

    POOL, SHARE_CLASS = 281_474_976_710_657, bytes([1]) * 16

    async def start(self) -> Circle:
        """A hub that holds 1.0, computed for the newest block."""
        here = Circle()
        self.hub: Address = await here.chain.deploy("CentrifugeHub", here.account(OWNER))
        await here.call(self.hub, "updateManager(uint64,address,bool)", self.POOL, here.account(POSTER), True)
        await here.call(self.hub, "addShareClass(uint64,bytes16)", self.POOL, self.SHARE_CLASS)
        signature = "updateSharePrice(uint64,bytes16,uint128,uint64)"
        self.time = int(here.chain.now)
        await here.call(self.hub, signature, self.POOL, self.SHARE_CLASS, WAD, self.time, account=POSTER)
        values = {
            "CENTRIFUGE_HUB": self.hub,
            "CENTRIFUGE_SHARE_CLASS_MANAGER": self.hub,
            "CENTRIFUGE_POOL_ID": str(self.POOL),
            "CENTRIFUGE_SHARE_CLASS": "0x" + self.SHARE_CLASS.hex(),
        }
        settings = {"chain": "embedded", "sender": here.account(POSTER)}
        await here.open(example("centrifuge", values, **settings))
        return here

    async def test_price__with_its_time__is_accepted(self) -> None:
        here = await self.start()
        outcome = await here.post(WAD + 3)
        assert (outcome.accepted, outcome.confirmed.price_per_share) == (True, WAD + 3)
        assert outcome.confirmed.valuation_time == here.chain.now - 1

    async def test_older_time__which_the_hub_takes__is_not_sent(self) -> None:
        here = await self.start()
        for time in (self.time, self.time - 1):
            assert (await here.preview(WAD + 3, time)).reason == "not_newer"
        assert (await here.send(here.batch(WAD + 3, self.time - 1))).accepted

    async def test_future_time__waits_until_the_chain_is_there(self) -> None:
        here = await self.start()
        ahead = here.chain.now + 5
        found = await here.preview(WAD + 3, ahead)
        assert (found.reason, found.ready_at) == ("too_early", ahead + MARGIN)
        with pytest.raises(CallReverted):
            await here.send(here.batch(WAD + 3, ahead))
        here.wait_until(ahead)
        assert (await here.post(WAD + 3, ahead)).accepted

    async def test_price_out_of_our_bounds__is_left_to_the_manager(self) -> None:
        here = await self.start()
        found = await here.preview(2 * WAD)
        assert (found.reason, found.role) == ("upper_bound", "pool manager")

    async def test_sender_that_manages_no_pool__is_refused(self) -> None:
        here = await self.start()
        here.peer = here.peer.model_copy(update={"sender": here.account(STRANGER)})
        found = await here.preview(WAD + 3)
        assert found.reason == "peer_refuses"
        assert "NotManager" in found.advice
