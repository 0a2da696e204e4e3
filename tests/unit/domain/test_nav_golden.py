"""The valuation examples of the source document through the model itself: positions in, NAV out, to the wei."""

from __future__ import annotations

import pytest

from navoracle.domain.fees import FeesPayable, FeeState, FeeTerms
from navoracle.domain.nav import Breakdown, FundValuation
from navoracle.domain.positions import Accrual, Component, HoldingAtCost, MarginCall, Position
from navoracle.domain.shares import shares_for_delta
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import holding, prices, tokens, value

DAY = 86_400
CASH, COLLATERAL, INCOME = Component.CASH, Component.COLLATERAL, Component.ACCRUED_INCOME
MARKET = prices(WBTC="42000", ETH="2200", USDC="1", USDT="1", LP="1", USD="1")


def complete_example(shares: str = "1000000") -> FundValuation:
    """The document's complete fund. Its WBTC is carried at 41,500 a piece, so that 5,000 of its worth is a gain."""
    positions: list[Position] = [
        HoldingAtCost("wbtc", COLLATERAL, "WBTC", tokens("10", 8), to_wad("41500")),
        holding("eth", COLLATERAL, "ETH", "100"),
        holding("usdc", CASH, "USDC", "505000", 6),
        holding("usdt", CASH, "USDT", "50000", 6),
        holding("staking", INCOME, "USD", "2000"),
        holding("farming", INCOME, "USD", "1500"),
        holding("queue", Component.PENDING_WITHDRAWALS, "USD", "100000"),
        holding("loan", Component.DEBT, "USD", "50000"),
    ]
    gross = to_wad("1048500")
    terms = FeeTerms(
        management_rate=Wad(0),
        performance_rate=to_wad("0.2"),
        withdrawal_rate=to_wad("0.005"),
    )
    # The document's 22,500 of fees: a fifth of a gain of 110,000 above the mark, and 500 on pending withdrawals.
    mark = Wad((gross - to_wad("110000")) // 1_000_000)
    return value(positions, MARKET, shares=shares, terms=terms, state=FeeState(mark, NOW))


def test_golden__ten_wbtc_at_42000__is_420000() -> None:
    found = value([holding("wbtc", COLLATERAL, "WBTC", "10", 8)], MARKET)
    assert found.before.collateral == found.before.nav == to_wad("420000.000000000000000000")
    assert found.positions[0].price == to_wad("42000")


def test_golden__complete_example__is_1026000_and_1_026_a_share() -> None:
    found = complete_example()
    assert found.before == Breakdown(
        cash=to_wad("555000"),
        collateral=to_wad("635000"),
        accrued_income=to_wad("8500"),
        rewards=Wad(0),
        debt=to_wad("50000"),
        pending_withdrawals=to_wad("100000"),
        margin_calls=Wad(0),
        fees=to_wad("22500"),
    )
    assert found.fees == FeesPayable(Wad(0), to_wad("22000"), to_wad("500"))
    assert found.before.gross == to_wad("1048500")
    assert found.before.nav == found.after.nav == to_wad("1026000")
    assert found.price_per_share == to_wad("1.026")


def test_golden__complete_example__its_gain_of_5000_comes_from_the_position_carried_at_cost() -> None:
    gains = [row for row in complete_example().positions if row.position == "wbtc" and row.component is INCOME]
    assert [(row.value, row.price) for row in gains] == [(to_wad("5000"), to_wad("42000"))]


def test_golden__complete_example_marked_to_market__has_the_same_nav_and_no_gain() -> None:
    at_cost = value([HoldingAtCost("w", COLLATERAL, "WBTC", tokens("10", 8), to_wad("41500"))], MARKET)
    marked = value([holding("w", COLLATERAL, "WBTC", "10", 8)], MARKET)
    assert at_cost.before.nav == marked.before.nav == to_wad("420000")
    assert (at_cost.before.accrued_income, marked.before.accrued_income) == (to_wad("5000"), 0)


def test_golden__income_example__is_904_739_and_20000() -> None:
    staking = Accrual("s", INCOME, "ETH", tokens("100"), to_wad("0.05"), Timestamp(NOW - 30 * DAY))
    farming = Accrual("f", INCOME, "LP", tokens("50000", 6), to_wad("0.12"), Timestamp(NOW - 45 * DAY))
    bought = HoldingAtCost("b", COLLATERAL, "WBTC", tokens("10", 8), to_wad("40000"))
    found = value([staking, farming, bought], MARKET)
    incomes = {row.position: row.value for row in found.positions if row.component is INCOME}
    assert incomes == {
        "s": to_wad("904.109589041095890410"),
        "f": to_wad("739.726027397260273972"),
        "b": to_wad("20000"),
    }
    assert found.before.accrued_income == to_wad("21643.835616438356164382")


def test_golden__liabilities_example__is_355500() -> None:
    found = value(
        [
            holding("request1", Component.PENDING_WITHDRAWALS, "USD", "100000"),
            holding("request2", Component.PENDING_WITHDRAWALS, "USD", "50000"),
            holding("principal", Component.DEBT, "USD", "200000"),
            holding("interest", Component.DEBT, "USD", "500"),
            MarginCall("margin", "USD", tokens("50000"), tokens("45000")),
        ],
        MARKET,
    )
    assert (found.before.pending_withdrawals, found.before.debt) == (to_wad("150000"), to_wad("200500"))
    assert found.before.margin_calls == to_wad("5000")
    assert found.before.nav == to_wad("-355500")


def test_golden__pending_withdrawals__are_owed_only_where_the_position_says_so() -> None:
    # Queued shares that are still outstanding carry their part already; only burned ones leave a liability behind.
    cash = holding("cash", CASH, "USD", "1000000")
    burned = holding("burned", Component.PENDING_WITHDRAWALS, "USD", "100000")
    queued = value([cash], MARKET, shares="1000000")
    redeemed = value([cash, burned], MARKET, shares="900000")
    assert queued.price_per_share == redeemed.price_per_share == WAD


def test_golden__withdrawal_fee__is_one_percent_of_pending_withdrawals() -> None:
    positions = [
        holding("cash", CASH, "USD", "100000"),
        holding("queue", Component.PENDING_WITHDRAWALS, "USD", "50000"),
    ]
    found = value(positions, MARKET, terms=FeeTerms(withdrawal_rate=to_wad("0.01")))
    assert found.fees == FeesPayable(Wad(0), Wad(0), to_wad("500"))
    assert found.before.nav == to_wad("49500")


def test_golden__management_fee__is_1643_of_a_million_after_30_days() -> None:
    found = value(
        [holding("cash", CASH, "USD", "1000000")],
        MARKET,
        shares="1000000",
        terms=FeeTerms(management_rate=to_wad("0.02")),
        state=FeeState(None, Timestamp(NOW - 30 * DAY)),
    )
    assert found.fees.management == to_wad("1643.835616438356164384")
    assert found.before.nav == to_wad("998356.164383561643835616")
    assert found.price_per_share == to_wad("0.998356164383561643")


def test_golden__insolvent_example__is_minus_9500() -> None:
    positions = [
        holding("income", INCOME, "USD", "1000"),
        holding("loan", Component.DEBT, "USD", "9000"),
        holding("queue", Component.PENDING_WITHDRAWALS, "USD", "1000"),
    ]
    terms = FeeTerms(withdrawal_rate=to_wad("0.5"))
    found = value(positions, MARKET, shares="1000", terms=terms)
    assert found.before.fees == to_wad("500")
    assert found.before.nav == to_wad("-9500")
    assert found.price_per_share == to_wad("-9.5")


def test_golden__first_deposit_beside_seed_capital__mints_one_for_one_and_makes_3_00_a_share() -> None:
    seed = holding("seed", CASH, "USDC", "100000", 6)
    silo = holding("silo", CASH, "USDC", "50000", 6, epoch=1)
    found = value([seed, silo], MARKET)
    assert (found.before.nav, found.after.nav, found.delta_nav) == (
        to_wad("100000"),
        to_wad("150000"),
        to_wad("50000"),
    )
    assert found.price_per_share == WAD
    assert found.shares_to_mint == to_wad("50000")
    later = value([seed, holding("deposit", CASH, "USDC", "50000", 6)], MARKET, shares="50000")
    assert later.price_per_share == to_wad("3.00")


def test_golden__tiny_nav__is_a_millionth_a_share() -> None:
    found = value([holding("dust", CASH, "USDC", "0.001", 6)], MARKET, shares="1000")
    assert found.before.nav == to_wad("0.001")
    assert found.price_per_share == to_wad("0.000001")


def test_golden__dividend_example__takes_5_percent_of_nav_and_share_price() -> None:
    before = value([holding("cash", CASH, "USD", "1000000")], MARKET, shares="1000000")
    after = value([holding("cash", CASH, "USD", "950000")], MARKET, shares="1000000")
    assert (before.price_per_share, after.price_per_share) == (to_wad("1.00"), to_wad("0.95"))


def test_golden__stablecoin_cash__is_worth_its_oracle_price() -> None:
    found = value([holding("usdc", CASH, "USDC", "500000", 6)], prices(USDC="0.91"))
    assert found.before.cash == to_wad("455000")


@pytest.mark.parametrize(("collateral", "owed"), [("45000", "5000"), ("50000", "0"), ("60000", "0")])
def test_golden__margin_call__is_the_deficit_and_never_an_asset(collateral: str, owed: str) -> None:
    found = value([MarginCall("m", "USD", tokens("50000"), tokens(collateral))], MARKET)
    assert found.before.margin_calls == to_wad(owed)
    assert found.before.nav == -to_wad(owed)


def test_golden__deposit__never_looks_like_profit_to_the_high_water_mark() -> None:
    terms, state = FeeTerms(performance_rate=to_wad("0.2")), FeeState(Wad(WAD), NOW)
    seed = holding("seed", CASH, "USD", "1000000")
    silo = holding("silo", CASH, "USD", "200000", epoch=7)
    found = value([seed, silo], MARKET, shares="1000000", terms=terms, state=state)
    assert found.fees.performance == 0
    assert found.shares_to_mint == shares_for_delta(to_wad("200000"), to_wad("1000000"), to_wad("1000000"))
