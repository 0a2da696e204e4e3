"""Peaks of the price per share: kept with the frame that moved them, never by an older one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, select

from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import Wad
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.storage.upsert import replacing
from navoracle.store_port.peaks import KeptPeaks

_TABLE: Final = tables.peaks
_KEEP: Final = replacing(
    _TABLE,
    ("fund",),
    ("measure", "peak", "peak_at", "daily_peak", "daily_peak_at", "updated_at", "frame"),
    not_older="updated_at",  # of two keepers the later look counts
)


class PeakStore:
    """The part of the store that keeps peaks."""

    _database: Database

    def load_peaks(self, funds: Collection[str]) -> Mapping[str, KeptPeaks]:
        """The peaks of these funds, as far as they have any."""
        if not funds:
            return {}
        with self._database.read() as connection:
            rows = connection.execute(select(_TABLE)).all()
        return {
            row.fund: KeptPeaks(
                PeakState(
                    row.measure,
                    Wad(row.peak),
                    row.peak_at,
                    Wad(row.daily_peak),
                    row.daily_peak_at,
                    row.updated_at,
                ),
                row.frame,
            )
            for row in rows
            if row.fund in funds
        }


def keep_peaks(connection: Connection, frame: str, peaks: Mapping[str, PeakState]) -> None:
    """Keep the peaks that a frame moved, within the transaction that records it."""
    rows = [
        {
            "fund": fund,
            "measure": state.measure,
            "peak": state.peak,
            "peak_at": state.peak_at,
            "daily_peak": state.daily_peak,
            "daily_peak_at": state.daily_peak_at,
            "updated_at": state.updated_at,
            "frame": frame,
        }
        for fund, state in sorted(peaks.items())
    ]
    if rows:
        connection.execute(_KEEP, rows)
