"""What a fund's gate decided, and the peaks that it goes by."""

from __future__ import annotations

from navoracle.domain.units import wad_text
from navoracle.read_model.records import Record, Time, WadText
from navoracle.store_port import GateRow, KeptPeaks


class GateRecord(Record):
    """What the fund's gate decided; falls are ratios."""

    measure: str
    price_per_share: WadText | None
    healthy: bool
    drawdown: WadText | None
    daily_loss: WadText | None
    vetoes: list[str]
    warnings: list[str]
    stops: list[str]


class PeaksRecord(Record):
    """Peaks of the gate's measure."""

    measure: str
    peak: WadText
    peak_at: Time
    daily_peak: WadText
    daily_peak_at: Time
    updated_at: Time


def gate_record(gate: GateRow) -> GateRecord:
    """What a gate decided."""
    return GateRecord(
        measure=gate.measure,
        price_per_share=wad_text(gate.price_per_share),
        healthy=gate.healthy,
        drawdown=wad_text(gate.drawdown),
        daily_loss=wad_text(gate.daily_loss),
        vetoes=list(gate.vetoes),
        warnings=list(gate.warnings),
        stops=list(gate.stops),
    )


def peaks_record(kept: KeptPeaks) -> PeaksRecord:
    """The peaks of a fund."""
    peaks = kept.state
    return PeaksRecord(
        measure=peaks.measure,
        peak=wad_text(peaks.peak),
        peak_at=peaks.peak_at,
        daily_peak=wad_text(peaks.daily_peak),
        daily_peak_at=peaks.daily_peak_at,
        updated_at=peaks.updated_at,
    )
