"""Risk in a frame: read with everything else, in the evidence, and computed again from it bit for bit."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.resolving import resolve
from navoracle.domain.aave_rules import AaveRules
from navoracle.domain.errors import VerificationFailed
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.lending import AavePosition
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.policy import FundingTerms, FundLimits, Shock
from navoracle.domain.units import to_wad
from navoracle.keeper.plan import FramePlan, FundPlan, RiskPlan
from navoracle.keeper.verify import verify_document
from navoracle.positions import MarginModel
from tests.unit.keeper.world import CHAIN, NOW, declared, frame_plan, fund, world
from tests.unit.keeper.world import subject as subject_of_world
from tests.unit.positions.test_aave_v3_account import E_MODE, RESERVES
from tests.unit.positions.test_aave_v3_account import reader as aave_reader
from tests.unit.positions.test_aave_v3_account import world as aave_world
from tests.unit.risk.builders import TERMS, delta, lending, lending_only, margin, policy

_MARGIN: TypeAdapter[Any] = TypeAdapter(MarginModel)
LOAN, VENUE = "risky.risk.loan", "risky.risk.binance"
ACCOUNT = {
    "kind": "declared_margin",
    "id": VENUE,
    "venue": "binance",
    "asset": "USDC",
    "balance": "1000",
    "contracts": [{"symbol": "ETH/USDC:USDC", "asset": "ETH", "size": "-1"}],
}
EXCHANGE = {
    "kind": "exchange_margin",
    "id": VENUE,
    "exchange": "binance",
    "asset": "USDC",
    "currency": "USDC",
    "equity_includes_unrealized": True,
    "markets": {"ETH": "ETH"},
}


def risky(account: dict[str, Any]) -> FundPlan:
    """10 ETH pledged for 12,000 USDC, 1,000 USDC at an exchange that is short 1 ETH."""
    terms = replace(TERMS, positions=("risky.pledged", "risky.owed"))
    of = policy(
        lending=(lending(watch=LOAN, terms=terms),),
        margin=(margin(VENUE, funding=FundingTerms(to_wad("0.0001"), 28_800)),),
        delta=delta(unit="ETH", assets=("ETH",), target=to_wad("9")),
        limits=FundLimits(to_wad("5"), to_wad("5"), None, to_wad("1"), to_wad("0.8")),
        stress=(Shock("eth", ("ETH",), (to_wad("0.1"),)),),
    )
    positions = (
        declared("risky.pledged", "ETH", "collateral", "10"),
        declared("risky.owed", "USDC", "debt", "12000"),
        declared("risky.cash", "USDC", "cash", "1000"),
    )
    return replace(fund("risky", 9, *positions), risk=RiskPlan(of, (), (_MARGIN.validate_python(account),)))


def plan(account: dict[str, Any]) -> FramePlan:
    return replace(frame_plan(), funds=(*frame_plan().funds, risky(account)))


@cache
def frame() -> NavFrame:
    return asyncio.run(world().frame(plan(ACCOUNT)))


def found(of: NavFrame) -> FundFrame:
    return next(part for part in of.funds if part.fund == "risky")


def changed(path: str, value: Any) -> bytes:
    """The fund's evidence with one place changed."""
    parsed = json.loads(frame().evidence["risky"])
    *steps, last = path.split(".")
    place = parsed
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    assert place[int(last) if isinstance(place, list) else last] != value
    place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def test_frame__fund_with_a_monitor__has_a_report_at_the_frames_prices() -> None:
    report = found(frame()).risk
    assert report is not None
    assert report.failures == ()
    assert report.lending[0].account.loan_to_value == to_wad("0.6")
    assert report.margin[0].margin_ratio == to_wad("0.5")
    assert report.delta is not None
    assert report.delta.drift == 0
    assert [limit.name for limit in report.limits] == ["leverage", "exposure", "funding_cost"]
    assert report.status is RiskStatus.SAFE


def test_frame__fund_without_a_monitor__has_no_report() -> None:
    assert [part.fund for part in frame().funds if part.risk is None] == ["cash", "levered", "mixed"]


