"""A vault's own rate between its share and its asset (ERC-4626): a cross-check of market prices, never a vote.

A plain transfer to a vault that counts its balance raises its rate at once; `growth` bounds how fast it may rise.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD, Rounding, mul_div
from navoracle.ports import Call, ProtocolRate, Read, ReadPoint
from navoracle.prices.rates import RateBase
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

ASSET: Final = encode_call("asset()")
TOTAL_SUPPLY: Final = encode_call("totalSupply()")
TOTAL_ASSETS: Final = encode_call("totalAssets()")
LOST_ASSETS: Final = encode_call("lostAssets()")


class Erc4626Rate(RateBase, frozen=True):
    """Whole tokens of the vault's asset per whole share: `convertToAssets(10**decimals)`, rounded down.

    Attributes:
        base: the configured asset that `underlying` is priced as.
        underlying: the token that the vault's `asset()` must be.
        lost_assets: for vaults that keep counting what they lost (MetaMorpho V1.1): the rate is multiplied by
            (totalAssets - lostAssets) / totalAssets, rounded down.
        decimals, underlying_decimals: of share and underlying; filled by `resolve`.
        vault: the vault whose share is rated.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "underlying_decimals")

    kind: Literal["erc4626"]
    vault: ChecksumAddress
    underlying: ChecksumAddress
    lost_assets: bool = False
    decimals: Decimals | None = None
    underlying_decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of share and underlying."""
        share, underlying = yield (Call(self.vault, DECIMALS), Call(self.underlying, DECIMALS))
        return self.model_copy(
            update={
                "decimals": decode_decimals(self, self.vault, share),
                "underlying_decimals": decode_decimals(self, self.underlying, underlying),
            }
        )

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Read the rate and everything that gives it meaning at one block.

        Raises:
            SourceRefused: another asset than configured, no shares, everything lost, a rate of zero or beyond `growth`.
            DecimalsChanged: share or underlying changed its scale.
            ConfigurationError: the rate is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        underlying_decimals = resolved_decimals(self, self.underlying_decimals)
        answers = yield (
            Call(self.vault, encode_call("convertToAssets(uint256)", 10**decimals)),
            Call(self.vault, DECIMALS),
            Call(self.underlying, DECIMALS),
            Call(self.vault, ASSET),
            Call(self.vault, TOTAL_SUPPLY),
            *(Call(self.vault, data) for data in (TOTAL_ASSETS, LOST_ASSETS) if self.lost_assets),
        )
        check_decimals(self, self.vault, answers[1], decimals)
        check_decimals(self, self.underlying, answers[2], underlying_decimals)
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), answers[3])[0])
        supply = decode_uint256(answers[4])
        if supply == 0:
            raise SourceRefused(
                f"{self.id}: the vault {self.vault} has no shares",
                advice="Check the address; an empty vault's rate says nothing.",
            )
        assets = decode_uint256(answers[0])
        if self.lost_assets:
            assets = self._without_lost(assets, decode_uint256(answers[5]), decode_uint256(answers[6]))
        rate = mul_div(assets, WAD, 10**underlying_decimals, Rounding.DOWN)
        if rate == 0:
            raise SourceRefused(
                f"{self.id}: a share of {self.vault} converts to nothing",
                advice="Find out whether the vault lost its assets; remove it from the configuration if it did.",
            )
        return self.protocol_rate(rate, at)

    def _without_lost(self, assets: int, total: int, lost: int) -> int:
        if lost >= total:
            raise SourceRefused(
                f"{self.id}: the vault {self.vault} lost {lost} of {total} assets",
                advice="Nothing is left to redeem; remove the vault from the configuration.",
            )
        return mul_div(assets, total - lost, total, Rounding.DOWN)
