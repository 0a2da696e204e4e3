"""The risk monitor: what each fund's risks and gate are now, what has changed, and whether the monitor does its work.

It keeps state and performs no I/O: frames go in, in order, live as in a replay; what follows from them comes out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from navoracle.domain.errors import ErrorSeverity, RiskError
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.risk.gates import GateDecision, PeakCondition, Veto
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.report import RiskAlert, RiskReport
from navoracle.domain.units import Timestamp, Wad
from navoracle.risk.alerts import ordered
from navoracle.risk.handling import Reaction, errors_of, handling_of
from navoracle.risk.health import WINDOW, ComponentHealth, HealthRule, Update, health_of

_HEALED: Final = frozenset({"reset", "healed_from_history", "healed_from_confirmed"})


@dataclass(frozen=True, slots=True)
class RiskReading:
    """What one frame said of a fund; `nav` and `price_per_share` (Wad) are None where it was not valued."""

    frame: str
    at: Timestamp
    status: NavStatus
    nav: Wad | None
    price_per_share: Wad | None
    report: RiskReport | None
    gate: GateDecision | None


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that was raised, or that is over. One that changes its level is over under its old name."""

    fund: str
    alert: RiskAlert
    is_raised: bool


@dataclass(frozen=True, slots=True)
class VetoChange:
    """A veto of the fund's gate that begins, or that is over; `decision` has its grounds."""

    fund: str
    veto: Veto
    is_raised: bool
    decision: GateDecision


@dataclass(frozen=True, slots=True)
class HealedPeak:
    """A peak that was set anew, and how."""

    fund: str
    how: PeakCondition
    decision: GateDecision


@dataclass(frozen=True, slots=True)
class FundError:
    """An error that a fund's report stands for; `is_new`: the fund's frame before had none of its cause."""

    fund: str
    error: RiskError
    is_new: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What a frame changed.

    Attributes:
        readings: of the funds that have a monitor or a gate.
        standing: the alerts of each of them that are not over, those of accounts that cannot be read included.
        emergencies: funds that ask for an EMERGENCY slot, with the reason: a critical alert was raised.
        errors: what the reports stand for, the gravest first.
        failed: funds whose risks should be looked at again.
    """

    frame: str
    at: Timestamp
    readings: Mapping[str, RiskReading]
    standing: Mapping[str, tuple[RiskAlert, ...]]
    alerts: tuple[AlertChange, ...]
    vetoes: tuple[VetoChange, ...]
    healed: tuple[HealedPeak, ...]
    emergencies: tuple[tuple[str, str], ...]
    errors: tuple[FundError, ...]
    failed: tuple[str, ...]

    @property
    def own_errors(self) -> tuple[ErrorSeverity, ...]:
        """How grave the errors of the monitor's own work were: what it found in a fund is none of them."""
        return tuple(each.error.severity for each in self.errors if not each.error.is_finding)


