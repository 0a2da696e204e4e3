"""A borrower's account at Aave v3: worked figures, e-mode, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.domain.aave_rules import RAY, AaveRules
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.lending import AaveAccount, AavePosition, AaveReserve, EMode, health_factor
from navoracle.domain.units import WAD, Bps, RawAmount, Wad

ETH, STAKED, DOLLAR = "eth", "staked", "dollar"


def reserve(token: str, supplied: int = 0, owed: int = 0, **changes: Any) -> AaveReserve:
    fields: dict[str, Any] = {
        "price": 3_000 * 10**8,
        "loan_to_value": Bps(8_000),
        "liquidation_threshold": Bps(8_250),
        "liquidation_bonus": Bps(500),
        "protocol_fee": Bps(1_000),
        "supply_index": RAY,
        "debt_index": RAY,
        "is_collateral": True,
        "in_e_mode": False,
    }
    return AaveReserve(token, RawAmount(supplied, 18), RawAmount(owed, 18), **{**fields, **changes})


def e_mode(threshold: int = 9_300, **changes: Any) -> EMode:
    return EMode(1, Bps(9_000), Bps(threshold), Bps(100), **changes)


def account(*reserves: AaveReserve, within: EMode | None = None, rules: AaveRules = AaveRules.V3_0) -> AaveAccount:
    return AavePosition(reserves, within, rules).account()


def test_health_factor__worked_example__is_1_0654() -> None:
    factor = health_factor(107_44 * 10**6, Bps(9_500), 95_796 * 10**5)
    assert factor == 1_065472462315754311
    found = AaveAccount(107_44 * 10**6, 95_796 * 10**5, Bps(9_500), Bps(9_300), factor)
    assert found.loan_to_value == 891623231571109457


def test_account__e_mode__replaces_threshold_and_price_of_its_members_alone() -> None:
    reserves = (
        reserve(STAKED, 10 * WAD, price=3_600 * 10**8, in_e_mode=True),
        reserve(DOLLAR, 1_000 * WAD, price=10**8, liquidation_threshold=Bps(8_000)),
        reserve(ETH, 0, 5 * WAD, in_e_mode=True),
    )
    plain = account(*reserves, within=e_mode())
    assert plain.collateral == 37_000 * 10**8
    assert plain.debt == 15_000 * 10**8
    assert plain.liquidation_threshold == (36_000 * 9_300 + 1_000 * 8_000) // 37_000
    priced = account(*reserves, within=e_mode(price=3_100 * 10**8))
    assert (priced.collateral, priced.debt) == (32_000 * 10**8, 15_500 * 10**8)


def test_account__supply_not_enabled_as_collateral__counts_nothing_and_its_debt_does() -> None:
    found = account(reserve(ETH, 10 * WAD, WAD, is_collateral=False))
    assert found == AaveAccount(0, 3_000 * 10**8, Bps(0), Bps(0), Wad(0))
    assert found.loan_to_value is None


@pytest.mark.parametrize(
    ("rules", "collateral"),
    [
        (AaveRules.V3_0, 0),
        (AaveRules.V3_3, 0),
        (AaveRules.V3_5, 0),
        (AaveRules.V3_6, 30_000 * 10**8),
        (AaveRules.V3_7, 30_000 * 10**8),
    ],
)
def test_account__threshold_of_zero__is_collateral_since_3_6(rules: AaveRules, collateral: int) -> None:
    found = account(reserve(ETH, 10 * WAD, liquidation_threshold=Bps(0)), rules=rules)
    assert (found.collateral, found.liquidation_threshold, found.health_factor) == (collateral, 0, None)


def test_account__threshold_of_zero_with_one_in_e_mode__counts_with_the_latter_since_3_6() -> None:
    pledged = reserve(ETH, 10 * WAD, WAD, liquidation_threshold=Bps(0), in_e_mode=True)
    found = account(pledged, within=e_mode(8_850), rules=AaveRules.V3_6)
    assert found.health_factor == 8_850 * 10**15
    assert account(pledged, within=e_mode(8_850), rules=AaveRules.V3_5).health_factor == 0


def test_account__no_debt__has_no_health_factor() -> None:
    found = account(reserve(ETH, WAD))
    assert (found.health_factor, found.loan_to_value) == (None, 0)
    assert health_factor(10**18, Bps(8_000), 0) is None


def test_account__in_e_mode_without_one__is_refused() -> None:
    with pytest.raises(DomainError, match="eth is said to be in an efficiency mode"):
        account(reserve(ETH, WAD, in_e_mode=True))


@pytest.mark.parametrize("price", [0, -1])
def test_reserve__price_not_positive__is_refused(price: int) -> None:
    with pytest.raises(OutOfRange, match=f"eth has the price {price}"):
        reserve(ETH, price=price)


def test_reserve__two_scales__is_refused() -> None:
    with pytest.raises(OutOfRange, match="different scales"):
        replace(reserve(ETH), owed=RawAmount(1, 6))


@pytest.mark.parametrize("changes", [{"supply_index": RAY - 1}, {"debt_index": RAY - 1}])
def test_reserve__index_below_one__is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(OutOfRange, match="one lies below 1e27"):
        reserve(ETH, **changes)


@pytest.mark.parametrize("stable", [-1, WAD + 1])
def test_reserve__more_at_the_stable_rate_than_in_all__is_refused(stable: int) -> None:
    with pytest.raises(OutOfRange, match="owed at the stable rate"):
        reserve(ETH, 0, WAD, owed_at_stable_rate=stable)


def test_account__max_ltv__is_the_average_of_what_is_lent_against_each_collateral() -> None:
    reserves = (
        reserve(ETH, WAD),
        reserve(DOLLAR, 1_000 * WAD, price=10**8, loan_to_value=Bps(0)),
        reserve(STAKED, WAD, price=4_000 * 10**8, in_e_mode=True),
    )
    found = account(*reserves, within=e_mode())
    assert found.max_ltv == (3_000 * 8_000 + 4_000 * 9_000) // 8_000


@pytest.mark.parametrize(
    ("rules", "changes", "terms", "expected"),
    [
        # Zero by itself is zero in an efficiency mode, until 3.6.
        (AaveRules.V3_5, {"loan_to_value": Bps(0), "in_e_mode": True}, {}, 0),
        (AaveRules.V3_6, {"loan_to_value": Bps(0), "in_e_mode": True}, {}, 9_000),
        (AaveRules.V3_6, {"in_e_mode": True, "lends_nothing_in_e_mode": True}, {}, 0),
        (AaveRules.V3_7, {}, {}, 8_000),
        (AaveRules.V3_7, {}, {"isolated": True}, 0),
        (AaveRules.V3_7, {"in_e_mode": True}, {"isolated": True}, 9_000),
    ],
)
def test_account__max_ltv__follows_the_rules_of_the_version(
    rules: AaveRules, changes: dict[str, Any], terms: dict[str, Any], expected: int
) -> None:
    assert account(reserve(ETH, WAD, **changes), within=e_mode(**terms), rules=rules).max_ltv == expected


def test_largest__collateral_and_debt__are_by_worth_and_the_first_of_equals() -> None:
    position = AavePosition(
        (
            reserve(DOLLAR, 10**24, 4_000 * WAD, price=10**8, is_collateral=False),
            reserve(ETH, WAD, WAD),
            reserve(STAKED, WAD, WAD),
        ),
        None,
        AaveRules.V3_0,
    )
    collateral, debt = position.largest_collateral(), position.largest_debt()
    assert collateral is not None
    assert debt is not None
    assert (collateral.token, debt.token) == (ETH, DOLLAR)
    empty = AavePosition((), None, AaveRules.V3_0)
    assert (empty.largest_collateral(), empty.largest_debt()) == (None, None)


def test_dropped__collateral__falls_and_what_is_owed_too_keeps_its_price() -> None:
    position = AavePosition(
        (
            reserve(ETH, WAD, WAD),
            reserve(STAKED, WAD),
            reserve(DOLLAR, WAD, price=10**8, is_collateral=False),
            reserve("loan", 0, WAD),
        ),
        None,
        AaveRules.V3_0,
    )
    found = position.dropped(Wad(WAD // 10))
    assert [one.price for one in found.reserves] == [3_000 * 10**8, 2_700 * 10**8, 10**8, 3_000 * 10**8]


def test_dropped__price_of_the_efficiency_mode__stays_the_debts_and_falls_for_the_collateral() -> None:
    position = AavePosition(
        (reserve(STAKED, 10 * WAD, in_e_mode=True), reserve(ETH, 0, WAD, in_e_mode=True)),
        e_mode(price=3_100 * 10**8),
        AaveRules.V3_0,
    )
    assert position.dropped(Wad(0)).account() == position.account()
    found = position.dropped(Wad(WAD // 2)).account()
    assert (found.collateral, found.debt) == (15_500 * 10**8, 3_100 * 10**8)


@pytest.mark.parametrize("drop", [-1, WAD])
def test_dropped__outside_0_to_1__is_refused(drop: int) -> None:
    with pytest.raises(OutOfRange, match="outside 0 to 1e18"):
        AavePosition((reserve(ETH, WAD),), None, AaveRules.V3_0).dropped(Wad(drop))


def test_dropped__so_far_that_no_price_is_left__is_refused() -> None:
    with pytest.raises(OutOfRange, match="eth has the price 0"):
        AavePosition((reserve(ETH, WAD, price=1),), None, AaveRules.V3_0).dropped(Wad(1))


def test_marked__token_that_the_account_has_not__is_refused() -> None:
    position = AavePosition((reserve(ETH, WAD, WAD // 2),), None, AaveRules.V3_0)
    assert position.marked({ETH: 76 * 3_000 * 10**6}).account().collateral == 2_280 * 10**8
    with pytest.raises(DomainError, match=r"btc: the account has nothing"):
        position.marked({"btc": 1})
