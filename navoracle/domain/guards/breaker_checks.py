"""Checks of what stops a fund by order: its breaker, those of its assets, a contract that takes no posts of it."""

from __future__ import annotations

from navoracle.domain.breaker import Breaker
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.units import exceeds_bps
from navoracle.domain.verdicts import Outcome, Verdict

ASSET_BREAKER = "asset_breaker:"
"""What the check of an asset's breaker is called, before the asset's name."""


def breaker(facts: GuardInput) -> Verdict | None:
    """A halt while the fund's own breaker is not closed."""
    return _stop("breaker", "the fund's breaker", facts.prior.breaker)


def asset_breakers(facts: GuardInput) -> tuple[Verdict, ...]:
    """A halt for each asset that the fund needs whose breaker is not closed, by asset."""
    found = (
        _stop(f"{ASSET_BREAKER}{asset}", f"the breaker of {asset}", facts.asset_breakers[asset])
        for asset in sorted(facts.asset_breakers)
    )
    return tuple(verdict for verdict in found if verdict is not None)


def active(facts: GuardInput) -> Verdict | None:
    """A halt when the fund's contract has closed it. One that it never knew is refused by the contract itself."""
    if facts.prior.confirmed is None or facts.prior.confirmed.live:
        return None
    return Verdict(
        "active",
        Outcome.HALT,
        "the fund is closed on its contract",
        "Let ADMIN reopen it, or take it out of the configuration.",
    )


def agrees(facts: GuardInput) -> bool | None:
    """Whether the price per share is that of the fund's frame before this one, within `agreement_bps`.

    None where there is no earlier price to compare with: no frame, one that was not valued, or one of this very time.
    """
    last = facts.prior.last_frame
    if last is None or last.price_per_share is None or last.price_per_share <= 0 or last.now >= facts.now:
        return None
    distance = abs(facts.valuation.price_per_share - last.price_per_share)
    return not exceeds_bps(distance, last.price_per_share, facts.policy.agreement_bps)


def _stop(check: str, what: str, found: Breaker) -> Verdict | None:
    if found.allows_posting:
        return None
    state = found.state.value.replace("_", " ")
    watched = f", {found.agreed} frames agreed" if found.agreed else ""
    return Verdict(
        check,
        Outcome.HALT,
        f"{what} is {state} since {found.since} ({', '.join(found.reasons)}){watched}",
        found.advice or "",
    )
