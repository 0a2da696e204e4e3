"""What an account lends, borrows and has pledged in one Compound v3 market (Comet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Rounding, mul_div
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.lending import ZERO_ADDRESS, LendingPosition, LentToken, check_distinct
from navoracle.readers import (
    BasisPoints,
    ChecksumAddress,
    Decimals,
    Name,
    check_decimals,
    check_names,
    decimals_call,
    decode_decimals,
)

BASE_TOKEN: Final = encode_call("baseToken()")
NUM_ASSETS: Final = encode_call("numAssets()")
ASSET_INFO: Final = "getAssetInfo(uint8)"
ASSET_INFO_OF: Final = "getAssetInfoByAddress(address)"
BASE_FEED: Final = encode_call("baseTokenPriceFeed()")
PRICE: Final = "getPrice(address)"
BORROW_BALANCE: Final = "borrowBalanceOf(address)"
USER_COLLATERAL: Final = "userCollateral(address,address)"
REWARD_OWED: Final = "getRewardOwed(address,address)"

_ASSET_INFO_TYPES: Final = ("uint8", "address", "address", "uint64", "uint64", "uint64", "uint64", "uint128")


class CometReward(BaseModel, frozen=True, extra="forbid"):
    """Rewards of a market.

    Attributes:
        asset: the configured asset that prices them.
        token: the token that they are paid in.
        contract: the CometRewards contract.
    """

    asset: Name
    token: ChecksumAddress
    contract: ChecksumAddress


class CometMarket(BaseModel, frozen=True, extra="forbid"):
    """What a market consists of.

    Attributes:
        listed: its collateral tokens in the market's order; later ones are found when a reading counts more of them.
        decimals: of the base token, of each configured collateral token and of the reward token, in this order.
    """

    listed: tuple[ChecksumAddress, ...]
    decimals: tuple[Decimals, ...]


class CompoundV3Position(LendingPosition, frozen=True):
    """Base balance, debt, collateral and, where configured, rewards of an account.

    `balanceOf` and `borrowBalanceOf` accrue to the block; both are the market's own figures, rounded down by it (the
    debt is exactly what repays it). Collateral earns nothing.

    Anybody can supply collateral to any account, so dust must not stop a fund: collateral that the configuration does
    not name is left out, in a holding of zero that names it, while it is worth at most `unlisted_bps` of what the
    account has here; more is refused. Only for that comparison, and only then, the market is asked for its prices.

    Rewards are asked directly, not through Multicall3: `getRewardOwed` accrues the account, which would change what the
    calls after it see. They count only if they can be claimed: nothing while the rewards contract holds less than is
    owed, because a claim then reverts.

    Attributes:
        base: the market's base token, and the component of what the account lends.
        collateral: the tokens that the account pledges.
        uncounted: tokens of the market that are left out on purpose (somebody sent the account a worthless one).
        unlisted_bps: how much of the account's supply and configured collateral an unnamed collateral may be worth; an
            account that has nothing else is refused for any.
        market: filled by `resolve`.
        comet: the market.
        rewards: what the market pays, and out of which contract; left out, rewards are not counted.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("market",)

    kind: Literal["compound_v3"]
    comet: ChecksumAddress
    base: LentToken
    collateral: tuple[LentToken, ...] = ()
    uncounted: tuple[ChecksumAddress, ...] = ()
    unlisted_bps: BasisPoints = Bps(1)
    rewards: CometReward | None = None
    market: CometMarket | None = None

    @model_validator(mode="after")
    def _check_tokens(self) -> Self:
        check_distinct((self.base, *self.collateral))
        counted = {of.token for of in (self.base, *self.collateral)}
        for token in self.uncounted:
            if token in counted:
                raise ValueError(f"{token} is both counted and `uncounted`: decide which")
        if self.market is not None and len(self.market.decimals) != len(self._tokens):
            raise ValueError("`market` must hold the decimals of each token: leave it out, it is read from the chain")
        return self

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The base asset on both sides, collateral and rewards on one."""
        others = [of.asset for of in self.collateral]
        if self.rewards is not None:
            others.append(self.rewards.asset)
        return ((self.base.asset, "asset"), (self.base.asset, "debt"), *((asset, "asset") for asset in others))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The account's base balance, debt, each collateral, and rewards."""
        claims = [Claim(self.chain, self.comet, self.account), Claim(self.chain, self.comet, self.account, "borrow")]
        claims += [Claim(self.chain, self.comet, self.account, f"collateral {of.token}") for of in self.collateral]
        if self.rewards is not None:
            claims.append(Claim(self.chain, self.rewards.contract, self.account, f"rewards of {self.comet}"))
        return tuple(claims)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the market's base token and collateral tokens, and all decimals.

        Raises:
            SourceRefused: the base token is another one, or a configured collateral is none of the market's.
        """
        base, count, *scales = yield (
            Call(self.comet, BASE_TOKEN),
            Call(self.comet, NUM_ASSETS),
            *(decimals_call(token) for token in self._tokens),
        )
        check_names(self, f"baseToken() of {self.comet}", self.base.token, decode_result(("address",), base)[0])
        listed = yield from self._list(0, count)
        for of in self.collateral:
            if of.token not in listed:
                raise SourceRefused(
                    f"{self.id}: {of.token} ({of.asset}) is no collateral of the market {self.comet}",
                    advice="Check the token and the market's address.",
                )
        decimals = tuple(decode_decimals(self, token, scale) for token, scale in zip(self._tokens, scales, strict=True))
        return self.model_copy(update={"market": CometMarket(listed=tuple(listed), decimals=decimals)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read everything in one round; two more when the market lists collateral that it did not have at the start,
        and two when the account has some that is not configured.

        Raises:
            SourceRefused: the account has a collateral of note that is not configured, or the rewards are of another
                token.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        if self.market is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the market's tokens are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        listed = list(self.market.listed)
        supplied, borrowed, count, *answers = yield (
            Call(self.comet, encode_call(BALANCE_OF, self.account)),
            Call(self.comet, encode_call(BORROW_BALANCE, self.account)),
            Call(self.comet, NUM_ASSETS),
            *(decimals_call(token) for token in self._tokens),
            *self._reward_requests(),
            *self._collateral_requests(listed),
        )
        answered = iter(answers)
        for token, known in zip(self._tokens, self.market.decimals, strict=True):
            check_decimals(self, token, next(answered), known)
        rewards: list[Position] = []
        if self.rewards is not None:
            found = self._claimable(self.rewards, next(answered), next(answered), self.market.decimals[-1])
            rewards.append(found)
        pledged = {token: _balance(next(answered)) for token in listed}
        later = yield from self._list(len(listed), count)
        if later:
            balances = yield tuple(self._collateral_requests(later))
            pledged.update(zip(later, map(_balance, balances), strict=True))
        base, *scales = self.market.decimals
        left_out = yield from self._left_out(pledged, decode_uint256(supplied), base)
        return (  # the reward token's scale is the last one, beyond the collateral's
            self.supplied(self.base, decode_uint256(supplied), base),
            self.borrowed(self.base, decode_uint256(borrowed), base),
            *(
                self.supplied(of, pledged[of.token], decimals, "pledged")
                for of, decimals in zip(self.collateral, scales, strict=False)
            ),
            *rewards,
            *left_out,
        )

    @property
    def _tokens(self) -> tuple[Address, ...]:
        """The tokens whose decimals matter."""
        reward = () if self.rewards is None else (self.rewards.token,)
        return (self.base.token, *(of.token for of in self.collateral), *reward)

    def _list(self, first: int, num_assets: bytes) -> Read[list[Address]]:
        """The market's collateral tokens from the `first` on, as many as the answer of `numAssets()` says."""
        (count,) = decode_result(("uint8",), num_assets)
        if count <= first:
            return []
        answers = yield tuple(Call(self.comet, encode_call(ASSET_INFO, place)) for place in range(first, count))
        tokens = [decode_result(_ASSET_INFO_TYPES, data)[1] for data in answers]
        if ZERO_ADDRESS in tokens:
            raise SourceRefused(
                f"{self.id}: {self.comet} counts {count} collateral assets and names none for one of them",
                advice="Check the market's address.",
            )
        return [Address(to_checksum_address(token)) for token in tokens]

    def _collateral_requests(self, tokens: Sequence[Address]) -> list[Call]:
        return [Call(self.comet, encode_call(USER_COLLATERAL, self.account, token)) for token in tokens]

    def _reward_requests(self) -> tuple[Call, ...]:
        if self.rewards is None:
            return ()
        owed = encode_call(REWARD_OWED, self.comet, self.account)
        return (
            Call(self.rewards.contract, owed, direct=True),
            Call(self.rewards.token, encode_call(BALANCE_OF, self.rewards.contract)),
        )

    def _claimable(self, rewards: CometReward, data: bytes, reserve: bytes, decimals: int) -> Holding:
        token, owed = decode_result(("address", "uint256"), data)
        check_names(self, f"the reward token of {self.comet}", rewards.token, token)
        claimable = owed if owed <= decode_uint256(reserve) else 0
        amount = RawAmount(claimable, decimals)
        return Holding(f"{self.id}/{rewards.asset}-rewards", Component.REWARDS, rewards.asset, amount, self.epoch)

    def _left_out(self, pledged: Mapping[Address, int], supplied: int, decimals: int) -> Read[tuple[Holding, ...]]:
        """Zeros that name what is not configured; refuses what is worth more than `unlisted_bps` of the rest."""
        named = {of.token for of in self.collateral}
        held = {token: balance for token, balance in pledged.items() if balance and token not in self.uncounted}
        unread = [token for token in held if token not in named]
        if not unread:
            return ()
        try:
            of_base, *worth = yield from self._worth(held, supplied, decimals)
        except CallReverted:
            raise self._unconfigured(unread) from None
        values = dict(zip(held, worth, strict=True))
        missed = sum(values[token] for token in unread)
        if missed * BPS > self.unlisted_bps * (of_base + sum(values.values()) - missed):
            raise self._unconfigured(unread)
        nothing = RawAmount(0, decimals)
        return tuple(
            Holding(f"{self.id}/{token} left out", self.base.component, self.base.asset, nothing, self.epoch)
            for token in unread
        )

    def _worth(self, held: Mapping[Address, int], supplied: int, decimals: int) -> Read[list[int]]:
        """What is supplied, then each collateral, at the market's own prices (one scale for all); for a ratio alone."""
        feed, *answers = yield (
            Call(self.comet, BASE_FEED),
            *(Call(self.comet, encode_call(ASSET_INFO_OF, token)) for token in held),
        )
        infos = [decode_result(_ASSET_INFO_TYPES, data) for data in answers]
        feeds = [decode_result(("address",), feed)[0], *(info[2] for info in infos)]
        scales = [10**decimals, *(info[3] for info in infos)]
        if 0 in scales:
            raise MalformedResult(f"{self.id}: {self.comet} says a scale of zero", advice="Check the market's address.")
        prices = yield tuple(Call(self.comet, encode_call(PRICE, found)) for found in feeds)
        figures = zip((supplied, *held.values()), prices, scales, strict=True)
        return [mul_div(value * decode_uint256(price), WAD, scale, Rounding.DOWN) for value, price, scale in figures]

    def _unconfigured(self, tokens: Sequence[Address]) -> SourceRefused:
        return SourceRefused(
            f"{self.id}: {self.account} has collateral in {', '.join(tokens)}, which is not configured",
            advice="Add it to `collateral` with the asset that prices it, or to `uncounted` to leave it out.",
        )


def _balance(data: bytes) -> int:
    """The balance in an answer of `userCollateral`."""
    balance, _ = decode_result(("uint128", "uint128"), data)
    return int(balance)
