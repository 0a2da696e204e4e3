"""From a valued fund and its accounts to its risk report. Pure, the same for a live frame and a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ParamSpec, TypeVar

from navoracle.domain.errors import DomainError, RiskAlertFailed, RiskCalculationFailed
from navoracle.domain.failures import Failure
from navoracle.domain.nav import FundValuation
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.levels import RiskStatus, worst
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import LendingLimits, MarginLimits, RiskPolicy
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert, RiskReport
from navoracle.domain.units import Wad
from navoracle.risk.alerts import (
    DELTA,
    delta_alerts,
    labels_of,
    lending_alerts,
    limit_alerts,
    margin_alerts,
    ordered,
    unread_alert,
)
from navoracle.risk.delta import delta_risk
from navoracle.risk.inputs import RiskInput
from navoracle.risk.lending import account_of_positions, lending_risk
from navoracle.risk.limits import (
    DRAWDOWN,
    EXPOSURE,
    FUNDING_COST,
    LEVERAGE,
    drawdown_risk,
    exposure_risk,
    funding_risk,
    leverage_risk,
)
from navoracle.risk.margin import margin_risk, marked, worst_ratio
from navoracle.risk.marks import Marks, required

P = ParamSpec("P")
T = TypeVar("T")


def assess(facts: RiskInput) -> RiskReport:
    """Judge every risk that the fund's mode has.

    What could not be read or computed is in the report's failures, with an alert, and makes the status at least
    WARNING; nothing is raised for bad data.
    """
    policy, marks, tries = facts.policy, Marks(facts.unit, facts.estimates, {}), _Tries(facts.failures)
    loans = tuple(
        loan for limits in policy.lending if (loan := tries.to_compute(limits.watch, _loan, limits, facts)) is not None
    )
    accounts = {
        limits.watch: account
        for limits in policy.margin
        if (account := tries.to_compute(limits.watch, _marked, limits, facts, marks)) is not None
    }
    venues = tuple(margin_risk(limits, accounts[limits.watch]) for limits in policy.margin if limits.watch in accounts)
    delta = None if policy.delta is None else tries.to_compute(DELTA, _delta, facts, accounts, marks)
    limits = tuple(_limits(facts, accounts, venues, marks, tries))
    alerts = _alerts(policy, loans, venues, delta, limits, tries)
    parts = [loan.status for loan in loans] + [venue.status for venue in venues] + [limit.status for limit in limits]
    parts += [] if delta is None else [delta.status]
    parts += [RiskStatus.WARNING] if tries.failures else []
    return RiskReport(worst(parts), loans, venues, worst_ratio(venues), delta, limits, alerts, tuple(tries.failures))


class _Tries:
    """What has failed so far; a computation that fails is one more failure, and no exception."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = list(failures)
        self._unread = frozenset(failure.reader for failure in failures)

    def to_compute(self, name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The function's result; None where it fails, or where the reader of that name has failed already."""
        if name in self._unread:
            return None
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            self.failures.append(Failure(name, RiskCalculationFailed.code, error.message, error.advice))
            return None


def _loan(limits: LendingLimits, facts: RiskInput) -> LendingRisk:
    return lending_risk(limits, loan_of(limits, facts))


def loan_of(limits: LendingLimits, facts: RiskInput) -> LendingAccount:
    """The account at a lender, as read or as the fund's positions make it up.

    Raises:
        RiskCalculationFailed: it was not read, or the fund could not be valued.
    """
    if limits.terms is not None:
        return account_of_positions(limits.terms, required(facts.valuation))
    account = facts.lending.get(limits.watch)
    if account is None:
        raise _unread(limits.watch)
    return account


def _marked(limits: MarginLimits, facts: RiskInput, marks: Marks) -> MarginAccount:
    return marked(venue_of(limits, facts), marks)


def venue_of(limits: MarginLimits, facts: RiskInput) -> MarginAccount:
    """The account at an exchange as it was read. Raises RiskCalculationFailed where it was not."""
    account = facts.margin.get(limits.watch)
    if account is None:
        raise _unread(limits.watch)
    return account


def _unread(watch: str) -> RiskCalculationFailed:
    return RiskCalculationFailed(f"{watch} was not read", advice="Restore its reader; what is not known is not safe.")


def _all_accounts(policy: RiskPolicy, accounts: Mapping[str, MarginAccount]) -> tuple[MarginAccount, ...]:
    """Every account at an exchange: a hedge that is not known is not nothing."""
    missing = [limits.watch for limits in policy.margin if limits.watch not in accounts]
    if missing:
        raise RiskCalculationFailed(
            f"it depends on {', '.join(missing)}, which is not known",
            advice="Restore what that account lacks; its own failure says what.",
        )
    return tuple(accounts[limits.watch] for limits in policy.margin)


def _delta(facts: RiskInput, accounts: Mapping[str, MarginAccount], marks: Marks) -> DeltaRisk:
    policy = facts.policy
    if policy.delta is None:
        raise RiskCalculationFailed("delta has no limits", advice="Set `delta` of the fund's risk section.")
    return delta_risk(policy.delta, required(facts.valuation), _all_accounts(policy, accounts), marks)


def _limits(
    facts: RiskInput,
    accounts: Mapping[str, MarginAccount],
    venues: Sequence[MarginRisk],
    marks: Marks,
    tries: _Tries,
) -> Iterator[LimitRisk]:
    """The limits of the fund that are set, and known."""
    own = facts.policy.limits

    def valuation() -> FundValuation:
        return required(facts.valuation)

    def exchanges() -> tuple[MarginAccount, ...]:
        return _all_accounts(facts.policy, accounts)

    def funding(limit: Wad) -> LimitRisk:
        exchanges()
        return funding_risk(own, limit, valuation(), venues, marks)

    rules: tuple[tuple[str, Wad | None, Callable[[Wad], LimitRisk]], ...] = (
        (LEVERAGE, own.max_leverage, lambda limit: leverage_risk(own, limit, valuation(), exchanges(), marks)),
        (EXPOSURE, own.max_exposure, lambda limit: exposure_risk(own, limit, valuation(), exchanges(), marks)),
        (DRAWDOWN, own.max_drawdown, lambda limit: drawdown_risk(own, limit, facts.drawdown)),
        (FUNDING_COST, own.max_funding_cost, funding),
    )
    for name, limit, judge in rules:
        found = None if limit is None else tries.to_compute(name, judge, limit)
        if found is not None:
            yield found


def _alerts(
    policy: RiskPolicy,
    loans: Sequence[LendingRisk],
    venues: Sequence[MarginRisk],
    delta: DeltaRisk | None,
    limits: Sequence[LimitRisk],
    tries: _Tries,
) -> tuple[RiskAlert, ...]:
    lenders = {limits.watch: limits for limits in policy.lending}
    exchanges = {limits.watch: limits for limits in policy.margin}
    found = [alert for loan in loans for alert in lending_alerts(lenders[loan.watch], loan)]
    found += [alert for venue in venues for alert in margin_alerts(exchanges[venue.watch], venue)]
    found += [] if policy.delta is None or delta is None else delta_alerts(policy.delta, delta)
    found += limit_alerts(limits)
    labels = labels_of(policy)
    for failure in tuple(tries.failures):
        try:
            found.append(unread_alert(failure, labels))
        except RiskAlertFailed as error:
            tries.failures.append(Failure(failure.reader, error.code, error.message, error.advice))
    return ordered(found)
