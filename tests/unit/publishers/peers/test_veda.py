"""The publisher of Veda's accountant: every way in which a post could be stored and pause, and is not sent."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import decode_result, selector
from navoracle.domain.errors import ChainError, ConfigurationError, DomainError, OutOfRange, SourceRefused
from navoracle.domain.prior import PostBounds
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.publishers.peers import VedaPeer
from tests.unit.addresses import address
from tests.unit.publishers.peers.desk import NOW, Desk, message
from tests.unit.publishers.posts import fund_post

ACCOUNTANT, VAULT, USDC, SENDER, OTHER = (address(number) for number in range(1, 6))
STATE = (
    *("address", "uint96", "uint128", "uint128", "uint96", "uint16", "uint16", "uint64"),
    *("bool", "uint24", "uint16", "uint16"),
)
RATE, UPPER, LOWER, DELAY, MARGIN = 1_002_500, 10_050, 9_950, 3_600, 30
LAST = NOW - DELAY - MARGIN
UPDATE, PREVIEW = selector("updateExchangeRate(uint96)"), "previewUpdateExchangeRate(uint96)"
NOT_SUPPORTED = selector("AccountantWithYieldStreaming__UpdateExchangeRateNotSupported()")


def peer(**changes: Any) -> VedaPeer:
    settings: dict[str, Any] = {"id": "veda", "chain": "local", "contract": ACCOUNTANT, "decimals": 6, "shares": VAULT}
    return VedaPeer.model_validate(settings | changes)


class Accountant(Desk):
    """An accountant of 6 decimals whose last post was one delay and one margin ago."""

    def __init__(self, model: VedaPeer | None = None, **times: int) -> None:
        super().__init__(peer() if model is None else model, **times)
        self.state()
        self.put(VAULT, "totalSupply()", ["uint256"], 5_000_000 * 10**6)
        self.put(VAULT, "decimals()", ["uint8"], 6)

    def state(self, *, rate: int = RATE, last: int = LAST, paused: bool = False, lower: int = LOWER) -> None:
        values = (SENDER, 1_010_000, 0, 5_000_000 * 10**6, rate, UPPER, lower, last, paused, DELAY, 200, 1_000)
        self.put(ACCOUNTANT, "accountantState()", STATE, *values)

    def view(self, rate: int, *, will_pause: bool = False) -> None:
        self.chain.put(ACCOUNTANT, PREVIEW, (rate,), ["bool", "uint256", "uint256"], will_pause, 5, 7)


def rate_of(desk: Desk, pps: int, **changes: Any) -> int:
    data = desk.batch(fund_post(1, pps, **changes)).data
    assert data[:4] == UPDATE
    return int(decode_result(("uint96",), data[4:])[0])


def pps_of(rate: int) -> int:
    """The lowest price per share that is posted as this rate."""
    return rate * 10**12


def test_encode__six_decimals__rounds_the_rate_down() -> None:
    assert rate_of(Accountant(), pps_of(RATE) + 10**12 - 1) == RATE
    assert rate_of(Accountant(), pps_of(RATE + 1)) == RATE + 1


def test_encode__base_at_two_dollars__states_the_rate_in_the_base() -> None:
    desk = Accountant(peer(base="ETH", decimals=18))
    assert rate_of(desk, 3 * WAD + 1, prices={"ETH": Wad(2 * WAD)}) == 3 * WAD // 2
    assert desk.peer.priced_in == ("ETH",)
    with pytest.raises(DomainError, match="counts in ETH"):
        desk.batch(fund_post(1, WAD))


def test_encode__rate_of_zero__is_never_sent() -> None:
    desk = Accountant()
    assert rate_of(desk, 10**12) == 1
    for pps in (10**12 - 1, 0):
        with pytest.raises(OutOfRange, match="is 0 at 6 decimals"):
            desk.batch(fund_post(1, pps))


def test_encode__rate_of_more_than_96_bits__is_refused_not_cut() -> None:
    desk = Accountant(peer(decimals=18))
    assert rate_of(desk, (1 << 96) - 1) == (1 << 96) - 1
    with pytest.raises(OutOfRange, match="uint96"):
        desk.batch(fund_post(1, 1 << 96))


def test_encode__unresolved__says_so() -> None:
    with pytest.raises(ConfigurationError, match="not resolved"):
        peer(decimals=None).encode(fund_post(1), Timestamp(NOW))


async def test_confirmed__running__is_the_rate_in_the_base_with_nav_and_bounds() -> None:
    found = await Accountant().confirmed()
    assert found is not None
    assert (found.price_per_share, found.valuation_time, found.held) == (pps_of(RATE), LAST, False)
    assert found.nav == 5_000_000 * pps_of(RATE)
    assert found.bounds == PostBounds(50, 50, 50)


async def test_confirmed__paused__is_held() -> None:
    desk = Accountant()
    desk.state(paused=True)
    found = await desk.confirmed()
    assert found is not None
    assert found.held


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (RATE * UPPER // 10_000, None),
        (RATE * UPPER // 10_000 + 1, "upper_bound"),
        (RATE * LOWER // 10_000, None),
        (RATE * LOWER // 10_000 - 1, "lower_bound"),
    ],
)
async def test_preview__at_a_bound_and_one_unit_beyond__sends_only_what_does_not_pause(
    rate: int, reason: str | None
) -> None:
    desk = Accountant()
    desk.view(rate)
    found = await desk.preview(pps_of(rate))
    assert (found.reason, found.send) == (reason, reason is None)
    assert {guard.name: guard.passes for guard in found.guards} == {
        "upper_bound": reason != "upper_bound",
        "lower_bound": reason != "lower_bound",
        "minimum_delay": True,
    }
    if reason is not None:
        assert found.role == "owner"
        assert f"updateLower({LOWER - 1})" in found.advice or f"updateUpper({UPPER + 1})" in found.advice


async def test_preview__one_second_before_delay_and_margin__waits() -> None:
    desk = Accountant()
    desk.view(RATE + 1)
    desk.at(NOW - 1)
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, NOW)
    desk.at(NOW)
    assert (await desk.preview(pps_of(RATE + 1))).send


async def test_preview__margin_of_zero__still_waits_for_the_delay_itself() -> None:
    desk = Accountant(peer(margin=0))
    desk.state(last=NOW - DELAY + 1)
    desk.view(RATE + 1)
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.ready_at) == ("too_early", NOW + 1)


async def test_preview__unchanged_rate__is_sent_once_the_heartbeat_is_due() -> None:
    desk = Accountant(peer(heartbeat=7_200))
    desk.view(RATE)
    assert (await desk.preview(pps_of(RATE) + 10**12 - 1)).reason == "unchanged"
    desk.state(last=NOW - 7_199)
    assert (await desk.preview(pps_of(RATE))).reason == "unchanged"
    desk.state(last=NOW - 7_200)
    found = await desk.preview(pps_of(RATE))
    assert (found.reason, found.send) == (None, True)


async def test_preview__paused_on_a_doubled_rate__names_the_owner_and_the_order_of_recovery() -> None:
    desk = Accountant()
    desk.state(rate=2 * RATE, paused=True)
    found = await desk.preview(pps_of(RATE))
    assert (found.reason, found.send, found.role) == ("paused", False, "owner")
    steps = ["updateLower(5000)", "unpause()", f"{DELAY} s", "right rate be posted", "sets the bound back"]
    places = [found.advice.index(step) for step in steps]
    assert places == sorted(places)
    assert "trips the other bound" in found.advice


async def test_preview__paused_on_a_rate_in_bounds__says_what_unpausing_serves() -> None:
    desk = Accountant()
    desk.state(paused=True)
    found = await desk.preview(pps_of(RATE))
    assert f"the stored rate {RATE} is right" in found.advice
    assert "updateLower" not in found.advice


async def test_preview__unpaused_on_a_bad_rate__does_not_send_the_correcting_post_that_pauses_again() -> None:
    desk = Accountant()
    desk.state(rate=2 * RATE)
    found = await desk.preview(pps_of(RATE))
    assert (found.reason, found.send, found.role) == ("lower_bound", False, "owner")
    desk.state(rate=2 * RATE, lower=5_000)
    desk.view(RATE)
    assert (await desk.preview(pps_of(RATE))).send


@pytest.mark.parametrize("paused", [False, True])
async def test_preview__stored_zero__is_left_to_people(paused: bool) -> None:
    desk = Accountant()
    desk.state(rate=0, paused=paused)
    found = await desk.preview(pps_of(RATE))
    assert (found.send, found.role) == (False, "owner")
    assert "by hand" in found.advice


async def test_preview__own_view_says_pause_where_the_bounds_do_not__is_not_sent() -> None:
    desk = Accountant()
    desk.view(RATE + 1, will_pause=True)
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")


async def test_preview__view_of_a_block_before_the_delay_was_over__does_not_stop_a_post_after_it() -> None:
    desk = Accountant()
    desk.view(RATE + 1, will_pause=True)
    desk.at(NOW, block=LAST + DELAY - 1)
    assert (await desk.preview(pps_of(RATE + 1))).send


@pytest.mark.parametrize("data", [NOT_SUPPORTED, message("UNAUTHORIZED")])
async def test_preview__streaming_accountant__is_recognised_by_its_revert(data: bytes) -> None:
    desk = Accountant()
    desk.chain.revert(ACCOUNTANT, PREVIEW, RATE + 1, data=data)
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")
    assert "vestYield" in found.advice


async def test_preview__accountant_without_the_view__is_not_posted_to_blindly() -> None:
    desk = Accountant()
    desk.chain.revert(ACCOUNTANT, PREVIEW, RATE + 1)
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.send) == ("peer_refuses", False)
    assert "previewUpdateExchangeRate" in found.advice


async def test_preview__sender_without_the_role__is_refused_by_name() -> None:
    desk = Accountant(peer(sender=SENDER))
    desk.view(RATE + 1)
    desk.chain.refusals[UPDATE] = message("UNAUTHORIZED")
    found = await desk.preview(pps_of(RATE + 1))
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")
    assert "UPDATE_EXCHANGE_RATE_ROLE" in found.advice
    del desk.chain.refusals[UPDATE]
    assert (await desk.preview(pps_of(RATE + 1))).send
    setter = [call for call in desk.chain.simulated if call.data[:4] == UPDATE]
    assert {(call.target, call.sender) for call in setter} == {(ACCOUNTANT, SENDER)}


async def test_preview__estimated__is_refused_unless_told_otherwise() -> None:
    desk = Accountant()
    desk.view(RATE + 1)
    assert (await desk.preview(pps_of(RATE + 1), estimated=True)).reason == "estimated"
    desk.peer = peer(post_estimated=True)
    assert (await desk.preview(pps_of(RATE + 1), estimated=True)).send


async def test_preview__contract_of_another_shape__is_a_chain_error_with_advice() -> None:
    desk = Accountant()
    desk.put(ACCOUNTANT, "accountantState()", ["uint256"], 1)
    with pytest.raises(ChainError, match="does not answer as a veda contract"):
        await desk.preview(pps_of(RATE))


async def test_read_back__stored_in_this_block__is_accepted() -> None:
    desk = Accountant()
    desk.state(rate=RATE + 1, last=NOW)
    found = await desk.read_back(pps_of(RATE + 1))
    assert (found.accepted, found.reason, found.role) == (True, None, None)
    assert (found.confirmed.price_per_share, found.confirmed.valuation_time) == (pps_of(RATE + 1), NOW)


async def test_read_back__stored_and_paused__is_not_accepted_though_it_was_mined() -> None:
    desk = Accountant()
    desk.state(rate=2 * RATE, last=NOW, paused=True)
    found = await desk.read_back(pps_of(2 * RATE))
    assert (found.accepted, found.reason, found.role) == (False, "paused", "owner")
    assert found.confirmed.held
    assert "unpause()" in found.advice


@pytest.mark.parametrize(
    ("rate", "last", "success", "reason"),
    [
        (RATE, LAST, True, "missing"),
        (RATE + 1, LAST, True, "missing"),
        (RATE + 2, NOW, True, "superseded"),
        (RATE, LAST, False, "reverted"),
    ],
)
async def test_read_back__anything_else__says_what_became_of_it(
    rate: int, last: int, success: bool, reason: str
) -> None:
    desk = Accountant()
    desk.state(rate=rate, last=last)
    found = await desk.read_back(pps_of(RATE + 1), success=success)
    assert (found.accepted, found.reason) == (False, reason)


async def test_fixed_rate__above_one__is_stored_as_one_and_counts_as_unchanged() -> None:
    desk = Accountant(peer(fixed_rate=True))
    desk.state(rate=10**6, last=NOW)
    assert (await desk.read_back(WAD + 3 * 10**12)).accepted
    assert (await desk.preview(WAD + 3 * 10**12)).reason == "unchanged"
    desk.state(rate=999_000, last=NOW)
    assert (await desk.read_back(999_000 * 10**12)).accepted
    assert (await desk.read_back(999_001 * 10**12)).reason == "superseded"


async def test_variable_rate__above_one_but_stored_as_one__is_not_taken_for_accepted() -> None:
    desk = Accountant()
    desk.state(rate=10**6, last=NOW)
    assert (await desk.read_back(WAD + 3 * 10**12)).reason == "superseded"


class TestResolve:
    """What resolving reads and refuses."""

    def desk(self, **changes: Any) -> Desk:
        desk = Desk(peer(**({"decimals": None, "shares": None} | changes)))
        desk.put(ACCOUNTANT, "decimals()", ["uint8"], 6)
        desk.put(ACCOUNTANT, "base()", ["address"], USDC)
        desk.put(ACCOUNTANT, "vault()", ["address"], VAULT)
        desk.put(USDC, "decimals()", ["uint8"], 6)
        desk.chain.revert(ACCOUNTANT, "fixedRateAccountantState()")
        return desk

    async def test_resolve__plain_accountant__fills_decimals_and_vault(self) -> None:
        desk = self.desk(base_token=USDC)
        assert not desk.peer.is_resolved
        found = await desk.resolve()
        assert found.is_resolved
        assert found == peer(base_token=USDC)
        assert VedaPeer.model_validate(found.describe()) == found

    async def test_resolve__another_base_token__is_refused(self) -> None:
        with pytest.raises(SourceRefused, match="base"):
            await self.desk(base_token=OTHER).resolve()

    async def test_resolve__another_vault__is_refused(self) -> None:
        with pytest.raises(SourceRefused, match="vault"):
            await self.desk(shares=OTHER).resolve()

    async def test_resolve__decimals_that_are_not_the_bases__are_refused(self) -> None:
        desk = self.desk()
        desk.put(USDC, "decimals()", ["uint8"], 18)
        with pytest.raises(SourceRefused, match="6 decimals"):
            await desk.resolve()

    async def test_resolve__fixed_rate__must_be_configured_as_such(self) -> None:
        desk = self.desk()
        desk.put(ACCOUNTANT, "fixedRateAccountantState()", ["uint96", "address"], 0, OTHER)
        with pytest.raises(SourceRefused, match="is an accountant with a fixed rate") as refusal:
            await desk.resolve()
        assert "fixed_rate: true" in refusal.value.advice
        with pytest.raises(SourceRefused, match="is not an accountant with a fixed rate"):
            await self.desk(fixed_rate=True).resolve()
