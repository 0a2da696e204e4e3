"""Income outside token balances, and the flows of a fund."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.flows import (
    Flow,
    FlowKind,
    distributions_added_back,
    dividend_per_share,
    flow_adjusted_change,
    net_flows,
)
from navoracle.domain.income import accrued_income, unrealized_gain
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, RawAmount, Rounding, Timestamp, Wad, to_wad


def flow(kind: FlowKind, amount: str) -> Flow:
    return Flow(kind, to_wad(amount), Timestamp(0))


def test_accrued_income__a_whole_year__is_amount_times_rate_times_price() -> None:
    amount = RawAmount(200 * 10**6, 6)
    assert accrued_income(amount, to_wad("0.05"), SECONDS_PER_YEAR, to_wad("3")) == to_wad("30")


def test_accrued_income__fraction_of_a_wei__is_rounded_down() -> None:
    assert accrued_income(RawAmount(1, 18), to_wad("0.05"), SECONDS_PER_YEAR, to_wad("1")) == 0


def test_accrued_income__owed__is_rounded_up() -> None:
    assert accrued_income(RawAmount(1, 18), to_wad("0.05"), SECONDS_PER_YEAR, to_wad("1"), Rounding.UP) == 1


@pytest.mark.parametrize(("rate", "seconds", "price"), [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
def test_accrued_income__negative_argument__raises(rate: int, seconds: int, price: int) -> None:
    with pytest.raises(OutOfRange):
        accrued_income(RawAmount(1, 18), Wad(rate), seconds, Wad(price))


def test_unrealized_gain__price_above_or_below_entry__is_signed_and_rounded_down() -> None:
    third = RawAmount(1, 1)
    assert unrealized_gain(third, Wad(10), Wad(15)) == 0
    assert unrealized_gain(third, Wad(15), Wad(10)) == -1
    assert unrealized_gain(RawAmount(10, 0), to_wad("42000"), to_wad("40000")) == to_wad("-20000")


def test_net_flows__of_every_kind__only_deposits_add() -> None:
    flows = [flow("deposit", "100"), flow("withdrawal", "30"), flow("dividend", "5")]
    assert net_flows(flows) == to_wad("65")
    assert net_flows([]) == 0


def test_flow_adjusted_change__deposit_alone__is_no_change() -> None:
    assert flow_adjusted_change(to_wad("100"), to_wad("150"), [flow("deposit", "50")]) == 0
    assert flow_adjusted_change(to_wad("100"), to_wad("60"), [flow("withdrawal", "30")]) == to_wad("-10")


def test_flow__of_one_wei__is_a_flow() -> None:
    assert net_flows([Flow("deposit", Wad(1), Timestamp(0))]) == 1


@pytest.mark.parametrize("amount", [0, -1])
def test_flow__amount_not_positive__raises(amount: int) -> None:
    with pytest.raises(OutOfRange):
        Flow("deposit", Wad(amount), Timestamp(0))


def test_flow__unknown_kind__raises() -> None:
    with pytest.raises(OutOfRange, match="unknown flow"):
        Flow("gift", Wad(1), Timestamp(0))  # type: ignore[arg-type]


def test_dividend_per_share__does_not_divide__is_rounded_down() -> None:
    assert dividend_per_share(to_wad("10"), to_wad("3")) == 3_333_333_333_333_333_333


def test_dividend_per_share__no_shares_or_negative_amount__raises() -> None:
    with pytest.raises(DomainError, match="dividend on 0 shares"):
        dividend_per_share(Wad(1), Wad(0))
    with pytest.raises(OutOfRange):
        dividend_per_share(Wad(-1), Wad(1))


def test_distributions_added_back__dividend_declared__is_no_loss() -> None:
    assert distributions_added_back(to_wad("0.95"), to_wad("0.05")) == WAD
    with pytest.raises(OutOfRange):
        distributions_added_back(Wad(1), Wad(-1))
