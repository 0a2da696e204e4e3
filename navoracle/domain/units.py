"""Scaled integers: the one representation of money, prices, rates and ratios.

Money, prices, rates and NAV are `Wad`: integers scaled by 1e18. Confidence and limits are `Bps`: 0 to 10_000.
A token amount is a `RawAmount`: an integer in the token's own units together with the token's decimals (0 to 36).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, NewType, overload

from navoracle.domain.errors import DomainError, OutOfRange

Wad = NewType("Wad", int)
"""An amount, price or rate scaled by 1e18."""

Bps = NewType("Bps", int)
"""Basis points, 0 to 10_000 (100 %)."""

Timestamp = NewType("Timestamp", int)
"""Unix seconds, UTC."""

WAD: Final = 10**18
BPS: Final = 10_000
MAX_DECIMALS: Final = 36
SCALES: Final = tuple(10**decimals for decimals in range(MAX_DECIMALS + 1))
"""10**decimals, by decimals."""

SECONDS_PER_YEAR: Final = 365 * 24 * 60 * 60

_DECIMAL = re.compile(r"^([+-]?)(\d+)(?:\.(\d+))?$")


class Rounding(Enum):
    """Direction of a division's rounding. DOWN is the floor and UP the ceiling, also below zero."""

    DOWN = "down"
    UP = "up"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Return numerator / denominator, rounded to the floor (DOWN) or the ceiling (UP).

    Raises:
        DomainError: the denominator is not positive.
    """
    if denominator <= 0:
        raise DomainError(
            f"division by {denominator}", advice="A divisor must be positive; look at the price or supply it came from."
        )
    if rounding is Rounding.DOWN:
        return numerator // denominator
    return -(-numerator // denominator)


def mul_div(a: int, b: int, denominator: int, rounding: Rounding) -> int:
    """Return a * b / denominator with one rounding at the end; the product is exact at any size.

    Raises:
        DomainError: the denominator is not positive.
    """
    return divide(a * b, denominator, rounding)


@dataclass(frozen=True, slots=True)
class RawAmount:
    """An amount in a token's own units: `value` / 10**`decimals` tokens.

    Raises:
        OutOfRange: the value is negative or the decimals lie outside 0 to 36.
    """

    value: int
    decimals: int

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MAX_DECIMALS:
            raise OutOfRange(
                f"decimals {self.decimals} outside 0 to {MAX_DECIMALS}",
                advice="Check the token's address: a token of this scale is not supported.",
            )
        if self.value < 0:
            raise OutOfRange(
                f"negative token amount {self.value}", advice="State a debt as a debt, not as a negative holding."
            )

    def value_at(self, price: Wad, rounding: Rounding) -> Wad:
        """Return the value (Wad) of this amount at `price` (Wad per whole token), one division."""
        return Wad(mul_div(self.value, price, SCALES[self.decimals], rounding))


def to_wad(text: str) -> Wad:
    """Parse a plain decimal number ("42000.5") into a Wad.

    Raises:
        DomainError: not a plain decimal number, or more than 18 decimal places (nothing is rounded silently).
    """
    match = _DECIMAL.match(text.strip())
    if match is None:
        raise DomainError(
            f"{text!r} is not a decimal number", advice='Write it as digits with an optional point: "42000.5".'
        )
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction.rstrip("0")) > 18:
        raise DomainError(
            f"{text!r} has more than 18 decimal places", advice="Round it to 18 places before it is passed in."
        )
    magnitude = int(whole) * WAD + int(fraction[:18].ljust(18, "0"))
    return Wad(-magnitude if sign == "-" else magnitude)


def format_wad(amount: int, places: int = 18) -> str:
    """Format a Wad as a decimal number with `places` decimal places (0 to 18), digits beyond them cut off."""
    if not 0 <= places <= 18:
        raise OutOfRange(f"{places} decimal places outside 0 to 18", advice="Ask for 0 to 18 places.")
    whole, fraction = divmod(abs(amount), WAD)
    digits = f"{fraction:018d}"[:places]
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{digits}" if places else f"{sign}{whole}"


@overload
def wad_text(amount: int) -> str: ...
@overload
def wad_text(amount: None) -> None: ...
@overload
def wad_text(amount: int | None) -> str | None: ...
def wad_text(amount: int | None) -> str | None:
    """A Wad as documents write it: the scaled integer as text, which no reader rounds; None where there is none."""
    return None if amount is None else str(int(amount))


def exceeds_bps(part: int, whole: int, limit: int) -> bool:
    """Return whether part / whole is more than `limit` basis points; exact, without a division. `whole` is positive."""
    return part * BPS > limit * whole
