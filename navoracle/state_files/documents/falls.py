"""Peaks and the falls below them, as the gate found them and in equity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.risk.gates import PeakCondition
from navoracle.domain.units import WAD, Rounding, Wad, mul_div
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DOCUMENT, Decimal, Unknown

CAUTION_PART = Wad(6 * WAD // 10)
"""Part of a limit above which a fall is a caution: that of the delta limit of the source document."""

DrawdownState = Literal["normal", "caution", "breached", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Falls:
    """Peaks and falls; all of them are of the gate's measure, per share, and unknown without a gate."""

    __pydantic_config__ = DOCUMENT

    peak_state: PeakCondition
    """How the peak was come by; only a "fresh" one is ground for a veto."""
    peak_equity: Decimal | None
    """What the shares outstanding would be worth at the peak price per share, rounded down."""
    peak_price_per_share: Decimal | None
    """The highest price per share, less what was distributed since."""
    daily_peak_equity: Decimal | None
    """As `peak_equity`, at the highest price per share of the UTC day."""
    daily_peak_price_per_share: Decimal | None
    """The highest price per share of the UTC day."""
    drawdown_pct: Decimal | None
    """(peak - NAV) / peak, per share: a fraction, 0.2 is 20 %; rounded up."""
    drawdown_abs: Decimal | None
    """What the shares outstanding have lost since the peak, rounded up; 0 at or above it."""
    daily_loss_pct: Decimal | None
    """(daily peak - NAV) / daily peak, per share: a fraction; rounded up."""
    daily_loss_abs: Decimal | None
    """What the shares outstanding have lost since the UTC day's peak, rounded up."""


def falls_of(facts: Facts, unknown: Unknown, place: str) -> Falls:
    """The falls of a fund; `place` is where they stand in the document."""
    gate, shares = facts.gate, None if facts.valuation is None else facts.valuation.shares
    price = None if gate is None else gate.health.price_per_share
    without = facts.ungated if gate is None else "no_peak"
    peak, daily = (None, None) if gate is None else (gate.peak, gate.daily_peak)
    no_equity = without if peak is None else facts.unvalued

    def equity(at: Wad | None) -> Wad | None:
        return None if at is None or shares is None else Wad(mul_div(at, shares, WAD, Rounding.DOWN))

    def lost(at: Wad | None) -> Wad | None:
        if at is None or shares is None or price is None:
            return None
        return Wad(mul_div(max(0, at - price), shares, WAD, Rounding.UP))

    return Falls(
        peak_state="unknown" if gate is None else gate.peak_state,
        peak_equity=unknown.wad(f"{place}/peak_equity", equity(peak), no_equity),
        peak_price_per_share=unknown.wad(f"{place}/peak_price_per_share", peak, without),
        daily_peak_equity=unknown.wad(f"{place}/daily_peak_equity", equity(daily), no_equity),
        daily_peak_price_per_share=unknown.wad(f"{place}/daily_peak_price_per_share", daily, without),
        drawdown_pct=unknown.wad(f"{place}/drawdown_pct", None if gate is None else gate.drawdown, without),
        drawdown_abs=unknown.wad(f"{place}/drawdown_abs", lost(peak), no_equity),
        daily_loss_pct=unknown.wad(f"{place}/daily_loss_pct", None if gate is None else gate.daily_loss, without),
        daily_loss_abs=unknown.wad(f"{place}/daily_loss_abs", lost(daily), no_equity),
    )


def drawdown_state(fall: Wad | None, limit: Wad | None) -> DrawdownState:
    """How a fall stands to its limit; unknown without one of the two. At the limit is within it."""
    if fall is None or limit is None:
        return "unknown"
    if fall > limit:
        return "breached"
    return "caution" if fall * WAD > limit * CAUTION_PART else "normal"
