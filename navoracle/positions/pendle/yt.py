"""Pendle yield tokens: the tokens themselves, the interest that is due on them, and the rewards.

Principal is in the PT, never in the YT. Interest is due in SY; the YT's stored figure (`userInterest`) stands still
until somebody touches the account, so the redemption is called as the holder, and nothing is sent.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.pendle.rewards import GET_REWARD_TOKENS, PendleRewarded
from navoracle.positions.pendle.sy import ASSET_INFO, EXCHANGE_RATE, check_accounting_asset, sy_to_asset
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    Name,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

EXPIRY: Final = encode_call("expiry()")
SY: Final = encode_call("SY()")
REDEEM: Final = "redeemDueInterestAndRewards(address,bool,bool)"
INTEREST_AND_REWARDS: Final = (True, True)


class PendleYtPosition(PendleRewarded, frozen=True):
    """`balanceOf(holder)` as collateral, and what `redeemDueInterestAndRewards(holder, true, true)` would pay now.

    Interest is a holding `<id>/interest` of accrued income, in the SY's accounting asset at `exchangeRate()`, rounded
    down; the protocol's fees are off already. From expiry on the tokens themselves count for nothing and are left out:
    what was due until then stays due, and later interest is the treasury's.

    Attributes:
        asset: the configured asset that prices a YT (rate pendle_yt).
        interest_asset: the configured asset that prices the SY's accounting asset.
        base_token: the accounting asset, as the SY's `assetInfo()` must name it.
        decimals: of the YT, and by construction of the accounting asset; filled by `resolve`.
        yt: the YT's contract.
        sy: the SY that the YT names.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "reward_decimals")

    kind: Literal["pendle_yt"]
    yt: ChecksumAddress
    sy: ChecksumAddress
    base_token: ChecksumAddress
    interest_asset: Name
    decimals: Decimals | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's YT, interest and rewards."""
        return (
            Claim(self.chain, self.yt, self.holder),
            Claim(self.chain, self.yt, self.holder, "due interest"),
            self.rewards_claim(self.yt),
        )

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The (asset, side) pairs that tokens, interest and rewards need prices for."""
        return (*super().assets, (self.interest_asset, self.side))

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of YT and reward tokens."""
        own, *answers = yield (Call(self.yt, DECIMALS), *self.reward_calls())
        update: dict[str, Any] = self.resolved_rewards(answers)
        return self.model_copy(update={**update, "decimals": decode_decimals(self, self.yt, own)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance, interest and rewards at one block, in one round.

        Raises:
            SourceRefused: another SY or accounting asset than configured, or a reward token that is not configured.
            DecimalsChanged: the YT or a reward token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        now = block_of(self, at).timestamp
        decimals = resolved_decimals(self, self.decimals)
        redeem = encode_call(REDEEM, self.holder, *INTEREST_AND_REWARDS)
        balance, own, expiry, sy, info, rate, tokens, due, *scales = yield (
            Call(self.yt, encode_call(BALANCE_OF, self.holder)),
            Call(self.yt, DECIMALS),
            Call(self.yt, EXPIRY),
            Call(self.yt, SY),
            Call(self.sy, ASSET_INFO),
            Call(self.sy, EXCHANGE_RATE),
            Call(self.yt, GET_REWARD_TOKENS),
            Call(self.yt, redeem, direct=True, sender=self.holder),
            *self.reward_calls(),
        )
        check_decimals(self, self.yt, own, decimals)
        check_names(self, f"the SY of YT {self.yt}", self.sy, decode_result(("address",), sy)[0])
        check_accounting_asset(self, self.sy, self.base_token, decimals, info)
        amount = RawAmount(decode_uint256(balance), decimals)
        interest, amounts = decode_result(("uint256", "uint256[]"), due)
        accrued = sy_to_asset(interest, decode_uint256(rate), decimals)
        held = (Holding(self.id, Component.COLLATERAL, self.asset, amount, self.epoch),)
        return (
            *(held if now < decode_uint256(expiry) else ()),
            Holding(f"{self.id}/interest", Component.ACCRUED_INCOME, self.interest_asset, accrued, self.epoch),
            *self.reward_holdings(self.yt, tokens, amounts, scales),
        )
