"""A Lagoon v0.6 vault's own rules for a proposal, in its order, and the keeper's where its guardrails have worn off.

Source: `updateNewTotalAssets` of `src/v0.6.0/vault/Vault-v0.6.0.sol`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards import lagoon as rules
from navoracle.domain.peer_guards.answers import at_least, fall_of_at_most, rise_of_at_most
from navoracle.domain.units import Timestamp
from navoracle.publisher_port import Preview
from navoracle.publishers.peers.amounts import waits_until
from navoracle.publishers.peers.base import PAUSED, TOO_EARLY
from navoracle.publishers.peers.lagoon_state import LagoonState, VaultState

SAFE: Final = "safe"
OWNER: Final = "owner"
VALUATION_MANAGER: Final = "valuation_manager"
SECURITY_COUNCIL: Final = "security_council"

NOT_EXPIRED: Final = "total_assets_not_expired"
CLOSED: Final = "closed"
ZERO: Final = "zero"
GUARDRAILS: Final = "guardrails"
WORN_GUARDRAILS: Final = "beyond_worn_guardrails"
UNGUARDED: Final = "unguarded"


@dataclass(frozen=True, slots=True)
class Valued:
    """A proposal (raw units of the asset) and what it does to the price of a whole share, as the vault computes it."""

    total_assets: int
    price_before: int
    price_after: int


def judge(
    fund: str, value: Valued, state: LagoonState, now: Timestamp, *, margin: int, post_unguarded: bool
) -> Preview:
    """What the vault would do with a proposal at `now`; the reason is None where all rules let it through.

    Args:
        fund: whose proposal.
        value: the proposal.
        state: the vault.
        now: when it would be mined.
        margin: seconds added to the vault's waiting times.
        post_unguarded: let a value through that no guardrail looks at, if its exact change a year is within the rates.
    """
    if state.paused:
        return Preview(fund, PAUSED, send=False, role=OWNER, advice="unpause() once the cause is known.")
    if state.state is VaultState.CLOSED:
        return Preview(fund, CLOSED, send=False, advice="The vault is closed for good: take the fund out.")
    if value.total_assets == 0 and state.total_supply != 0:
        return Preview(fund, ZERO, send=False, advice="Shares are outstanding: a total of zero is never posted.")
    expired = waits_until(state.expiration, 0, margin)
    if now < expired:
        advice = "The settled valuation still counts: wait for its expiration, or expireTotalAssets()."
        return Preview(fund, NOT_EXPIRED, send=False, ready_at=expired, role=SAFE, advice=advice)
    if state.guardrails is None or state.last_fee_time == 0:
        advice = "The vault's guardrails are off: the keeper's own guards are the only ones."
        return Preview(fund, None, send=True, advice=advice)
    # In the second of a settlement the guardrails divide by zero.
    measurable = waits_until(state.last_fee_time, 1, margin)
    if now < measurable:
        advice = "The vault was settled just now, and measures its guardrails from there: wait."
        return Preview(fund, TOO_EARLY, send=False, ready_at=measurable, advice=advice)
    return _guarded(fund, value, state.guardrails, now - state.last_fee_time, post_unguarded)


def beyond(fund: str, reason: str, total_assets: int, guards: tuple[GuardUse, ...]) -> Preview:
    """The refusal of a value beyond a guardrail, with the two ways out."""
    advice = (
        f"Once the number is checked: securityCouncilUpdateTotalAssets({total_assets}), which has no guardrails, "
        "or wider rates with updateGuardrails."
    )
    return Preview(fund, reason, send=False, guards=guards, role=SECURITY_COUNCIL, advice=advice)


def _guarded(fund: str, value: Valued, rails: rules.Guardrails, seconds: int, post_unguarded: bool) -> Preview:
    current, following, number = value.price_before, value.price_after, value.total_assets
    if current == 0:
        advice = (
            f"A share is worth nothing, and the guardrails divide by it: securityCouncilUpdateTotalAssets({number})."
        )
        return Preview(fund, GUARDRAILS, send=False, role=SECURITY_COUNCIL, advice=advice)
    guards: tuple[GuardUse, ...] = rules.guards(rails, current, following, seconds)
    if not all(guard.passes for guard in guards):
        return beyond(fund, GUARDRAILS, number, guards)
    factor = rules.year_factor(seconds)
    if factor > 1:
        return Preview(fund, None, send=True, guards=guards)
    # The factor is a whole number: from half a year on the change is not made a year's, after one it is nothing.
    guards += _exact_guards(rails, rules.annualized_change(current, following, seconds))
    if not all(guard.passes for guard in guards):
        return beyond(fund, WORN_GUARDRAILS, number, guards)
    if factor == 0 and not post_unguarded:
        advice = (
            f"{seconds} s after the last settlement the vault takes any value: check {number}, then let the council "
            f"post it with securityCouncilUpdateTotalAssets({number}), or set post_unguarded."
        )
        return Preview(fund, UNGUARDED, send=False, guards=guards, role=SECURITY_COUNCIL, advice=advice)
    return Preview(fund, None, send=True, guards=guards)


def _exact_guards(rails: rules.Guardrails, change: int) -> tuple[GuardUse, GuardUse]:
    lower = fall_of_at_most if rails.lower_rate < 0 else at_least
    return (
        rise_of_at_most("upper_rate_exact", change, rails.upper_rate, "wad"),
        lower("lower_rate_exact", change, rails.lower_rate, "wad"),
    )
