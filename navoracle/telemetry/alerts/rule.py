"""What an alert's rule says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from navoracle.store_port import Severity

RuleName = Literal[
    "NavStale",
    "NavMissedSlot",
    "PostFailing",
    "NoSuccessfulCycle",
    "FundHeld",
    "FundHalted",
    "Suspicious",
    "Insolvent",
    "DeviationNearGuard",
    "BreakerOpen",
    "SourceDown",
    "RpcDown",
    "RpcAllDown",
    "RpcDisagreement",
    "ClockSkew",
    "ContractChanged",
    "SignerBalanceLow",
    "SignerBalanceCritical",
    "SignerFailing",
    "FeeCap",
    "FeeBudget",
    "KeyUsedElsewhere",
    "DeepReorganization",
    "LeaseLost",
    "StoreFailing",
    "EventLogFailing",
    "StateFilesFailing",
    "HealthFactorLow",
    "LoanToValueHigh",
    "MarginLow",
    "DeltaDrift",
    "DrawdownBreach",
    "GateBlocking",
    "RiskLimitExceeded",
    "RiskWarning",
    "RiskUnread",
    "RiskMonitorUnhealthy",
    "EmergencyUsed",
    "RequestRefused",
    "ConfigChanged",
    "OverridesChanged",
    "OverridesBroken",
    "DeliveryFailing",
]

RUNBOOKS: Final = "docs/operations/runbooks.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: of the rule; alerts are told apart by it and their subject.
        severity: WARNING wants a look today, CRITICAL wakes somebody up, INFO is for the record.
        summary: what it means, in one line.
        advice: what to do first.
        lasting: it is wrong until it is cleared. The others happen: they end by themselves once they were told, and
            a CRITICAL one when somebody acknowledges it.
    """

    name: RuleName
    severity: Severity
    summary: str
    advice: str
    lasting: bool = True

    @property
    def runbook(self) -> str:
        """Where to read on: file and anchor."""
        return f"{RUNBOOKS}#{self.name.lower()}"
