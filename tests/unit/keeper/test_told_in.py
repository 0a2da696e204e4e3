"""An asset that a fund is only told in: priced in its frames and kept as evidence, and never needed for its value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.frame import NavStatus
from navoracle.domain.prices import PriceStatus
from navoracle.domain.units import to_wad
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.verify import verify_document
from tests.unit.keeper.world import frame_plan, world


def plan_told_in(asset: str) -> FramePlan:
    plan = frame_plan("cash")
    (fund,) = plan.funds
    return replace(plan, funds=(replace(fund, reporting=asset),))


async def test_frame__of_a_fund_told_in_an_asset__prices_it_and_verifies() -> None:
    frame = await world().frame(plan_told_in("ETH"))
    assert frame.estimates["ETH", "asset"].price == to_wad("2000")
    assert frame.fund("cash").status is NavStatus.LIVE
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    assert verified.fund == "cash"


async def test_frame__whose_reporting_asset_has_no_price__values_the_fund_as_ever() -> None:
    here = world()
    before = (await here.frame(frame_plan("cash"))).fund("cash")
    for series in ("ETH.one", "ETH.two"):
        here.quote(series, "2000", age=10_000)
    frame = await here.frame(plan_told_in("ETH"))
    assert frame.estimates["ETH", "asset"].status is PriceStatus.UNAVAILABLE
    assert frame.fund("cash") == before


@pytest.mark.parametrize("asset", ["ETH", "sUSD"])
def test_plan__for_valuation__leaves_out_what_the_fund_is_only_told_in(asset: str) -> None:
    plan = plan_told_in(asset)
    assert asset in plan.for_fund("cash").assets
    own = plan.for_valuation("cash")
    assert asset not in own.assets
    assert {symbol for symbol, _ in own.key_closure()} == {"USDC"}
