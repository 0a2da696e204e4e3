"""Any fund frame: any positions at any prices, valued or not, with or without gate, risk and reporting currency."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from navoracle.domain.failures import Failure
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Accrual, Component, Holding, HoldingAtCost, MarginCall, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Side
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import AssetLine, GateDecision, NavHealth, PeakState
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.margin_account import PerpetualExposure
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert, RiskReport
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.state_files.facts import (
    Facts,
    FundView,
    MonitorHealth,
    NavPoint,
    Place,
    Reporting,
    RiskPoint,
    StressLine,
)
from navoracle.state_files.price_ranges import PriceRange
from tests.unit.state_files.builders import FUND, NOW, POLICY, frame

ASSETS = ("USDC", "ETH", "WBTC/x", "~", "USD.e")
PLACES = {
    "alpha.a": Place("wallet", "main"),
    "alpha.b": Place("binance", None, at_exchange=True),
    "alpha.c": Place("kraken", None, at_exchange=True),
    "alpha.d": Place("declared", None),
    "alpha.e": Place("aave_v3", "base"),
}
SIDES: tuple[Side, ...] = ("asset", "debt")

wads = st.integers(-(10**30), 10**30).map(Wad)
positive = st.integers(0, 10**30).map(Wad)
ratios = st.integers(0, 3 * WAD).map(Wad)
times = st.integers(0, 2**33).map(Timestamp)
ages = st.integers(0, 10**6)
names = st.text(max_size=12)
statuses = st.sampled_from(RiskStatus)
amounts = st.builds(RawAmount, st.integers(0, 10**24), st.sampled_from((0, 6, 8, 18, 24)))
assets = st.sampled_from(ASSETS)
epochs = st.none() | st.integers(0, 3)
ids = st.sampled_from(sorted(PLACES)).flatmap(lambda name: st.sampled_from((name, f"{name}/token0")))
confidences = st.integers(0, 10_000).map(Bps)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


positions: st.SearchStrategy[Position] = st.one_of(
    st.builds(Holding, ids, st.sampled_from(Component), assets, amounts, epochs, confidences),
    st.builds(
        HoldingAtCost,
        ids,
        st.sampled_from((Component.CASH, Component.COLLATERAL)),
        assets,
        amounts,
        st.integers(0, 10**24).map(Wad),
        epochs,
        confidences,
    ),
    st.builds(
        Accrual,
        ids,
        st.sampled_from((Component.ACCRUED_INCOME, Component.REWARDS, Component.DEBT)),
        assets,
        amounts,
        st.integers(0, WAD).map(Wad),
        st.integers(NOW - 10**7, NOW).map(Timestamp),
        epochs,
        confidences,
    ),
    st.builds(
        lambda name, asset, need, cover, epoch: MarginCall(name, asset, RawAmount(need, 6), RawAmount(cover, 6), epoch),
        ids,
        assets,
        st.integers(0, 10**15),
        st.integers(0, 10**15),
        epochs,
    ),
)


@st.composite
def estimates(draw: st.DrawFn) -> dict[PriceKey, PriceEstimate]:
    """A price of every asset on both sides; that of the reporting currency may be missing."""
    found: dict[PriceKey, PriceEstimate] = {}
    for asset in (*ASSETS, "ZAR"):
        price = Wad(draw(st.integers(1, 10**24)))
        status = draw(st.sampled_from((PriceStatus.LIVE, PriceStatus.ESTIMATED)))
        if asset == "ZAR" and draw(st.booleans()):
            status = PriceStatus.UNAVAILABLE
        for side in SIDES:
            found[asset, side] = PriceEstimate(
                asset=asset,
                price=None if status is PriceStatus.UNAVAILABLE else price,
                confidence=Bps(0) if status is PriceStatus.UNAVAILABLE else draw(confidences),
                status=status,
                reason=None if status is PriceStatus.LIVE else draw(st.sampled_from(("no_quorum", "too_old"))),
                spread_bps=None,
                as_of=None if status is PriceStatus.UNAVAILABLE else Timestamp(NOW - draw(ages)),
                used=(),
                excluded=(),
                undecayed_price=None
                if status is PriceStatus.UNAVAILABLE
                else Wad(price + (draw(st.integers(0, 10**18)) if status is PriceStatus.ESTIMATED else 0)),
            )
    return found


def valued(held: list[Position], prices: dict[PriceKey, PriceEstimate], shares: int, mark: int | None) -> FundValuation:
    return value_fund(
        held,
        prices,
        shares=Wad(shares),
        fee_terms=FeeTerms(Wad(WAD // 50), Wad(WAD // 10), Wad(WAD // 100)),
        fee_state=FeeState(None if mark is None else Wad(mark), Timestamp(NOW - 86_400)),
        now=NOW,
    )


peaks = st.builds(PeakState, names, positive, times, positive, times, times)
healths = st.builds(
    NavHealth,
    measure=names,
    nav=optional(wads),
    price_per_share=optional(positive),
    nav_mode=st.sampled_from(("standard", "enhanced", "confirmed")),
    assets=st.lists(st.builds(AssetLine, assets, wads, positive, wads, included=st.booleans()), max_size=3).map(tuple),
    balances_age=optional(ages),
    marks_age=optional(ages),
    cache_age=optional(ages),
    sources_ok=st.booleans(),
    fresh=st.booleans(),
)
gates = st.builds(
    GateDecision,
    health=healths,
    peaks=optional(peaks),
    peak_state=st.sampled_from(("fresh", "stale", "new", "reset", "healed_from_history", "unknown")),
    peak=optional(positive),
    daily_peak=optional(positive),
    drawdown=optional(st.integers(0, WAD).map(Wad)),
    daily_loss=optional(st.integers(0, WAD).map(Wad)),
    vetoes=st.lists(st.sampled_from(("nav_drawdown_limit", "day_loss_limit", "nav_stale")), unique=True).map(tuple),
    warnings=st.lists(st.sampled_from(("nav_stale", "sources_failed", "drawdown_stale")), unique=True).map(tuple),
    stops=st.lists(st.sampled_from(("posting", "settlements", "deposits")), unique=True).map(tuple),
)
accounts = st.builds(
    LendingAccount,
    protocol=st.sampled_from(("aave_v3", "morpho_blue", "positions")),
    collateral=positive,
    debt=positive,
    base_decimals=st.sampled_from((0, 6, 8, 18, 36)),
    loan_to_value=optional(ratios),
    max_ltv=ratios,
    liquidation_threshold=ratios,
    liquidation_bonus=ratios,
    health_factor=optional(ratios),
    detail=st.none(),
)
reports = st.builds(
    RiskReport,
    status=statuses,
    lending=st.lists(
        st.builds(LendingRisk, names, names, accounts, ratios, statuses, statuses, statuses), max_size=2
    ).map(tuple),
    margin=st.lists(
        st.builds(
            MarginRisk,
            watch=names,
            venue=names,
            asset=assets,
            balance=wads,
            exposure=positive,
            margin_ratio=optional(wads),
            required_margin=positive,
            free_margin=wads,
            maintenance_margin=ratios,
            buffer_to_liquidation=optional(wads),
            funding_per_year=optional(wads),
            status=statuses,
            exposures=st.just((PerpetualExposure("BTC", "WBTC/x", Wad(1), Wad(1)),)),
        ),
        max_size=2,
    ).map(tuple),
    worst_margin_ratio=optional(wads),
    delta=optional(st.builds(DeltaRisk, assets, wads, wads, wads, wads, optional(ratios), ratios, statuses)),
    limits=st.lists(st.builds(LimitRisk, names, optional(wads), ratios, names, statuses), max_size=2).map(tuple),
    alerts=st.lists(st.builds(RiskAlert, names, names, statuses, names, names), max_size=2).map(tuple),
    failures=st.lists(st.builds(Failure, names, names, names, names), max_size=2).map(tuple),
)
views = st.builds(
    FundView,
    st.just(FUND),
    st.sampled_from(("USD", "EUR")),
    st.just(PLACES),
    optional(st.just(POLICY) | st.just(replace(POLICY, max_drawdown=None, max_day_loss=None))),
    optional(st.builds(Reporting, st.just("ZAR"), st.just("ZAR"), optional(st.integers(1, 10**22).map(Wad)))),
)
served = st.builds(
    ConfirmedNav,
    nav=optional(positive),
    price_per_share=positive,
    valuation_time=times,
    held=st.booleans(),
    block_number=st.integers(0, 10**9),
    frame=st.none(),
    live=st.booleans(),
)
points = st.builds(
    NavPoint,
    times,
    optional(wads),
    optional(wads),
    st.sampled_from(("live", "halted", "insolvent", "confirmed")),
    optional(st.just("f00d")),
    st.sampled_from(("slot", "look", "confirmed")),
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Everything that one set may say."""
    prices = draw(estimates())
    held = draw(st.lists(positions, max_size=6))
    shares = draw(st.sampled_from((0, 1)) | st.integers(1, 10**28))
    valuation = valued(held, prices, shares, draw(st.none() | st.integers(1, 10**19))) if draw(st.booleans()) else None
    status = NavStatus.HALTED if valuation is None else draw(st.sampled_from(NavStatus))
    reason = "no_price" if valuation is None else draw(st.none() | names)
    part = FundFrame(FUND, status, reason, valuation, (), (), gate=draw(optional(gates)), risk=draw(optional(reports)))
    whole = replace(frame(part), estimates=prices)
    confirmed = draw(optional(served))
    is_seed = confirmed is not None and draw(st.integers(0, 5)) == 0
    return Facts(
        view=draw(views),
        frame=None if is_seed else whole,
        part=None if is_seed else part,
        source="confirmed" if is_seed else draw(st.sampled_from(("slot", "look"))),
        confirmed=confirmed,
        now=Timestamp(NOW + draw(ages)),
        series=tuple(draw(st.lists(points, max_size=3))),
        risk_history=tuple(
            draw(
                st.lists(
                    st.builds(
                        RiskPoint, times, st.sampled_from(("safe", "critical")), st.just(("X",)), st.just("f00d")
                    ),
                    max_size=2,
                )
            )
        ),
        ranges=draw(
            st.dictionaries(
                assets, st.builds(PriceRange, optional(ratios), optional(ratios), ratios, names), max_size=5
            )
        ),
        monitor=draw(
            optional(
                st.builds(MonitorHealth, st.sampled_from(("healthy", "degraded", "unhealthy")), ages, ages, ratios)
            )
        ),
        overrides={"funds.alpha.gate.max_drawdown": {"value": None, "instead_of": "0.1", "expires_at": None}},
        stress=draw(
            optional(
                st.lists(
                    st.builds(
                        StressLine,
                        names,
                        st.just(("ETH",)),
                        ratios,
                        optional(wads),
                        optional(wads),
                        optional(wads),
                        st.just(("x",)),
                        positive,
                        st.lists(names, max_size=2).map(tuple),
                    ),
                    max_size=2,
                ).map(tuple)
            )
        ),
    )
