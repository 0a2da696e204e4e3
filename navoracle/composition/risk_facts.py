"""What a fund's risks were computed from, out of a frame: for simulations and stress tests of it."""

from __future__ import annotations

from collections.abc import Mapping

from navoracle.domain.frame import FundFrame
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.valuation import PriceKey
from navoracle.risk.inputs import RiskInput


def facts_of(
    policy: RiskPolicy, unit: str, report: RiskReport, part: FundFrame, estimates: Mapping[PriceKey, PriceEstimate]
) -> RiskInput:
    """The accounts as the report has them, the fund as the frame valued it, at the frame's prices."""
    return RiskInput(
        policy=policy,
        unit=unit,
        valuation=part.valuation,
        lending={loan.watch: loan.account for loan in report.lending},
        margin={
            venue.watch: MarginAccount(venue.venue, venue.asset, venue.balance, venue.exposures)
            for venue in report.margin
        },
        failures=report.failures,
        estimates=estimates,
        drawdown=None if part.gate is None else part.gate.drawdown,
    )
