"""Short ways to write risk policies, accounts and inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from navoracle.domain.failures import Failure
from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import Component, Position
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import Ceiling, Floor
from navoracle.domain.risk.margin_account import MarginAccount, PerpetualExposure
from navoracle.domain.risk.policy import (
    DeltaLimits,
    FundLimits,
    LendingLimits,
    MarginLimits,
    PositionTerms,
    RiskMode,
    RiskPolicy,
)
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import Wad, to_wad
from navoracle.risk.inputs import RiskInput
from navoracle.risk.lending import account_of
from tests.unit.domain.funds import holding, prices, value

UNIT = "USD"
AAVE, BINANCE, BYBIT, OKX = "alpha.risk.aave", "alpha.risk.binance", "alpha.risk.bybit", "alpha.risk.okx"
NO_LIMITS = FundLimits(None, None, None, None, to_wad("0.8"))

TERMS = PositionTerms(
    positions=("alpha.pledged", "alpha.borrowed"),
    max_ltv=to_wad("0.93"),
    liquidation_threshold=to_wad("0.95"),
    liquidation_bonus=to_wad("0.01"),
    close_factor=to_wad("0.5"),
)
"""Of the source document: weETH against WETH in their efficiency mode."""


def lending(**changes: Any) -> LendingLimits:
    """The source document's limits of the loan-to-value: 85 % and 90 %."""
    ltv = Ceiling(warning=to_wad("0.85"), critical=to_wad("0.90"))
    return replace(LendingLimits(AAVE, "AAVE", to_wad("0.91"), ltv, None, TERMS), **changes)


def margin(watch: str = BINANCE, venue: str = "BINANCE", **changes: Any) -> MarginLimits:
    """The source document's limits of the margin ratio: 20 % and 12 %, 15 % to open, liquidation at 10 %."""
    ratio = Floor(warning=to_wad("0.20"), critical=to_wad("0.12"))
    return replace(MarginLimits(watch, venue, ratio, to_wad("0.15"), to_wad("0.10"), None), **changes)


def delta(**changes: Any) -> DeltaLimits:
    """The source document's limit of the drift: 5 % of equity, with a warning at 60 % of it."""
    limits = DeltaLimits("WETH", ("WETH", "weETH"), Wad(0), to_wad("0.05"), to_wad("0.6"))
    return replace(limits, **changes)


def policy(**changes: Any) -> RiskPolicy:
    """All three risks of a market-neutral fund."""
    fields: dict[str, Any] = {
        "mode": RiskMode.USDT_MARKET_NEUTRAL,
        "lending": (lending(),),
        "margin": (margin(),),
        "delta": delta(),
        "limits": NO_LIMITS,
        "stress": (),
    }
    return RiskPolicy(**{**fields, **changes})


def lending_only(loan_limits: LendingLimits | None = None, **changes: Any) -> RiskPolicy:
    """A fund that lends and borrows, and nothing else."""
    return policy(mode=RiskMode.PURE_LENDING, lending=(loan_limits or lending(),), margin=(), delta=None, **changes)


def exposure(
    size: str, notional: str | None = None, *, asset: str | None = "WETH", symbol: str = "ETH/USDT:USDT"
) -> PerpetualExposure:
    """A perpetual; without a notional it is marked at the frame's prices."""
    return PerpetualExposure(symbol, asset, to_wad(size), None if notional is None else to_wad(notional))


def account(balance: str, *exposures: PerpetualExposure, venue: str = "binance", asset: str = "USDT") -> MarginAccount:
    """An account at an exchange."""
    return MarginAccount(venue, asset, to_wad(balance), exposures)


def loan(collateral: str, debt: str, terms: PositionTerms = TERMS) -> LendingAccount:
    """An account of these totals."""
    return account_of(terms, collateral=to_wad(collateral), debt=to_wad(debt))


def fund(*positions: Position, shares: str = "1000", **by_asset: str) -> FundValuation:
    """A fund valued at these prices."""
    return value(positions, prices(**by_asset), shares=shares)


def levered(collateral: str, debt: str) -> tuple[Position, ...]:
    """weETH pledged for WETH."""
    return (
        holding("alpha.pledged", Component.COLLATERAL, "weETH", collateral),
        holding("alpha.borrowed/WETH-borrowed", Component.DEBT, "WETH", debt),
    )


def facts(
    of: RiskPolicy,
    valuation: FundValuation | None = None,
    *,
    loans: dict[str, LendingAccount] | None = None,
    accounts: dict[str, MarginAccount] | None = None,
    failures: Sequence[Failure] = (),
    drawdown: Wad | None = None,
    **by_asset: str,
) -> RiskInput:
    """Everything that risk is computed from, at these prices."""
    return RiskInput(of, UNIT, valuation, loans or {}, accounts or {}, failures, prices(**by_asset), drawdown)


def names(report: RiskReport) -> list[str]:
    """The names of a report's alerts."""
    return [alert.name for alert in report.alerts]


def codes(failures: Iterable[Failure]) -> list[tuple[str, str]]:
    """What failed, and with which code."""
    return [(failure.reader, failure.code) for failure in failures]
