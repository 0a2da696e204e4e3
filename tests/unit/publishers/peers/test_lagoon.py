"""The Lagoon publisher: what it encodes, what it refuses to send and who must act, what it makes of a mined post."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from navoracle.abi import encode_call
from navoracle.domain.errors import ChainError, ConfigurationError, DomainError, OutOfRange, SourceRefused
from navoracle.domain.peer_guards.lagoon import ONE_YEAR
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.publishers.peers import PeerModelUnion
from navoracle.publishers.peers.lagoon import LagoonPeer, total_assets_of
from navoracle.testing.fakes import drive, read_point
from tests.unit.publishers.peers.fake_lagoon import COUNCIL, DAY, MILLION, NOW, TOKEN, VAULT, FakeLagoon, call
from tests.unit.publishers.posts import fund_post

DECIMALS = [0, 6, 8, 18, 27]
SENDER = "0x" + "00" * 18 + "2001"


def unresolved() -> LagoonPeer:
    return LagoonPeer.model_validate({"id": "lagoon", "chain": "local", "contract": VAULT})


@pytest.mark.parametrize("decimals", DECIMALS)
def test_encode__every_scale__is_nav_before_in_raw_units(decimals: int) -> None:
    assert FakeLagoon(decimals=decimals).batch(12_345).data == call(12_345, decimals)


def test_encode__queued_deposits__are_left_out() -> None:
    # NAV is NAV_after, with the silo; NAV_before is without it.
    post = fund_post(nav=Wad(1_500_000 * WAD), nav_before=Wad(MILLION * WAD))
    assert FakeLagoon().peer.encode(post, Timestamp(NOW)) == call(MILLION)


def test_encode__base_with_a_price__converts_with_it_once() -> None:
    peer = FakeLagoon(decimals=18, settings={"base": "ETH"}).peer
    post = fund_post(nav_before=Wad(3 * 10**18 + 1), prices={"ETH": Wad(3_000 * WAD)})
    assert peer.priced_in == ("ETH",)
    assert total_assets_of(peer.encode(post, Timestamp(NOW))) == 10**15
    with pytest.raises(DomainError, match="ETH"):
        peer.encode(fund_post(), Timestamp(NOW))


@given(
    nav=st.integers(0, 10**40),
    price=st.integers(1, 10**24),
    decimals=st.sampled_from(DECIMALS),
    more=st.integers(0, 99),
)
def test_encode__any_nav__is_the_greatest_number_that_does_not_exceed_it(
    nav: int, price: int, decimals: int, more: int
) -> None:
    peer = FakeLagoon(decimals=decimals, settings={"base": "X"}).peer
    raw, next_raw = (
        total_assets_of(peer.encode(fund_post(nav_before=Wad(worth), prices={"X": Wad(price)}), Timestamp(NOW)))
        for worth in (nav, nav + more)
    )
    assert raw * price <= nav * 10**decimals < (raw + 1) * price
    assert raw <= next_raw


@pytest.mark.parametrize("decimals", DECIMALS)
def test_encode__most_that_fits_and_one_more__is_refused_beyond(decimals: int) -> None:
    peer = FakeLagoon(decimals=decimals).peer
    most = ((2**256) * WAD - 1) // 10**decimals
    assert total_assets_of(peer.encode(fund_post(nav_before=Wad(most)), Timestamp(NOW))) <= 2**256 - 1
    with pytest.raises(OutOfRange, match="uint256"):
        peer.encode(fund_post(nav_before=Wad(most + WAD)), Timestamp(NOW))
    with pytest.raises(OutOfRange, match="uint256"):
        peer.encode(fund_post(nav_before=Wad(-WAD)), Timestamp(NOW))


def test_resolve__vault__reads_asset_and_scales() -> None:
    here = FakeLagoon()
    resolved = drive(unresolved().resolve(read_point(NOW)), here.chain().answer)
    assert (resolved.token, resolved.decimals, resolved.share_decimals) == (TOKEN, 6, 18)
    assert resolved == here.peer
    assert resolved.is_resolved
    assert not unresolved().is_resolved


def test_resolve__another_version__is_refused() -> None:
    # Its storage lies elsewhere: what would be read there means nothing.
    with pytest.raises(SourceRefused, match=r"v0\.5\.0"):
        drive(unresolved().resolve(read_point(NOW)), FakeLagoon(version="v0.5.0").chain().answer)


def test_encode__not_resolved__says_so() -> None:
    with pytest.raises(ConfigurationError):
        unresolved().encode(fund_post(), Timestamp(NOW))


def test_model__described__is_built_again_by_its_kind() -> None:
    peer = FakeLagoon(settings={"post_unguarded": True, "base": "USDC"}).peer
    assert TypeAdapter(PeerModelUnion).validate_python(peer.describe()) == peer


async def test_confirmed__settled_vault__is_total_assets_and_their_price() -> None:
    found = await FakeLagoon(total_assets=1_050_000).confirmed()
    assert found is not None
    assert found.nav == 1_050_000 * WAD
    # One unit of assets and 10**12 of shares are virtual.
    assert found.price_per_share == (1_050_000 * 10**6 + 1) * 10**36 // ((10**24 + 10**12) * 10**6)
    assert (found.valuation_time, found.held, found.live) == (NOW - DAY, False, True)


async def test_confirmed__valuation_that_waits__is_not_served() -> None:
    found = await FakeLagoon(waiting=2 * MILLION).confirmed()
    assert found is not None
    assert found.nav == MILLION * WAD


async def test_confirmed__empty_vault__is_none() -> None:
    assert await FakeLagoon(total_assets=0, supply=0).confirmed() is None


@pytest.mark.parametrize("state", [0, 1, 2])
async def test_confirmed__paused_or_closed__says_so(state: int) -> None:
    found = await FakeLagoon(paused=True, state=state).confirmed()
    assert found is not None
    assert (found.held, found.live) == (True, state != 2)


async def test_confirmed__unknown_state__is_no_lagoon_vault() -> None:
    with pytest.raises(ChainError, match="state 3"):
        await FakeLagoon(state=3).confirmed()


async def test_preview__within_the_guardrails__is_sent_with_the_distance_to_each() -> None:
    here = FakeLagoon()
    found = await here.preview(1_001_000)
    assert (found.reason, found.send) == (None, True)
    # 0.0999 % in a day, for the vault's price is cut off at six places, times 365 whole days of a year.
    assert [(guard.name, guard.value, guard.limit) for guard in found.guards] == [
        ("upper_rate", 999 * 365 * WAD // MILLION, WAD // 2),
        ("lower_rate", 0, -WAD // 2),
    ]
    assert here.asked == (MILLION, 1_000_999, DAY)


@pytest.mark.parametrize(("nav", "passes"), [(1_001_370, True), (1_001_371, False), (998_631, True), (998_630, False)])
async def test_preview__at_the_guardrails_and_one_beyond__is_refused_beyond(nav: int, passes: bool) -> None:
    # 50 % a year over 365 periods is 1,369.86 of a million; the vault's price has six places, rounded down.
    found = await FakeLagoon().preview(nav)
    assert (found.reason, found.send) == ((None, True) if passes else ("guardrails", False))
    if not passes:
        assert found.role == "security_council"
        assert f"securityCouncilUpdateTotalAssets({nav * 10**6})" in found.advice


async def test_preview__guardrails_that_demand_a_rise__refuse_any_fall() -> None:
    assert (await FakeLagoon(lower=1).preview(999_999)).reason == "guardrails"
    assert (await FakeLagoon(lower=1).preview(1_000_000)).reason == "guardrails"
    assert (await FakeLagoon(lower=1).preview(1_000_100)).reason is None


async def test_preview__the_vault_s_own_view_refuses__is_believed() -> None:
    found = await FakeLagoon(compliant=False).preview(1_001_000)
    assert (found.reason, found.send, found.role) == ("guardrails", False, "security_council")


async def test_preview__same_second_as_the_settlement__waits_instead_of_panicking() -> None:
    found = await FakeLagoon(last_fee_time=NOW).preview(1_001_000)
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, NOW + 31)


@pytest.mark.parametrize(("seconds", "send"), [(30, False), (31, True)])
async def test_preview__margin_after_a_settlement__is_waited_out(seconds: int, send: bool) -> None:
    found = await FakeLagoon(last_fee_time=NOW - seconds, upper=1_000_000).preview(1_000_001)
    assert found.send is send


async def test_preview__more_than_a_year_after__is_not_sent_though_the_vault_takes_any_value() -> None:
    here = FakeLagoon(last_fee_time=NOW - ONE_YEAR - 1)
    found = await here.preview(100 * MILLION)
    assert (found.reason, found.send) == ("beyond_worn_guardrails", False)
    assert [guard.passes for guard in found.guards if not guard.name.endswith("_exact")] == [True, True]
    found = await here.preview(1_400_000)
    assert (found.reason, found.send, found.role) == ("unguarded", False, "security_council")
    # 40 % over a year and a second, rounded up; a rise uses nothing of what a fall may.
    upper, lower = found.guards[2:]
    assert (upper.name, upper.value) == ("upper_rate_exact", -(-399_999 * ONE_YEAR * WAD // (MILLION * (ONE_YEAR + 1))))
    assert (lower.name, lower.value, lower.limit) == ("lower_rate_exact", 0, -WAD // 2)


async def test_preview__more_than_a_year_after_where_a_rise_is_demanded__is_held_to_it_exactly() -> None:
    # 2 % a year is demanded: the vault's own factor makes nothing of any rise, and then refuses it.
    here = FakeLagoon(last_fee_time=NOW - ONE_YEAR - 1, lower=2, settings={"post_unguarded": True})
    assert (await here.preview(1_010_000)).reason == "guardrails"
    half_a_year = FakeLagoon(last_fee_time=NOW - 200 * DAY, lower=2)
    found = await half_a_year.preview(1_015_000)
    # 1.5 % is not 2 % by the vault's factor of 1, whatever it is a year.
    assert found.reason == "guardrails"
    assert (await half_a_year.preview(1_021_000)).send


async def test_preview__more_than_a_year_after_with_the_flag__keeps_the_exact_rates() -> None:
    here = FakeLagoon(last_fee_time=NOW - ONE_YEAR - 1, settings={"post_unguarded": True})
    assert (await here.preview(1_400_000)).send
    assert (await here.preview(1_600_000)).reason == "beyond_worn_guardrails"
    assert (await here.preview(400_000)).reason == "beyond_worn_guardrails"


@pytest.mark.parametrize(("nav", "reason"), [(1_270_000, None), (1_280_000, "beyond_worn_guardrails")])
async def test_preview__after_200_days__makes_the_change_a_year_s_where_the_vault_does_not(
    nav: int, reason: str | None
) -> None:
    # The vault's factor is 1, the exact one 1.826: 28 % of it is more than 50 % a year.
    found = await FakeLagoon(last_fee_time=NOW - 200 * DAY).preview(nav)
    assert found.reason == reason
    assert found.guards[0].passes


async def test_preview__guardrails_off__is_sent_and_says_so() -> None:
    found = await FakeLagoon(upper=None).preview(10 * MILLION)
    assert (found.reason, found.send, found.guards) == (None, True, ())
    assert "guardrails are off" in found.advice


async def test_preview__share_worth_nothing__is_the_council_s() -> None:
    # The guardrails would divide by the price.
    found = await FakeLagoon(total_assets=0).preview(MILLION)
    assert (found.reason, found.send, found.role) == ("guardrails", False, "security_council")


async def test_preview__total_assets_still_valid__waits_or_the_safe_expires_them() -> None:
    found = await FakeLagoon(expiration=NOW + 600).preview(1_001_000)
    assert (found.reason, found.send) == ("total_assets_not_expired", False)
    assert (found.ready_at, found.role) == (NOW + 630, "safe")
    assert "expireTotalAssets()" in found.advice
    assert (await FakeLagoon(expiration=NOW - 29).preview(1_001_000)).reason == "total_assets_not_expired"
    assert (await FakeLagoon(expiration=NOW - 30).preview(1_001_000)).send


async def test_preview__paused_or_closed__is_not_sent() -> None:
    paused = await FakeLagoon(paused=True).preview(1_001_000)
    assert (paused.reason, paused.send, paused.role) == ("paused", False, "owner")
    closed = await FakeLagoon(state=2).preview(1_001_000)
    assert (closed.reason, closed.send) == ("closed", False)
    assert (await FakeLagoon(state=1).preview(1_001_000)).send


async def test_preview__zero_with_shares_outstanding__is_never_sent() -> None:
    found = await FakeLagoon(upper=None).preview(0)
    assert (found.reason, found.send) == ("zero", False)


async def test_preview__zero_of_a_vault_without_shares__settles_its_first_deposits() -> None:
    assert (await FakeLagoon(total_assets=0, supply=0, silo_assets=5).preview(0)).send


async def test_preview__settled_number_again__waits_for_the_heartbeat() -> None:
    assert (await FakeLagoon(last_fee_time=NOW - DAY + 1).preview(MILLION)).reason == "unchanged"
    assert (await FakeLagoon(last_fee_time=NOW - DAY).preview(MILLION)).send


async def test_preview__settled_number_again_while_requests_wait__is_sent_so_that_they_settle() -> None:
    late = NOW - DAY + 1
    assert (await FakeLagoon(last_fee_time=late, silo_assets=1).preview(MILLION)).send
    assert (await FakeLagoon(last_fee_time=late, silo_shares=1).preview(MILLION)).send


async def test_preview__stored_number_again__is_sent_only_for_requests_that_came_since() -> None:
    same = FakeLagoon(total_assets=999_000, waiting=MILLION, silo_assets=7, taken_assets=7)
    same.silo_shares = same.taken_shares = 3
    found = await same.preview(MILLION)
    assert (found.reason, found.send) == ("unchanged", False)
    same.silo_assets = 8
    assert (await same.preview(MILLION)).send
    same.silo_assets, same.silo_shares = 7, 4
    assert (await same.preview(MILLION)).send


async def test_preview__refused_by_the_setter__names_the_error_and_the_role() -> None:
    revert = encode_call("OnlyValuationManager(address)", COUNCIL)
    here = FakeLagoon(settings={"sender": SENDER}, reverts={call(1_001_000): revert})
    found = await here.preview(1_001_000)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")
    assert "OnlyValuationManager" in found.advice


async def test_preview__newest_block_of_before_the_expiration__is_not_what_the_setter_is_asked_at() -> None:
    # The call would revert at the block's time, and be taken now.
    revert = encode_call("ValuationUpdateNotAllowed()")
    here = FakeLagoon(settings={"sender": SENDER}, reverts={call(1_001_000): revert}, block_time=NOW - 60)
    here.expiration = NOW - 40
    assert (await here.preview(1_001_000)).send


async def test_preview__estimated__is_refused_unless_told() -> None:
    assert (await FakeLagoon().preview(1_001_000, estimated=True)).reason == "estimated"
    assert (await FakeLagoon(settings={"post_estimated": True}).preview(1_001_000, estimated=True)).send


async def test_read_back__stored__is_the_safe_s_turn_with_the_same_number() -> None:
    found = await FakeLagoon(waiting=1_001_000).read_back(1_001_000)
    assert (found.accepted, found.reason, found.role) == (True, "unsettled", "safe")
    assert f"settleDeposit({1_001_000 * 10**6})" in found.advice
    # What is served is still the settled number.
    assert found.confirmed.nav == MILLION * WAD


async def test_read_back__settled_in_its_own_block__is_done() -> None:
    found = await FakeLagoon(total_assets=1_001_000, last_fee_time=NOW).read_back(1_001_000)
    assert (found.accepted, found.reason, found.role) == (True, None, None)


@pytest.mark.parametrize(
    ("here", "success", "reason"),
    [
        (FakeLagoon(), False, "reverted"),
        (FakeLagoon(waiting=2 * MILLION), True, "superseded"),
        (FakeLagoon(), True, "missing"),
    ],
)
async def test_read_back__not_in_the_state__is_not_accepted(here: FakeLagoon, success: bool, reason: str) -> None:
    found = await here.read_back(1_001_000, success=success)
    assert (found.accepted, found.reason) == (False, reason)
