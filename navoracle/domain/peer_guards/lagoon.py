"""Lagoon v0.6: the guardrails on the annualized change of the share price.

Source: `isCompliant` of `src/v0.6.0/libraries/GuardrailsLib.sol` and `updateNewTotalAssets` of
`src/v0.6.0/vault/Vault-v0.6.0.sol`. A breach reverts with `GuardrailsViolation`. Rates are 1e18 for 100 % a year. The
change is scaled by ONE_YEAR // seconds in integers, hence: in the second of the last settlement the call panics, after
half a year the change is not annualized, and after a year every rise passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, fall_of_at_most, rise_of_at_most
from navoracle.domain.units import SCALES, WAD, Rounding, divide, mul_div

ONE_YEAR: Final = 31_556_952
"""Seconds of a year, as the library counts them (its fees count 365 days)."""


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The lowest and the highest change of the share price, 1e18 = 100 % a year; the highest is not negative."""

    lower_rate: int
    upper_rate: int


def price_per_share(total_assets: int, total_supply: int, *, share_decimals: int, decimals_offset: int) -> int:
    """Return units of the asset per whole share, rounded down, with the vault's one virtual unit of assets.

    `10**share_decimals x (total_assets + 1) / (total_supply + 10**decimals_offset)`.
    """
    return mul_div(SCALES[share_decimals], total_assets + 1, total_supply + SCALES[decimals_offset], Rounding.DOWN)


def year_factor(seconds: int) -> int:
    """By how much the vault multiplies a change that took so many seconds: ONE_YEAR // seconds.

    0 after more than a year: the change is then not guarded.

    Raises:
        OutOfRange: no time has passed; the vault's division by zero panics.
    """
    if seconds <= 0:
        raise OutOfRange(
            f"{seconds} s since the last settlement",
            advice="Wait for the next block: in the second of a settlement the vault panics on any valuation.",
        )
    return ONE_YEAR // seconds


def scaled_change(current: int, following: int, seconds: int) -> int:
    """The change between two share prices as the vault scales it, signed, its magnitude rounded down.

    Raises:
        OutOfRange: no time has passed.
        DomainError: the current price is zero; the vault panics.
    """
    size = divide(abs(following - current) * year_factor(seconds) * WAD, current, Rounding.DOWN)
    return size if following >= current else -size


def annualized_change(current: int, following: int, seconds: int) -> int:
    """The change a year, without the quirk of the integer factor: signed, its magnitude rounded up.

    The keeper's own measure: where the factor has worn off, the vault's guardrails let through what this shows.

    Raises:
        OutOfRange: no time has passed.
        DomainError: the current price is not positive.
    """
    year_factor(seconds)
    size = divide(abs(following - current) * ONE_YEAR * WAD, current * seconds, Rounding.UP)
    return size if following >= current else -size


def guards(guardrails: Guardrails, current: int, following: int, seconds: int) -> tuple[GuardUse, GuardUse]:
    """The upper and the lower guardrail, both inclusive, for share prices so many seconds after the last settlement.

    Raises:
        OutOfRange: no time has passed.
        DomainError: the current price is zero.
    """
    change = scaled_change(current, following, seconds)
    upper = rise_of_at_most("upper_rate", change, guardrails.upper_rate, "wad")
    lower_rate = guardrails.lower_rate
    if following >= current and lower_rate >= 0:
        # A guardrail that is not below zero demands a rise.
        return upper, at_least("lower_rate", change, lower_rate, "wad")
    if lower_rate >= 0:
        # Any fall is refused, also one that the factor makes zero.
        return upper, GuardUse("lower_rate", change, lower_rate, "wad", passes=False, side="at_least")
    return upper, fall_of_at_most("lower_rate", change, lower_rate, "wad")
