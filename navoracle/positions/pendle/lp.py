"""Liquidity in a Pendle market: LP tokens, and the rewards that a claim would pay now."""

from __future__ import annotations

from typing import Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import RawAmount
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.pendle.rewards import GET_REWARD_TOKENS, PendleRewarded
from navoracle.readers import DECIMALS, ChecksumAddress, check_decimals

LP_DECIMALS: Final = 18
"""Of every market, whatever its asset has."""


class PendleLpPosition(PendleRewarded, frozen=True):
    """`balanceOf(holder)` LP tokens as collateral, and the rewards of `redeemRewards(holder)`.

    LP tokens that are staked elsewhere are that contract's, not the holder's.

    Attributes:
        asset: the configured asset that prices a whole LP token (rate pendle_lp).
        market: the Pendle market, which is the LP token.
    """

    kind: Literal["pendle_lp"]
    market: ChecksumAddress

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's LP tokens and rewards."""
        return (Claim(self.chain, self.market, self.holder), self.rewards_claim(self.market))

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of the reward tokens."""
        calls = self.reward_calls()
        answers = (yield calls) if calls else ()
        return self.model_copy(update=self.resolved_rewards(answers))

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read balance and rewards at one block, in one round.

        Raises:
            SourceRefused: a reward token that is not configured, or not the market's.
            DecimalsChanged: LP or a reward token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        balance, own, tokens, paid, *scales = yield (
            Call(self.market, encode_call(BALANCE_OF, self.holder)),
            Call(self.market, DECIMALS),
            Call(self.market, GET_REWARD_TOKENS),
            Call(self.market, encode_call("redeemRewards(address)", self.holder), direct=True, sender=self.holder),
            *self.reward_calls(),
        )
        check_decimals(self, self.market, own, LP_DECIMALS)
        amount = RawAmount(decode_uint256(balance), LP_DECIMALS)
        (amounts,) = decode_result(("uint256[]",), paid)
        return (
            Holding(self.id, Component.COLLATERAL, self.asset, amount, self.epoch),
            *self.reward_holdings(self.market, tokens, amounts, scales),
        )
