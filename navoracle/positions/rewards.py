"""What readers of rewards have in common: which tokens count, and what keeps a reward from being taken this epoch.

A reward counts only when the fund could take it in a transaction at the block that is read. What stands in the way is
named in the holding that says zero, so that a frame shows it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, Field, model_validator

from navoracle.domain.errors import ConfigurationError
from navoracle.domain.positions import Component, Holding
from navoracle.domain.prices import Side
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import Basis
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    Name,
    ReaderModel,
    check_decimals,
    decode_decimals,
)

LOCKED: Final = "locked"
"""The token vests or cannot be transferred when it is claimed."""
NOT_COVERED: Final = "not covered"
"""Who pays the reward has less of it than is owed."""


class RewardToken(BaseModel, frozen=True, extra="forbid"):
    """A token that rewards are paid in.

    Attributes:
        asset: the configured asset that prices it.
        locked: a token that vests or cannot be transferred once claimed: it counts as nothing.
        token: the reward token's contract.
    """

    asset: Name
    token: ChecksumAddress
    locked: bool = False


class RewardsPosition(ReaderModel, frozen=True):
    """Rewards of one programme: a holding per token, named `<id>/<asset>`, rounded down by who owes them.

    Attributes:
        holder: who earned them.
        rewards: the tokens that count; two assets of one name cannot be told apart in a frame.
        decimals: of the tokens, in their order; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    chain: Name
    holder: ChecksumAddress
    rewards: Annotated[tuple[RewardToken, ...], Field(min_length=1)]
    epoch: int | None = Field(default=None, ge=0)
    decimals: tuple[Decimals, ...] | None = None

    @model_validator(mode="after")
    def _check_rewards(self) -> Self:
        for what in ("token", "asset"):
            names = [getattr(reward, what).lower() for reward in self.rewards]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"rewards name the {what} {twice} twice: each one counts once and has its own name")
        if self.decimals is not None and len(self.decimals) != len(self.rewards):
            raise ValueError(f"{len(self.decimals)} decimals for {len(self.rewards)} rewards: leave `decimals` out")
        return self

    @property
    def side(self) -> Side:
        """Rewards are assets."""
        return "asset"

    @property
    def basis(self) -> Basis:
        """Rewards are carried at the market price."""
        return "market"

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The assets of all its tokens."""
        return tuple((reward.asset, self.side) for reward in self.rewards)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read every token's decimals."""
        answers = yield self._scale_calls()
        decimals = (
            decode_decimals(self, reward.token, answer) for reward, answer in zip(self.rewards, answers, strict=True)
        )
        return self.model_copy(update={"decimals": tuple(decimals)})

    def _scale_calls(self) -> tuple[Call, ...]:
        return tuple(Call(reward.token, DECIMALS) for reward in self.rewards)

    def _require_decimals(self) -> tuple[int, ...]:
        """The resolved decimals. Raises ConfigurationError when the reader is not resolved."""
        if self.decimals is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the decimals are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.decimals

    def _check_scales(self, answers: tuple[bytes, ...], decimals: tuple[int, ...]) -> None:
        """Refuse a token that changed its scale. Raises DecimalsChanged."""
        for reward, answer, resolved in zip(self.rewards, answers, decimals, strict=True):
            check_decimals(self, reward.token, answer, resolved)

    def _holdings(self, reward: RewardToken, amount: int, decimals: int, obstacle: str | None) -> tuple[Holding, ...]:
        """The reward, and beside it the obstacle by name where it keeps something from being taken."""
        if reward.locked and amount > 0:
            obstacle = LOCKED
        name = f"{self.id}/{reward.asset}"
        counted = self._holding(name, reward.asset, 0 if obstacle else amount, decimals)
        if obstacle is None:
            return (counted,)
        return (counted, self._holding(f"{name} {obstacle}", reward.asset, 0, decimals))

    def _holding(self, name: str, asset: str, amount: int, decimals: int) -> Holding:
        return Holding(name, Component.REWARDS, asset, RawAmount(amount, decimals), self.epoch)
