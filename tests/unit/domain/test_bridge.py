"""The NAV bridge in figures, and the check that stops a fund on what it cannot explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from navoracle.domain.bridge import BridgeEnd, NavBridge, PositionChange, bridge, end_of
from navoracle.domain.errors import DomainError
from navoracle.domain.flows import VaultFlows
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.guards.flow_checks import unexplained, unexplained_verdict
from navoracle.domain.positions import Accrual, Component, HoldingAtCost, Position
from navoracle.domain.prior import FundPrior
from navoracle.domain.units import SECONDS_PER_YEAR, Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import holding, prices, tokens, value
from tests.unit.domain.guard_facts import facts

CASH, COLLATERAL, DEBT = Component.CASH, Component.COLLATERAL, Component.DEBT
NOTHING = VaultFlows(*[Wad(0)] * 6)
POLICY = GuardPolicy()


def end(*positions: Position, totals: VaultFlows | None = NOTHING, shares: str = "1000", **at: str) -> BridgeEnd:
    return end_of(value(positions, prices(**at), shares=shares), totals)


def flows(**amounts: str) -> VaultFlows:
    return replace(NOTHING, **{name: to_wad(amount) for name, amount in amounts.items()})


def parts(found: NavBridge) -> dict[str, str]:
    named = {name: getattr(found, name) for name in ("price", "income", "fees", "flows", "unexplained")}
    return {name: str(part // 10**18) for name, part in named.items() if part}


def usd(amount: str) -> Position:
    return holding("cash", CASH, "USD", amount)


def test_bridge__price_trade_and_deposit__each_have_their_part() -> None:
    before = end(usd("1000"), holding("eth", COLLATERAL, "ETH", "1"), USD="1", ETH="2000")
    # ETH rose by 100; half of it was sold at 2100 for 1040, so the trade lost 10; 500 came in.
    now = end(
        usd("2540"),
        holding("eth", COLLATERAL, "ETH", "0.5"),
        totals=flows(deposited="500", minted="160"),
        shares="1160",
        USD="1",
        ETH="2100",
    )
    found = bridge(before, now)
    assert parts(found) == {"price": "100", "flows": "500", "unexplained": "-10"}
    assert found.changes == (
        PositionChange("cash", CASH, "USD", Wad(0), Wad(0), to_wad("1540")),
        PositionChange("eth", COLLATERAL, "ETH", to_wad("100"), Wad(0), to_wad("-1050")),
    )
    assert found.shares is not None
    assert found.shares.difference == 0


def test_bridge__debt_in_a_token_that_rises__costs_its_price_change() -> None:
    before, now = (
        end(usd("5000"), holding("loan", DEBT, "ETH", "1"), USD="1", ETH=price) for price in ("2000", "2100")
    )
    assert parts(bridge(before, now)) == {"price": "-100"}


def test_bridge__rewards_that_grow_and_are_collected__are_income_once() -> None:
    def rewards(amount: str) -> Position:
        return holding("rewards", Component.REWARDS, "ARB", amount)

    first = end(usd("1000"), rewards("10"), USD="1", ARB="1")
    grown = end(usd("1000"), rewards("30"), USD="1", ARB="2")
    assert parts(bridge(first, grown)) == {"price": "10", "income": "40"}
    collected = end(usd("1060"), rewards("0"), USD="1", ARB="2")
    assert parts(bridge(grown, collected)) == {}


def test_bridge__interest_by_the_day__is_income_and_its_payment_is_none() -> None:
    def interest(component: Component, days: int) -> Position:
        since = Timestamp(NOW - days * 86_400)
        return Accrual("interest", component, "USD", tokens("36500"), to_wad("0.1"), since)

    for component, sign in ((Component.ACCRUED_INCOME, ""), (DEBT, "-")):
        day, week = (end(usd("1000"), interest(component, days), USD="1") for days in (1, 7))
        assert parts(bridge(day, week)) == {"income": f"{sign}60"}
        settled = end(usd("1060" if not sign else "940"), interest(component, 1), USD="1")
        assert parts(bridge(week, settled)) == {}
    assert SECONDS_PER_YEAR == 365 * 86_400


def test_bridge__accrual_in_a_token_that_rises__is_price_on_what_had_accrued_and_income_at_the_new_price() -> None:
    def staking(days: int) -> Position:
        since = Timestamp(NOW - days * 86_400)
        return Accrual("staking", Component.ACCRUED_INCOME, "ETH", tokens("365"), to_wad("0.1"), since)

    before, now = end(staking(10), ETH="100"), end(staking(12), ETH="110")
    assert parts(bridge(before, now)) == {"price": "10", "income": "22"}


def test_bridge__position_at_cost__has_its_gain_by_price_and_a_sale_moves_it_into_cash() -> None:
    def bond(amount: str) -> Position:
        return HoldingAtCost("bond", COLLATERAL, "BOND", tokens(amount), to_wad("100"))

    bought = end(usd("1000"), bond("10"), USD="1", BOND="100")
    fallen = end(usd("1000"), bond("10"), USD="1", BOND="90")
    assert parts(bridge(bought, fallen)) == {"price": "-100"}
    half = end(usd("1450"), bond("5"), USD="1", BOND="90")
    assert parts(bridge(fallen, half)) == {}


def test_bridge__position_that_came_and_one_that_went__are_changes_of_amounts() -> None:
    before = end(usd("1000"), holding("eth", COLLATERAL, "ETH", "1"), USD="1", ETH="2000", BTC="40000")
    now = end(usd("1000"), holding("btc", COLLATERAL, "BTC", "0.05"), USD="1", ETH="2000", BTC="40000")
    assert parts(bridge(before, now)) == {}
    lost = end(usd("1000"), USD="1")
    assert parts(bridge(before, lost)) == {"unexplained": "-2000"}


def test_bridge__redemption_and_dividend__are_flows_out() -> None:
    before = end(usd("1000"), USD="1")
    now = end(usd("700"), totals=flows(redeemed="200", burned="200", dividends="100"), shares="800", USD="1")
    found = bridge(before, now)
    assert parts(found) == {"flows": "-300"}
    assert outcomes(found) is Outcome.PASS


def test_bridge__token_whose_decimals_changed__is_another_position() -> None:
    before, now = (end(holding("c", CASH, "USD", "1000", decimals), USD="1") for decimals in (6, 18))
    found = bridge(before, now)
    assert [change.amount for change in found.changes] == [to_wad("-1000"), to_wad("1000")]


def test_bridge__flows_that_fell__are_refused() -> None:
    with pytest.raises(DomainError):
        bridge(end(usd("1"), totals=flows(minted="1"), USD="1"), end(usd("1"), USD="1"))


def outcomes(found: NavBridge | None, limit: int = 50, rebase: str | None = None) -> Outcome | None:
    verdict = unexplained_verdict(found, replace(POLICY, max_unexplained_bps=Bps(limit)), rebase)
    if verdict is not None:
        assert verdict.check == "unexplained"
        assert (verdict.advice == "") == (verdict.outcome is Outcome.PASS)
    return None if verdict is None else verdict.outcome


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("off", "expected"), [(0, Outcome.PASS), (1, Outcome.HALT)])
def test_unexplained__at_the_limit_and_a_wei_beyond__halts_in_both_directions(
    sign: int, off: int, expected: Outcome
) -> None:
    # 50 bps of 1000 and of the 200 that came in are 6.
    moved = 6 * 10**18 + off
    before = end(usd("1000"), USD="1")
    cash = holding("cash", CASH, "USD", "0")
    held = replace(cash, amount=RawAmount(1_200 * 10**18 + sign * moved, 18))
    now = end(held, totals=flows(deposited="200", minted="200"), shares="1200", USD="1")
    assert outcomes(bridge(before, now)) is expected


def test_unexplained__default_limit__is_half_a_percent() -> None:
    assert POLICY.max_unexplained_bps == 50


@pytest.mark.parametrize("shares", ["999.999999999999999999", "1000.000000000000000001"])
def test_unexplained__one_share_unit_that_no_flow_made__halts(shares: str) -> None:
    found = bridge(end(usd("1000"), USD="1"), end(usd("1000"), shares=shares, USD="1"))
    assert outcomes(found) is Outcome.HALT
    verdict = unexplained_verdict(found, POLICY, None)
    assert verdict is not None
    assert "shares are outstanding" in verdict.detail


def test_unexplained__flows_unknown_at_either_end_or_nothing_before__has_no_verdict() -> None:
    known, unknown = end(usd("1000"), USD="1"), end(usd("9000"), totals=None, USD="1")
    assert outcomes(bridge(known, unknown)) is None
    assert outcomes(bridge(unknown, known)) is None
    assert outcomes(None) is None


def test_unexplained__re_base_granted__warns_and_names_the_request() -> None:
    found = bridge(end(usd("1000"), USD="1"), end(usd("2000"), USD="1"))
    assert outcomes(found) is Outcome.HALT
    assert outcomes(found, rebase="0xabc") is Outcome.WARN
    verdict = unexplained_verdict(found, POLICY, "0xabc")
    assert verdict is not None
    assert "0xabc" in verdict.detail


def test_unexplained__first_deposit_of_an_empty_fund__is_measured_against_the_deposit() -> None:
    empty = end(usd("0"), shares="0", USD="0.999")
    filled = end(usd("1000"), totals=flows(deposited="1000", minted="1000"), USD="0.999")
    assert outcomes(bridge(empty, filled)) is Outcome.PASS
    assert outcomes(bridge(empty, filled), limit=9) is Outcome.HALT


def test_unexplained__fund_without_value_before__halts_on_any_value() -> None:
    worthless = end(usd("1"), holding("loan", DEBT, "USD", "2"), USD="1")
    assert outcomes(bridge(worthless, worthless)) is Outcome.PASS
    more = end(usd("1.000000000000000001"), holding("loan", DEBT, "USD", "2"), USD="1")
    assert outcomes(bridge(worthless, more)) is Outcome.HALT


def test_end__of_a_valuation__leaves_queued_deposits_out() -> None:
    valuation = value([usd("1000"), holding("queue", CASH, "USD", "500", epoch=3)], prices(USD="1"), shares="1000")
    found = end_of(valuation, None)
    assert found.nav == valuation.before.nav == to_wad("1000")
    assert _names(found) == ["cash"]


def _names(found: BridgeEnd) -> Iterable[str]:
    return [row.position for row in found.rows]


def test_unexplained__posted_evidence_is_unreadable__halts_until_a_rebase() -> None:
    halted = unexplained(facts(prior=FundPrior(posted_unreadable="the evidence is damaged")))
    assert halted is not None
    assert (halted.check, halted.outcome, halted.detail) == ("unexplained", Outcome.HALT, "the evidence is damaged")
    assert "re-base" in halted.advice
    assert unexplained(facts(prior=FundPrior(posted_unreadable="damaged", rebase="0xabc"))) is None
    assert unexplained(facts(prior=FundPrior())) is None
