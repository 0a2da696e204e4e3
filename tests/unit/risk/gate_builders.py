"""Short ways to write what a NAV gate looks at: a fund of one share, so that its NAV is its price per share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from navoracle.domain.flows import Distribution
from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import Component
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import DAY, EVERYTHING, GatePolicy, GatePrior, NavPoint, PeakState
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.risk.inputs import GateInput
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import holding, prices, value

HOUR = 3_600
MIDNIGHT = NOW - NOW % DAY
"""The UTC day of NOW began more than 22 hours ago."""


def policy(**changes: Any) -> GatePolicy:
    """10 % from the peak, 5 % in a day, fail closed, and a veto stops everything."""
    calm = GatePolicy(
        max_drawdown=to_wad("0.1"),
        max_day_loss=to_wad("0.05"),
        on_stale="fail_closed",
        include_assets=None,
        use_mark_price=True,
        max_balance_age=900,
        max_mark_age=HOUR,
        max_cache_age=900,
        peak_stale_seconds=DAY,
        min_history=3,
        history_seconds=7 * DAY,
        reset_peak_at_start=False,
        stops=("posting", "settlements", "deposits"),
    )
    return replace(calm, **changes)


def peaks(peak: str = "1000", daily: str | None = None, *, age: int = HOUR, measure: str = EVERYTHING) -> PeakState:
    """A peak of ten days ago and the day's of two hours ago, last held against `age` seconds ago."""
    at, daily_at = Timestamp(NOW - 10 * DAY), Timestamp(NOW - 2 * HOUR)
    return PeakState(measure, to_wad(peak), at, to_wad(daily or peak), daily_at, Timestamp(NOW - age))


def history(*navs: str, every: int = HOUR, until: int = NOW - HOUR) -> tuple[NavPoint, ...]:
    """A point every so many seconds, the last one at `until`."""
    first = until - every * (len(navs) - 1)
    return tuple(NavPoint(Timestamp(first + every * place), to_wad(nav), f"h{place}") for place, nav in enumerate(navs))


def prior(
    state: PeakState | None = None,
    *,
    points: Sequence[NavPoint] = (),
    paid: Sequence[Distribution] = (),
    is_first: bool = False,
) -> GatePrior:
    """What the gate starts from."""
    return GatePrior(state, None if state is None else "kept", tuple(points), tuple(paid), is_first)


def served(nav: str, *, age: int = HOUR) -> ConfirmedNav:
    """What the fund's contract serves."""
    return ConfirmedNav(to_wad(nav), to_wad(nav), Timestamp(NOW - age), held=False, block_number=9, frame="posted")


def worth(nav: str, shares: str = "1") -> FundValuation:
    """A fund that holds so many dollars."""
    return value([holding("f.cash", Component.CASH, "USD", nav)], prices(USD="1"), shares=shares)


def facts(
    nav: str = "1000",
    *,
    peak: PeakState | None = None,
    now: int = NOW,
    estimates: Sequence[PriceEstimate] | None = None,
    valuation: FundValuation | None = None,
    **changes: Any,
) -> GateInput:
    """A fresh NAV of so many dollars held against a peak of an hour ago."""
    calm = GateInput(
        policy=policy(),
        prior=prior(peak or peaks()),
        valuation=worth(nav) if valuation is None else valuation,
        confirmed=None,
        estimates=(live("1", asset="USD", age=NOW - now),) if estimates is None else estimates,
        at_exchange=frozenset(),
        balances_at=Timestamp(now),
        now=Timestamp(now),
        clock=Timestamp(now),
    )
    return replace(calm, **changes)


def unvalued(**changes: Any) -> GateInput:
    """A frame that could not value the fund."""
    return replace(facts(**changes), valuation=None)


def net(state: PeakState | None) -> tuple[Wad, Wad] | None:
    """A state's peak and day's peak."""
    return None if state is None else (state.peak, state.daily_peak)
