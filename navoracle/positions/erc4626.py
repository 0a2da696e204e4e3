"""Shares of an ERC-4626 vault, counted as the underlying asset that they convert to."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from pydantic import model_validator

from navoracle.abi import decode_result, encode_call
from navoracle.domain.positions import LIABILITIES, Position
from navoracle.domain.units import RawAmount
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim, ComponentPosition
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    Name,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

ASSET: Final = encode_call("asset()")


class Erc4626Position(ComponentPosition, frozen=True):
    """`convertToAssets(balanceOf(holder))` of `underlying`, rounded down by the vault; fees and limits are not in it.

    Attributes:
        asset: the configured asset that prices `underlying`.
        underlying: the token that the vault's `asset()` must be.
        underlying_decimals: filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("underlying_decimals",)

    kind: Literal["erc4626"]
    chain: Name
    vault: ChecksumAddress
    holder: ChecksumAddress
    underlying: ChecksumAddress
    underlying_decimals: Decimals | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(
                f"{self.component.value} cannot be read through convertToAssets, which rounds a debt down: "
                "read the debt token itself, kind erc20"
            )
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's balance of shares."""
        return (Claim(self.chain, self.vault, self.holder),)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the underlying token's decimals."""
        (data,) = yield (Call(self.underlying, DECIMALS),)
        return self.model_copy(update={"underlying_decimals": decode_decimals(self, self.underlying, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the shares in one round and what they convert to, at the same block, in a second one.

        Raises:
            SourceRefused: the vault's asset is not the configured one.
            DecimalsChanged: the underlying token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.underlying_decimals)
        shares, asset, scale = yield (
            Call(self.vault, encode_call(BALANCE_OF, self.holder)),
            Call(self.vault, ASSET),
            Call(self.underlying, DECIMALS),
        )
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), asset)[0])
        check_decimals(self, self.underlying, scale, decimals)
        (balance,) = decode_result(("uint256",), shares)
        if balance == 0:
            return self.holding(RawAmount(0, decimals))
        (assets,) = yield (Call(self.vault, encode_call("convertToAssets(uint256)", balance)),)
        return self.holding(RawAmount(decode_result(("uint256",), assets)[0], decimals))
