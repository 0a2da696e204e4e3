"""A borrower's account at Aave v3: worked figures, e-mode, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.lending import AaveAccount, AavePosition, AaveReserve, AaveRules, EMode, health_factor
from navoracle.domain.units import WAD, Bps, RawAmount, Wad

ETH, STAKED, DOLLAR = "eth", "staked", "dollar"


def reserve(token: str, supplied: int = 0, owed: int = 0, **changes: Any) -> AaveReserve:
    fields: dict[str, Any] = {
        "price": 3_000 * 10**8,
        "liquidation_threshold": Bps(8_250),
        "is_collateral": True,
        "in_e_mode": False,
    }
    return AaveReserve(token, RawAmount(supplied, 18), RawAmount(owed, 18), **{**fields, **changes})


def account(*reserves: AaveReserve, e_mode: EMode | None = None, rules: AaveRules = AaveRules.V3_0) -> AaveAccount:
    return AavePosition(reserves, e_mode, rules).account()


def test_health_factor__worked_example__is_1_0654() -> None:
    factor = health_factor(107_44 * 10**6, Bps(9_500), 95_796 * 10**5)
    assert factor == 1_065472462315754311
    found = AaveAccount(107_44 * 10**6, 95_796 * 10**5, Bps(9_500), factor)
    assert found.distance_to_liquidation == 614
    assert found.loan_to_value == 891623231571109457


def test_account__e_mode__replaces_threshold_and_price_of_its_members_alone() -> None:
    reserves = (
        reserve(STAKED, 10 * WAD, price=3_600 * 10**8, in_e_mode=True),
        reserve(DOLLAR, 1_000 * WAD, price=10**8, liquidation_threshold=Bps(8_000)),
        reserve(ETH, 0, 5 * WAD, in_e_mode=True),
    )
    plain = account(*reserves, e_mode=EMode(1, Bps(9_300)))
    assert plain.collateral == 37_000 * 10**8
    assert plain.debt == 15_000 * 10**8
    assert plain.liquidation_threshold == (36_000 * 9_300 + 1_000 * 8_000) // 37_000
    priced = account(*reserves, e_mode=EMode(1, Bps(9_300), 3_100 * 10**8))
    assert (priced.collateral, priced.debt) == (32_000 * 10**8, 15_500 * 10**8)


def test_account__supply_not_enabled_as_collateral__counts_nothing_and_its_debt_does() -> None:
    found = account(reserve(ETH, 10 * WAD, WAD, is_collateral=False))
    assert found == AaveAccount(0, 3_000 * 10**8, Bps(0), Wad(0))
    assert found.loan_to_value is None


@pytest.mark.parametrize(
    ("rules", "collateral"),
    [(AaveRules.V3_0, 0), (AaveRules.V3_5, 0), (AaveRules.V3_6, 30_000 * 10**8)],
)
def test_account__threshold_of_zero__is_collateral_since_3_6(rules: AaveRules, collateral: int) -> None:
    found = account(reserve(ETH, 10 * WAD, liquidation_threshold=Bps(0)), rules=rules)
    assert (found.collateral, found.liquidation_threshold, found.health_factor) == (collateral, 0, None)


def test_account__threshold_of_zero_with_one_in_e_mode__counts_with_the_latter_since_3_6() -> None:
    pledged = reserve(ETH, 10 * WAD, WAD, liquidation_threshold=Bps(0), in_e_mode=True)
    found = account(pledged, e_mode=EMode(2, Bps(8_850)), rules=AaveRules.V3_6)
    assert found.health_factor == 8_850 * 10**15
    assert account(pledged, e_mode=EMode(2, Bps(8_850)), rules=AaveRules.V3_5).health_factor == 0


def test_account__no_debt__has_no_health_factor() -> None:
    found = account(reserve(ETH, WAD))
    assert (found.health_factor, found.distance_to_liquidation, found.loan_to_value) == (None, None, 0)
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
        AaveReserve(ETH, RawAmount(1, 18), RawAmount(1, 6), 1, Bps(1), is_collateral=True)


def test_marked__token_that_the_account_has_not__is_refused() -> None:
    position = AavePosition((reserve(ETH, WAD, WAD // 2),), None, AaveRules.V3_0)
    assert position.marked({ETH: 76 * 3_000 * 10**6}).account().collateral == 2_280 * 10**8
    with pytest.raises(DomainError, match=r"btc: the account has nothing"):
        position.marked({"btc": 1})
