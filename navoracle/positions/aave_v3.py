"""What an account supplies to and owes an Aave v3 pool, reserve by reserve."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel, Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.positions import Holding, Position
from navoracle.domain.units import MAX_DECIMALS, RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.lending import ZERO_ADDRESS, LendingPosition, LentToken, check_distinct
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    ReaderModel,
    check_decimals,
    decimals_call,
    decode_decimals,
)

MAX_RESERVES: Final = 128
RESERVE_DATA: Final = "getReserveData(address)"
RESERVE_BY_ID: Final = "getReserveAddressById(uint16)"
USER_CONFIGURATION: Final = "getUserConfiguration(address)"

_RESERVE_DATA_TYPES: Final = (
    *("uint256", "uint128", "uint128", "uint128", "uint128", "uint128", "uint40", "uint16"),
    *("address", "address", "address", "address", "uint128", "uint128", "uint128"),
)
_CONFIGURATION, _ID, _A_TOKEN, _STABLE, _VARIABLE = 0, 7, 8, 9, 10


class AaveTokens(BaseModel, frozen=True, extra="forbid"):
    """What a pool says of a reserve and never changes.

    Attributes:
        reserve_id: its place in the bitmaps of the pool.
        decimals: of the underlying token and of all tokens of the reserve.
        stable_debt_token: None where the pool has no stable rate (3.2 and later).
        a_token: the token of what is supplied
        variable_debt_token: the token of what is owed at a variable rate
    """

    reserve_id: int = Field(ge=0, lt=MAX_RESERVES)
    decimals: Decimals
    a_token: ChecksumAddress
    variable_debt_token: ChecksumAddress
    stable_debt_token: ChecksumAddress | None

    @property
    def debt_tokens(self) -> tuple[Address, ...]:
        """The tokens whose balances are the debt."""
        stable = () if self.stable_debt_token is None else (self.stable_debt_token,)
        return (self.variable_debt_token, *stable)


class AaveV3Position(LendingPosition, frozen=True):
    """Balances of the aTokens and debt tokens of each configured reserve.

    These tokens' `balanceOf` accrues to the block; the indices that the pool stores are those of its last touch and
    would understate a debt. Balances are the pool's own, rounded by its version (half up before 3.5, then supplies down
    and debts up). A supply counts whether or not it is enabled as collateral. The pool's prices, and so
    `getUserAccountData`, are never asked.

    A debt in a reserve that is not configured is refused: a loan taken by hand must not be missed. An unconfigured
    supply is not: anybody can send a wei of any reserve to an account, and could stop the fund with it. One that is
    enabled as collateral is named in a holding of zero.

    Token addresses come from `getReserveData` of the pool, which every version from 3.0 on answers alike and which also
    gives the reserve's place in the bitmap of debts. `getReserveAToken` is missing before 3.1, and the data provider is
    one more address that may be wrong.

    Attributes:
        reserves: the underlying tokens whose balances are read.
        tokens: of each reserve; filled by `resolve`.
        pool: the market's Pool.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("tokens",)

    kind: Literal["aave_v3"]
    pool: ChecksumAddress
    reserves: Annotated[tuple[LentToken, ...], Field(min_length=1)]
    tokens: tuple[AaveTokens, ...] | None = None

    @model_validator(mode="after")
    def _check_reserves(self) -> Self:
        check_distinct(self.reserves)
        if self.tokens is not None and len(self.tokens) != len(self.reserves):
            raise ValueError("`tokens` must name those of each reserve: leave it out, it is read from the pool")
        return self

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """Both sides of each reserve's asset."""
        return tuple((reserve.asset, side) for reserve in self.reserves for side in ("asset", "debt"))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The account's balance of each aToken and debt token."""
        return tuple(
            Claim(self.chain, token, self.account)
            for found in self.tokens or ()
            for token in (found.a_token, *found.debt_tokens)
        )

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read each reserve's tokens, place and scale.

        Raises:
            SourceRefused: the pool has no reserve of a token, or states another scale than the token.
        """
        tokens = [reserve.token for reserve in self.reserves]
        answers = yield (
            *(Call(self.pool, encode_call(RESERVE_DATA, token)) for token in tokens),
            *(decimals_call(token) for token in tokens),
        )
        found = []
        for token, data, scale in zip(tokens, answers, answers[len(tokens) :], strict=False):
            reserve = decode_reserve(self, self.pool, token, data)
            decimals = decode_decimals(self, token, scale)
            if decimals != reserve.decimals:
                raise SourceRefused(
                    f"{self.id}: {token} has {decimals} decimals, {reserve.decimals} by the pool {self.pool}",
                    advice="Check the token's address; such a reserve cannot be valued.",
                )
            found.append(reserve)
        return self.model_copy(update={"tokens": tuple(found)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read all balances in one round: per reserve what is supplied and what is owed, zeros included.

        Raises:
            SourceRefused: the account owes in a reserve that is not configured; the message names its token.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        if self.tokens is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the reserves' tokens are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        configuration, *answers = yield self._requests
        settings, known = decode_uint256(configuration), {found.reserve_id for found in self.tokens}
        unread = borrowed_ids(settings) - known
        if unread:
            yield from self._refuse(sorted(unread))
        positions: list[Position] = []
        remaining = iter(answers)
        for reserve, found in zip(self.reserves, self.tokens, strict=True):
            check_decimals(self, reserve.token, next(remaining), found.decimals)
            supplied = decode_uint256(next(remaining))
            owed = sum(decode_uint256(next(remaining)) for _ in found.debt_tokens)
            positions.append(self.supplied(reserve, supplied, found.decimals))
            positions.append(self.borrowed(reserve, owed, found.decimals))
        first, nothing = self.reserves[0], RawAmount(0, self.tokens[0].decimals)
        for place in sorted(collateral_ids(settings) - known):
            name = f"{self.id}/reserve {place} left out"
            positions.append(Holding(name, first.component, first.asset, nothing, self.epoch))
        return tuple(positions)

    @cached_property
    def _requests(self) -> tuple[Call, ...]:
        balance = encode_call(BALANCE_OF, self.account)
        requests = [Call(self.pool, encode_call(USER_CONFIGURATION, self.account))]
        for reserve, found in zip(self.reserves, self.tokens or (), strict=True):
            requests.append(decimals_call(reserve.token))
            requests += [Call(token, balance) for token in (found.a_token, *found.debt_tokens)]
        return tuple(requests)

    def _refuse(self, ids: list[int]) -> Read[None]:
        answers = yield tuple(Call(self.pool, encode_call(RESERVE_BY_ID, place)) for place in ids)
        tokens = ", ".join(to_checksum_address(decode_result(("address",), data)[0]) for data in answers)
        raise SourceRefused(
            f"{self.id}: {self.account} owes {tokens}, which is not among `reserves`",
            advice="Add the token to `reserves` with the asset that prices it; restart if it is there already.",
        )


def decode_reserve(reader: ReaderModel, pool: Address, token: Address, data: bytes) -> AaveTokens:
    """Decode an answer of `getReserveData`.

    Raises:
        SourceRefused: the pool has no reserve of this token.
        EmptyResult, MalformedResult: the answer is no reserve.
    """
    values = decode_result(_RESERVE_DATA_TYPES, data)
    if values[_A_TOKEN] == ZERO_ADDRESS or values[_VARIABLE] == ZERO_ADDRESS:
        raise SourceRefused(
            f"{reader.id}: the pool {pool} has no reserve of {token}",
            advice="Check the pool's address, and that it lists the underlying token (not the aToken).",
        )
    decimals, place, stable = decimals_of(values[_CONFIGURATION]), values[_ID], values[_STABLE]
    if decimals > MAX_DECIMALS or place >= MAX_RESERVES:
        raise SourceRefused(
            f"{reader.id}: the pool {pool} says reserve number {place} of {decimals} decimals for {token}",
            advice="Check the pool's address; no pool has such a reserve.",
        )
    return AaveTokens(
        reserve_id=place,
        decimals=decimals,
        a_token=Address(to_checksum_address(values[_A_TOKEN])),
        variable_debt_token=Address(to_checksum_address(values[_VARIABLE])),
        stable_debt_token=None if stable == ZERO_ADDRESS else Address(to_checksum_address(stable)),
    )


def decimals_of(configuration: int) -> int:
    """The decimals in a reserve's configuration word (bits 48 to 55)."""
    return configuration >> 48 & 0xFF


def borrowed_ids(configuration: int) -> set[int]:
    """The places of the reserves in which an account owes: the even bits of its configuration."""
    return {place for place in range(MAX_RESERVES) if configuration >> 2 * place & 1}


def collateral_ids(configuration: int) -> set[int]:
    """The places of the reserves that an account has enabled as collateral: the odd bits of its configuration."""
    return {place for place in range(MAX_RESERVES) if configuration >> 2 * place + 1 & 1}
