"""Frames as a risk monitor sees them: one fund, a loan of 100, and what a gate decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from navoracle.domain.failures import Failure
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.risk.gates import GateDecision
from navoracle.domain.risk.levels import Floor
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import to_wad
from navoracle.risk.assess import assess
from navoracle.risk.gate import decide
from tests.unit.risk.builders import AAVE, facts, lending, lending_only, loan
from tests.unit.risk.gate_builders import facts as gate_facts
from tests.unit.storage.builders import NOW, frame_of, fund_frame, valuation_of

FUND = "alpha"
DOWN = Failure(AAVE, "source_down", "the pool does not answer", "Check the node.")
LIMITS = lending(terms=None, health_factor=Floor(warning=to_wad("1.08"), critical=to_wad("1.03")))
"""Loan-to-value 85 % and 90 %, health factor 1.08 and 1.03, of a loan that is liquidated at 95 %."""

POLICY: RiskPolicy = lending_only(LIMITS)


def report(debt: str) -> RiskReport:
    """100 pledged, so much owed: 80 is safe, 86 warns, 91 is critical by its loan-to-value, 94 in both."""
    return assess(facts(POLICY, loans={AAVE: loan("100", debt)}))


def unread() -> RiskReport:
    """The lender does not answer."""
    return assess(facts(POLICY, failures=[DOWN]))


def gate(nav: str = "1000", **changes: Any) -> GateDecision:
    """What a gate decides of a NAV whose peak is 1,000, with limits of 10 % and 5 %."""
    return decide(gate_facts(nav, **changes))


def frame(
    found: RiskReport | None = None,
    *,
    decision: GateDecision | None = None,
    at: int = 0,
    name: str | None = None,
    fund: str = FUND,
) -> NavFrame:
    """A frame so many seconds after the start that says so of one fund."""
    part = replace(fund_frame(fund, valuation_of({"a": 1}, shares=10**18)), risk=found, gate=decision)
    return frame_of(name or f"at {at}", part, now=NOW + at)


def together(*frames: NavFrame) -> NavFrame:
    """One frame of the funds of several."""
    parts: tuple[FundFrame, ...] = tuple(part for each in frames for part in each.funds)
    return replace(frames[0], funds=parts)
