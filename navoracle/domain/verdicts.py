"""A guard's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """PASS lets the NAV through, WARN too but with an alarm, VERIFY asks for a second frame, HALT stops the fund."""

    PASS = "pass"
    WARN = "warn"
    VERIFY = "verify"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One guard's answer: which check, its outcome, what was found and what an operator can do."""

    check: str
    outcome: Outcome
    detail: str
    advice: str = ""
