"""Veda's publisher on the accountant's double: what it stores and pauses on is never sent."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call, selector
from navoracle.domain.errors import CallReverted, OutOfRange
from navoracle.ports import Address
from navoracle.publishers.peers import VedaPeer
from tests.contracts.circle import OWNER, POSTER, STRANGER, Circle

RATE, UPPER, LOWER, DELAY, MARGIN = 1_002_500, 10_050, 9_950, 3_600, 30
UNIT = 10**12


class Veda(Circle):
    """An accountant of 5 million shares at 1.0025, whose delay is over."""

    accountant: Address
    vault: Address

    async def start(self, **changes: Any) -> Veda:
        base = await self.chain.deploy("Token", "USD Coin", "USDC", 6)
        self.vault = await self.chain.deploy("Token", "Vault", "V", 6)
        await self.call(self.vault, "mint(address,uint256)", self.account(STRANGER), 5_000_000 * 10**6)
        terms = (RATE, base, UPPER, LOWER, DELAY, 200, 1_000)
        owner = self.account(OWNER)
        self.accountant = await self.chain.deploy("VedaAccountant", owner, self.vault, owner, *terms)
        poster, update = self.account(POSTER), selector("updateExchangeRate(uint96)")
        await self.call(self.accountant, "setCanCall(address,bytes4,bool)", poster, update, True)
        settings = {
            "id": "veda",
            "chain": "embedded",
            "contract": self.accountant,
            "base_token": base,
            "sender": poster,
        }
        await self.open(VedaPeer.model_validate(settings | changes))
        self.wait(DELAY + MARGIN)
        return self

    async def rate(self, function: str = "getRate()") -> int:
        data = await self.chain.reader().call(self.accountant, encode_call(function))
        return int(decode_result(("uint256",), data)[0])


def pps_of(rate: int) -> int:
    return rate * UNIT


async def test_circle__in_bounds__is_accepted_and_served() -> None:
    here = await Veda().start()
    outcome = await here.post(pps_of(RATE + 1_000) + 77)
    assert (outcome.accepted, outcome.reason, outcome.confirmed.held) == (True, None, False)
    assert await here.rate("getRateSafe()") == RATE + 1_000
    served = await here.confirmed()
    assert served is not None
    assert (served.price_per_share, served.valuation_time) == (pps_of(RATE + 1_000), here.chain.now)
    assert served.nav == 5_000_000 * pps_of(RATE + 1_000)


@pytest.mark.parametrize(("bps", "bound"), [(UPPER, "upper_bound"), (LOWER, "lower_bound")])
async def test_bound__exactly_reached__is_posted_and_one_unit_beyond_is_not(bps: int, bound: str) -> None:
    here = await Veda().start()
    edge, step = RATE * bps // 10_000, 1 if bps > 10_000 else -1
    found = await here.preview(pps_of(edge + step))
    assert (found.reason, found.send, found.role) == (bound, False, "owner")
    assert (await here.post(pps_of(edge))).accepted


async def test_doubled_rate__would_be_stored_and_pause__is_not_sent() -> None:
    here = await Veda().start()
    assert (await here.preview(pps_of(2 * RATE))).reason == "upper_bound"
    assert await here.rate("getRateSafe()") == RATE
    # What it is spared: mined with success, stored, paused.
    outcome = await here.send(here.batch(pps_of(2 * RATE)))
    assert (outcome.accepted, outcome.reason, outcome.role) == (False, "paused", "owner")
    assert outcome.confirmed.held
    assert await here.rate() == 2 * RATE
    with pytest.raises(CallReverted):
        await here.rate("getRateSafe()")


async def test_post_in_bounds_one_second_early__would_pause__waits_with_a_margin() -> None:
    here = await Veda().start()
    assert (await here.post(pps_of(RATE + 1))).accepted
    posted = here.chain.now
    here.wait_until(posted + DELAY + MARGIN - 1)
    found = await here.preview(pps_of(RATE + 2))
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, posted + DELAY + MARGIN)
    here.wait_until(posted + DELAY + MARGIN)
    assert (await here.post(pps_of(RATE + 2))).accepted


async def test_second_send_of_one_post__would_pause_though_in_bounds__is_not_previewed_as_sendable() -> None:
    here = await Veda().start()
    batch = here.batch(pps_of(RATE + 1))
    assert (await here.send(batch)).accepted
    (again,) = await here.publisher.preview(batch)
    assert (again.reason, again.send) == ("unchanged", False)
    outcome = await here.send(batch)
    assert (outcome.accepted, outcome.reason) == (False, "paused")


async def test_idle_chain__whose_newest_block_is_of_before_the_delay__lets_a_post_go_once_the_clock_says_so() -> None:
    here = await Veda().start()
    assert (await here.post(pps_of(RATE + 1))).accepted
    here.wait(DELAY + MARGIN - 1, mine=False)
    assert (await here.preview(pps_of(RATE + 2))).reason == "too_early"
    here.wait(1, mine=False)
    assert (await here.preview(pps_of(RATE + 2))).send


async def test_recovery__in_the_order_that_is_advised__ends_with_the_right_rate_served() -> None:
    here = await Veda().start()
    await here.send(here.batch(pps_of(2 * RATE)))
    paused = await here.preview(pps_of(RATE))
    assert (paused.reason, paused.role) == ("paused", "owner")
    assert "updateLower(5000)" in paused.advice
    # Unpaused without a wider bound, the correcting post would pause again: it is not sent.
    await here.call(here.accountant, "unpause()")
    here.wait(DELAY + MARGIN)
    assert (await here.preview(pps_of(RATE))).reason == "lower_bound"
    await here.call(here.accountant, "updateLower(uint16)", 5_001)
    assert (await here.preview(pps_of(RATE))).reason == "lower_bound"
    await here.call(here.accountant, "updateLower(uint16)", 5_000)
    assert (await here.post(pps_of(RATE))).accepted
    await here.call(here.accountant, "updateLower(uint16)", LOWER)
    assert await here.rate("getRateSafe()") == RATE


async def test_rate_of_zero__would_be_stored__cannot_be_encoded_and_its_recovery_is_told() -> None:
    here = await Veda().start()
    with pytest.raises(OutOfRange, match="is 0 at 6 decimals"):
        here.batch(UNIT - 1)
    await here.chain.transact(here.accountant, encode_call("updateExchangeRate(uint96)", 0), POSTER)
    assert await here.rate() == 0
    assert "by hand" in (await here.preview(pps_of(RATE))).advice
    await here.call(here.accountant, "unpause()")
    here.wait(DELAY + MARGIN)
    assert (await here.preview(pps_of(RATE))).reason == "upper_bound"
    await here.send(here.batch(pps_of(RATE)))
    await here.call(here.accountant, "unpause()")
    assert await here.rate("getRateSafe()") == RATE


async def test_sender_without_the_role__is_refused_before_anything_is_sent() -> None:
    here = await Veda().start(sender=Circle().account(STRANGER))
    found = await here.preview(pps_of(RATE + 1))
    assert (found.reason, found.send) == ("peer_refuses", False)
    assert "UNAUTHORIZED" in found.advice


async def test_pause_by_a_guardian__without_any_post__is_held_and_nothing_is_sent() -> None:
    here = await Veda().start()
    await here.call(here.accountant, "pause()")
    served = await here.confirmed()
    assert served is not None
    assert served.held
    assert (await here.preview(pps_of(RATE + 1))).reason == "paused"


async def test_preview__every_verdict__is_that_of_the_accountants_own_view() -> None:
    here = await Veda().start()
    for rate in (RATE - 10_000, RATE * LOWER // 10_000 - 1, RATE - 1, RATE + 1, RATE * UPPER // 10_000 + 1, 2 * RATE):
        data = await here.chain.reader().call(here.accountant, encode_call("previewUpdateExchangeRate(uint96)", rate))
        pauses = decode_result(("bool", "uint256", "uint256"), data)[0]
        assert (await here.preview(pps_of(rate))).send is not pauses
