"""Value and guard: what could not be read, priced or valued halts its fund alone, with its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from navoracle.domain.fees import FeeState
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.positions import Component, Holding
from navoracle.domain.prices import LastValid
from navoracle.domain.prior import ConfirmedNav, FirstLook, FundPrior, Prior, PriorPosition, PriorPrice
from navoracle.domain.units import Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.plan import FramePlan
from navoracle.ports import Read, ReadPoint
from tests.unit.keeper.world import (
    HOLDER,
    NOW,
    TOKEN,
    UNDERLYING,
    World,
    declared,
    frame_plan,
    fund,
    position,
    set_vault_rate,
    world,
)


async def found(plan: FramePlan, in_world: World | None = None) -> dict[str, FundFrame]:
    frame = await (in_world or world()).frame(plan)
    return {part.fund: part for part in frame.funds}


def statuses(funds: dict[str, FundFrame]) -> dict[str, tuple[NavStatus, str | None]]:
    return {name: (part.status, part.reason) for name, part in funds.items()}


LIVE = (NavStatus.LIVE, None)


async def test_frame__everything_answers__values_every_fund() -> None:
    funds = await found(frame_plan())
    assert statuses(funds) == dict.fromkeys(["cash", "levered", "mixed"], LIVE)
    navs = {name: part.valuation.before.nav for name, part in funds.items() if part.valuation is not None}
    # 5,000 sUSD at 1.05 less 4,000; and 2 + 1 ETH, 100 mUSD at 1.05, ten ETH's stake of a day at 5 %.
    assert navs == {
        "cash": to_wad("1000"),
        "levered": to_wad("1250"),
        "mixed": to_wad("6105") + to_wad("2.739726027397260273"),
    }
    mixed = funds["mixed"].valuation
    assert mixed is not None
    assert mixed.delta_nav == to_wad("50")
    assert mixed.before.accrued_income == to_wad("-500") + to_wad("2.739726027397260273")


async def test_frame__rounds__are_as_many_as_the_deepest_reader_has() -> None:
    here = world()
    await here.frame(frame_plan())
    assert len(here.chain.rounds) == 1


async def test_value__unread_position__halts_its_fund_alone_and_names_reader_and_failure() -> None:
    broken = world()
    broken.chain.revert(TOKEN, "balanceOf(address)", HOLDER)
    funds = await found(frame_plan(), broken)
    assert statuses(funds) == {
        "cash": (NavStatus.HALTED, "unread:cash.usdc:call_reverted"),
        "levered": LIVE,
        "mixed": LIVE,
    }
    assert funds["cash"].valuation is None
    assert [failure.reader for failure in funds["cash"].failures] == ["cash.usdc"]
    assert not funds["cash"].postable


async def test_value__empty_answer_for_a_balance__is_not_zero() -> None:
    broken = world()
    broken.chain.answers = {key: answer for key, answer in broken.chain.answers.items() if key[0] != TOKEN}
    assert statuses(await found(frame_plan("cash"), broken))["cash"] == (
        NavStatus.HALTED,
        "unread:cash.usdc:empty_result",
    )


async def test_value__decimals_that_changed__halt_the_fund() -> None:
    broken = world()
    broken.chain.put(TOKEN, "decimals()", (), ("uint8",), 18)
    assert statuses(await found(frame_plan("cash"), broken))["cash"] == (
        NavStatus.HALTED,
        "unread:cash.usdc:decimals_changed",
    )


async def test_value__unpriced_position__halts_the_funds_that_hold_it() -> None:
    broken = world()
    broken.markets.rows = {name: row for name, row in broken.markets.rows.items() if not name.startswith("ETH")}
    funds = await found(frame_plan(), broken)
    assert statuses(funds) == {"cash": LIVE, "levered": LIVE, "mixed": (NavStatus.HALTED, "unpriced:ETH:no_quotes")}
    assert {failure.reader for failure in funds["mixed"].failures} == {"ETH.one", "ETH.two"}


async def test_value__unpriced_debt__halts_though_the_asset_side_could_be_ignored() -> None:
    broken = world()
    for series in ("USDC.one", "USDC.two"):
        broken.quote(series, "1", age=301)
    broken.set_feed(100_000_000, age=10_000)
    funds = await found(frame_plan("levered"), broken)
    assert funds["levered"].status is NavStatus.HALTED
    assert funds["levered"].reason == "unpriced:sUSD:no_quotes"


def tail(eth: str = "0.0045", last: str = "9", price: str | None = "2000") -> FramePlan:
    """A fund of 100,000 USDC and a little ETH: what it was last worth, and the last valid price, two hours old."""
    positions = declared("tail.usdc", "USDC", "cash", "100000"), declared("tail.eth", "ETH", "collateral", eth)
    rows = PriorPosition("tail.eth", to_wad(last), "old"), PriorPosition("tail.usdc", to_wad("100000"), "old")
    prices = () if price is None else (last_valid("ETH", price),)
    prior = Prior(prices, funds={"tail": FundPrior(positions=rows)})
    return replace(frame_plan(prior=prior), funds=(fund("tail", 9, *positions, shares="100000"),))


def last_valid(asset: str, price: str) -> PriorPrice:
    return PriorPrice(asset, "asset", LastValid(to_wad(price), Bps(9_000), Timestamp(NOW - 7_200)), "old")


def without_eth() -> World:
    broken = world()
    broken.markets.rows = {name: row for name, row in broken.markets.rows.items() if not name.startswith("ETH")}
    return broken


async def test_value__unpriced_asset_last_worth_under_a_basis_point__counts_as_zero_and_is_named() -> None:
    funds = await found(tail(), without_eth())
    part = funds["tail"]
    assert (part.status, part.immaterial) == (NavStatus.LIVE, ("tail.eth",))
    assert part.valuation is not None
    assert part.valuation.before.nav == to_wad("100000")


@pytest.mark.parametrize("last", ["10", "11", "9999999"])
async def test_value__unpriced_asset_last_worth_a_basis_point_or_more__halts(last: str) -> None:
    funds = await found(tail(last=last), without_eth())
    assert statuses(funds)["tail"] == (NavStatus.HALTED, "unpriced:ETH:too_old")


@pytest.mark.parametrize("eth", ["0.005", "5000"])
async def test_value__unpriced_asset_that_was_dust_and_was_bought_since__halts(eth: str) -> None:
    funds = await found(tail(eth=eth, last="0"), without_eth())
    assert statuses(funds)["tail"] == (NavStatus.HALTED, "unpriced:ETH:too_old")


async def test_value__unpriced_asset_without_a_last_valid_price__halts_however_small_it_was() -> None:
    funds = await found(tail(last="0", price=None), without_eth())
    assert statuses(funds)["tail"] == (NavStatus.HALTED, "unpriced:ETH:no_quotes")


@pytest.mark.parametrize("component", ["collateral", "rewards", "debt"])
async def test_value__nothing_of_an_unpriced_asset__is_worth_nothing_at_any_price(component: str) -> None:
    positions = declared("f.usdc", "USDC", "cash", "100"), declared("f.eth", "ETH", component, "0")
    part = (await found(replace(frame_plan(), funds=(fund("f", 9, *positions, shares="100"),)), without_eth()))["f"]
    assert (part.status, part.immaterial) == (NavStatus.LIVE, ("f.eth",))
    assert part.valuation is not None
    assert part.valuation.before.nav == to_wad("100")


@pytest.mark.parametrize(("collateral", "status"), [("2", NavStatus.LIVE), ("1.9", NavStatus.HALTED)])
async def test_value__margin_call_of_an_unpriced_asset__halts_only_with_a_shortfall(
    collateral: str, status: NavStatus
) -> None:
    call = position("declared_margin_call", "f.margin", "ETH", maintenance="2", collateral=collateral)
    positions = declared("f.usdc", "USDC", "cash", "100"), call
    part = (await found(replace(frame_plan(), funds=(fund("f", 9, *positions, shares="100"),)), without_eth()))["f"]
    assert part.status is status


@pytest.mark.parametrize("component", ["debt", "pending_withdrawals"])
async def test_value__anything_owed_of_an_unpriced_asset__halts(component: str) -> None:
    positions = declared("f.usdc", "USDC", "cash", "100"), declared("f.eth", "ETH", component, "0.000000000000000001")
    funds = await found(replace(frame_plan(), funds=(fund("f", 9, *positions, shares="100"),)), without_eth())
    assert statuses(funds)["f"] == (NavStatus.HALTED, "unpriced:ETH:no_quotes")


async def test_value__unpriced_position_at_cost__halts_however_small_it_was() -> None:
    # Only a marked holding is worth nothing without a price; what is carried at cost has its cost to explain.
    at_cost = position("declared_at_cost", "tail.eth", "ETH", component="collateral", amount="0.0045", entry_price="1")
    plan = tail()
    (tailed,) = plan.funds
    plan = replace(plan, funds=(replace(tailed, positions=(tailed.positions[0], at_cost)),))
    assert statuses(await found(plan, without_eth()))["tail"] == (NavStatus.HALTED, "unpriced:ETH:too_old")


async def test_value__unpriced_asset_never_valued_before__halts() -> None:
    plan = replace(tail(), prior=Prior((last_valid("ETH", "2000"),)))
    assert statuses(await found(plan, without_eth()))["tail"] == (NavStatus.HALTED, "unpriced:ETH:too_old")


async def test_value__fee_clock_ahead_of_the_block__halts_the_fund_as_unvalued() -> None:
    prior = Prior(funds={"cash": FundPrior(fees=FeeState(None, Timestamp(NOW + 1)))})
    funds = await found(frame_plan("cash", "levered", prior=prior))
    assert statuses(funds) == {"cash": (NavStatus.HALTED, "unvalued:domain"), "levered": LIVE}
    assert "fee clock" in funds["cash"].failures[0].message


@dataclass(frozen=True)
class Liar:
    """A reader that returns a position of an asset that it did not announce."""

    id: str = "liar"
    chain: None = None
    assets: tuple[PriceKey, ...] = (("USDC", "asset"),)

    def read(self, at: ReadPoint) -> Read[Any]:
        yield from ()
        return (Holding(self.id, Component.CASH, "ETH", RawAmount(1, 0)),)

    def describe(self) -> dict[str, object]:
        return {"id": self.id}


async def test_value__position_of_an_asset_that_its_reader_did_not_announce__halts_its_fund_alone() -> None:
    plan = frame_plan("cash")
    lied_to = fund("lied_to", 8, Liar())
    funds = await found(replace(plan, funds=(*plan.funds, lied_to)))
    assert statuses(funds) == {"cash": LIVE, "lied_to": (NavStatus.HALTED, "unvalued:domain")}
    assert "did not say that it needs ETH" in funds["lied_to"].failures[0].message


async def test_guard__source_that_failed__is_told_though_the_price_stands() -> None:
    broken = world()
    del broken.markets.rows["USDC.two"]
    funds = await found(frame_plan(), broken)
    assert funds["cash"].status is NavStatus.LIVE
    assert [failure.reader for failure in funds["cash"].failures] == ["USDC.two"]
    # sUSD is priced through USDC, and one of ETH's markets is quoted in it.
    assert [failure.reader for failure in funds["levered"].failures] == ["USDC.two"]
    assert [failure.reader for failure in funds["mixed"].failures] == ["USDC.two"]


async def second_look(in_world: World, *others: str) -> NavFrame:
    """A second look at a first frame that found 1.4 a share in an earlier block; 1.0 is confirmed."""
    confirmed = ConfirmedNav(to_wad("1000"), to_wad("1"), Timestamp(NOW - 3_600), held=False, block_number=1, frame="x")
    prior = FundPrior(confirmed=confirmed, first_look=FirstLook("first", to_wad("1.4"), 99))
    in_world.chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), 1_400 * 10**6)
    return await in_world.frame(frame_plan("cash", *others, prior=Prior(funds={"cash": prior})))


async def test_guard__second_look_with_every_source__is_verified() -> None:
    assert (await second_look(world())).fund("cash").status is NavStatus.VERIFIED


@pytest.mark.parametrize("spoil", ["failed", "stale", "outlier"])
async def test_guard__second_look_that_lacks_a_source__is_suspicious(spoil: str) -> None:
    broken = world()
    if spoil == "failed":
        del broken.markets.rows["USDC.two"]
    elif spoil == "stale":
        broken.quote("USDC.two", "1", age=301)
    else:
        broken.quote("USDC.two", "1.5")
    part = (await second_look(broken)).fund("cash")
    assert (part.status, part.reason) == (NavStatus.SUSPICIOUS, "second_frame_disagrees")
    assert "USDC.two" in part.verdicts[-1].detail


async def test_guard__second_look_beside_a_fund_that_lacks_a_source__is_not_held_for_it() -> None:
    broken = world()
    broken.quote("ETH.one", "2000", age=301)
    del broken.markets.rows["mUSD.one"]
    assert (await second_look(broken, "mixed")).fund("cash").status is NavStatus.VERIFIED


async def test_guard__gap_of_a_derived_rate__counts_for_the_fund_that_holds_it() -> None:
    # An ERC-4626 vault has one rate, so that there is no gap to guard against.
    here = world()
    set_vault_rate(here, 1_049_999)
    funds = await found(frame_plan(), here)
    assert all("rate_gap" not in {verdict.check for verdict in part.verdicts} for part in funds.values())


async def test_guard__vault_that_names_another_asset__leaves_its_holders_without_a_price() -> None:
    broken = world()
    broken.chain.put(UNDERLYING, "decimals()", (), ("uint8",), 7)
    funds = await found(frame_plan(), broken)
    assert statuses(funds)["levered"] == (NavStatus.HALTED, "unpriced:sUSD:no_rate")
    assert statuses(funds)["mixed"] == LIVE
    assert [failure.reader for failure in funds["mixed"].failures] == ["mUSD.native"]


async def test_value__no_shares_and_no_price_impact__is_exactly_one_a_share() -> None:
    plan = frame_plan()
    unsold = replace(plan, funds=(fund("new", 7, declared("new.usdc", "USDC", "cash", "5"), shares="0"),))
    part = (await found(unsold))["new"]
    assert part.valuation is not None
    assert (part.valuation.price_per_share, part.valuation.shares) == (to_wad("1"), Wad(0))
