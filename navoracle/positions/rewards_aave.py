"""Rewards of Aave's RewardsController: what lending and borrowing earned, accrued to the block.

Source: Aave's RewardsController, RewardsDistributor and PullRewardsTransferStrategy.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Position
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.rewards import NOT_COVERED, RewardsPosition, RewardToken
from navoracle.readers import ChecksumAddress, check_names

REWARDS_TYPES: Final = ("address[]", "uint256[]")


class AaveRewardToken(RewardToken, frozen=True):
    """A reward token and who pays it.

    Attributes:
        strategy: the transfer strategy that the controller must name for the token.
        vault: whose tokens the strategy pulls; None where the strategy pays out of its own balance.
    """

    strategy: ChecksumAddress
    vault: ChecksumAddress | None = None


class AaveRewards(RewardsPosition, frozen=True):
    """`getAllUserRewards(earning, holder)` of the configured tokens; the view accrues to the block.

    A reward counts when who pays it can: the strategy's balance, or the vault's balance and its allowance to the
    strategy, cover the amount. A reward in a token that is neither configured nor ignored is refused by name.

    Attributes:
        controller: the RewardsController.
        earning: aTokens and debt tokens that earn; a token listed twice would be counted twice by the contract.
        ignored: tokens whose rewards are worth nothing to the fund.
        rewards: the tokens that count, and who pays them.
    """

    kind: Literal["aave_rewards"]
    controller: ChecksumAddress
    earning: Annotated[tuple[ChecksumAddress, ...], Field(min_length=1)]
    rewards: Annotated[tuple[AaveRewardToken, ...], Field(min_length=1)]
    ignored: tuple[ChecksumAddress, ...] = ()

    @model_validator(mode="after")
    def _check_earning(self) -> Self:
        if len(set(self.earning)) != len(self.earning):
            raise ValueError("`earning` lists a token twice: the controller would count its rewards twice")
        both = {reward.token for reward in self.rewards} & set(self.ignored)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is both counted and ignored: choose one")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's rewards, one claim for each earning token and reward."""
        return tuple(
            Claim(self.chain, self.controller, self.holder, f"rewards of {earning.lower()} in {reward.token.lower()}")
            for earning in self.earning
            for reward in self.rewards
        )

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read amounts, payers and scales in one round.

        Raises:
            SourceRefused: a reward in an unknown token, or a token paid through another strategy.
            MalformedResult: lists of different lengths, or a token that is listed twice.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the reader is not resolved.
        """
        decimals = self._require_decimals()
        count = len(self.rewards)
        answers = yield (
            Call(self.controller, encode_call("getAllUserRewards(address[],address)", self.earning, self.holder)),
            *self._scale_calls(),
            *(
                Call(self.controller, encode_call("getTransferStrategy(address)", reward.token))
                for reward in self.rewards
            ),
            *(call for reward in self.rewards for call in _cover_calls(reward)),
        )
        amounts = self._amounts(answers[0])
        self._check_scales(answers[1 : 1 + count], decimals)
        strategies = answers[1 + count : 1 + 2 * count]
        covers = iter(answers[1 + 2 * count :])
        positions: list[Position] = []
        for reward, scale, strategy in zip(self.rewards, decimals, strategies, strict=True):
            (found,) = decode_result(("address",), strategy)
            check_names(self, f"the transfer strategy of {reward.token}", reward.strategy, found)
            cover = min(decode_uint256(next(covers)) for _ in _cover_calls(reward))
            amount = amounts.get(reward.token.lower(), 0)
            positions += self._holdings(reward, amount, scale, NOT_COVERED if amount > cover else None)
        return tuple(positions)

    def _amounts(self, data: bytes) -> dict[str, int]:
        """Raw amounts by token in lower case; refuses what is not known."""
        tokens, amounts = decode_result(REWARDS_TYPES, data)
        if len(tokens) != len(amounts) or len(set(tokens)) != len(tokens):
            raise MalformedResult(
                f"{self.id}: {self.controller} gave {len(amounts)} amounts for the tokens {', '.join(tokens)}",
                advice="Check the controller's address.",
            )
        known = {reward.token.lower() for reward in self.rewards} | {token.lower() for token in self.ignored}
        for token, amount in zip(tokens, amounts, strict=True):
            if amount > 0 and token not in known:
                raise SourceRefused(
                    f"{self.id}: {self.controller} owes {amount} of {token}, which is not among the rewards",
                    advice="Add the token under `rewards` with its asset, or under `ignored`.",
                )
        return dict(zip(tokens, amounts, strict=True))


def _cover_calls(reward: AaveRewardToken) -> tuple[Call, ...]:
    """What shows how much of a token its payer can pay: each answer is a limit."""
    if reward.vault is None:
        return (Call(reward.token, encode_call(BALANCE_OF, reward.strategy)),)
    return (
        Call(reward.token, encode_call(BALANCE_OF, reward.vault)),
        Call(reward.token, encode_call("allowance(address,address)", reward.vault, reward.strategy)),
    )
