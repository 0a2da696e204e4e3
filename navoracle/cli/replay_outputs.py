"""What a replay leaves and says: files, one JSON document, or tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from navoracle.cli.export import Subject, columns_of, require_new, rows_of, write_out
from navoracle.cli.output import count, duration, moment, plain, present, table
from navoracle.cli.timelines import program, show_endings, show_exceptions, show_verification
from navoracle.domain.units import Timestamp
from navoracle.pictures.files import check_picture_file, write_picture
from navoracle.pictures.slots import picture_of_replay
from navoracle.recorded.series import Series
from navoracle.replay.engine import ReplayResult
from navoracle.replay.events import require_fresh_folder
from navoracle.replay.report import SlotReport, cadence_changes, series_json, slot_json, summary_json, write_csv
from navoracle.replay.risk import RiskChange, risk_json
from navoracle.replay.state_files import require_empty_folder
from navoracle.store_port import Store

STEM: Final = "navoracle-replay"

_MOST_CHANGES: Final = 40


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a replay writes besides its database; None: not there."""

    slots: Path | None
    risk: Path | None
    picture: Path | None
    events: Path | None
    events_folder: Path | None
    state_folder: Path | None

    def check(self) -> None:
        """Refuse what could not be written, before the replay. Raises UsageError."""
        if self.picture is not None:
            check_picture_file(self.picture)
        if self.events is not None:
            require_new(self.events)
        if self.events_folder is not None:
            require_fresh_folder(self.events_folder)
        if self.state_folder is not None:
            require_empty_folder(self.state_folder)

    def write_events(self, store: Store) -> None:
        """Write the events of the replay as CSV, if asked to. Raises UsageError, StoreError."""
        if self.events is not None:
            write_out(rows_of(store, Subject.EVENTS), columns_of(Subject.EVENTS), self.events)

    def write_slots(self, fund: str, slots: Sequence[SlotReport]) -> None:
        """Write the table of slots and the picture of a fund, if asked to. Raises UsageError."""
        if self.slots is not None:
            write_csv(slots, self.slots)
        if self.picture is not None:
            write_picture(picture_of_replay(fund, slots), self.picture)


@dataclass(frozen=True, slots=True)
class Told:
    """What a replay says of itself beside its result."""

    start: Timestamp
    end: Timestamp
    series: Mapping[str, Series]
    warnings: Sequence[str]
    database: str
    picture: Path | None

    def present(self, result: ReplayResult, more: Mapping[str, Any], *, as_json: bool) -> None:
        """Print it.

        Args:
            more: what only this form of a replay says, for the document.
        """
        document = {**self._document(result), **more}
        present(document, lambda out: self._show(out, result), as_json=as_json)

    def _warnings(self, result: ReplayResult) -> list[str]:
        troubles = {"event": result.event_trouble, "state": result.state_trouble}
        return [
            *self.warnings,
            *(
                f"the {kind} files are not whole: {trouble}"
                for kind, trouble in troubles.items()
                if trouble is not None
            ),
        ]

    def _document(self, result: ReplayResult) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "registry": result.registry,
            "database": self.database,
            "warnings": self._warnings(result),
            "series": [series_json(name, series) for name, series in self.series.items()],
            "funds": summary_json(result.slots),
            "risk": risk_json(result.risk),
            "slots": [slot_json(slot) for slot in result.slots],
            "verified": {"accepted": result.verification.accepted, "rejected": list(result.verification.rejected)},
            "picture": None if self.picture is None else str(self.picture),
        }

    def _show(self, out: Console, result: ReplayResult) -> None:
        for warning in self._warnings(result):
            out.print(f"[yellow]warning[/] {plain(warning)}")
        _show_series(out, self.series)
        out.print()
        show_endings(out, result.slots)
        changes = cadence_changes(result.slots)
        if len(changes) > 1:
            told = ", ".join(f"{change['cadence']} from {moment(change['time'])}" for change in changes)
            out.print(f"cadence: {told}")
        out.print()
        if result.risk.changes:
            _show_risk(out, result.risk.changes)
            out.print()
        show_exceptions(out, result.slots)
        out.print()
        show_verification(out, result.slots, result.verification)
        out.print(
            f"{count(len(result.slots), 'slot')} in {plain(self.database)}; "
            f"look deeper with `{program()} history --database {plain(self.database)}`"
        )
        if self.picture is not None:
            out.print(f"picture in {plain(self.picture)}")


def _show_series(out: Console, known: Mapping[str, Series]) -> None:
    rows = table("series", "rows", "step", "from", "to", "gaps", "longest gap", right=("rows", "gaps"))
    for name, series in known.items():
        gaps = series.gaps()
        rows.add_row(
            plain(name),
            str(len(series.times)),
            duration(series.step),
            moment(series.start),
            moment(series.end),
            str(len(gaps)),
            duration(max((gap.seconds for gap in gaps), default=None)),
        )
    out.print(rows)


def _show_risk(out: Console, changes: Sequence[RiskChange]) -> None:
    """Draw what changed in the funds' risks."""
    rows = table("time", "fund", "risk", "", "why")
    for change in changes[:_MOST_CHANGES]:
        what = f"{change.kind} {change.name}" if change.is_raised else f"{change.name} is over"
        rows.add_row(moment(change.at), plain(change.fund), plain(what), change.trigger, plain(change.message))
    out.print(rows)
    if len(changes) > _MOST_CHANGES:
        out.print(f"and {len(changes) - _MOST_CHANGES} more; --json has them all")
