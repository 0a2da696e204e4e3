"""What every price source has: the asset that it quotes, the group that it votes with, and the making of a quote."""

from __future__ import annotations

from typing import ClassVar, Final

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import BPS, WAD, Bps, Rounding, Timestamp, Wad, mul_div
from navoracle.readers import Name, ReaderModel

MAX_EXPONENT: Final = 77
"""The largest power of ten that fits 256 bits."""


class SourceBase(ReaderModel, frozen=True):
    """A price source.

    Attributes:
        asset: the asset that is quoted.
        group: sources that share a root share a group, and a group has one vote.
        quoted_in: the asset in which the price is stated; None for the unit of account.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"asset"})

    asset: Name
    group: Name
    quoted_in: Name | None = None

    def quote(
        self,
        price: Wad,
        confidence: Bps,
        observed_at: Timestamp,
        *,
        max_age: int | None = None,
        published_at: Timestamp | None = None,
        confidence_cap: Bps = Bps(BPS),
    ) -> Quote:
        """A quote of this source; ages in seconds, times in Unix seconds."""
        return Quote(
            self.asset, self.id, self.group, price, confidence, observed_at, max_age, published_at, confidence_cap
        )

    def scaled(self, value: int, decimals: int) -> Wad:
        """`value / 10**decimals` as a Wad, rounded down; `decimals` may be negative.

        Raises:
            SourceRefused: the value is not positive, rounds to nothing, or its scale is out of reach.
        """
        if value <= 0:
            raise SourceRefused(
                f"{self.id}: price {value} is not positive",
                advice="Check the feed's status and address; a price of zero or less is never used.",
            )
        if not -MAX_EXPONENT <= decimals <= MAX_EXPONENT:
            raise SourceRefused(
                f"{self.id}: a price of {decimals} decimals is out of reach",
                advice="Check the address; no feed has this scale.",
            )
        if decimals < 0:
            return Wad(value * 10**-decimals * WAD)
        price = mul_div(value, WAD, 10**decimals, Rounding.DOWN)
        if price == 0:
            raise SourceRefused(
                f"{self.id}: {value} of {decimals} decimals is less than 1e-18",
                advice="Check the feed's address and decimals; no price of this size can be held.",
            )
        return Wad(price)
