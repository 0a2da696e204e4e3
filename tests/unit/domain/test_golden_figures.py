"""The golden figures of the valuation rules: where the source document contradicts itself, these hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.fees import management_fee, performance_fee, performance_fee_on_total
from navoracle.domain.income import accrued_income
from navoracle.domain.prices import AggregationPolicy, PriceStatus, aggregate
from navoracle.domain.shares import price_per_share, shares_for_delta
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Rounding, Wad, format_wad, to_wad
from tests.unit.domain.builders import ASSET, NOW, POLICY, quote

DAY = 86_400
THREE_ORACLES = [
    quote("42000", 9_500, source="one", age=30),
    quote("41800", 9_000, source="two", age=45),
    quote("42200", 8_500, source="three", age=60),
]


def test_golden__ten_wbtc_at_42000__is_420000() -> None:
    value = RawAmount(10 * 10**8, 8).value_at(to_wad("42000"), Rounding.DOWN)
    assert format_wad(value) == "420000.000000000000000000"


def test_golden__nav_per_share_of_the_complete_example__is_1_026() -> None:
    assert price_per_share(to_wad("1026000"), to_wad("1000000")) == to_wad("1.026")


def test_golden__tiny_nav__is_a_millionth_a_share() -> None:
    assert price_per_share(to_wad("0.001"), to_wad("1000")) == to_wad("0.000001")


def test_golden__three_oracles__median_is_42000_at_90_percent() -> None:
    estimate = aggregate(ASSET, THREE_ORACLES, now=NOW, policy=POLICY)
    assert estimate.price == to_wad("42000.00")
    assert estimate.confidence == 9_000
    assert estimate.spread_bps == 48  # 0.476 %, rounded up
    assert estimate.status is PriceStatus.LIVE


def test_golden__three_oracles__weighted_mean_is_41996_296() -> None:
    estimate = aggregate(ASSET, THREE_ORACLES, now=NOW, policy=replace(POLICY, method="weighted_mean"))
    assert estimate.price == to_wad("41996.296296296296296296")
    assert estimate.confidence == 9_000


def test_golden__one_minute_old__still_counts_as_fresh() -> None:
    minute_later = [quote("42000", 9_500, source="one", age=61), *THREE_ORACLES[1:]]
    assert aggregate(ASSET, THREE_ORACLES, now=NOW, policy=POLICY).confidence == 9_000
    assert aggregate(ASSET, minute_later, now=NOW, policy=POLICY).confidence == 8_100


@pytest.mark.parametrize("method", ["median", "weighted_mean"])
def test_golden__outlier_example__is_out_and_41900_remains_at_92_5_percent(method: str) -> None:
    rows = [
        quote("42000", 9_500, source="one"),
        quote("41800", 9_000, source="two"),
        quote("50000", 6_000, source="three"),
    ]
    policy = AggregationPolicy(method="median" if method == "median" else "weighted_mean")
    estimate = aggregate(ASSET, rows, now=NOW, policy=policy)
    assert estimate.excluded == (("three", "outlier"),)
    assert estimate.confidence == 9_250
    weighted = (42_000 * 9_500 + 41_800 * 9_000) * WAD // 18_500
    assert estimate.price == (to_wad("41900") if method == "median" else weighted)


def test_golden__staking_income__is_divided_once_and_rounded_down() -> None:
    staking = accrued_income(RawAmount(100 * 10**18, 18), to_wad("0.05"), 30 * DAY, to_wad("2200"))
    assert staking == to_wad("904.109589041095890410")


def test_golden__farming_income__is_rounded_down() -> None:
    farming = accrued_income(RawAmount(50_000 * 10**6, 6), to_wad("0.12"), 45 * DAY, Wad(WAD))
    assert farming == to_wad("739.726027397260273972")


def test_golden__management_fee__is_rounded_up() -> None:
    assert management_fee(to_wad("1000000"), to_wad("0.02"), 30 * DAY) == to_wad("1643.835616438356164384")


def test_golden__min_sources_two_of_three__survives_one_exclusion_not_two() -> None:
    rows = [quote("100"), quote("100", source="b"), quote("150", source="c")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).status is PriceStatus.LIVE
    assert aggregate(ASSET, rows[1:], now=NOW, policy=POLICY).price is None


def test_golden__stablecoin_cash__is_worth_its_oracle_price_not_one() -> None:
    rows = [quote("0.91", source="a", asset="USDC"), quote("0.91", source="b", asset="USDC")]
    estimate = aggregate("USDC", rows, now=NOW, policy=POLICY)
    assert estimate.price is not None
    assert RawAmount(500_000 * 10**6, 6).value_at(estimate.price, Rounding.DOWN) == to_wad("455000")


def test_golden__first_deposit_beside_seed_capital_without_shares__is_3_00_a_share() -> None:
    seed, deposit = to_wad("100000"), to_wad("50000")
    shares = shares_for_delta(deposit, seed, Wad(0))
    assert shares == to_wad("50000")
    assert price_per_share(Wad(seed + deposit), shares) == to_wad("3.00")


def test_golden__first_deposit_beside_seed_shares__neither_dilutes_nor_gifts() -> None:
    seed, deposit = to_wad("100000"), to_wad("50000")
    seed_shares = shares_for_delta(seed, Wad(0), Wad(0))
    minted = shares_for_delta(deposit, seed, seed_shares)
    assert (seed_shares, minted) == (seed, deposit)
    assert price_per_share(Wad(seed + deposit), Wad(seed_shares + minted)) == WAD


def test_golden__deviation_limits__ten_percent_excludes_and_five_caps() -> None:
    pair = [quote("100", BPS), quote("100", BPS, source="b")]
    beyond_five = aggregate(ASSET, [*pair, quote("106", BPS, source="c")], now=NOW, policy=POLICY)
    beyond_ten = aggregate(ASSET, [*pair, quote("111", BPS, source="c")], now=NOW, policy=POLICY)
    assert (beyond_five.confidence, beyond_five.excluded) == (5_000, ())
    assert (beyond_ten.confidence, beyond_ten.excluded) == (Bps(BPS), (("c", "outlier"),))


def test_golden__high_water_mark_per_share__a_deposit_is_no_profit_but_on_total_nav_it_is() -> None:
    rate = to_wad("0.2")
    # A fund of 1,000,000 at its mark of 1.00 a share takes a deposit of 200,000.
    assert performance_fee(to_wad("1"), to_wad("1"), to_wad("1200000"), rate) == 0
    assert performance_fee_on_total(to_wad("1200000"), to_wad("1000000"), rate) == to_wad("40000")
