"""Accounts at exchanges: what they hold against what they are exposed to."""

from __future__ import annotations

from collections.abc import Iterable

from navoracle.domain.errors import RiskCalculationFailed
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.risk.margin_account import MarginAccount, PerpetualExposure
from navoracle.domain.risk.policy import FundingTerms, MarginLimits
from navoracle.domain.risk.report import MarginRisk
from navoracle.domain.units import SECONDS_PER_YEAR, WAD, Rounding, Wad, divide, mul_div
from navoracle.risk.marks import Marks


def marked(account: MarginAccount, marks: Marks) -> MarginAccount:
    """The account with a notional for every exposure: the venue's, or size x price at the frame's prices, rounded up.

    Raises:
        RiskCalculationFailed: a price that it needs is missing.
    """
    if all(exposure.notional is not None for exposure in account.exposures):
        return account
    settles_at = marks.price(account.asset)
    exposures = tuple(
        PerpetualExposure(exposure.symbol, exposure.asset, exposure.size, _notional(exposure, marks, settles_at))
        if exposure.notional is None
        else exposure
        for exposure in account.exposures
    )
    return MarginAccount(account.venue, account.asset, account.balance, exposures)


def _notional(exposure: PerpetualExposure, marks: Marks, settles_at: Wad) -> Wad:
    return Wad(mul_div(abs(exposure.size), marks.price(asset_of(exposure)), settles_at, Rounding.UP))


def asset_of(exposure: PerpetualExposure) -> str:
    """The asset that an exposure follows. Raises RiskCalculationFailed where the operator has named none."""
    if exposure.asset is None:
        raise RiskCalculationFailed(
            f"nobody said which asset {exposure.symbol} follows, so its exposure is not known",
            advice="Name it under `markets` of the account.",
        )
    return exposure.asset


def notional_of(exposure: PerpetualExposure) -> Wad:
    """The notional of an exposure of a marked account. Raises RiskCalculationFailed where it is not marked."""
    if exposure.notional is None:
        raise RiskCalculationFailed(
            f"{exposure.symbol} has no notional", advice="Report this as a defect: mark the account first."
        )
    return exposure.notional


def exposure_of(account: MarginAccount) -> int:
    """The sum of a marked account's notionals, long and short (Wad of its asset)."""
    return sum(notional_of(exposure) for exposure in account.exposures)


def margin_risk(limits: MarginLimits, account: MarginAccount) -> MarginRisk:
    """Judge a marked account; its ratio is compared exactly with the limits.

    Without exposure nothing can be liquidated. Below the maintenance margin, or with a balance that is owed, it is
    critical whatever the limits say.
    """
    exposure = exposure_of(account)
    ratio = Wad(mul_div(account.balance, WAD, exposure, Rounding.DOWN)) if exposure else None
    required = Wad(mul_div(exposure, limits.initial_margin, WAD, Rounding.UP))
    return MarginRisk(
        watch=limits.watch,
        venue=limits.venue,
        asset=account.asset,
        balance=account.balance,
        exposure=Wad(exposure),
        margin_ratio=ratio,
        required_margin=required,
        free_margin=Wad(account.balance - required),
        maintenance_margin=limits.maintenance_margin,
        buffer_to_liquidation=None if ratio is None else Wad(ratio - limits.maintenance_margin),
        funding_per_year=None if limits.funding is None else _funding(limits.funding, account),
        status=_status(limits, account.balance, exposure),
        exposures=account.exposures,
    )


def _status(limits: MarginLimits, balance: Wad, exposure: int) -> RiskStatus:
    if balance < 0 or liquidates(balance, exposure, limits.maintenance_margin):
        return RiskStatus.CRITICAL
    return limits.ratio.status(balance, exposure) if exposure else RiskStatus.SAFE


def liquidates(balance: int, exposure: int, maintenance_margin: Wad) -> bool:
    """Whether the venue liquidates: balance / exposure below the maintenance margin, compared exactly."""
    return exposure > 0 and balance * WAD < maintenance_margin * exposure


def _funding(terms: FundingTerms, account: MarginAccount) -> Wad:
    """Net long notional x rate x intervals in 365 days, rounded up once; longs pay at a positive rate."""
    net_long = sum(
        notional_of(exposure) if exposure.size > 0 else -notional_of(exposure) for exposure in account.exposures
    )
    return Wad(divide(net_long * terms.rate * SECONDS_PER_YEAR, terms.interval * WAD, Rounding.UP))


def worst_ratio(venues: Iterable[MarginRisk]) -> Wad | None:
    """The lowest margin ratio of all venues; None where none has any exposure."""
    return min((venue.margin_ratio for venue in venues if venue.margin_ratio is not None), default=None)
