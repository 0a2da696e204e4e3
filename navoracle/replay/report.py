"""What a replay tells: every slot with its price votes, and a summary. Plain data; the CLI draws it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navoracle.composition.risk_documents import gate_document, report_document
from navoracle.domain.errors import UsageError
from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import GateDecision
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import Bps, Timestamp, Wad, format_wad
from navoracle.recorded.series import Series
from navoracle.replay.timeline import WorkedSlot


@dataclass(frozen=True, slots=True)
class SlotReport:
    """One fund's slot: what was found, how it ended, and what the contract says after it.

    `contract` is None where nothing is posted, `risk` and `gate` where the fund has none; `agrees` says whether a
    posted NAV is the contract's, to the wei.
    """

    fund: str
    time: Timestamp
    cadence: str
    reasons: tuple[str, ...]
    state: str
    reason: str | None
    status: str
    nav: Wad | None
    price_per_share: Wad | None
    undecayed_nav: Wad | None
    confidence: Bps | None
    frame: str | None
    frames: tuple[str, ...]
    prices: Mapping[str, PriceEstimate]
    contract: ConfirmedNav | None
    risk: RiskReport | None = None
    gate: GateDecision | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether the contract serves this slot's NAV and price per share; None when it was not posted."""
        if self.state != "posted" or self.contract is None:
            return None
        return (self.contract.nav, self.contract.price_per_share) == (self.nav, self.price_per_share)


def report_slot(worked: WorkedSlot, contract: Mapping[str, ConfirmedNav]) -> list[SlotReport]:
    """One report for each fund of a worked slot."""
    reports = []
    for fund, outcome in sorted(worked.outcomes.items()):
        frame = next((frame for frame in worked.frames if frame.id == outcome.frame), None)
        found = None if frame is None else frame.fund(fund)
        valuation = None if found is None else found.valuation
        reports.append(
            SlotReport(
                fund=fund,
                time=worked.slot.time,
                cadence=worked.slot.cadence.value,
                reasons=worked.slot.reasons,
                state=outcome.state.value,
                reason=outcome.reason,
                status="none" if found is None else found.status.value,
                nav=None if valuation is None else valuation.after.nav,
                price_per_share=None if valuation is None else valuation.price_per_share,
                undecayed_nav=None if valuation is None else valuation.undecayed_nav,
                confidence=None if valuation is None else valuation.confidence,
                frame=outcome.frame,
                frames=tuple(frame.id for frame in worked.frames),
                prices={} if frame is None else _asset_prices(frame),
                contract=contract.get(fund),
                risk=None if found is None else found.risk,
                gate=None if found is None else found.gate,
            )
        )
    return reports


def _asset_prices(frame: NavFrame) -> dict[str, PriceEstimate]:
    return {asset: estimate for (asset, side), estimate in frame.estimates.items() if side == "asset"}


def slot_json(slot: SlotReport) -> dict[str, Any]:
    """A slot as plain JSON: Wad integers as strings, times as Unix seconds."""
    contract = slot.contract
    return {
        "fund": slot.fund,
        "time": slot.time,
        "cadence": slot.cadence,
        "reasons": list(slot.reasons),
        "state": slot.state,
        "reason": slot.reason,
        "status": slot.status,
        "nav": _text(slot.nav),
        "price_per_share": _text(slot.price_per_share),
        "undecayed_nav": _text(slot.undecayed_nav),
        "confidence": slot.confidence,
        "frame": slot.frame,
        "frames": list(slot.frames),
        "prices": {asset: price_json(estimate) for asset, estimate in slot.prices.items()},
        "contract": None
        if contract is None
        else {
            "nav": _text(contract.nav),
            "price_per_share": str(contract.price_per_share),
            "valuation_time": contract.valuation_time,
            "held": contract.held,
        },
        "agrees_with_contract": slot.agrees,
        "risk": None if slot.risk is None else report_document(slot.risk),
        "gate": None if slot.gate is None else gate_document(slot.gate),
    }


def price_json(estimate: PriceEstimate) -> dict[str, Any]:
    """An estimate with its votes and exclusions as plain JSON."""
    return {
        "price": _text(estimate.price),
        "status": estimate.status.value,
        "reason": estimate.reason,
        "confidence": estimate.confidence,
        "spread_bps": estimate.spread_bps,
        "as_of": estimate.as_of,
        "undecayed_price": _text(estimate.undecayed_price),
        "votes": [
            {"group": vote.group, "price": str(vote.price), "confidence": vote.confidence} for vote in estimate.votes
        ],
        "used": list(estimate.used),
        "excluded": [{"source": source, "reason": reason} for source, reason in estimate.excluded],
    }


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)


