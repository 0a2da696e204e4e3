"""The efficiency mode of an account at an Aave v3 pool, as each version keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.aave_rules import AaveRules
from navoracle.domain.lending import EMode
from navoracle.domain.units import BPS, Bps
from navoracle.ports import Address, Call, Read
from navoracle.positions.aave_v3 import MAX_RESERVES
from navoracle.positions.lending import ZERO_ADDRESS

E_MODE_CATEGORY: Final = "getEModeCategoryData(uint8)"
E_MODE_CONFIG: Final = "getEModeCategoryCollateralConfig(uint8)"
E_MODE_BITMAP: Final = "getEModeCategoryCollateralBitmap(uint8)"
E_MODE_LTV_ZERO: Final = "getEModeCategoryLtvzeroBitmap(uint8)"
E_MODE_ISOLATED: Final = "getIsEModeCategoryIsolated(uint8)"
ASSET_PRICE: Final = "getAssetPrice(address)"
_CATEGORY_TYPE: Final = "(uint16,uint16,uint16,address,string)"

EModeManner = Literal["category", "bitmap"]
"""Whether an asset belongs to one category (3.0 and 3.1), or a category has a bitmap of assets (3.2 and later)."""


@dataclass(frozen=True, slots=True)
class EModeFound:
    """What was read.

    Attributes:
        terms: of the category; None for an account in no efficiency mode.
        members: places of the reserves that belong to it as collateral; None where each reserve says it itself.
        lends_nothing: places of those of them against which nothing is lent (3.6).
    """

    terms: EMode | None
    members: frozenset[int] | None
    lends_nothing: frozenset[int]

    def holds(self, place: int, configuration: int) -> bool:
        """Whether a reserve belongs to it, by its place and its configuration word (category in bits 168 to 175)."""
        if self.terms is None:
            return False
        return configuration >> 168 & 0xFF == self.terms.category if self.members is None else place in self.members


@dataclass(frozen=True, slots=True)
class EModeReading:
    """Reads a category of a pool."""

    pool: Address
    oracle: Address
    manner: EModeManner
    rules: AaveRules

    def read(self, category: int) -> Read[EModeFound]:
        """Read a category in one round, or in two where it has a price source of its own; 0 is none."""
        if category == 0:
            return EModeFound(None, None, frozenset())
        return (yield from self._bitmap(category) if self.manner == "bitmap" else self._category(category))

    def _bitmap(self, category: int) -> Read[EModeFound]:
        asked = [E_MODE_CONFIG, E_MODE_BITMAP]
        asked += [E_MODE_LTV_ZERO] if self.rules.since(AaveRules.V3_6) else []
        asked += [E_MODE_ISOLATED] if self.rules.since(AaveRules.V3_7) else []
        config, bitmap, *more = yield tuple(Call(self.pool, encode_call(what, category)) for what in asked)
        loan_to_value, threshold, bonus = decode_result(("uint16", "uint16", "uint16"), config)
        terms = EMode(
            category,
            Bps(loan_to_value),
            Bps(threshold),
            Bps(bonus - BPS),
            isolated=len(more) > 1 and decode_uint256(more[1]) == 1,
        )
        return EModeFound(terms, _places(bitmap), _places(more[0]) if more else frozenset())

    def _category(self, category: int) -> Read[EModeFound]:
        (data,) = yield (Call(self.pool, encode_call(E_MODE_CATEGORY, category)),)
        ((loan_to_value, threshold, bonus, source, _),) = decode_result((_CATEGORY_TYPE,), data)
        price = None
        if source != ZERO_ADDRESS:
            (answer,) = yield (Call(self.oracle, encode_call(ASSET_PRICE, source)),)
            # The pool takes a category's price of zero as "none": each asset keeps its own.
            price = decode_uint256(answer) or None
        terms = EMode(category, Bps(loan_to_value), Bps(threshold), Bps(bonus - BPS), price)
        return EModeFound(terms, None, frozenset())


def _places(bitmap: bytes) -> frozenset[int]:
    bits = decode_uint256(bitmap)
    return frozenset(place for place in range(MAX_RESERVES) if bits >> place & 1)
