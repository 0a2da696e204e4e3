"""Liquidity in a pool within a frame: its mixture follows the estimates, and each token is valued as any holding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from navoracle.domain.concentrated_liquidity import amounts_of_liquidity
from navoracle.domain.frame import NavStatus
from navoracle.domain.positions import Component, ConcentratedLiquidity
from navoracle.domain.prices import LastValid
from navoracle.domain.prior import FundPrior, Prior, PriorPosition, PriorPrice
from navoracle.domain.tick_math import sqrt_ratio_of_prices
from navoracle.domain.units import Bps, RawAmount, Timestamp, to_wad
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.plan import FramePlan
from navoracle.ports import Read, ReadPoint
from tests.unit.keeper.test_valuing import found, last_valid, statuses, without_eth
from tests.unit.keeper.world import NOW, declared, frame_plan, fund, world

LIQUIDITY = 10**14
DUST = 5 * 10**11
"""Liquidity of some 4 USDC, and 2.25 of fees."""
LOWER, UPPER = -202_000, -198_000
"""Around 2,000 USDC of 6 decimals for an ether of 18."""
FEES = RawAmount(10**15, 18), RawAmount(250_000, 6)


@dataclass(frozen=True)
class Pool:
    """A reader of one position."""

    liquidity: int = LIQUIDITY
    id: str = "lp.nft"
    chain: None = None
    assets: tuple[PriceKey, ...] = (("ETH", "asset"), ("USDC", "asset"))
    owed: tuple[RawAmount, RawAmount] = FEES

    def read(self, at: ReadPoint) -> Read[Any]:
        yield from ()
        return (
            ConcentratedLiquidity(
                self.id, Component.COLLATERAL, ("ETH", "USDC"), self.liquidity, LOWER, UPPER, self.owed, epoch=None
            ),
        )

    def describe(self) -> dict[str, object]:
        return {"id": self.id}


def plan(prior: Prior | None = None, **pool: Any) -> FramePlan:
    positions = declared("lp.usdc", "USDC", "cash", "100000"), Pool(**pool)
    return replace(frame_plan(prior=prior), funds=(fund("lp", 9, *positions, shares="100000"),))


def mixture(price: str) -> tuple[int, int]:
    ratio = sqrt_ratio_of_prices(to_wad(price), to_wad("1"), (18, 6))
    amounts = amounts_of_liquidity(LIQUIDITY, ratio, LOWER, UPPER)
    return amounts[0] + FEES[0].value, amounts[1] + FEES[1].value


def known(**values: str) -> Prior:
    rows = tuple(PriorPosition(f"lp.nft/{name}", to_wad(value), "old") for name, value in values.items())
    return Prior((last_valid("ETH", "2000"),), funds={"lp": FundPrior(positions=rows)})


async def test_value__liquidity__is_one_row_per_token_at_the_estimates() -> None:
    part = (await found(plan()))["lp"]
    assert part.status is NavStatus.LIVE
    assert part.valuation is not None
    rows = {row.position: (row.asset, row.amount.value, row.value) for row in part.valuation.positions}
    of_eth, of_usdc = mixture("2000")
    assert rows == {
        "lp.usdc": ("USDC", 100_000 * 10**18, to_wad("100000")),
        "lp.nft/token0": ("ETH", of_eth, of_eth * 2_000),
        "lp.nft/token1": ("USDC", of_usdc, of_usdc * 10**12),
    }
    assert min(of_eth - FEES[0].value, of_usdc - FEES[1].value) > 0


async def test_value__estimates_that_move__move_the_mixture() -> None:
    here = world()
    for series in ("ETH.one", "ETH.two"):
        here.quote(series, "1900")
    part = (await found(plan(), here))["lp"]
    assert part.valuation is not None
    rows = {row.position: row.amount.value for row in part.valuation.positions}
    assert (rows["lp.nft/token0"], rows["lp.nft/token1"]) == mixture("1900")
    assert mixture("1900")[0] > mixture("2000")[0]


async def test_value__price_with_a_haircut__lowers_the_value_and_not_the_mixture() -> None:
    last = LastValid(to_wad("2000"), Bps(9_000), Timestamp(NOW - 400))
    prices = tuple(PriorPrice("ETH", side, last, "old") for side in ("asset", "debt"))
    part = (await found(plan(Prior(prices=prices)), without_eth()))["lp"]
    assert part.valuation is not None
    assert part.valuation.estimated
    rows = {row.position: row for row in part.valuation.positions}
    first, second = rows["lp.nft/token0"], rows["lp.nft/token1"]
    assert (first.amount.value, second.amount.value) == mixture("2000")
    assert first.undecayed == first.amount.value * 2_000 > first.value == first.amount.value * 1_960
    assert second.undecayed == second.value


async def test_value__one_token_unpriced__halts_and_names_it() -> None:
    assert statuses(await found(plan(), without_eth()))["lp"] == (NavStatus.HALTED, "unpriced:ETH:no_quotes")


@pytest.mark.parametrize(
    ("values", "immaterial"),
    [
        ({"token0": "4", "token1": "5.9"}, True),
        ({"token0": "4", "token1": "6"}, False),
        ({"token0": "4"}, False),
        ({"token1": "4"}, False),
        ({}, False),
    ],
)
async def test_value__one_token_unpriced__counts_as_zero_only_if_both_were_last_worth_under_a_basis_point(
    values: dict[str, str], immaterial: bool
) -> None:
    part = (await found(plan(known(**values), liquidity=DUST), without_eth()))["lp"]
    if not immaterial:
        assert (part.status, part.reason) == (NavStatus.HALTED, "unpriced:ETH:too_old")
        return
    assert (part.status, part.immaterial) == (NavStatus.LIVE, ("lp.nft/token0", "lp.nft/token1"))
    assert part.valuation is not None
    assert part.valuation.before.nav == to_wad("100000")


async def test_value__one_token_unpriced_and_liquidity_added_since__halts() -> None:
    part = (await found(plan(known(token0="4", token1="4")), without_eth()))["lp"]
    assert (part.status, part.reason) == (NavStatus.HALTED, "unpriced:ETH:too_old")


NOTHING = RawAmount(0, 18), RawAmount(0, 6)


@pytest.mark.parametrize(
    ("liquidity", "owed", "status"),
    [
        (0, NOTHING, NavStatus.LIVE),
        (0, (RawAmount(1, 18), NOTHING[1]), NavStatus.HALTED),
        (0, (NOTHING[0], RawAmount(1, 6)), NavStatus.HALTED),
        (1, NOTHING, NavStatus.HALTED),
    ],
)
async def test_value__one_token_unpriced__is_nothing_only_where_nothing_is_left(
    liquidity: int, owed: tuple[RawAmount, RawAmount], status: NavStatus
) -> None:
    part = (await found(plan(liquidity=liquidity, owed=owed), without_eth()))["lp"]
    assert part.status is status


async def test_value__token_that_the_reader_did_not_announce__halts_as_a_defect() -> None:
    funds = await found(plan(assets=(("USDC", "asset"),)))
    assert statuses(funds)["lp"] == (NavStatus.HALTED, "unvalued:domain")
    assert "did not say that it needs ETH" in funds["lp"].failures[0].message


async def test_value__position_gone_since_the_last_frame__asks_for_a_second_frame() -> None:
    prior = known(token0="10", token1="10", token9="10")
    part = (await found(plan(prior)))["lp"]
    (verdict,) = (verdict for verdict in part.verdicts if verdict.check == "positions")
    assert "lp.nft/token9" in verdict.detail
    assert "token0" not in verdict.detail
