"""Rewards of Pendle's contracts: what a claim by the holder would pay now, token by token.

The stored figures (`userReward`, `accruedRewards`) stand still until somebody touches the account, so the claim itself
is called, as the holder, and nothing is sent. What it pays is claimable in this epoch, after fees. The call is direct,
because inside Multicall3 it would change what later calls of the batch see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, model_validator

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call
from navoracle.positions.base import Claim, PositionBase
from navoracle.readers import DECIMALS, ChecksumAddress, Decimals, Name, check_decimals, decode_decimals

GET_REWARD_TOKENS: Final = encode_call("getRewardTokens()")


class PendleReward(BaseModel, frozen=True, extra="forbid"):
    """A reward token, and the configured asset that prices it.

    Attributes:
        token: the reward token's contract.
        asset: the configured asset that prices it.
    """

    token: ChecksumAddress
    asset: Name


class PendleRewarded(PositionBase, frozen=True):
    """A position on which rewards accrue; each reward is a holding `<id>/<asset>` of the component rewards.

    Every reward token that pays something must be in `rewards` or in `ignored_rewards`: one that is in neither is an
    error, never dropped.

    Attributes:
        holder: whose position it is; claims are asked as it.
        rewards: reward tokens that count.
        ignored_rewards: reward tokens that are left out on purpose (no price, locked, points).
        reward_decimals: in the order of `rewards`; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("reward_decimals",)

    chain: Name
    holder: ChecksumAddress
    rewards: tuple[PendleReward, ...] = ()
    ignored_rewards: tuple[ChecksumAddress, ...] = ()
    reward_decimals: tuple[Decimals, ...] | None = None

    @model_validator(mode="after")
    def _check_rewards(self) -> Self:
        tokens: list[str] = [*(reward.token for reward in self.rewards), *self.ignored_rewards]
        for what, named in (("token", tokens), ("asset", [reward.asset for reward in self.rewards])):
            twice = sorted({name for name in named if named.count(name) > 1})
            if twice:
                raise ValueError(f"reward {what} {twice[0]} is named twice: name each one once")
        if self.reward_decimals is not None and len(self.reward_decimals) != len(self.rewards):
            raise ValueError("reward_decimals has another length than rewards: leave it out, it is read from the chain")
        return self

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The (asset, side) pairs that position and rewards need prices for."""
        return (*super().assets, *((reward.asset, self.side) for reward in self.rewards))

    def rewards_claim(self, contract: Address) -> Claim:
        """What counting the rewards of a contract claims."""
        return Claim(self.chain, contract, self.holder, "rewards")

    def reward_calls(self) -> tuple[Call, ...]:
        """The decimals of all counted reward tokens."""
        return tuple(Call(reward.token, DECIMALS) for reward in self.rewards)

    def resolved_rewards(self, answers: Sequence[bytes]) -> dict[str, Any]:
        """The resolved field, from the answers to `reward_calls`."""
        found = zip(self.rewards, answers, strict=True)
        return {"reward_decimals": tuple(decode_decimals(self, reward.token, data) for reward, data in found)}

    def reward_holdings(
        self, contract: Address, tokens: bytes, amounts: Sequence[int], scales: Sequence[bytes]
    ) -> tuple[Holding, ...]:
        """The rewards that a claim pays: `amounts` in the order of the contract's `getRewardTokens()`.

        Raises:
            SourceRefused: a reward token that is not configured, a configured one that the contract does not name, or
                another number of amounts than of tokens.
            DecimalsChanged: a reward token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = self.reward_decimals
        if decimals is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the decimals of its reward tokens are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        named = [token.lower() for token in decode_result(("address[]",), tokens)[0]]
        if len(named) != len(amounts) or len(set(named)) != len(named):
            raise SourceRefused(
                f"{self.id}: {contract} names {len(named)} reward tokens and pays {len(amounts)} amounts",
                advice="Check the address: rewards that cannot be told apart are not counted.",
            )
        paid = dict(zip(named, amounts, strict=True))
        known = {token.lower() for token in (*(reward.token for reward in self.rewards), *self.ignored_rewards)}
        # One that pays nothing yet stops nobody: a protocol may add a token at any time.
        unknown = [token for token in named if token not in known and paid[token] > 0]
        if unknown:
            raise SourceRefused(
                f"{self.id}: {contract} pays {paid[unknown[0]]} units of the reward token {unknown[0]}, "
                "which is not configured",
                advice="Add it to `rewards` with the asset that prices it, or to `ignored_rewards`.",
            )
        holdings = []
        for reward, scale, resolved in zip(self.rewards, scales, decimals, strict=True):
            check_decimals(self, reward.token, scale, resolved)
            if reward.token.lower() not in paid:
                raise SourceRefused(
                    f"{self.id}: {contract} does not name the configured reward token {reward.token}",
                    advice="Check its address, or remove it from `rewards`.",
                )
            amount = RawAmount(paid[reward.token.lower()], resolved)
            holdings.append(Holding(f"{self.id}/{reward.asset}", Component.REWARDS, reward.asset, amount, self.epoch))
        return tuple(holdings)
