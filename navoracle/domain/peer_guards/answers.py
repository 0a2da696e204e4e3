"""The four shapes of a guard, and the division that signed integers have in Solidity."""

from __future__ import annotations

from navoracle.domain.guard_use import GuardUnit, GuardUse
from navoracle.domain.units import Rounding, divide


def at_most(name: str, value: int, limit: int, unit: GuardUnit) -> GuardUse:
    """A guard that demands value <= limit."""
    return GuardUse(name, value, limit, unit, passes=value <= limit)


def at_least(name: str, value: int, limit: int, unit: GuardUnit) -> GuardUse:
    """A guard that demands value >= limit: a wait, or a floor."""
    return GuardUse(name, value, limit, unit, passes=value >= limit, side="at_least")


def rise_of_at_most(name: str, change: int, limit: int, unit: GuardUnit) -> GuardUse:
    """A guard that demands change <= limit, for a signed change: a fall uses nothing of it."""
    return GuardUse(name, max(0, change), limit, unit, passes=change <= limit)


def fall_of_at_most(name: str, change: int, limit: int, unit: GuardUnit) -> GuardUse:
    """A guard that demands change >= limit, for a signed change and a limit below zero: a rise uses nothing of it."""
    return GuardUse(name, min(0, change), limit, unit, passes=change >= limit, side="fall")


def truncated(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded toward zero, as Solidity divides signed integers.

    Raises:
        DomainError: the denominator is zero, where a contract panics.
    """
    quotient = divide(abs(numerator), abs(denominator), Rounding.DOWN)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient
