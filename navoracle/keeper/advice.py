"""What an operator can do for a fund that may not be posted."""

from __future__ import annotations

from navoracle.domain.frame import FundFrame
from navoracle.domain.guards import reason_of
from navoracle.domain.verdicts import Outcome

_GRAVEST_FIRST = (Outcome.HALT, Outcome.VERIFY, Outcome.WARN)


def advice_for(part: FundFrame) -> str:
    """The first of: the verdict that decided, what its failed readers advise, its prices, its gravest verdict.

    Empty when it may be posted.
    """
    if part.postable:
        return ""
    told = [verdict.advice for verdict in part.verdicts if reason_of(verdict) == part.reason]
    told += [failure.advice for failure in part.failures]
    if part.reason is not None and part.reason.startswith("unpriced:"):
        told.append(f"Restore the sources of {part.reason.split(':')[1]}; `navoracle nav` shows why each was excluded.")
    told += [verdict.advice for outcome in _GRAVEST_FIRST for verdict in part.verdicts if verdict.outcome is outcome]
    return next((advice for advice in told if advice), "Look at the fund's prices and verdicts with `navoracle nav`.")
