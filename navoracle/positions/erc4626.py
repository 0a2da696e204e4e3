"""Shares of an ERC-4626 vault, counted as the underlying asset that they convert to."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Final, Literal, Self

from pydantic import model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.positions import LIABILITIES, Position
from navoracle.domain.units import WAD, RawAmount, Rounding, format_wad, mul_div
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim, ComponentPosition
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    DecimalWad,
    Name,
    check_decimals,
    check_names,
    decimals_call,
    decode_decimals,
    resolved_decimals,
)

ASSET: Final = encode_call("asset()")
TOTAL_ASSETS: Final = encode_call("totalAssets()")
LOST_ASSETS: Final = encode_call("lostAssets()")

REDEEM_REQUESTS: Final = "redeem requests"
"""What a claim on `maxWithdraw` of a vault of ERC-7540 counts."""

_WORTH: Final = {"convert": "convertToAssets(uint256)", "preview_redeem": "previewRedeem(uint256)"}


class Erc4626Position(ComponentPosition, frozen=True):
    """What the holder's shares are worth in `underlying`, rounded down by the vault.

    `realizable` says by which of the vault's figures:

    - convert: `convertToAssets`, the ideal share of what the vault has; fees and limits are not in it.
    - preview_redeem: `previewRedeem`, with fees, still without limits; asynchronous vaults revert.
    - max_withdraw: `maxWithdraw`, what can be had now. The withdrawal is tried from the holder's address as well: sUSDe
      says a limit while its cooldown makes every withdrawal revert.

    A gift to a vault raises its rate at once. `min_rate` and `max_rate` are the band outside of which it is refused.

    Attributes:
        asset: the configured asset that prices `underlying`.
        underlying: the token that the vault's `asset()` must be.
        underlying_decimals: filled by `resolve`.
        min_rate, max_rate: whole assets per whole share, both ends allowed; they need `share_decimals`.
        share_decimals: of the share, as the vault must say.
        lost_assets: MetaMorpho from 1.1 on keeps bad debt in `totalAssets` and tells it as `lostAssets`; "deduct" takes
            the holder's part of it off, rounded up.
        realizable: which of the vault's figures counts: `convert`, `preview_redeem` or `max_withdraw`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("underlying_decimals",)

    kind: Literal["erc4626"]
    chain: Name
    vault: ChecksumAddress
    holder: ChecksumAddress
    underlying: ChecksumAddress
    underlying_decimals: Decimals | None = None
    realizable: Literal["convert", "preview_redeem", "max_withdraw"] = "convert"
    min_rate: DecimalWad | None = None
    max_rate: DecimalWad | None = None
    share_decimals: Decimals | None = None
    lost_assets: Literal["keep", "deduct"] = "keep"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(
                f"{self.component.value} cannot be read through convertToAssets, which rounds a debt down: "
                "read the debt token itself, kind erc20"
            )
        if (self.min_rate is not None or self.max_rate is not None) != (self.share_decimals is not None):
            raise ValueError("`share_decimals` goes with `min_rate` or `max_rate`, and they with it")
        if self.min_rate is not None and self.max_rate is not None and self.min_rate > self.max_rate:
            raise ValueError("`min_rate` is above `max_rate`: no rate lies between them")
        if self.lost_assets == "deduct" and self.realizable == "max_withdraw":
            raise ValueError("`maxWithdraw` is what can be had, and has no lost assets in it: leave `lost_assets` out")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's balance of shares; what can be withdrawn from an asynchronous vault are its requests as well."""
        shares = Claim(self.chain, self.vault, self.holder)
        return (shares, shares._replace(what=REDEEM_REQUESTS)) if self.realizable == "max_withdraw" else (shares,)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the underlying token's decimals."""
        (data,) = yield (decimals_call(self.underlying),)
        return self.model_copy(update={"underlying_decimals": decode_decimals(self, self.underlying, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the shares in one round and what they are worth, at the same block, in a second one.

        Raises:
            SourceRefused: the vault's asset is not the configured one, or its rate lies outside the band.
            CallReverted: what the vault says can be withdrawn cannot.
            DecimalsChanged: the underlying token changed its scale, or the share has another one than configured.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.underlying_decimals)
        shares, asset, scale, *more = yield self._requests
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), asset)[0])
        check_decimals(self, self.underlying, scale, decimals)
        answers = iter(more)
        if self.share_decimals is not None:
            self._check_rate(next(answers), next(answers), self.share_decimals, decimals)
        balance = decode_uint256(shares)
        if balance == 0:
            return self.holding(RawAmount(0, decimals))
        if self.realizable == "max_withdraw":
            limit = decode_uint256(next(answers))
            yield from self._try_withdrawal(limit)
            return self.holding(RawAmount(limit, decimals))
        (assets,) = yield (Call(self.vault, encode_call(_WORTH[self.realizable], balance)),)
        worth = decode_uint256(assets)
        if self.lost_assets == "deduct":
            worth = self._less_lost(worth, decode_uint256(next(answers)), decode_uint256(next(answers)))
        return self.holding(RawAmount(worth, decimals))

    @cached_property
    def _requests(self) -> tuple[Call, ...]:
        """What every reading asks first: shares, asset and scale, and what the configured options need."""
        more: list[bytes] = []
        if self.share_decimals is not None:
            more += [DECIMALS, encode_call("convertToAssets(uint256)", 10**self.share_decimals)]
        if self.realizable == "max_withdraw":
            more.append(encode_call("maxWithdraw(address)", self.holder))
        if self.lost_assets == "deduct":
            more += [LOST_ASSETS, TOTAL_ASSETS]
        return (
            Call(self.vault, encode_call(BALANCE_OF, self.holder)),
            Call(self.vault, ASSET),
            decimals_call(self.underlying),
            *(Call(self.vault, data) for data in more),
        )

    def _check_rate(self, scale: bytes, converted: bytes, share_decimals: int, decimals: int) -> None:
        check_decimals(self, self.vault, scale, share_decimals)
        assets, unit = decode_uint256(converted), 10**decimals
        low, high = self.min_rate, self.max_rate
        if (low is not None and assets * WAD < low * unit) or (high is not None and assets * WAD > high * unit):
            bounds = " to ".join("any" if bound is None else format_wad(bound) for bound in (low, high))
            raise SourceRefused(
                f"{self.id}: a share of {self.vault} converts to {assets} ({decimals} decimals), outside {bounds}",
                advice="Find out what moved the rate (a gift, a loss); then set the band anew.",
            )

    def _try_withdrawal(self, limit: int) -> Read[None]:
        if limit == 0:
            return
        data = encode_call("withdraw(uint256,address,address)", limit, self.holder, self.holder)
        try:
            (shares,) = yield (Call(self.vault, data, direct=True, sender=self.holder),)
        except CallReverted as error:
            raise CallReverted(
                f"{self.id}: {self.vault} says that {limit} can be withdrawn, and a withdrawal of it reverts with "
                f"0x{error.data[:4].hex()}",
                advice="The vault has a cooldown or is paused: use `realizable: convert` for what is held to its end.",
                data=error.data,
            ) from error
        decode_uint256(shares)  # a vault that answers nothing did nothing

    def _less_lost(self, worth: int, lost: int, total: int) -> int:
        if lost > total:
            raise SourceRefused(
                f"{self.id}: {self.vault} lost {lost} of {total} assets",
                advice="Check the vault's version: MetaMorpho 1.1 counts lost assets among the total.",
            )
        return 0 if total == 0 else worth - mul_div(worth, lost, total, Rounding.UP)