class RiskMonitor:
    """The funds' risks as the frames told them.

    Args:
        history_limit: readings that are kept of each fund.
        rule: when the monitor itself is unhealthy.
        started: from when on its first update is waited for.
    """

    def __init__(self, *, history_limit: int, rule: HealthRule, started: Timestamp) -> None:
        self._limit = history_limit
        self._rule = rule
        self._updated_at = started
        self._history: dict[str, deque[RiskReading]] = {}
        self._standing: dict[str, dict[tuple[str, str], RiskAlert]] = {}
        self._known_errors: dict[str, frozenset[tuple[str, str]]] = {}
        self._updates: deque[Update] = deque(maxlen=WINDOW)

    def observe(self, frame: NavFrame) -> Observation:
        """Take in what a frame says of its funds, but for those of which a newer one was seen."""
        readings: dict[str, RiskReading] = {}
        alerts: list[AlertChange] = []
        vetoes: list[VetoChange] = []
        healed: list[HealedPeak] = []
        errors: list[FundError] = []
        failed: list[str] = []
        for found in frame.funds:
            if found.risk is None and found.gate is None:
                continue
            before = self.latest(found.fund)
            if before is not None and frame.now < before.at:
                continue  # a slot ends after its post, and a look may have been faster
            reading = readings[found.fund] = _reading(frame, found)
            self._history.setdefault(found.fund, deque(maxlen=self._limit)).append(reading)
            alerts += self._alert_changes(found)
            vetoes += _veto_changes(found.fund, before, reading)
            if found.gate is not None and found.gate.peak_state in _HEALED:
                healed.append(HealedPeak(found.fund, found.gate.peak_state, found.gate))
            found_errors = [] if found.risk is None else errors_of(found.risk)
            known = self._known_errors.get(found.fund, frozenset())
            self._known_errors[found.fund] = frozenset(map(_cause, found_errors))
            errors += [FundError(found.fund, error, is_new=_cause(error) not in known) for error in found_errors]
            if any(handling_of(error.severity).reaction is Reaction.RETRY for error in found_errors):
                failed.append(found.fund)
        return Observation(
            frame=frame.id,
            at=frame.now,
            readings=readings,
            standing={fund: self.standing(fund) for fund in readings},
            alerts=tuple(alerts),
            vetoes=tuple(vetoes),
            healed=tuple(healed),
            emergencies=_emergencies(alerts),
            errors=tuple(errors),
            failed=tuple(failed),
        )

    def standing(self, fund: str) -> tuple[RiskAlert, ...]:
        """The fund's alerts that are not over, the worst first: of an account that cannot be read those it had."""
        return ordered(self._standing.get(fund, {}).values())

    def _alert_changes(self, found: FundFrame) -> list[AlertChange]:
        """What an account had stays while it cannot be read: not to know is not to be well."""
        old = self._standing.get(found.fund, {})
        new = {} if found.risk is None else {(alert.name, alert.watch): alert for alert in found.risk.alerts}
        unread = set() if found.risk is None else {failure.reader for failure in found.risk.failures}
        kept = {key: alert for key, alert in old.items() if key not in new and alert.watch in unread}
        self._standing[found.fund] = new | kept
        raised = [AlertChange(found.fund, alert, is_raised=True) for key, alert in new.items() if key not in old]
        over = [
            AlertChange(found.fund, alert, is_raised=False)
            for key, alert in old.items()
            if key not in new and key not in kept
        ]
        return [*raised, *over]

    def update(self, errors: Iterable[ErrorSeverity], *, succeeded: bool, at: Timestamp) -> ComponentHealth:
        """An update has ended, its further tries included: its own errors, and whether it did its work in the end."""
        self._updates.append(Update(tuple(errors), succeeded))
        self._updated_at = at
        return self.health(at)

    def health(self, now: Timestamp) -> ComponentHealth:
        """Whether the monitor does its work, by its last updates and their age; not what it found in the funds."""
        return health_of(tuple(self._updates), self._rule, age=max(0, now - self._updated_at))

    def latest(self, fund: str) -> RiskReading | None:
        """The newest reading of a fund; None before its first."""
        known = self._history.get(fund)
        return known[-1] if known else None

    def history(self, fund: str) -> tuple[RiskReading, ...]:
        """The kept readings of a fund, oldest first."""
        return tuple(self._history.get(fund, ()))

    @property
    def funds(self) -> tuple[str, ...]:
        """The funds that were observed, sorted."""
        return tuple(sorted(self._history))


def _reading(frame: NavFrame, found: FundFrame) -> RiskReading:
    nav = None if found.valuation is None else found.valuation.after.nav
    price = None if found.valuation is None else found.valuation.price_per_share
    return RiskReading(frame.id, frame.now, found.status, nav, price, found.risk, found.gate)


def _veto_changes(fund: str, before: RiskReading | None, now: RiskReading) -> list[VetoChange]:
    if now.gate is None:
        return []
    old = () if before is None or before.gate is None else before.gate.vetoes
    raised = [VetoChange(fund, veto, is_raised=True, decision=now.gate) for veto in now.gate.vetoes if veto not in old]
    over = [VetoChange(fund, veto, is_raised=False, decision=now.gate) for veto in old if veto not in now.gate.vetoes]
    return [*raised, *over]


def _emergencies(alerts: Iterable[AlertChange]) -> tuple[tuple[str, str], ...]:
    reasons: dict[str, list[str]] = {}
    for change in alerts:
        if change.is_raised and change.alert.status is RiskStatus.CRITICAL:
            reasons.setdefault(change.fund, []).append(change.alert.name)
    return tuple((fund, ", ".join(names)) for fund, names in reasons.items())


def _cause(error: RiskError) -> tuple[str, str]:
    """What tells errors apart: the code, and what it is about; figures change from frame to frame."""
    return error.code, error.message.partition(":")[0]
