"""How a Veda accountant gets back from a rate that it paused on, or takes one beyond its bounds: who does what, when.

Bounds are measured against the stored rate, good or bad, so the post that corrects a bad rate trips the other bound.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.peer_guards.veda import VedaBounds
from navoracle.domain.units import BPS, Rounding, divide

HIGHEST_BOUND: Final = 65_535
"""Bounds are 16 bits wide: the highest one lets a rate through that is 6.5535 times the stored one."""

FROM_ZERO: Final = (
    "No bound of a stored zero lets a rate through: the right one is posted by hand, is stored and pauses; then the "
    "owner calls unpause()."
)


def recovery(bounds: VedaBounds, rate: int) -> str:
    """What the owner does, in which order, so that a post of `rate` is taken by a paused accountant."""
    if bounds.exchange_rate == 0:
        return f"It is paused on a rate of zero. The owner calls unpause(). {FROM_ZERO}"
    widen = widening(bounds, rate)
    if widen is None:
        return (
            f"First make sure that the stored rate {bounds.exchange_rate} is right: unpause() serves it at once. "
            "Then the owner calls unpause()."
        )
    return (
        f"The stored rate is {bounds.exchange_rate} and the right one {rate}: the correcting post trips the other "
        f"bound. In this order the owner {widen}, calls unpause() (which serves the stored rate), lets "
        f"{bounds.delay} s pass after the last update, lets the right rate be posted, and sets the bound back."
    )


def needed_bound(stored: int, rate: int) -> int:
    """The narrowest bound (bps of the stored rate, floor by floor as the contract) that lets `rate` through.

    Raises:
        DomainError: the stored rate is zero: no bound lets any rate through.
    """
    if rate >= stored:
        return divide(rate * BPS, stored, Rounding.UP)
    return divide((rate + 1) * BPS, stored, Rounding.UP) - 1


def widening(bounds: VedaBounds, rate: int) -> str | None:
    """What to do to the bounds, so that they let the rate through; None where they do."""
    if bounds.lowest <= rate <= bounds.highest:
        return None
    bound = needed_bound(bounds.exchange_rate, rate)
    if rate < bounds.lowest:
        return f"calls updateLower({bound})"
    if bound <= HIGHEST_BOUND:
        return f"calls updateUpper({bound})"
    return f"calls updateUpper({HIGHEST_BOUND}) and lets rates of at most 6.5535 times the last be posted in turn"
