"""Every worked example of the valuation document, in its order; the figures are the formulas', to the wei."""

from __future__ import annotations

import pytest

from navoracle.domain.cadence import Cadence, CadencePolicy, CadenceState, observe_volatility, slots_due
from navoracle.domain.fees import FeesPayable, management_fee, performance_fee_on_total, withdrawal_fee
from navoracle.domain.fees import raise_high_water_mark as raised
from navoracle.domain.flows import (
    Flow,
    distributions_added_back,
    dividend_per_share,
    flow_adjusted_change,
)
from navoracle.domain.income import accrued_income, unrealized_gain
from navoracle.domain.positions import MarginCall
from navoracle.domain.prices import PriceStatus, aggregate
from navoracle.domain.shares import price_per_share, redemption, shares_for_delta
from navoracle.domain.units import WAD, Bps, RawAmount, Rounding, Timestamp, Wad, exceeds_bps, to_wad
from tests.unit.domain.builders import ASSET, NOW, POLICY, last_valid, quote

DAY = 86_400


def holding(tokens: int, decimals: int, price: str) -> Wad:
    return RawAmount(tokens * 10**decimals, decimals).value_at(to_wad(price), Rounding.DOWN)


def test_asset_value__ten_wbtc__is_420000() -> None:
    assert holding(10, 8, "42000") == to_wad("420000")


def test_accrued_income__staking_farming_and_gain__adds_up() -> None:
    staking = accrued_income(RawAmount(100 * 10**18, 18), to_wad("0.05"), 30 * DAY, to_wad("2200"))
    farming = accrued_income(RawAmount(50_000 * 10**6, 6), to_wad("0.12"), 45 * DAY, Wad(WAD))
    gain = unrealized_gain(RawAmount(10 * 10**8, 8), to_wad("40000"), to_wad("42000"))
    assert gain == to_wad("20000")
    assert staking + farming + gain == to_wad("21643.835616438356164382")


def test_liabilities__withdrawals_loan_and_margin__add_up_to_355500() -> None:
    withdrawals = [RawAmount(shares * 10**18, 18).value_at(to_wad("10"), Rounding.UP) for shares in (10_000, 5_000)]
    borrowed = to_wad("200000") + to_wad("500")
    margin = MarginCall("m", "USD", RawAmount(50_000, 0), RawAmount(45_000, 0)).shortfall.value_at(
        Wad(WAD), Rounding.UP
    )
    assert (sum(withdrawals), margin) == (to_wad("150000"), to_wad("5000"))
    assert sum(withdrawals) + borrowed + margin == to_wad("355500")


def test_fees_payable__management_performance_and_withdrawal__add_up() -> None:
    fees = FeesPayable(
        management=management_fee(to_wad("1000000"), to_wad("0.02"), 30 * DAY),
        performance=performance_fee_on_total(to_wad("1200000"), to_wad("1000000"), to_wad("0.2")),
        withdrawal=withdrawal_fee(to_wad("50000"), to_wad("0.01")),
    )
    assert (fees.performance, fees.withdrawal) == (to_wad("40000"), to_wad("500"))
    assert fees.total == to_wad("42143.835616438356164384")


def test_complete_nav__of_the_document__is_1026000_exactly() -> None:
    holdings = holding(10, 8, "42000") + holding(100, 18, "2200") + holding(500_000, 6, "1") + holding(50_000, 6, "1")
    income = to_wad("2000") + to_wad("1500") + to_wad("5000")
    liabilities = to_wad("100000") + to_wad("50000")
    fees = FeesPayable(to_wad("2000"), to_wad("20000"), to_wad("500")).total
    assert holdings == to_wad("1190000")
    nav = Wad(holdings + income - liabilities - fees)
    assert nav == to_wad("1026000")
    assert price_per_share(nav, to_wad("1000000")) == to_wad("1.026")


