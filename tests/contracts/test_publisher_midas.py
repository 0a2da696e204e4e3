"""Midas's publishers on the feeds' doubles: the guarded call, more than an hour apart, and never the other one."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import CallReverted
from navoracle.ports import Address
from navoracle.publishers.peers import MidasGrowthPeer, MidasPeer
from tests.contracts.circle import OWNER, POSTER, STRANGER, Circle

ONE = 10**8
LOWEST, HIGHEST, DEVIATION = ONE // 10, 1_000 * ONE, ONE
HOUR, MARGIN = 3_600, 30
ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")


class Midas(Circle):
    """A feed that POSTER may post to, in either way."""

    feed: Address

    async def start(self, **changes: Any) -> Midas:
        who = (self.account(OWNER), self.account(POSTER))
        self.feed = await self.chain.deploy("MidasFeed", *who, LOWEST, HIGHEST, DEVIATION, "mTBILL/USD")
        settings = {"id": "midas", "chain": "embedded", "contract": self.feed, "sender": who[1]}
        await self.open(MidasPeer.model_validate(settings | changes))
        return self

    async def start_growth(self, *, only_up: bool = False, **changes: Any) -> Midas:
        who = (self.account(OWNER), self.account(POSTER))
        band = ([LOWEST, HIGHEST], DEVIATION, [-10 * ONE, 10 * ONE])
        self.feed = await self.chain.deploy("MidasGrowthFeed", *who, *band, only_up, "mFARM/USD")
        settings = {"id": "growth", "chain": "embedded", "contract": self.feed, "sender": who[1], "growth_apr": 5 * ONE}
        await self.open(MidasGrowthPeer.model_validate(settings | changes))
        return self

    async def answer(self) -> int:
        data = await self.chain.reader().call(self.feed, encode_call("latestRoundData()"))
        return int(decode_result(ROUND, data)[1])


def pps_of(answer: int) -> int:
    return answer * 10**10


async def test_circle__first_and_second_round__are_accepted() -> None:
    here = await Midas().start()
    assert await here.confirmed() is None
    assert (await here.post(pps_of(ONE))).accepted
    posted = here.chain.now
    here.wait(HOUR + 1 + MARGIN)
    outcome = await here.post(pps_of(ONE + ONE // 100) + 99)
    assert (outcome.accepted, outcome.confirmed.price_per_share) == (True, pps_of(ONE + ONE // 100))
    served = await here.confirmed()
    assert served is not None
    assert served.valuation_time == here.chain.now > posted


async def test_hour__exactly_passed_when_the_post_is_mined__reverts_and_so_is_waited_beyond() -> None:
    here = await Midas().start()
    await here.post(pps_of(ONE))
    posted = here.chain.now
    here.wait_until(posted + HOUR - 1)
    with pytest.raises(CallReverted, match="not enough time passed"):
        await here.send(here.batch(pps_of(ONE + 1)))
    here.wait_until(posted + HOUR + MARGIN)
    found = await here.preview(pps_of(ONE + 1))
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, posted + HOUR + 1 + MARGIN)
    here.wait_until(posted + HOUR + 1 + MARGIN)
    assert (await here.post(pps_of(ONE + 1))).accepted


async def test_same_key_bypass__is_open_to_the_poster__and_navoracle_does_not_take_it() -> None:
    here = await Midas().start()
    await here.post(pps_of(ONE))
    here.wait(HOUR + 1 + MARGIN)
    found = await here.preview(pps_of(2 * ONE))
    assert (found.reason, found.send, found.role) == ("deviation", False, "feedAdminRole()")
    assert here.batch(pps_of(2 * ONE)).data[:4] == encode_call("setRoundDataSafe(int256)", 1)[:4]
    with pytest.raises(CallReverted, match="!deviation"):
        await here.send(here.batch(pps_of(2 * ONE)))
    assert await here.answer() == ONE
    # The same key could have: that is the harm.
    await here.chain.transact(here.feed, encode_call("setRoundData(int256)", 2 * ONE), POSTER)
    assert await here.answer() == 2 * ONE


@pytest.mark.parametrize(("answer", "reason"), [(LOWEST - 1, "lowest_answer"), (HIGHEST + 1, "highest_answer")])
async def test_range__one_unit_beyond__is_not_sent_and_the_bound_itself_is(answer: int, reason: str) -> None:
    here = await Midas().start()
    assert (await here.preview(pps_of(answer))).reason == reason
    assert (await here.post(pps_of(min(max(answer, LOWEST), HIGHEST)))).accepted


async def test_sender_without_the_role__is_refused_by_name() -> None:
    here = await Midas().start(sender=Circle().account(STRANGER))
    found = await here.preview(pps_of(ONE))
    assert (found.reason, found.role) == ("peer_refuses", "feedAdminRole()")
    assert "WMAC: hasnt role" in found.advice


async def test_idle_chain__clock_beyond_the_hour__is_not_held_back_by_a_simulation_in_the_past() -> None:
    here = await Midas().start()
    await here.post(pps_of(ONE))
    here.wait(HOUR + 1 + MARGIN, mine=False)
    assert (await here.preview(pps_of(ONE + 1))).send


async def test_growth_circle__data_of_a_block_before_the_newest__is_accepted_and_grows() -> None:
    here = await Midas().start_growth()
    time = here.chain.now
    assert (await here.preview(pps_of(ONE), time)).reason == "too_early"
    here.wait(1)
    outcome = await here.post(pps_of(ONE), time)
    assert (outcome.accepted, outcome.confirmed.valuation_time) == (True, time)
    here.wait_until(time + 365 * 86_400)
    served = await here.confirmed()
    assert served is not None
    assert served.price_per_share == pps_of(ONE + 5 * ONE // 100)
    newer = here.chain.now - 1
    assert (await here.preview(pps_of(ONE), newer)).reason == "deviation"
    assert (await here.post(pps_of(ONE + 5 * ONE // 100 + 1_000), newer)).accepted


async def test_growth__data_of_the_future__waits_and_is_never_sent_early() -> None:
    here = await Midas().start_growth()
    ahead = here.chain.now + 5
    found = await here.preview(pps_of(ONE), ahead)
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, ahead + 1 + MARGIN)
    here.wait_until(ahead)
    assert (await here.preview(pps_of(ONE), ahead)).reason == "too_early"
    here.wait(1)
    assert (await here.post(pps_of(ONE), ahead)).accepted


async def test_growth_that_only_goes_up__refuses_a_fall_and_a_negative_rate_before_sending() -> None:
    here = await Midas().start_growth(only_up=True, growth_apr=0)
    await here.post(pps_of(ONE), here.chain.now - 1)
    time = here.wait(HOUR + 1 + MARGIN) - 1
    assert (await here.preview(pps_of(ONE - 1), time)).reason == "only_up"
    with pytest.raises(CallReverted, match="deviation is negative"):
        await here.send(here.batch(pps_of(ONE - 1), time))
    here.peer = here.peer.model_copy(update={"growth_apr": -1})
    assert (await here.preview(pps_of(ONE + 1), time)).reason == "lowest_growth"


async def test_growth__rate_of_growth_beyond_the_band__is_not_sent() -> None:
    here = await Midas().start_growth(growth_apr=10 * ONE + 1)
    time = here.chain.now - 1
    assert (await here.preview(pps_of(ONE), time)).reason == "highest_growth"
    with pytest.raises(CallReverted, match="growth"):
        await here.send(here.batch(pps_of(ONE), time))
