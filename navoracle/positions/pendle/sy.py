"""Pendle SY tokens, counted as the accounting asset that they convert to, with the rewards of the SY."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import WAD, RawAmount, Rounding, mul_div
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.pendle.rewards import GET_REWARD_TOKENS, PendleRewarded
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    ReaderModel,
    check_names,
    decode_decimals,
    resolved_decimals,
)

ASSET_INFO: Final = encode_call("assetInfo()")
EXCHANGE_RATE: Final = encode_call("exchangeRate()")
ASSET_INFO_TYPES: Final = ("uint256", "address", "uint256")
ASSET_TYPE_TOKEN: Final = 0


class PendleSyPosition(PendleRewarded, frozen=True):
    """`balanceOf(holder)` x `exchangeRate()` as collateral, and the rewards of `claimRewards(holder)`.

    To count SY at the price of its yield token instead, hold it as an ERC-20 of an asset with a rate of its own.

    Attributes:
        asset: the configured asset that prices the SY's accounting asset.
        base_token: the accounting asset, as `assetInfo()` must name it.
        asset_decimals: of the accounting asset; filled by `resolve`.
        sy: the SY's contract.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("asset_decimals", "reward_decimals")

    kind: Literal["pendle_sy"]
    sy: ChecksumAddress
    base_token: ChecksumAddress
    asset_decimals: Decimals | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's SY and rewards."""
        return (Claim(self.chain, self.sy, self.holder), self.rewards_claim(self.sy))

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of accounting asset and reward tokens."""
        info, *answers = yield (Call(self.sy, ASSET_INFO), *self.reward_calls())
        update: dict[str, Any] = self.resolved_rewards(answers)
        return self.model_copy(update={**update, "asset_decimals": decode_decimals(self, self.sy, info[64:])})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance, rate and rewards at one block, in one round.

        Raises:
            SourceRefused: another accounting asset than configured, or a reward token that is not configured.
            DecimalsChanged: the accounting asset or a reward token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.asset_decimals)
        balance, rate, info, tokens, paid, *scales = yield (
            Call(self.sy, encode_call(BALANCE_OF, self.holder)),
            Call(self.sy, EXCHANGE_RATE),
            Call(self.sy, ASSET_INFO),
            Call(self.sy, GET_REWARD_TOKENS),
            Call(self.sy, encode_call("claimRewards(address)", self.holder), direct=True, sender=self.holder),
            *self.reward_calls(),
        )
        check_accounting_asset(self, self.sy, self.base_token, decimals, info)
        amount = sy_to_asset(decode_uint256(balance), decode_uint256(rate), decimals)
        (amounts,) = decode_result(("uint256[]",), paid)
        return (
            Holding(self.id, Component.COLLATERAL, self.asset, amount, self.epoch),
            *self.reward_holdings(self.sy, tokens, amounts, scales),
        )


def sy_to_asset(amount: int, rate: int, decimals: int) -> RawAmount:
    """Raw SY as raw accounting asset at `exchangeRate()` (1e18 between raw units), rounded down."""
    return RawAmount(mul_div(amount, rate, WAD, Rounding.DOWN), decimals)


def check_accounting_asset(
    reader: ReaderModel, sy: Address, base_token: Address, decimals: int, asset_info: bytes
) -> None:
    """Refuse an SY that counts in another token, in liquidity, or in other units than `decimals`.

    Raises:
        SourceRefused: one of these; the message says which.
        DecimalsChanged: other decimals.
    """
    asset_type, asset, asset_decimals = decode_result(ASSET_INFO_TYPES, asset_info)
    if asset_type != ASSET_TYPE_TOKEN:
        raise SourceRefused(
            f"{reader.id}: the accounting asset of SY {sy} is liquidity, not a token",
            advice="It cannot be counted as a token: hold SY as an ERC-20 that is priced through its yield token.",
        )
    check_names(reader, f"the accounting asset of SY {sy}", base_token, asset)
    if asset_decimals != decimals:
        raise SourceRefused(
            f"{reader.id}: resolved with {decimals} decimals, the accounting asset of SY {sy} has {asset_decimals}",
            advice="Check the addresses; restart to resolve them anew if the SY was upgraded on purpose.",
        )