@pytest.mark.parametrize(
    ("age", "third", "confidence"),
    [
        (59, "102", 9_000 * 8 // 10),
        (59, "101", 9_000),
        (120, "101", 8_100),
        (240, "101", 6_300),
        (120, "103", 6_480),
    ],
)
def test_price_confidence__multipliers__are_the_documents(age: int, third: str, confidence: int) -> None:
    rows = [quote("100"), quote("100", source="b", age=age), quote(third, source="c")]
    assert aggregate(ASSET, rows, now=NOW, policy=POLICY).confidence == confidence


def test_first_nav__no_investors_yet__is_one_for_one_then_3_00() -> None:
    seed, deposit = to_wad("100000"), to_wad("50000")
    assert price_per_share(seed, Wad(0)) == WAD
    shares = shares_for_delta(deposit, seed, Wad(0))
    assert (shares, price_per_share(Wad(seed + deposit), shares)) == (to_wad("50000"), to_wad("3"))


def test_insolvent_nav__liabilities_alone__is_minus_9500() -> None:
    nav = Wad(to_wad("0") + to_wad("1000") - to_wad("10000") - to_wad("500"))
    assert nav == to_wad("-9500")
    assert price_per_share(nav, to_wad("1000")) == to_wad("-9.5")


@pytest.mark.parametrize(
    ("minutes", "price"),
    [(4, "42000"), (5, "41160"), (14, "41160"), (15, "39900"), (29, "39900"), (30, "37800"), (60, "37800")],
)
def test_unavailable_price__last_valid_within_the_hour__is_decayed_and_estimated(minutes: int, price: str) -> None:
    zero = [quote("0"), quote("0", source="b")]
    estimate = aggregate(ASSET, zero, now=NOW, policy=POLICY, last_valid=last_valid("42000", age=60 * minutes))
    assert (estimate.status, estimate.price) == (PriceStatus.ESTIMATED, to_wad(price))
    assert estimate.confidence <= 5_000


def test_unavailable_price__last_valid_over_an_hour_old__halts() -> None:
    estimate = aggregate(ASSET, [], now=NOW, policy=POLICY, last_valid=last_valid("42000", age=3_601))
    assert (estimate.status, estimate.price) == (PriceStatus.UNAVAILABLE, None)


def test_large_deviation__third_oracle_far_off__is_excluded_and_the_rest_recalculated() -> None:
    rows = [quote("42000", 9_500), quote("41800", 9_000, source="b"), quote("50000", 6_000, source="c")]
    estimate = aggregate(ASSET, rows, now=NOW, policy=POLICY)
    assert (estimate.price, estimate.confidence) == (to_wad("41900"), 9_250)


def test_large_deviation__one_oracle_remains__takes_the_cached_price() -> None:
    rows = [quote("42000", 9_500), quote("41800", 4_999, source="b")]
    estimate = aggregate(ASSET, rows, now=NOW, policy=POLICY, last_valid=last_valid("41950"))
    assert (estimate.status, estimate.price, estimate.reason) == (
        PriceStatus.ESTIMATED,
        to_wad("41950"),
        "no_quorum",
    )


def test_rapid_change__40_percent_without_flows__is_beyond_30() -> None:
    previous, nav = to_wad("1000000"), to_wad("1400000")
    change = flow_adjusted_change(previous, nav, [])
    assert change == to_wad("400000")
    assert exceeds_bps(abs(change), previous, 3_000)
    explained = flow_adjusted_change(previous, nav, [Flow("deposit", to_wad("400000"), Timestamp(0))])
    assert not exceeds_bps(abs(explained), previous, 3_000)
    assert not exceeds_bps(to_wad("300000"), previous, 3_000)


def test_share_price_precision__tiny_nav__keeps_18_decimals() -> None:
    assert price_per_share(to_wad("0.001"), Wad(10**21)) == to_wad("0.000001")


def test_dividend__five_percent__lowers_the_share_price_and_is_added_back() -> None:
    shares = to_wad("1000000")
    after = price_per_share(Wad(to_wad("1000000") - to_wad("50000")), shares)
    assert after == to_wad("0.95")
    assert distributions_added_back(after, dividend_per_share(to_wad("50000"), shares)) == WAD
    assert (
        flow_adjusted_change(to_wad("1000000"), to_wad("950000"), [Flow("dividend", to_wad("50000"), Timestamp(0))])
        == 0
    )


def test_update_frequency__volatility_above_80_percent__goes_from_hours_to_quarters() -> None:
    midnight = Timestamp(1_699_920_000)
    calm = slots_due(CadenceState(), midnight, Timestamp(midnight + 2 * 3_600))
    assert [slot.time - midnight for slot in calm] == [3_600, 7_200]
    state = observe_volatility(CadenceState(), midnight, {"BTC": to_wad("0.81")}, {"BTC": Bps(10_000)}, CadencePolicy())
    wild = slots_due(state, midnight, Timestamp(midnight + 3_600))
    assert [(slot.time - midnight, slot.cadence) for slot in wild] == [
        (minute * 60, Cadence.HIGH_VOLATILITY) for minute in (15, 30, 45, 60)
    ]


def test_high_water_mark__five_days__never_falls_and_day_five_owes_nothing() -> None:
    marks = []
    mark = None
    for nav in ("1000000", "1200000", "1100000", "1300000", "1000000"):
        mark = raised(mark, to_wad(nav))
        marks.append(mark)
    assert marks == [to_wad(figure) for figure in ("1000000", "1200000", "1200000", "1300000", "1300000")]
    assert performance_fee_on_total(to_wad("1000000"), marks[-1], to_wad("0.2")) == 0


def test_withdrawal__does_not_divide__is_always_rounded_down() -> None:
    assert redemption(100, Wad(1), Wad(3)) == 33
