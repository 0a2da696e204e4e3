"""Alerts: the name, the figure, the limit and the advice of everything that is not in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from navoracle.domain.errors import RiskAlertFailed
from navoracle.domain.failures import Failure
from navoracle.domain.risk.levels import Ceiling, Floor, RiskStatus
from navoracle.domain.risk.policy import DeltaLimits, LendingLimits, MarginLimits, RiskPolicy
from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskAlert
from navoracle.domain.units import format_wad
from navoracle.risk.limits import DRAWDOWN, EXPOSURE, FUNDING_COST, LEVERAGE

DELTA: Final = "delta"

_LABELS: Final = {
    DELTA: "DELTA",
    LEVERAGE: "MAX_LEVERAGE",
    EXPOSURE: "MAX_EXPOSURE",
    DRAWDOWN: "MAX_DRAWDOWN",
    FUNDING_COST: "FUNDING_COST",
}
_ADVICE: Final = {
    LEVERAGE: "Sell assets and repay debt, or reduce perpetuals.",
    EXPOSURE: "Reduce or hedge the asset that is named.",
    DRAWDOWN: "Find out what lost value before more is taken in; the fund's gate says what it stops.",
    FUNDING_COST: "Reduce the perpetuals, or move them where holding them costs less.",
}


def lending_alerts(limits: LendingLimits, risk: LendingRisk) -> Iterator[RiskAlert]:
    """By the loan-to-value, and by the health factor."""
    account = risk.account
    if risk.ltv_status is not RiskStatus.SAFE:
        ltv = account.loan_to_value
        figure = "its collateral is worth nothing" if ltv is None else f"loan-to-value {_percent(ltv)}"
        yield _alert(
            f"{risk.label}_LTV",
            risk.watch,
            risk.ltv_status,
            f"{risk.label}: {figure}, {_bounds(limits.ltv, _percent)}; liquidation at "
            f"{_percent(account.liquidation_threshold)}",
            "Repay debt or add collateral.",
        )
    if risk.health_factor_status is not RiskStatus.SAFE and account.health_factor is not None:
        floor = limits.health_factor
        bounds = "no limit is set" if floor is None else _bounds(floor, _plain)
        state = "can be liquidated now" if account.is_liquidatable else "is liquidated below 1"
        yield _alert(
            f"{risk.label}_HEALTH_FACTOR",
            risk.watch,
            risk.health_factor_status,
            f"{risk.label}: health factor {_plain(account.health_factor)}, {bounds}; the account {state}",
            "Repay debt or add collateral at once.",
        )


def margin_alerts(limits: MarginLimits, risk: MarginRisk) -> Iterator[RiskAlert]:
    """By the margin ratio."""
    if risk.status is not RiskStatus.SAFE:
        ratio = risk.margin_ratio
        figure = f"balance {_plain(risk.balance)} {risk.asset} is owed" if ratio is None else f"ratio {_percent(ratio)}"
        yield _alert(
            f"{risk.venue}_MARGIN",
            risk.watch,
            risk.status,
            f"{risk.venue}: {figure}, {_bounds(limits.ratio, _percent)}; liquidation below "
            f"{_percent(risk.maintenance_margin)}",
            "Add margin or reduce the positions there.",
        )


def delta_alerts(limits: DeltaLimits, risk: DeltaRisk) -> Iterator[RiskAlert]:
    """By the drift."""
    if risk.status is not RiskStatus.SAFE:
        part = "no equity" if risk.drift_part is None else f"{_percent(risk.drift_part)} of equity"
        yield _alert(
            "DELTA_DRIFT",
            DELTA,
            risk.status,
            f"net delta {_plain(risk.net_delta)} {risk.unit} has drifted {_plain(risk.drift)} from the target of "
            f"{_plain(risk.target)} ({part}); limit {_percent(limits.limit)}, warning above "
            f"{_percent(limits.warning_part)} of it",
            "Rebalance the hedge.",
        )


def limit_alerts(risks: Iterable[LimitRisk]) -> Iterator[RiskAlert]:
    """By each limit of the fund."""
    for risk in risks:
        if risk.status is not RiskStatus.SAFE:
            figure = "not to be told, the NAV is not positive" if risk.value is None else _plain(risk.value)
            subject = f" to {risk.subject}" if risk.subject else ""
            yield _alert(
                _LABELS[risk.name],
                risk.name,
                risk.status,
                f"{risk.name.replace('_', ' ')}{subject} is {figure}; limit {_plain(risk.limit)}",
                _ADVICE[risk.name],
            )


def labels_of(policy: RiskPolicy) -> dict[str, str]:
    """What the alerts of each watch and rule begin with."""
    return {
        **_LABELS,
        **{limits.watch: limits.label for limits in policy.lending},
        **{limits.watch: limits.venue for limits in policy.margin},
    }


def unread_alert(failure: Failure, labels: Mapping[str, str]) -> RiskAlert:
    """The alert that something is not known, which is not safe.

    Raises:
        RiskAlertFailed: nobody watches what failed.
    """
    label = labels.get(failure.reader)
    if label is None:
        raise RiskAlertFailed(
            f"{failure.reader} failed ({failure.code}), and no limit names it",
            advice="Report this as a defect: only what is watched is read.",
        )
    return RiskAlert(
        f"{label}_UNREAD", failure.reader, RiskStatus.WARNING, f"{label}: {failure.message}", failure.advice
    )


def ordered(alerts: Iterable[RiskAlert]) -> tuple[RiskAlert, ...]:
    """The worst first, then by name and watch."""
    return tuple(sorted(alerts, key=lambda alert: (-alert.status.rank, alert.name, alert.watch)))


def _alert(beginning: str, watch: str, status: RiskStatus, message: str, advice: str) -> RiskAlert:
    return RiskAlert(f"{beginning}_{status.value.upper()}", watch, status, message, advice)


def _bounds(levels: Ceiling | Floor, shown: Callable[[int], str]) -> str:
    urgent = "" if levels.urgent is None else f", urgent {shown(levels.urgent)}"
    return f"limits: warning {shown(levels.warning)}{urgent}, critical {shown(levels.critical)}"


def _percent(ratio: int) -> str:
    return f"{format_wad(ratio * 100, 2)} %"


def _plain(figure: int) -> str:
    return format_wad(figure, 4)
