"""The stress table: worked rows, conservation, and what is liquidated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import RiskCalculationFailed
from navoracle.domain.lending import AavePosition, AaveReserve
from navoracle.domain.morpho import MorphoMarket, MorphoPosition
from navoracle.domain.positions import Component
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.policy import RiskMode, Shock
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.risk.simulate import lending_drop
from navoracle.risk.stress import StressRow, stress_table
from tests.unit.domain.funds import holding
from tests.unit.risk.builders import (
    AAVE,
    BINANCE,
    TERMS,
    account,
    codes,
    exposure,
    facts,
    fund,
    lending,
    lending_only,
    levered,
    policy,
)

AT: dict[str, Any] = {"weETH": "3000", "WETH": "3000", "USDT": "1"}
CASH = holding("alpha.cash", Component.CASH, "USDT", "20000")
ETH = ("WETH", "weETH")


def shock(name: str, assets: tuple[str, ...], *falls: str) -> Shock:
    return Shock(name, assets, tuple(to_wad(fall) for fall in falls))


def hedged(of: Shock, *, balance: str = "20000", size: str = "-20", margin_asset: str = "USDT") -> StressRow:
    """100 weETH pledged for 80 WETH, 20,000 USDT at an exchange that is short 20 ETH."""
    accounts = {BINANCE: account(balance, exposure(size), asset=margin_asset)}
    valuation = fund(*levered("100", "80"), CASH, **AT)
    (row,) = stress_table(facts(policy(stress=(of,)), valuation, accounts=accounts, **AT))
    return row


def test_stress__hedged_fund__keeps_its_nav_when_everything_falls_together() -> None:
    row = hedged(shock("eth", ETH, "0.1"))
    assert row.perpetuals_profit == to_wad("6000")
    assert row.nav == to_wad("80000")
    assert row.change == 0
    assert row.nav_per_share == to_wad("80")
    assert (row.loans[0].liquidation, row.venues[0].liquidation, row.failures) == (None, None, ())
    assert row.loans[0].account.loan_to_value == to_wad("0.8")


def test_stress__depeg_of_the_collateral__liquidates_the_loan_and_costs_the_bonus() -> None:
    row = hedged(shock("depeg", ("weETH",), "0.2"))
    loan = row.loans[0]
    assert loan.account.loan_to_value == WAD
    assert loan.liquidation is not None
    # Half of 240,000 is repaid, and 1 % of it is lost beside the fall of 60,000.
    assert loan.cost == loan.liquidation.lost == to_wad("1200")
    assert row.nav == to_wad("80000") - to_wad("60000") - to_wad("1200")
    assert row.perpetuals_profit == 0


def test_stress__fall_against_a_long__liquidates_the_venue_and_loses_what_is_left() -> None:
    row = hedged(shock("eth", ETH, "0.3"), size="20")
    venue = row.venues[0]
    # 20 ETH long lose 18,000 of 20,000; 2,000 of 42,000 is below 10 %.
    assert venue.profit == to_wad("-18000")
    assert venue.account.balance == to_wad("2000")
    assert venue.account.exposures[0].notional == to_wad("42000")
    assert venue.liquidation is not None
    assert venue.cost == to_wad("2000")
    assert row.nav == to_wad("80000") - to_wad("18000") - to_wad("18000") - to_wad("2000")


def test_stress__loss_beyond_the_margin__stays_owed() -> None:
    row = hedged(shock("eth", ETH, "0.5"), size="20")
    assert row.venues[0].liquidation is not None
    assert (row.venues[0].account.balance, row.venues[0].cost) == (to_wad("-10000"), 0)


def test_stress__fall_of_what_a_linear_perpetual_settles_in__moves_its_quoted_price() -> None:
    row = hedged(shock("depeg", ("USDT",), "0.2"))
    # The quoted price rises by a quarter: the short loses 15,000 USDT, each worth 0.8 now.
    assert row.venues[0].profit == to_wad("-12000")
    assert row.venues[0].account.balance == to_wad("5000")
    assert row.venues[0].account.exposures[0].notional == to_wad("75000")
    assert row.nav == to_wad("80000") - to_wad("4000") - to_wad("12000") - to_wad("4000")


def test_stress__inverse_perpetual__gains_by_the_move_of_its_own_asset() -> None:
    held = account("10", exposure("-5", "5", symbol="ETH/USD:ETH"), asset="WETH")
    wallet = holding("alpha.coins", Component.COLLATERAL, "WETH", "10")
    of = policy(mode=RiskMode.BTC_BASIS, lending=(), stress=(shock("eth", ETH, "0.5"),))
    (row,) = stress_table(facts(of, fund(wallet, **AT), accounts={BINANCE: held}, **AT))
    # Short 15,000 dollars: 5 ETH before, 10 after; 7,500 dollars are 5 ETH at 1,500.
    assert row.venues[0].profit == to_wad("7500")
    assert row.venues[0].account.balance == to_wad("15")
    assert row.venues[0].account.exposures[0].size == to_wad("-10")
    assert row.nav == to_wad("22500")


def test_stress__blocks_and_falls__are_rows_in_the_order_of_the_policy() -> None:
    stress = (shock("b", ("WETH",), "0.1", "0.2"), shock("a", ("USDT",), "0.03"))
    rows = stress_table(facts(lending_only(stress=stress), fund(*levered("100", "80"), **AT), **AT))
    assert [(row.name, row.fall) for row in rows] == [
        ("b", to_wad("0.1")),
        ("b", to_wad("0.2")),
        ("a", to_wad("0.03")),
    ]
    # The debt has become cheaper, so the fund is worth more.
    assert [row.nav for row in rows] == [to_wad("84000"), to_wad("108000"), to_wad("60000")]


def test_stress__account_not_read__has_no_nav_and_says_why() -> None:
    of = policy(stress=(shock("eth", ETH, "0.1"),))
    (row,) = stress_table(facts(of, fund(*levered("100", "80"), **AT), **AT))
    assert (row.nav, row.nav_per_share, row.change, row.perpetuals_profit) == (None, None, None, None)
    assert codes(row.failures) == [(BINANCE, "RISK-001")]
    assert len(row.loans) == 1


def test_stress__fund_not_valued__is_refused() -> None:
    with pytest.raises(RiskCalculationFailed, match="could not be valued"):
        stress_table(facts(policy()))


@given(st.integers(1, WAD - 1), st.integers(-40, 40), st.integers(1, 200), st.integers(0, 190))
def test_stress__nav__is_that_of_its_parts(fall: int, size: int, collateral: int, debt: int) -> None:
    of = policy(stress=(Shock("eth", ETH, (Wad(fall),)),))
    accounts = {BINANCE: account("20000", exposure(str(size)))}
    positions = (*levered(str(collateral), str(debt)), CASH)
    (row,) = stress_table(facts(of, fund(*positions, **AT), accounts=accounts, **AT))
    assert row.nav is not None
    price = to_wad("3000") * (WAD - fall) // WAD
    plain = to_wad("20000") + (collateral - debt) * price + size * (price - to_wad("3000"))
    costs = sum(loan.cost for loan in row.loans) + sum(venue.cost for venue in row.venues)
    # Each of the four parts is rounded against the fund by one unit at most, and the price itself by one a token.
    assert 0 <= plain - costs - row.nav <= 4 + collateral + debt + abs(size)


@given(st.integers(1, WAD - 1), st.integers(1, WAD - 1))
def test_stress__deeper_fall_of_what_is_only_owned__is_never_worth_more(one: int, other: int) -> None:
    stress = (Shock("weeth", ("weETH",), tuple(Wad(fall) for fall in sorted((one, other)))),)
    shallow, deep = stress_table(facts(lending_only(stress=stress), fund(*levered("100", "80"), **AT), **AT))
    assert shallow.nav is not None
    assert deep.nav is not None
    # A liquidation of a deeper fall may cost less, where less collateral is left to seize: the bonus is 1 % of it.
    assert deep.nav <= shallow.nav + shallow.loans[0].cost


# ---- protocols


def aave() -> LendingAccount:
    """10 ETH at 3,000 pledged for 24,000 dollars, outside any efficiency mode: the health factor is 1.03."""
    terms = {
        "loan_to_value": Bps(8_000),
        "liquidation_threshold": Bps(8_250),
        "liquidation_bonus": Bps(500),
        "protocol_fee": Bps(1_000),
        "supply_index": RAY,
        "debt_index": RAY,
    }
    pledged = AaveReserve(
        token="0xeth", supplied=RawAmount(10 * WAD, 18), owed=RawAmount(0, 18), price=3_000 * 10**8,
        is_collateral=True, **terms,  # type: ignore[arg-type]
    )  # fmt: skip
    owed = AaveReserve(
        token="0xusd", supplied=RawAmount(0, 6), owed=RawAmount(24_000 * 10**6, 6), price=10**8,
        is_collateral=False, **terms,  # type: ignore[arg-type]
    )  # fmt: skip
    return LendingAccount.of_aave(AavePosition((pledged, owed), None, AaveRules.V3_0), 8)


NAMED = (("0xeth", "WETH"), ("0xusd", "USDT"))


def stressed_aave(of: Shock, assets: tuple[tuple[str, str], ...] = NAMED) -> StressRow:
    positions = (
        holding("alpha.aave/WETH-supplied", Component.COLLATERAL, "WETH", "10"),
        holding("alpha.aave/USDT-borrowed", Component.DEBT, "USDT", "24000", 6),
    )
    limits = lending(terms=None, assets=assets)
    given_facts = facts(lending_only(limits, stress=(of,)), fund(*positions, **AT), loans={AAVE: aave()}, **AT)
    (row,) = stress_table(given_facts)
    return row


def test_stress__aave_account__is_liquidated_by_the_pools_rules() -> None:
    row = stressed_aave(shock("eth", ("WETH",), "0.1"))
    loan = row.loans[0]
    assert loan.liquidation is not None
    assert loan.account.health_factor == to_wad("0.928125")
    # Below 0.95 all of the debt is repaid: 24,000 x 1.05 = 25,200 is seized of 27,000.
    assert (loan.liquidation.repaid, loan.liquidation.seized) == (24_000 * 10**8, 25_200 * 10**8)
    assert loan.cost == to_wad("1200")
    assert row.nav == to_wad("1800")
    assert loan.liquidation.after.debt == 0


def test_stress__aave_account_whose_debt_falls_too__is_judged_by_both() -> None:
    row = stressed_aave(shock("all", ("WETH", "USDT"), "0.1"))
    assert row.loans[0].liquidation is None
    assert row.loans[0].account.health_factor == aave().health_factor
    assert row.nav == to_wad("5400")


def test_stress__aave_token_that_nobody_named__is_a_failure() -> None:
    row = stressed_aave(shock("eth", ("WETH",), "0.1"), NAMED[:1])
    assert codes(row.failures) == [(AAVE, "RISK-001")]
    assert "0xusd" in row.failures[0].message
    assert row.nav is None


def morpho() -> LendingAccount:
    """10 tokens of collateral, worth 30,000 of the loan token (6 decimals), for 24,000; liquidated at 86 %."""
    market = MorphoMarket(10**12, 10**18, 24_000 * 10**6, 24_000 * 10**12, Timestamp(1), Wad(0))
    position = MorphoPosition(market, 24_000 * 10**12, 10 * WAD, 3_000 * 10**24, to_wad("0.86"))
    return LendingAccount.of_morpho(position, 6)


@pytest.mark.parametrize(
    ("assets", "fall", "liquidated"),
    [(("WETH",), "0.05", False), (("WETH",), "0.08", True), (("WETH", "USDT"), "0.08", False)],
)
def test_stress__morpho_account__follows_collateral_against_loan(
    assets: tuple[str, ...], fall: str, liquidated: bool
) -> None:
    limits = lending(terms=None, assets=(("collateral", "WETH"), ("loan", "USDT")))
    of = lending_only(limits, stress=(shock("eth", assets, fall),))
    held = holding("alpha.morpho", Component.COLLATERAL, "WETH", "10")
    (row,) = stress_table(facts(of, fund(held, **AT), loans={AAVE: morpho()}, **AT))
    assert (row.loans[0].liquidation is not None) is liquidated
    assert (row.loans[0].cost > 0) is liquidated
    if row.loans[0].liquidation is not None:
        # A raw unit of the loan token of 6 decimals, at a price of one.
        assert row.loans[0].cost == row.loans[0].liquidation.lost * 10**12


def test_lending_drop__at_a_protocol__is_the_pools_own_liquidation_after_the_drop() -> None:
    found = lending_drop(aave(), None, to_wad("0.1"))
    assert found is not None
    assert (found.repaid, found.seized, found.lost) == (24_000 * 10**8, 25_200 * 10**8, 1_200 * 10**8)
    assert lending_drop(aave(), None, to_wad("0.02")) is None
    assert lending_drop(morpho(), None, to_wad("0.05")) is None
    taken = lending_drop(morpho(), None, to_wad("0.1"))
    assert taken is not None
    assert taken.lost == taken.seized - taken.repaid > 0


def test_lending_drop__neither_details_nor_terms__is_refused() -> None:
    without = replace(aave(), protocol="positions", detail=None)
    with pytest.raises(RiskCalculationFailed, match="nothing can be simulated"):
        lending_drop(without, None, to_wad("0.5"))
    assert lending_drop(replace(aave(), protocol="positions", detail=None), TERMS, to_wad("0.5")) is not None
