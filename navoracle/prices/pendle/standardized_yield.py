"""A Pendle SY: what it counts in, and the rate between it and its accounting asset."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.units import Rounding, mul_div
from navoracle.ports import Address, Call, ProtocolRate, Read, ReadPoint
from navoracle.prices.rates import RateBase
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    ReaderModel,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

ASSET_INFO: Final = encode_call("assetInfo()")
EXCHANGE_RATE: Final = encode_call("exchangeRate()")
PRICING_INFO: Final = encode_call("pricingInfo()")
YIELD_TOKEN: Final = encode_call("yieldToken()")

ASSET_INFO_TYPES: Final = ("uint256", "address", "uint256")
PRICING_INFO_TYPES: Final = ("address", "bool")
ASSET_TYPE_TOKEN: Final = 0

Pricing = Literal["asset", "sy", "unstated"]
"""Which rate an SY's `pricingInfo()` says to multiply by its token's price; unstated where it has no such function.

"sy": one whole SY is exactly one whole token. "asset": it is not (a rebasing yield token), use the asset's rate.
"""


def read_pricing(sy: Address) -> Read[Pricing]:
    """Ask an SY how it is to be priced; one that reverts has no such function."""
    try:
        (data,) = yield (Call(sy, PRICING_INFO),)
    except CallReverted:
        return "unstated"
    return pricing_of(data)[1]


def pricing_of(data: bytes) -> tuple[Address, Pricing]:
    """The token that `pricingInfo()` names, and the rate that it belongs to."""
    token, strictly_equal = decode_result(PRICING_INFO_TYPES, data)
    return Address(token), "sy" if strictly_equal else "asset"


def check_asset(
    reader: ReaderModel, sy: Address, base_token: Address, decimals: int, asset_info: bytes, pricing_token: str | None
) -> None:
    """Refuse an SY that counts in another token, in liquidity, or in other units than `decimals`.

    `pricing_token` is what the SY itself says to price its asset as; it then stands for the accounting asset, which may
    be liquidity or not exist on this chain.

    Raises:
        SourceRefused: one of these; the message says which.
    """
    asset_type, asset, asset_decimals = decode_result(ASSET_INFO_TYPES, asset_info)
    if pricing_token is not None:
        check_names(reader, f"the token that SY {sy} is priced by", base_token, pricing_token)
    elif asset_type != ASSET_TYPE_TOKEN:
        raise SourceRefused(
            f"{reader.id}: the accounting asset of SY {sy} is liquidity, not a token",
            advice="Price its PT through its yield token: kind pendle_pt_sy.",
        )
    else:
        check_names(reader, f"the accounting asset of SY {sy}", base_token, asset)
    if asset_decimals != decimals:
        raise SourceRefused(
            f"{reader.id}: resolved with {decimals} decimals, the accounting asset of SY {sy} has {asset_decimals}",
            advice="Check the addresses of SY and PT: they belong together only with equal decimals.",
        )


class PendleSyRate(RateBase, frozen=True):
    """Whole units of the accounting asset per whole SY: `exchangeRate()`, by the SY's own account.

    A gift to the vault behind an SY lifts this rate at once; `growth` bounds how fast it may rise.

    Attributes:
        base_token: the accounting asset, as `assetInfo()` must name it.
        decimals, asset_decimals: of SY and accounting asset; filled by `resolve`.
        sy: the SY's contract.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "asset_decimals")

    kind: Literal["pendle_sy"]
    sy: ChecksumAddress
    base_token: ChecksumAddress
    decimals: Decimals | None = None
    asset_decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of SY and accounting asset."""
        own, info = yield (Call(self.sy, DECIMALS), Call(self.sy, ASSET_INFO))
        update: dict[str, Any] = {
            "decimals": decode_decimals(self, self.sy, own),
            "asset_decimals": decode_decimals(self, self.sy, info[64:]),
        }
        return self.model_copy(update=update)

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Read the rate and what it counts in, in one round; the lower rate is rounded down, the higher one up.

        Raises:
            SourceRefused: another accounting asset than configured, liquidity, or a rate of zero or beyond `growth`.
            DecimalsChanged: the SY changed its scale.
            ConfigurationError: the rate is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        asset_decimals = resolved_decimals(self, self.asset_decimals)
        rate, info, own = yield (
            Call(self.sy, EXCHANGE_RATE),
            Call(self.sy, ASSET_INFO),
            Call(self.sy, DECIMALS),
        )
        check_decimals(self, self.sy, own, decimals)
        check_asset(self, self.sy, self.base_token, asset_decimals, info, None)
        lower, higher = (
            mul_div(decode_uint256(rate), 10**decimals, 10**asset_decimals, rounding)
            for rounding in (Rounding.DOWN, Rounding.UP)
        )
        if lower == 0:
            raise SourceRefused(
                f"{self.id}: SY {self.sy} is worth nothing by its own rate",
                advice="Find out whether its yield token lost its assets; remove the position if it did.",
            )
        return self.protocol_rate(lower, at, higher=higher)
