"""Frames of a fund that has everything, and what its files are made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Accrual, Component, Holding, HoldingAtCost, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Side
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import AssetLine, GateDecision, GatePolicy, NavHealth, PeakState
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert, RiskReport
from navoracle.domain.units import Bps, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.valuation import PriceKey
from navoracle.state_files.documents import documents_of
from navoracle.state_files.facts import Facts, FundView, NavPoint, Place, Reporting

NOW: Final = Timestamp(1_700_000_000)
FUND: Final = "alpha"
DAY: Final = 86_400

ASSETS: Final[Mapping[str, str]] = {"USDC": "0.999", "ETH": "2000.5", "WBTC": "42000", "ZAR": "0.055"}


def estimate(asset: str, price: str | None, *, age: int = 10, status: PriceStatus | None = None) -> PriceEstimate:
    """A price; none is unavailable."""
    amount = None if price is None else to_wad(price)
    found = status or (PriceStatus.UNAVAILABLE if amount is None else PriceStatus.LIVE)
    live = found is PriceStatus.LIVE
    return PriceEstimate(
        asset=asset,
        price=amount,
        confidence=Bps(0 if amount is None else 9_000),
        status=found,
        reason=None if live else "no_quorum",
        spread_bps=3 if live else None,
        as_of=None if amount is None else Timestamp(NOW - age),
        used=(),
        excluded=(),
        undecayed_price=amount,
    )


def estimates(**changes: str | None) -> dict[PriceKey, PriceEstimate]:
    """Live prices of every asset on both sides, but for those that are changed."""
    sides: tuple[Side, ...] = ("asset", "debt")
    return {(asset, side): estimate(asset, price) for asset, price in {**ASSETS, **changes}.items() for side in sides}


def tokens(amount: str, decimals: int = 18) -> RawAmount:
    return RawAmount(to_wad(amount) * 10**decimals // 10**18, decimals)


def positions() -> tuple[Position, ...]:
    """Cash on chain, coins at an exchange, a loss carried at cost, income that accrues, a debt, and queued deposits."""
    return (
        Holding("alpha.usdc", Component.CASH, "USDC", tokens("1000.123456", 6)),
        Holding("alpha.margin/BTC", Component.COLLATERAL, "WBTC", tokens("0.5", 8), confidence=Bps(9_000)),
        HoldingAtCost("alpha.cost", Component.COLLATERAL, "ETH", tokens("2"), to_wad("2100")),
        Accrual("alpha.staking", Component.ACCRUED_INCOME, "ETH", tokens("10"), to_wad("0.05"), Timestamp(NOW - DAY)),
        Holding("alpha.loan", Component.DEBT, "USDC", tokens("5000", 6)),
        Holding("alpha.silo", Component.CASH, "USDC", tokens("250", 6), epoch=3),
    )


def valuation(
    *held: Position, prices: Mapping[PriceKey, PriceEstimate] | None = None, shares: str = "10000"
) -> FundValuation:
    """What they are worth; those of `positions` unless others are given."""
    return value_fund(
        held or positions(),
        estimates() if prices is None else prices,
        shares=to_wad(shares),
        fee_terms=FeeTerms(to_wad("0.02"), to_wad("0.1")),
        fee_state=FeeState(to_wad("1"), Timestamp(NOW - 30 * DAY)),
        now=NOW,
    )


POLICY: Final = GatePolicy(
    max_drawdown=to_wad("0.1"),
    max_day_loss=to_wad("0.05"),
    on_stale="fail_closed",
    include_assets=("USDC", "ETH", "WBTC"),
    use_mark_price=True,
    max_balance_age=600,
    max_mark_age=600,
    max_cache_age=600,
    peak_stale_seconds=DAY,
    min_history=3,
    history_seconds=7 * DAY,
    reset_peak_at_start=False,
    stops=("posting", "deposits"),
)


def gate(price: str = "2.1", *, peak: str = "2.5", daily: str = "2.2", drawdown: str = "0.16") -> GateDecision:
    """A gate that vetoes a drawdown."""
    peaks = PeakState("*", to_wad(peak), Timestamp(NOW - 500), to_wad(daily), Timestamp(NOW - 400), NOW)
    health = NavHealth(
        measure="ETH,USDC,WBTC",
        nav=to_wad("21000"),
        price_per_share=to_wad(price),
        nav_mode="enhanced",
        assets=(AssetLine("ETH", to_wad("2"), to_wad("2000.5"), to_wad("4001"), included=True),),
        balances_age=12,
        marks_age=10,
        cache_age=None,
        sources_ok=True,
        fresh=True,
    )
    return GateDecision(
        health=health,
        peaks=peaks,
        peak_state="fresh",
        peak=to_wad(peak),
        daily_peak=to_wad(daily),
        drawdown=to_wad(drawdown),
        daily_loss=to_wad("0.045454545454545455"),
        vetoes=("nav_drawdown_limit",),
        warnings=("sources_failed",),
        stops=("posting", "deposits"),
    )


def report() -> RiskReport:
    """A loan near its limit, an exchange without exposure, a delta without equity."""
    account = LendingAccount(
        "aave_v3", 10_744_000_000, 9_579_600_000, 8, to_wad("0.8916"), to_wad("0.93"), to_wad("0.95"),
        to_wad("0.01"), to_wad("1.0655"), None,
    )  # fmt: skip
    loan = LendingRisk(
        "alpha.risk.aave", "AAVE", account, to_wad("0.8"), RiskStatus.WARNING, RiskStatus.SAFE, RiskStatus.WARNING
    )
    venue = MarginRisk(
        watch="alpha.risk.binance",
        venue="BINANCE",
        asset="USDC",
        balance=to_wad("1000"),
        exposure=Wad(0),
        margin_ratio=None,
        required_margin=Wad(0),
        free_margin=to_wad("1000"),
        maintenance_margin=to_wad("0.1"),
        buffer_to_liquidation=None,
        funding_per_year=None,
        status=RiskStatus.SAFE,
        exposures=(),
    )
    delta = DeltaRisk("ETH", to_wad("2"), Wad(0), to_wad("2"), to_wad("-1"), None, to_wad("0.05"), RiskStatus.CRITICAL)
    limit = LimitRisk("leverage", None, to_wad("5"), "", RiskStatus.CRITICAL)
    alert = RiskAlert("AAVE_LTV_WARNING", "alpha.risk.aave", RiskStatus.WARNING, "loan-to-value 89.16 %", "Repay.")
    return RiskReport(RiskStatus.CRITICAL, (loan,), (venue,), None, delta, (limit,), (alert,), ())


def part(**changes: Any) -> FundFrame:
    """What a frame found of the fund."""
    found = FundFrame(FUND, NavStatus.LIVE, None, valuation(), (), (), risk=report(), gate=gate())
    return replace(found, **changes)


def frame(*parts: FundFrame, name: str = "f00d", at: int = NOW, look: bool = False, **prices: str | None) -> NavFrame:
    """A frame of these funds; of the one that has everything unless given."""
    found = parts or (part(),)
    return NavFrame(
        id=name,
        slot_time=Timestamp(at - at % 3_600),
        cadence=Cadence.HOURLY,
        clock=Timestamp(at + 2),
        now=Timestamp(at),
        stamps=(),
        quotes=(),
        estimates=estimates(**prices),
        failures=(),
        funds=found,
        evidence={} if look else {each.fund: b"evidence" for each in found},
    )


VIEW: Final = FundView(
    FUND,
    "USD",
    {
        "alpha.usdc": Place("wallet", "main"),
        "alpha.margin": Place("binance", None, at_exchange=True),
        "alpha.cost": Place("vault desk", "main"),
        "alpha.staking": Place("declared", None),
        "alpha.loan": Place("aave_v3", "base"),
        "alpha.silo": Place("wallet", "main"),
    },
    POLICY,
    Reporting("ZAR", "ZAR", to_wad("18")),
)

SERVED: Final = ConfirmedNav(
    to_wad("21000"), to_wad("2.1"), Timestamp(NOW - 3_600), held=False, block_number=7, frame="before"
)


def facts(**changes: Any) -> Facts:
    """Everything that one set says."""
    whole = frame()
    found = Facts(
        view=VIEW,
        frame=whole,
        part=whole.funds[0],
        source="slot",
        confirmed=SERVED,
        now=Timestamp(NOW + 5),
        series=(NavPoint(NOW, to_wad("1"), to_wad("1"), "live", "f00d", "slot"),),
    )
    return replace(found, **changes)


def documents(**changes: Any) -> dict[str, Any]:
    """Every document, parsed; named without ".json"."""
    return {name.removesuffix(".json"): json.loads(content) for name, content in documents_of(facts(**changes)).items()}


def wad(text: object) -> int:
    """A figure of a document as a Wad."""
    assert isinstance(text, str), f"{text!r} is no decimal"
    return to_wad(text)
