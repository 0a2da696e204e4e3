"""From Wad to the integer that a contract takes, and back: scaled units, inverted prices, the width of the field.

A contract states a value in units of 1/10**decimals, in a field of so many bits. Every conversion names its rounding;
a value that does not fit its field is refused, never cut off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import MAX_DECIMALS, SCALES, WAD, Rounding, Wad, mul_div

ANSWER_DECIMALS: Final = 8
"""The decimals of most feeds with Chainlink's interface."""

_TYPE = re.compile(r"^(u?)int(\d{1,3})$")


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer type of Solidity: 8 to 256 bits in steps of 8.

    Raises:
        OutOfRange: there is no type of so many bits.
    """

    bits: int
    signed: bool = False

    def __post_init__(self) -> None:
        if not 8 <= self.bits <= 256 or self.bits % 8:
            raise OutOfRange(f"no integer type has {self.bits} bits", advice="Use 8 to 256 bits in steps of 8.")

    @property
    def name(self) -> str:
        """The type as Solidity writes it: "uint96"."""
        return f"{'' if self.signed else 'u'}int{self.bits}"

    @property
    def minimum(self) -> int:
        """The lowest value that fits."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """The highest value that fits."""
        return (1 << (self.bits - (1 if self.signed else 0))) - 1

    def check(self, value: int, what: str) -> int:
        """Return the value; `what` names it in the message.

        Raises:
            OutOfRange: the value does not fit.
        """
        if not self.minimum <= value <= self.maximum:
            raise OutOfRange(
                f"{what} is {value}: a {self.name} holds {self.minimum} to {self.maximum}",
                advice="Check the decimals of the contract and the value that it is to be given.",
            )
        return value


UINT96: Final = IntegerType(96)
UINT128: Final = IntegerType(128)
UINT224: Final = IntegerType(224)
UINT256: Final = IntegerType(256)
INT192: Final = IntegerType(192, signed=True)
INT256: Final = IntegerType(256, signed=True)


def integer_type(name: str) -> IntegerType:
    """Return the type that Solidity calls `name` ("uint96", "int256").

    Raises:
        OutOfRange: it is none; `uint` and `int` must be written with their bits.
    """
    match = _TYPE.match(name)
    if match is None:
        raise OutOfRange(f"{name!r} is no integer type", advice='Write it with its bits: "uint256" or "int192".')
    return IntegerType(int(match.group(2)), signed=not match.group(1))


def to_units(value: Wad, decimals: int, rounding: Rounding) -> int:
    """Return value x 10**decimals / 1e18: the value in units of 1/10**decimals (decimals 0 to 36).

    Raises:
        OutOfRange: the decimals lie outside 0 to 36.
    """
    return mul_div(value, _scale(decimals), WAD, rounding)


def from_units(units: int, decimals: int, rounding: Rounding) -> Wad:
    """Return units x 1e18 / 10**decimals: the Wad that so many units of 1/10**decimals are.

    Raises:
        OutOfRange: the decimals lie outside 0 to 36.
    """
    return Wad(mul_div(units, WAD, _scale(decimals), rounding))


def price_to_units(price: Wad, decimals: int, rounding: Rounding, field: IntegerType) -> int:
    """Return a price as a contract of so many decimals takes it in `field`.

    Raises:
        OutOfRange: the price is not positive, rounds to zero at these decimals, or does not fit the field.
    """
    units = to_units(price, decimals, rounding)
    if units <= 0:
        raise OutOfRange(
            f"price {price} is {units} at {decimals} decimals",
            advice="A price of zero or less is never posted; a contract of more decimals could hold this one.",
        )
    return field.check(units, f"price at {decimals} decimals")


def inverted_price(price_per_share: Wad, decimals: int, rounding: Rounding) -> int:
    """Return the shares (1e18) that 1e18 units of the base asset buy: 1e54 / (price_per_share x 10**decimals).

    The priceD18 of Mellow's `Oracle.sol`, by which a deposit gets `assets x priceD18 / 1e18` shares: one base token a
    share is 1e30 at 6 decimals and 1e18 at 18. UP states the share price too low, as DOWN does for one that is not
    inverted.

    Raises:
        OutOfRange: the share price is not positive, the result rounds to zero or is more than a uint224, or the
            decimals lie outside 0 to 36.
    """
    _check_positive(price_per_share, "share price")
    return _check_inverted(mul_div(WAD * WAD, WAD, price_per_share * _scale(decimals), rounding))


def price_of_inverted(inverted: int, decimals: int, rounding: Rounding) -> Wad:
    """Return the share price (Wad) that an inverted price states: 1e54 / (inverted x 10**decimals).

    Raises:
        OutOfRange: the inverted price is not positive, or the decimals lie outside 0 to 36.
    """
    _check_positive(inverted, "inverted price")
    return Wad(mul_div(WAD * WAD, WAD, inverted * _scale(decimals), rounding))


def inverted_asset_price(
    base_inverted: int, price_in_base: Wad, *, base_decimals: int, asset_decimals: int, rounding: Rounding
) -> int:
    """Return the inverted price of another asset: base_inverted x price_in_base x 10**base / (1e18 x 10**asset).

    Args:
        base_inverted: the base asset's own inverted price, as it is posted.
        price_in_base: base tokens that a whole token of the asset is worth (Wad).

    As `getPricesD18` of Mellow's `OracleHelper.sol`, whose price of an asset is in units of the base per unit.

    Raises:
        OutOfRange: a price is not positive, or the result rounds to zero or is more than a uint224.
    """
    _check_positive(base_inverted, "inverted price of the base")
    _check_positive(price_in_base, "price of the asset in the base")
    numerator, denominator = price_in_base * _scale(base_decimals), WAD * _scale(asset_decimals)
    return _check_inverted(mul_div(base_inverted, numerator, denominator, rounding))


def _check_inverted(inverted: int) -> int:
    _check_positive(inverted, "inverted price")
    return UINT224.check(inverted, "inverted price")


def _check_positive(value: int, what: str) -> None:
    if value <= 0:
        raise OutOfRange(f"{what} of {value}", advice="Nothing is posted for a price of zero or less: hold the fund.")


def _scale(decimals: int) -> int:
    if not 0 <= decimals <= MAX_DECIMALS:
        raise OutOfRange(
            f"decimals {decimals} outside 0 to {MAX_DECIMALS}", advice="Read the contract's decimals again."
        )
    scale: int = SCALES[decimals]
    return scale
