"""What is kept of NAV gates: peaks, and what each frame's gate decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from navoracle.domain.flows import Distribution
from navoracle.domain.risk.gates import GateWarning, PeakState, Stop, Veto
from navoracle.domain.units import Timestamp, Wad


@dataclass(frozen=True, slots=True)
class KeptPeaks:
    """A fund's peaks, and the frame that they were kept from."""

    state: PeakState
    frame: str


@dataclass(frozen=True, slots=True)
class GateRow:
    """What a frame's gate decided; see `navoracle.domain.risk.gates.GateDecision`. Money and falls are Wad."""

    measure: str
    price_per_share: Wad | None
    healthy: bool
    drawdown: Wad | None
    daily_loss: Wad | None
    vetoes: tuple[Veto, ...]
    warnings: tuple[GateWarning, ...]
    stops: tuple[Stop, ...]


class PeakStore(Protocol):
    """Peaks, and the dividends that are no fall below them. Every method raises StoreError."""

    def load_peaks(self, funds: Collection[str]) -> Mapping[str, KeptPeaks]:
        """The peaks of these funds, as far as they have any."""

    def distributions(self, fund: str, since: Timestamp, until: Timestamp | None = None) -> tuple[Distribution, ...]:
        """Dividends per share declared for after `since`, up to and including `until`, oldest first."""
