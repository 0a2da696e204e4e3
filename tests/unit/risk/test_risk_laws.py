"""Laws that hold for every fund: worse figures never look better, and the unit of money changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.failures import Failure
from navoracle.domain.risk.levels import Ceiling, Floor, RiskStatus, worst
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import WAD, Wad
from navoracle.risk.assess import assess
from navoracle.risk.delta import judge_delta
from navoracle.risk.lending import account_of, lending_risk
from navoracle.risk.margin import margin_risk
from navoracle.risk.simulate import exchange_liquidation, lending_drop
from tests.unit.risk.builders import (
    BINANCE,
    BYBIT,
    TERMS,
    account,
    delta,
    exposure,
    facts,
    fund,
    lending,
    levered,
    margin,
    policy,
)

MONEY = st.integers(0, 10**30)
POSITIVE = st.integers(1, 10**30)
RATIOS = st.integers(0, 2 * WAD)
STATUSES = st.sampled_from(list(RiskStatus))


def levels(warning: int, urgent: int, critical: int) -> Ceiling:
    first, second, third = sorted((warning, urgent, critical))
    return Ceiling(Wad(first), Wad(third), Wad(second))


@given(RATIOS, RATIOS, RATIOS, MONEY, MONEY, POSITIVE)
def test_ceiling__higher_figure__is_never_better(a: int, b: int, c: int, one: int, other: int, divisor: int) -> None:
    limits = levels(a, b, c)
    low, high = sorted((one, other))
    assert limits.status(low, divisor).rank <= limits.status(high, divisor).rank


@given(RATIOS, RATIOS, RATIOS, MONEY, MONEY, POSITIVE)
def test_floor__lower_figure__is_never_better(a: int, b: int, c: int, one: int, other: int, divisor: int) -> None:
    first, second, third = sorted((a, b, c))
    limits = Floor(Wad(third), Wad(first), Wad(second))
    low, high = sorted((one, other))
    assert limits.status(low, divisor).rank >= limits.status(high, divisor).rank


@given(RATIOS, POSITIVE)
def test_levels__figure_at_a_limit__is_within_it(limit: int, divisor: int) -> None:
    figure = limit * divisor
    assert Ceiling(Wad(limit), Wad(limit)).status(figure, divisor * WAD) is RiskStatus.SAFE
    assert Ceiling(Wad(limit), Wad(limit)).status(figure + 1, divisor * WAD) is RiskStatus.CRITICAL
    assert Floor(Wad(limit), Wad(limit)).status(figure, divisor * WAD) is RiskStatus.SAFE
    assert Floor(Wad(limit), Wad(limit)).status(figure - 1, divisor * WAD) is RiskStatus.CRITICAL


@given(st.lists(STATUSES))
def test_worst__of_any__is_one_of_them_and_none_is_worse(statuses: list[RiskStatus]) -> None:
    found = worst(statuses)
    assert found in statuses or (not statuses and found is RiskStatus.SAFE)
    assert all(status.rank <= found.rank for status in statuses)
    assert found is worst(statuses[::-1])


@given(POSITIVE, POSITIVE, MONEY)
def test_loan__more_debt_or_less_collateral__is_never_better(collateral: int, debt: int, more: int) -> None:
    base = lending_risk(lending(), account_of(TERMS, collateral=collateral, debt=debt))
    owing = lending_risk(lending(), account_of(TERMS, collateral=collateral, debt=debt + more))
    pledged = lending_risk(lending(), account_of(TERMS, collateral=collateral + more, debt=debt))
    assert pledged.status.rank <= base.status.rank <= owing.status.rank


@given(st.integers(10**6, 10**30), st.integers(10**6, 10**30))
def test_loan__ltv_times_health_factor__is_the_threshold_within_rounding(collateral: int, debt: int) -> None:
    found = account_of(TERMS, collateral=collateral, debt=debt)
    assert found.loan_to_value is not None
    assert found.health_factor is not None
    product = found.loan_to_value * found.health_factor
    exact = TERMS.liquidation_threshold * WAD
    # The ratio is at most one above, and the health factor at most one below, the exact figure.
    assert exact - found.loan_to_value <= product <= exact + found.health_factor


@given(POSITIVE, POSITIVE)
def test_loan__within_all_limits__is_never_critical(collateral: int, debt: int) -> None:
    found = lending_risk(lending(), account_of(TERMS, collateral=collateral, debt=debt))
    if debt * WAD <= lending().ltv.critical * collateral:
        assert found.status is not RiskStatus.CRITICAL
    else:
        assert found.status is RiskStatus.CRITICAL


@given(POSITIVE, POSITIVE, st.integers(0, WAD - 1))
def test_simulation__of_a_drop__happens_exactly_below_a_health_factor_of_one(
    collateral: int, debt: int, drop: int
) -> None:
    before = account_of(TERMS, collateral=collateral, debt=debt)
    found = lending_drop(before, TERMS, Wad(drop))
    fallen = collateral * (WAD - drop) // WAD
    assert (found is None) is (fallen * TERMS.liquidation_threshold >= debt * WAD)
    if found is not None:
        assert found.lost == found.seized - found.repaid >= 0
        assert found.seized <= fallen
        assert found.after.collateral == fallen - found.seized
        assert found.after.debt == debt - found.repaid
        assert found.repaid * 2 <= debt
        assert found.seized * WAD <= found.repaid * (WAD + TERMS.liquidation_bonus) + 2 * WAD


@given(POSITIVE, POSITIVE, st.integers(0, WAD - 1), st.integers(0, WAD - 1))
def test_simulation__deeper_drop__never_makes_a_liquidated_loan_safe(
    collateral: int, debt: int, one: int, other: int
) -> None:
    before, (small, large) = account_of(TERMS, collateral=collateral, debt=debt), sorted((one, other))
    if lending_drop(before, TERMS, Wad(small)) is not None:
        assert lending_drop(before, TERMS, Wad(large)) is not None


@given(POSITIVE, st.integers(0, WAD - 1))
def test_simulation__drop_within_the_move_to_liquidation__is_safe(debt: int, excess: int) -> None:
    before = account_of(TERMS, collateral=debt * 2 + excess, debt=debt)
    move = before.move_to_liquidation
    assert move is not None
    # One unit of rounding in the worth of the collateral, which only matters for the tiniest loans.
    assert lending_drop(before, TERMS, Wad(max(0, move - 1 - WAD // debt))) is None or debt < 10


@given(st.integers(-(10**30), 10**30), MONEY, st.integers(0, 10**28))
def test_venue__more_balance__is_never_worse_and_liquidation_is_critical(
    balance: int, notional: int, more: int
) -> None:
    held = account("0", exposure("1", "1"))
    poor, rich = (
        type(held)(held.venue, held.asset, Wad(amount), (type(held.exposures[0])("X", "WETH", Wad(1), Wad(notional)),))
        for amount in (balance, balance + more)
    )
    low, high = margin_risk(margin(), poor), margin_risk(margin(), rich)
    assert high.status.rank <= low.status.rank
    taken = exchange_liquidation(poor, margin().maintenance_margin)
    if taken is not None:
        assert low.status is RiskStatus.CRITICAL
        assert (taken.margin_lost, taken.remaining_balance) == (max(0, balance), min(0, balance))


@given(st.integers(-(10**24), 10**24), st.integers(-(10**24), 10**24), POSITIVE)
def test_delta__larger_drift__is_never_better(one: int, other: int, equity: int) -> None:
    small, large = sorted((one, other), key=abs)
    near, far = (judge_delta(delta(), Wad(net), Wad(equity)) for net in (small, large))
    assert near.status.rank <= far.status.rank


def report(price: int, scale: int, collateral: int, debt: int, size: int) -> RiskReport:
    """A levered and hedged fund at prices that are `scale` times as high, the exchange's included."""
    at: dict[str, Any] = {"weETH": str(price * scale), "WETH": str(price * scale), "USDT": str(scale)}
    accounts = {BINANCE: account("20000", exposure(f"-{size}"))}
    return assess(facts(policy(), fund(*levered(str(collateral), str(debt)), **at), accounts=accounts, **at))


