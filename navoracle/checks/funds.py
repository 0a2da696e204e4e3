"""Every fund, valued for once: whether it could be posted now, and whether anything is counted twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from navoracle.checks.findings import Finding, error, warning
from navoracle.composition.claims import check_claims
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.positions import Component
from navoracle.keeper.plan import FundPlan

_PAID_IN_SY: Final = "pendle_"


def check_funds(found: Iterable[FundFrame]) -> list[Finding]:
    """Name the funds that could not be posted now; what failed in their readers is told at the readers."""
    findings: list[Finding] = []
    for part in found:
        place = f"funds.{part.fund}"
        if part.status is NavStatus.INSOLVENT:
            advice = "Check the holders' addresses, and which positions are debts."
            findings.append(error(place, "its NAV is negative", advice))
        elif not part.postable:
            findings.append(
                warning(
                    place,
                    f"it could not be posted now: {part.status.value} ({part.reason})",
                    f"See `navoracle nav {part.fund} --explain`.",
                )
            )
    return findings


def check_cash(config: Config) -> list[Finding]:
    """Name what is configured as cash and may not be at hand: Pendle's tokens are paid out in SY, not in the asset."""
    findings: list[Finding] = []
    for name, fund in config.funds.items():
        for index, position in enumerate(fund.positions):
            if getattr(position, "component", None) is not Component.CASH:
                continue
            findings += [
                warning(
                    f"funds.{name}.positions[{index}].component",
                    f"{asset} is counted as cash: it comes down to SY, which may be redeemable only after a cooldown "
                    "or not at all",
                    "Count it as `collateral`.",
                )
                for asset, side in position.assets
                if side == "asset" and _is_paid_in_sy(config, asset)
            ]
    return findings


def _is_paid_in_sy(config: Config, asset: str) -> bool:
    section = config.assets.get(asset)  # none for the unit of account itself
    return section is not None and section.derived is not None and section.derived.kind.startswith(_PAID_IN_SY)


def check_claimed(config: Config, funds: Iterable[FundPlan]) -> list[Finding]:
    """Name what two readers of one fund count, and what two funds count."""
    chain_ids = {name: section.chain_id for name, section in config.chains.items()}
    sound: list[FundPlan] = []
    findings: list[Finding] = []
    for fund in funds:
        try:
            check_claims([fund], chain_ids)
        except ConfigurationError as refusal:
            findings.append(error(f"funds.{fund.fund}.positions", refusal.message, refusal.advice))
        else:
            sound.append(fund)
    advice = "Give each fund its own holder, unless the sharing is meant."
    return findings + [warning("funds", told, advice) for told in check_claims(sound, chain_ids)]
