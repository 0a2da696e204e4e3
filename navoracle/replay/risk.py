"""What the risk monitor of a replay saw: every change of status, alert, veto and peak, and every reading as a row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from navoracle.composition.risk_events import risk_events, sentence_of
from navoracle.domain.errors import UsageError
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.units import Timestamp, format_wad
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.risk_looks import Trigger
from navoracle.ports import Clock
from navoracle.recorded.reader import decimal_text
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import Observation, RiskReading
from navoracle.store_port import Event

ChangeKind = Literal["status", "alert", "veto", "peak"]


@dataclass(frozen=True, slots=True)
class RiskChange:
    """One change in a fund's risks.

    Attributes:
        at: the valuation time of the frame that showed it.
        name: the new status, or the name of the alert, of the veto, or of how a peak was set anew.
        is_raised: False where an alert or a veto is over.
        about: the watch of an alert; empty otherwise.
        message: figures and limits, for people; empty of an alert that is over.
    """

    fund: str
    at: Timestamp
    kind: ChangeKind
    name: str
    is_raised: bool
    about: str
    message: str
    frame: str
    trigger: Trigger


class ReplayRisk:
    """Hears the monitor of a replay; implements `keeper.risk_looks.RiskObserver`.

    Args:
        record: keeps an event.
        on_reading: told of every reading, with what made its frame.
    """

    def __init__(
        self,
        record: Callable[[Event], None],
        clock: Clock,
        on_reading: Callable[[str, Trigger, RiskReading], None] = lambda _fund, _trigger, _reading: None,
    ) -> None:
        self._record = record
        self._clock = clock
        self._on_reading = on_reading
        self._statuses: dict[str, str] = {}
        self.changes: list[RiskChange] = []
        self.readings: Counter[str] = Counter()
        self.health: ComponentHealth | None = None

    def risk_observed(self, seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float) -> None:
        """The monitor has seen a frame."""
        for event in risk_events(seen, health, trigger, seconds, self._clock.now()):
            self._record(event)
        self.health = health
        for fund, reading in seen.readings.items():
            self.readings[fund] += 1
            self._on_reading(fund, trigger, reading)
        self.changes += self._changes(seen, trigger)

    def risk_unseen(self, health: ComponentHealth) -> None:
        """A look failed as a whole, or there was nothing to look at."""
        self.health = health

    def _changes(self, seen: Observation, trigger: Trigger) -> Iterator[RiskChange]:
        def change(
            fund: str, kind: ChangeKind, name: str, message: str, *, is_raised: bool = True, about: str = ""
        ) -> RiskChange:
            return RiskChange(fund, seen.at, kind, name, is_raised, about, message, seen.frame, trigger)

        for fund, reading in seen.readings.items():
            if reading.report is not None and self._statuses.get(fund) != reading.report.status.value:
                status = self._statuses[fund] = reading.report.status.value
                yield change(fund, "status", status, ", ".join(alert.name for alert in reading.report.alerts))
        for each in seen.alerts:
            yield change(
                each.fund,
                "alert",
                each.alert.name,
                each.alert.message if each.is_raised else "",
                is_raised=each.is_raised,
                about=each.alert.watch,
            )
        for veto in seen.vetoes:
            yield change(veto.fund, "veto", veto.veto, sentence_of(veto.decision), is_raised=veto.is_raised)
        for peak in seen.healed:
            yield change(peak.fund, "peak", peak.how, sentence_of(peak.decision))


def risk_json(heard: ReplayRisk) -> dict[str, Any]:
    """By fund: how many readings there were, when each status, alert and veto came first, and every change."""
    return {
        fund: _fund_json(heard.readings[fund], [change for change in heard.changes if change.fund == fund])
        for fund in sorted(heard.readings)
    }


def _fund_json(readings: int, changes: Sequence[RiskChange]) -> dict[str, Any]:
    return {
        "readings": readings,
        "first": {
            "statuses": _first(changes, "status"),
            "alerts": _first(changes, "alert"),
            "vetoes": _first(changes, "veto"),
        },
        "statuses": [
            {"time": change.at, "status": change.name, "frame": change.frame, "trigger": change.trigger}
            for change in changes
            if change.kind == "status"
        ],
        "alerts": [
            {"alert": change.name, "watch": change.about, **_change_json(change)}
            for change in changes
            if change.kind == "alert"
        ],
        "vetoes": [
            {"veto": change.name, **_change_json(change)} for change in changes if change.kind == "veto"
        ],
        "peaks": [
            {"time": change.at, "how": change.name, "message": change.message, "frame": change.frame}
            for change in changes
            if change.kind == "peak"
        ],
    }  # fmt: skip


def _first(changes: Iterable[RiskChange], kind: ChangeKind) -> dict[str, int]:
    first: dict[str, int] = {}
    for change in changes:
        if change.kind == kind and change.is_raised:
            first.setdefault(change.name, change.at)
    return first


def _change_json(change: RiskChange) -> dict[str, Any]:
    return {
        "time": change.at,
        "raised": change.is_raised,
        "message": change.message,
        "frame": change.frame,
        "trigger": change.trigger,
    }


_COLUMNS: Final = (
    "time",
    "fund",
    "trigger",
    "frame",
    "nav_status",
    "nav",
    "price_per_share",
    "risk_status",
    "alerts",
    "peak",
    "daily_peak",
    "drawdown",
    "daily_loss",
    "vetoes",
    "warnings",
    "delta_drift",
)
_OF_LOAN: Final = ("status", "collateral", "debt", "loan_to_value", "health_factor")
_OF_VENUE: Final = ("status", "balance", "exposure", "margin_ratio")


class RiskTable:
    """Every reading as a row, written as CSV at the end; amounts and ratios are decimals with all of their places.

    After the columns that all funds share come those of each loan and each account at an exchange, `WATCH.figure`;
    empty in the rows of other funds, and where a figure is not known.
    """

    def __init__(self, funds: Iterable[FundPlan]) -> None:
        policies = [fund.risk.policy for fund in funds if fund.risk is not None]
        self.columns = (*_COLUMNS, *(column for policy in policies for column in _columns_of(policy)))
        self._rows: list[tuple[str, ...]] = []

    def hear(self, fund: str, trigger: Trigger, reading: RiskReading) -> None:
        """Add a reading."""
        cells = dict(_cells(fund, trigger, reading))
        self._rows.append(tuple(cells.get(column, "") for column in self.columns))

    def write(self, path: Path) -> None:
        """Write the file. Raises UsageError when it cannot be written."""
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(self.columns)
                writer.writerows(self._rows)
        except OSError as error:
            raise UsageError(
                f"{path}: cannot be written: {error.strerror}", advice="Name a file in a folder of yours."
            ) from error


def _columns_of(policy: RiskPolicy) -> Iterator[str]:
    for loan in policy.lending:
        yield from (f"{loan.watch}.{figure}" for figure in _OF_LOAN)
    for venue in policy.margin:
        yield from (f"{venue.watch}.{figure}" for figure in _OF_VENUE)


def _cells(fund: str, trigger: Trigger, reading: RiskReading) -> Iterator[tuple[str, str]]:
    yield from (("time", str(reading.at)), ("fund", fund), ("trigger", trigger), ("frame", reading.frame))
    yield from (("nav_status", reading.status.value), ("nav", _decimal(reading.nav)))
    yield "price_per_share", _decimal(reading.price_per_share)
    gate, report = reading.gate, reading.report
    if gate is not None:
        yield from (("peak", _decimal(gate.peak)), ("daily_peak", _decimal(gate.daily_peak)))
        yield from (("drawdown", _decimal(gate.drawdown)), ("daily_loss", _decimal(gate.daily_loss)))
        yield from (("vetoes", " ".join(gate.vetoes)), ("warnings", " ".join(gate.warnings)))
    if report is None:
        return
    yield from (("risk_status", report.status.value), ("alerts", " ".join(alert.name for alert in report.alerts)))
    if report.delta is not None:
        yield "delta_drift", _decimal(report.delta.drift_part)
    for loan in report.lending:
        account = loan.account
        yield f"{loan.watch}.status", loan.status.value
        yield f"{loan.watch}.collateral", decimal_text(account.collateral, account.base_decimals)
        yield f"{loan.watch}.debt", decimal_text(account.debt, account.base_decimals)
        yield f"{loan.watch}.loan_to_value", _decimal(account.loan_to_value)
        yield f"{loan.watch}.health_factor", _decimal(account.health_factor)
    for venue in report.margin:
        yield f"{venue.watch}.status", venue.status.value
        yield f"{venue.watch}.balance", _decimal(venue.balance)
        yield f"{venue.watch}.exposure", _decimal(venue.exposure)
        yield f"{venue.watch}.margin_ratio", _decimal(venue.margin_ratio)


def _decimal(figure: int | None) -> str:
    return "" if figure is None else format_wad(figure)
