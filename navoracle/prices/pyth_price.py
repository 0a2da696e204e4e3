"""A Pyth price, on chain and over HTTP alike: `value x 10**exponent`, give or take `interval`."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices.source_confidence import dispersion_factor, source_confidence
from navoracle.domain.units import Bps, Wad, exceeds_bps
from navoracle.prices.base import SourceBase

MIN_EXPONENT: Final = -20
MAX_EXPONENT: Final = 12
"""The exponents that a price may have, as lending markets allow them."""

_PRICE_ID = re.compile(r"0x[0-9a-fA-F]{64}")


def _check_price_id(value: object) -> str:
    if isinstance(value, int):
        raise ValueError("a price id was read as a number: put it in quotes")  # noqa: TRY004 pydantic reports it
    if not isinstance(value, str) or _PRICE_ID.fullmatch(value) is None:
        raise ValueError(f'{value!r} is not a price id: write 0x and 64 hexadecimal digits, "0x..."')
    return value.lower()


PriceId = Annotated[
    str,
    BeforeValidator(_check_price_id),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$", "description": "Price id, 32 bytes."}),
]
"""The id of a price (32 bytes, hexadecimal)."""


class PythPrice(NamedTuple):
    """One price: value and interval (same scale) times 10**exponent, published at a Unix time."""

    value: int
    interval: int
    exponent: int
    published_at: int


def check_price(source: SourceBase, price: PythPrice) -> None:
    """Refuse a price that cannot be one.

    Raises:
        SourceRefused: it is not positive, or its exponent lies outside -20 to 12.
    """
    if price.value <= 0:
        raise SourceRefused(
            f"{source.id}: price {price.value} is not positive",
            advice="Check the price's status at Pyth; a price of zero or less is never used.",
        )
    if not MIN_EXPONENT <= price.exponent <= MAX_EXPONENT:
        raise SourceRefused(
            f"{source.id}: exponent {price.exponent} lies outside {MIN_EXPONENT} to {MAX_EXPONENT}",
            advice="Check `price_id` and where it is read; no price has this scale.",
        )


def check_interval(source: SourceBase, price: PythPrice, limit: Bps) -> None:
    """Refuse a price that its publishers do not agree on; the price is positive.

    Raises:
        SourceRefused: the interval is more than `limit` of the price.
    """
    if exceeds_bps(price.interval, price.value, limit):
        raise SourceRefused(
            f"{source.id}: the interval {price.interval} is wider than {limit} bps of the price {price.value}",
            advice="Pyth's publishers disagree; wait, look at other sources, or widen `max_confidence_bps`.",
        )


def wad_of(source: SourceBase, price: PythPrice) -> Wad:
    """The price as a Wad, rounded down. Raises SourceRefused when it rounds to nothing."""
    return source.scaled(price.value, -price.exponent)


def confidence_of(base: Bps, price: PythPrice) -> Bps:
    """`base` times the dispersion factor of interval / value (ADR 0009)."""
    return source_confidence(base, dispersion_factor(price.interval, price.value))
