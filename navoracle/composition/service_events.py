"""Events as the service tells them; a replay tells the same things by the same functions."""

from __future__ import annotations

from typing import Final, NamedTuple

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ErrorSeverity, NavoracleError, RiskError
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.advice import advice_for
from navoracle.lane_port import LaneEvent
from navoracle.store_port import Event, Severity, SlotOutcome, SlotState
from navoracle.telemetry.components import COMPONENT_INITIALIZATION, ERROR
from navoracle.telemetry.crash import crash_text
from navoracle.telemetry.error_codes import explain

LONGEST_TRACE: Final = 16_000
"""Characters of a traceback that an event keeps: its end, where the error is."""


class Part(NamedTuple):
    """A part of the service that begins, and the component whose events it makes."""

    component: str
    name: str


_OF_REGISTRY: Final = {
    Severity.CRITICAL: ErrorSeverity.HIGH,  # the service goes on after it, and tries again
    Severity.WARNING: ErrorSeverity.MEDIUM,
    Severity.INFO: ErrorSeverity.LOW,
}
_OF_EVENT: Final = {
    ErrorSeverity.CRITICAL: Severity.CRITICAL,
    ErrorSeverity.HIGH: Severity.WARNING,
    ErrorSeverity.MEDIUM: Severity.WARNING,
    ErrorSeverity.LOW: Severity.INFO,
}


def initialization_event(part: Part, *, version: str, configuration: str, at: Timestamp) -> Event:
    """A part of the service begins.

    Args:
        version: of the code.
        configuration: the hash of what it was configured with.
    """
    return Event(
        at,
        COMPONENT_INITIALIZATION,
        None,
        Severity.INFO,
        f"{part.name} begins",
        data={
            "component": part.component,
            "part": part.name,
            "code_version": version,
            "config_hash": configuration,
        },
    )


def error_event(
    component: str,
    what: str,
    *,
    code: str,
    message: str,
    severity: ErrorSeverity,
    advice: str,
    at: Timestamp,
    error: BaseException | None = None,
) -> Event:
    """Something failed.

    Args:
        component: whose error it is.
        what: what failed: the name of a job, a slot, a monitor.
        error: a defect, whose traceback is kept without secrets.
    """
    data: dict[str, object] = {
        "component": component,
        "what": what,
        "error_code": code,
        "error_message": message,
        "error_severity": severity.name,
    }
    if error is not None:
        data["stack_trace"] = crash_text(error)[-LONGEST_TRACE:]
    return Event(at, ERROR, None, _OF_EVENT[severity], f"{what}: {message}", advice, data)


def failure_event(what: str, error: NavoracleError, at: Timestamp) -> Event:
    """A job ended by an error that was raised on purpose; it, or its code, says whose it is and how grave."""
    known = explain("error", error.code)
    severity = ErrorSeverity.HIGH if known is None else _OF_REGISTRY[known.severity]
    return error_event(
        "keeper" if known is None else known.component,
        what,
        code=error.code,
        message=error.message,
        severity=error.severity if isinstance(error, RiskError) else severity,
        advice=error.advice,
        at=at,
    )


def defect_event(what: str, error: BaseException, at: Timestamp) -> Event:
    """Something ended by an error that nobody raised on purpose."""
    return error_event(
        "keeper",
        what,
        code="defect",
        message=f"ended by {type(error).__name__}",
        severity=ErrorSeverity.CRITICAL,
        advice="This is a defect: keep the log and report it.",
        at=at,
        error=error,
    )


def slot_event(
    fund: str, slot_time: Timestamp, cadence: Cadence, outcome: SlotOutcome, found: NavFrame | None, at: Timestamp
) -> Event:
    """A slot ended; `found` is the frame that decided, where it is at hand."""
    fine = is_fine(outcome)
    return Event(
        at,
        f"slot_{outcome.state.value}",
        fund,
        Severity.INFO if fine else Severity.WARNING,
        f"{cadence.value} slot {slot_time} of {fund}: {said_of(outcome)}",
        "" if fine else _advice(fund, outcome, found),
        {
            "slot_time": slot_time,
            "cadence": cadence.value,
            "reason": outcome.reason,
            "frame": outcome.frame,
            "post": outcome.post,
        },
    )


def is_fine(outcome: SlotOutcome) -> bool:
    """Whether nobody has to look: the NAV was posted, or would have been."""
    return outcome.state is SlotState.POSTED or (outcome.reason or "").startswith("dry_run")


def said_of(outcome: SlotOutcome) -> str:
    """An ending in words: "skipped (no_quorum)"."""
    return outcome.state.value if outcome.reason is None else f"{outcome.state.value} ({outcome.reason})"


def emergency_event(fund: str, cause: str, reason: str, at: Timestamp) -> Event:
    """An EMERGENCY slot was asked for."""
    return Event(
        at,
        "emergency_asked",
        fund,
        Severity.WARNING,
        f"an emergency slot of {fund}: {reason}",
        "Look at what moved; the slot passes the same guards as every other.",
        {"cause": cause},
    )


def transaction_event(event: LaneEvent, at: Timestamp) -> Event:
    """What became of a transaction, or of its lane."""
    return Event(
        at,
        f"transaction_{event.kind}",
        None,
        event.severity,
        event.message,
        event.advice,
        {"chain": event.chain, "sender": event.sender, "transaction": event.transaction, "hash": event.hash},
    )


def _advice(fund: str, outcome: SlotOutcome, found: NavFrame | None) -> str:
    part = None if found is None else next((each for each in found.funds if each.fund == fund), None)
    if part is not None and not part.postable:
        return advice_for(part)
    if outcome.state is SlotState.MISSED:
        return "Find out why no keeper was there in time: the log before this slot, the machine, the lease."
    if outcome.state is SlotState.HELD:
        return "The registry holds the fund: the RISK role accepts or discards what it holds."
    return "The reason says what stopped it; the next slot is posted when it is gone."