@given(st.integers(1, 10**4), st.integers(1, 10**4), st.integers(2, 500), st.integers(1, 400), st.integers(1, 300))
def test_report__all_prices_scaled__keeps_every_ratio(
    price: int, scale: int, collateral: int, debt: int, size: int
) -> None:
    one, scaled = (report(price, each, collateral, debt, size) for each in (1, scale))
    assert (one.status, one.worst_margin_ratio) == (scaled.status, scaled.worst_margin_ratio)
    assert [found.account.loan_to_value for found in one.lending] == [
        found.account.loan_to_value for found in scaled.lending
    ]
    assert one.delta == scaled.delta
    assert [alert.name for alert in one.alerts] == [alert.name for alert in scaled.alerts]


@given(st.permutations([BINANCE, BYBIT]), st.permutations(range(3)), st.booleans())
def test_report__order_of_positions_and_venues__changes_no_judgement(
    venues: list[str], order: list[int], with_failure: bool
) -> None:
    positions = [*levered("100", "89"), levered("1", "0")[0]]
    at: dict[str, Any] = {"weETH": "3000", "WETH": "3000", "USDT": "1"}
    accounts = {BINANCE: account("19", exposure("-9", "100")), BYBIT: account("1", exposure("-1", "100"))}
    limits = tuple(margin(name, name.rpartition(".")[2].upper()) for name in venues)
    failures = [Failure(BYBIT, "source_down", "no answer", "Wait.")] if with_failure else []
    shuffled = fund(*(positions[place] for place in order), **at)
    found = assess(facts(policy(margin=limits), shuffled, accounts=accounts, failures=failures, **at))
    straight = assess(
        facts(
            policy(margin=(margin(), margin(BYBIT, "BYBIT"))),
            fund(*positions, **at),
            accounts=accounts,
            failures=failures,
            **at,
        )
    )
    assert (found.status, found.alerts, found.delta) == (straight.status, straight.alerts, straight.delta)
    assert found.worst_margin_ratio == straight.worst_margin_ratio


@given(st.integers(1, 100), st.integers(0, 120), st.integers(0, 200))
def test_report__status__is_the_worst_of_its_parts_and_every_part_that_is_not_safe_has_an_alert(
    collateral: int, debt: int, size: int
) -> None:
    found = report(3_000, 1, collateral, debt, size)
    parts = [*(each.status for each in found.lending), *(each.status for each in found.margin)]
    parts += [] if found.delta is None else [found.delta.status]
    assert found.status is worst(parts)
    assert worst(alert.status for alert in found.alerts) is found.status
    assert list(found.alerts) == sorted(found.alerts, key=lambda alert: (-alert.status.rank, alert.name, alert.watch))
