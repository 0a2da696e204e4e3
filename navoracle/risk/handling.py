"""What follows from an error of a component, by its severity, and which errors a risk report stands for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.domain.errors import (
    ErrorSeverity,
    HealthFactorCritical,
    RiskAlertFailed,
    RiskCalculationFailed,
    RiskError,
)
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import format_wad


class Reaction(Enum):
    """What a component does about an error."""

    EMERGENCY = "emergency"
    RETRY = "retry"
    DEGRADE = "degrade"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Handling:
    """What follows from an error.

    Attributes:
        retry_after: seconds to wait before each further try, in order; empty where there is none.
    """

    reaction: Reaction
    retry_after: tuple[int, ...]


RETRIES: Final = 3
FIRST_WAIT: Final = 1

_REACTIONS: Final = {
    ErrorSeverity.CRITICAL: Reaction.EMERGENCY,
    ErrorSeverity.HIGH: Reaction.RETRY,
    ErrorSeverity.MEDIUM: Reaction.DEGRADE,
    ErrorSeverity.LOW: Reaction.LOG,
}


def handling_of(severity: ErrorSeverity) -> Handling:
    """Critical: the emergency path. High: three more tries, each after twice the wait. Medium: go on with less.
    Low: it is logged.
    """
    reaction = _REACTIONS[severity]
    waits = tuple(FIRST_WAIT * 2**number for number in range(RETRIES)) if reaction is Reaction.RETRY else ()
    return Handling(reaction, waits)


def errors_of(report: RiskReport) -> tuple[RiskError, ...]:
    """The errors that a report stands for, the gravest first; they are told and handled, not raised.

    RISK-002 for each loan whose health factor is critical, RISK-001 for what could not be read or computed, RISK-003
    for an alert that could not be made.
    """
    return (*_critical_loans(report), *_failures(report, RiskCalculationFailed), *_failures(report, RiskAlertFailed))


def _critical_loans(report: RiskReport) -> Iterator[RiskError]:
    for loan in report.lending:
        health = loan.account.health_factor
        if loan.health_factor_status is RiskStatus.CRITICAL and health is not None:
            yield HealthFactorCritical(
                f"{loan.watch}: health factor {format_wad(health, 4)} is critical",
                advice="Repay debt or add collateral now.",
            )


def _failures(report: RiskReport, kind: type[RiskError]) -> Iterator[RiskError]:
    for failure in report.failures:
        if (failure.code == RiskAlertFailed.code) is (kind is RiskAlertFailed):
            yield kind(f"{failure.reader}: {failure.message}", advice=failure.advice)