def summary_json(slots: Sequence[SlotReport]) -> dict[str, Any]:
    """By fund: how its slots ended and why, its lowest and highest posts, and when its cadence changed."""
    return {
        fund: _fund_summary([slot for slot in slots if slot.fund == fund])
        for fund in sorted({slot.fund for slot in slots})
    }


def _fund_summary(slots: Sequence[SlotReport]) -> dict[str, Any]:
    posted = [slot for slot in slots if slot.state == "posted" and slot.price_per_share is not None]
    lowest = min(posted, key=lambda slot: slot.price_per_share or 0, default=None)
    highest = max(posted, key=lambda slot: slot.price_per_share or 0, default=None)
    return {
        "slots": len(slots),
        "ended": dict(sorted(Counter(slot.state for slot in slots).items())),
        "posts": len(posted),
        "holds": [_ending(slot) for slot in slots if slot.state == "held"],
        "skips": [_ending(slot) for slot in slots if slot.state == "skipped"],
        "failures": [_ending(slot) for slot in slots if slot.state == "failed"],
        "estimated": sum(slot.status == "estimated" for slot in posted),
        "verified": sum(slot.status == "verified" for slot in posted),
        "lowest_post": None if lowest is None else _brief(lowest),
        "highest_post": None if highest is None else _brief(highest),
        "last_post": _brief(posted[-1]) if posted else None,
        "cadence_changes": cadence_changes(slots),
        "disagreements_with_contract": sum(slot.agrees is False for slot in slots),
    }


def _ending(slot: SlotReport) -> dict[str, Any]:
    return {"time": slot.time, "cadence": slot.cadence, "reason": slot.reason, "status": slot.status}


def _brief(slot: SlotReport) -> dict[str, Any]:
    return {
        "time": slot.time,
        "nav": _text(slot.nav),
        "price_per_share": _text(slot.price_per_share),
        "status": slot.status,
        "confidence": slot.confidence,
        "frame": slot.frame,
    }


def cadence_changes(slots: Iterable[SlotReport]) -> list[dict[str, Any]]:
    """When the regular cadence changed; EMERGENCY slots come between and change nothing."""
    changes: list[dict[str, Any]] = []
    for slot in slots:
        if slot.cadence != "emergency" and (not changes or changes[-1]["cadence"] != slot.cadence):
            changes.append({"time": slot.time, "cadence": slot.cadence})
    return changes


def series_json(name: str, series: Series) -> dict[str, Any]:
    """A series with its gaps as plain JSON."""
    gaps = series.gaps()
    longest = max(gaps, key=lambda gap: gap.seconds, default=None)
    return {
        "name": name,
        "file": series.name,
        "rows": len(series.times),
        "step": series.step,
        "first": series.start,
        "last": series.end,
        "gaps": len(gaps),
        "longest_gap": None
        if longest is None
        else {"from": longest.start, "to": longest.end, "seconds": longest.seconds},
    }


CSV_COLUMNS = (
    "time",
    "fund",
    "cadence",
    "state",
    "reason",
    "status",
    "nav",
    "price_per_share",
    "confidence",
    "frame",
    "votes",
    "excluded",
    "risk_status",
    "alerts",
    "drawdown",
    "daily_loss",
    "vetoes",
)


def write_csv(slots: Iterable[SlotReport], path: Path) -> None:
    """Write one row a slot; amounts as decimals. Raises UsageError when the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            writer.writerows(_csv_row(slot) for slot in slots)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", advice="Name a file in a folder of yours."
        ) from error


def _csv_row(slot: SlotReport) -> tuple[object, ...]:
    votes = [
        f"{asset}:{vote.group}={format_wad(vote.price)}"
        for asset, estimate in slot.prices.items()
        for vote in estimate.votes
    ]
    excluded = [f"{source}={reason}" for estimate in slot.prices.values() for source, reason in estimate.excluded]
    return (
        slot.time,
        slot.fund,
        slot.cadence,
        slot.state,
        slot.reason or "",
        slot.status,
        "" if slot.nav is None else format_wad(slot.nav),
        "" if slot.price_per_share is None else format_wad(slot.price_per_share),
        "" if slot.confidence is None else slot.confidence,
        slot.frame or "",
        " ".join(votes),
        " ".join(excluded),
        "" if slot.risk is None else slot.risk.status.value,
        "" if slot.risk is None else " ".join(alert.name for alert in slot.risk.alerts),
        "" if slot.gate is None or slot.gate.drawdown is None else format_wad(slot.gate.drawdown),
        "" if slot.gate is None or slot.gate.daily_loss is None else format_wad(slot.gate.daily_loss),
        "" if slot.gate is None else " ".join(slot.gate.vetoes),
    )