def test_frame__exchange_that_does_not_answer__is_in_the_report_and_leaves_the_nav_alone() -> None:
    part = found(asyncio.run(world().frame(plan(EXCHANGE))))
    assert part.valuation == found(frame()).valuation
    assert part.status is found(frame()).status
    assert part.failures == ()
    assert part.risk is not None
    assert part.risk.status is RiskStatus.WARNING
    assert [alert.name for alert in part.risk.alerts if alert.watch == VENUE] == ["BINANCE_UNREAD"]


def test_evidence__of_a_fund_with_a_monitor__verifies_bit_for_bit() -> None:
    for name in ("risky", "cash"):
        assert verify_document(frame().evidence[name], plan_from_evidence).fund == name
    unread = asyncio.run(world().frame(plan(EXCHANGE)))
    assert verify_document(unread.evidence["risky"], plan_from_evidence).fund == "risky"


def test_evidence__plan__is_built_again_as_it_was() -> None:
    rebuilt = plan_from_evidence(json.loads(frame().evidence["risky"])).funds[0]
    assert rebuilt.risk == risky(ACCOUNT).risk


def borrower() -> FundPlan:
    """A fund whose account at an Aave pool says its own health."""
    read = aave_reader("bitmap", id=LOAN)
    named = tuple((token, "ETH") for token in sorted(str(reserve.token) for reserve in RESERVES))
    of = lending_only(lending(watch=LOAN, terms=None, assets=named))
    return replace(fund("borrower", 10, declared("borrower.eth", "ETH", "collateral", "1")), risk=RiskPlan(of, (read,)))


def test_evidence__of_an_account_at_a_protocol__has_its_details_and_verifies() -> None:
    position = AavePosition(RESERVES, E_MODE, AaveRules.V3_3)
    in_world = world()
    in_world.chain.answers.update(aave_world(position, bitmap=True).answers)
    of = asyncio.run(in_world.frame(replace(frame_plan(), funds=(borrower(),))))
    report = of.funds[0].risk
    assert report is not None
    assert report.failures == ()
    assert report.lending[0].account == LendingAccount.of_aave(position, 8)
    assert verify_document(of.evidence["borrower"], plan_from_evidence).fund == "borrower"


def test_resolving__subject_with_a_monitor__resolves_its_readers_too() -> None:
    chain = aave_world(AavePosition(RESERVES, E_MODE, AaveRules.V3_3), bitmap=True)
    unresolved = aave_reader("bitmap", id=LOAN, listing=None)
    plan = replace(borrower(), risk=RiskPlan(lending_only(lending(watch=LOAN, terms=None)), (unresolved,)))
    subject = replace(subject_of_world(), assets={}, funds={"borrower": plan})
    resolved = asyncio.run(resolve(subject, {CHAIN: chain}, world().markets, NOW))
    found_plan = resolved.funds["borrower"].risk
    assert found_plan is not None
    assert [reader.is_resolved for reader in found_plan.lending] == [True]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("result.fund.risk.status", "warning"),
        ("result.fund.risk.lending.0.account.loan_to_value", "1"),
        ("result.fund.risk.margin.0.balance", "1"),
        ("result.fund.risk.delta.net_delta", "1"),
        ("result.fund.risk.limits.0.value", "1"),
        ("result.fund.risk.alerts", [{"name": "X"}]),
        ("plan.fund.risk.policy.lending.0.ltv.warning", str(to_wad("0.5"))),
        ("plan.fund.risk.policy.delta.target", "0"),
        ("plan.fund.risk.policy.margin.0.ratio.warning", str(to_wad("0.6"))),
        ("plan.fund.risk.margin.0.balance", "999"),
        ("plan.fund.risk.margin.0.contracts.0.size", "-2"),
        ("plan.fund.risk", None),
    ],
)
def test_evidence__figure_or_limit_of_risk_changed_afterwards__is_refused(path: str, value: Any) -> None:
    with pytest.raises(VerificationFailed):
        verify_document(changed(path, value), plan_from_evidence)
