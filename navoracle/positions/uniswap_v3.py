"""A position in a Uniswap v3 pool, held as an NFT of the position manager."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

from eth_utils.address import to_checksum_address
from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.concentrated_liquidity import fee_growth_inside, fees_since
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.positions import LIABILITIES, ConcentratedLiquidity, PositionReading
from navoracle.domain.tick_math import MAX_TICK, MIN_TICK
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import Claim, ComponentPosition
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

FACTORY: Final = encode_call("factory()")
SLOT_0: Final = encode_call("slot0()")
FEE_GROWTH_0: Final = encode_call("feeGrowthGlobal0X128()")
FEE_GROWTH_1: Final = encode_call("feeGrowthGlobal1X128()")

POSITION_TYPES: Final = (
    "uint96",
    "address",
    "address",
    "address",
    "uint24",
    "int24",
    "int24",
    "uint128",
    "uint256",
    "uint256",
    "uint128",
    "uint128",
)
SLOT_0_TYPES: Final = ("uint160", "int24", "uint16", "uint16", "uint16", "uint32", "bool")
"""`feeProtocol` has 8 bits in Uniswap and 32 in forks."""
TICK_TYPES: Final = ("uint128", "int128", "uint256", "uint256", "int56", "uint160", "uint32", "bool")
DEPOSIT_TYPES: Final = ("address", "uint48", "int24", "int24")

Tick = Field(default=None, ge=MIN_TICK, le=MAX_TICK)


class ManagedPosition(NamedTuple):
    """What the manager keeps of an NFT; growth is Q128 fees per liquidity when last taken down, amounts are raw."""

    nonce: int
    operator: str
    token_0: str
    token_1: str
    fee: int
    tick_lower: int
    tick_upper: int
    liquidity: int
    fee_growth_0: int
    fee_growth_1: int
    owed_0: int
    owed_1: int


class UniswapV3Position(ComponentPosition, frozen=True):
    """Liquidity of one NFT, with what it was not yet paid: tokens owed, and the fees since they were last counted.

    The mixture of tokens is valued at the ratio of both assets' estimates; the pool's own price is not used.

    Attributes:
        manager: NonfungiblePositionManager.
        holder: the owner of the NFT, or of its deposit in `staker` (a UniswapV3Staker), where it must then be.
        asset, other_asset: the configured assets that price `token` and `other_token`, in either order.
        pool, tick_lower, tick_upper, decimals, other_decimals: filled by `resolve`.
        token_id: the NFT's number.
        staker: the UniswapV3Staker that holds the NFT; left out, the holder must.
        token, other_token: the pool's two tokens, in either order.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("pool", "tick_lower", "tick_upper", "decimals", "other_decimals")

    kind: Literal["uniswap_v3"]
    chain: Name
    manager: ChecksumAddress
    token_id: int = Field(ge=0, lt=2**256)
    holder: ChecksumAddress
    staker: ChecksumAddress | None = None
    token: ChecksumAddress
    other_token: ChecksumAddress
    other_asset: Name
    pool: ChecksumAddress | None = None
    tick_lower: int | None = Tick
    tick_upper: int | None = Tick
    decimals: Decimals | None = None
    other_decimals: Decimals | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(f"liquidity in a pool is not owed, {self.component.value} is: choose an asset's component")
        if self.token == self.other_token:
            raise ValueError("`token` and `other_token` are the same: name the pool's two tokens")
        return self

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """Both tokens' assets, on the asset side."""
        return (self.asset, self.side), (self.other_asset, self.side)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The NFT, wherever it is."""
        return (Claim(self.chain, self.manager, self.holder, f"position {self.token_id}"),)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Find the pool and range of the NFT, and the decimals of its tokens.

        Raises:
            SourceRefused: the NFT is of other tokens than the configured ones, or of no pool.
            CallReverted: there is no such NFT.
        """
        managed, factory, decimals, other_decimals = yield (
            Call(self.manager, encode_call("positions(uint256)", self.token_id)),
            Call(self.manager, FACTORY),
            Call(self.token, DECIMALS),
            Call(self.other_token, DECIMALS),
        )
        found = ManagedPosition(*decode_result(POSITION_TYPES, managed))
        self._is_first(found)
        get_pool = encode_call("getPool(address,address,uint24)", found.token_0, found.token_1, found.fee)
        (pool,) = yield (Call(Address(decode_result(("address",), factory)[0]), get_pool),)
        update: dict[str, Any] = {
            "pool": self._pool(pool),
            "tick_lower": found.tick_lower,
            "tick_upper": found.tick_upper,
            "decimals": decode_decimals(self, self.token, decimals),
            "other_decimals": decode_decimals(self, self.other_token, other_decimals),
        }
        return self.model_copy(update=update)

    def read(self, at: ReadPoint) -> Read[tuple[PositionReading, ...]]:
        """Read the NFT, its owner and its pool's fees at one block and in one round.

        Raises:
            CallReverted: there is no such NFT (any more): a burned position is not one of zero.
            SourceRefused: another account owns it, or it is of other tokens or another range than it was.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        scale = resolved_decimals(self, self.decimals)
        other_scale = resolved_decimals(self, self.other_decimals)
        pool, tick_lower, tick_upper = self._place()
        answers = yield (
            Call(self.manager, encode_call("positions(uint256)", self.token_id)),
            Call(self.manager, encode_call("ownerOf(uint256)", self.token_id)),
            Call(self.token, DECIMALS),
            Call(self.other_token, DECIMALS),
            Call(pool, SLOT_0),
            Call(pool, FEE_GROWTH_0),
            Call(pool, FEE_GROWTH_1),
            Call(pool, encode_call("ticks(int24)", tick_lower)),
            Call(pool, encode_call("ticks(int24)", tick_upper)),
            *self._deposit_calls(),
        )
        check_decimals(self, self.token, answers[2], scale)
        check_decimals(self, self.other_token, answers[3], other_scale)
        self._check_owner(decode_result(("address",), answers[1])[0], answers[9:])
        found = ManagedPosition(*decode_result(POSITION_TYPES, answers[0]))
        if (found.tick_lower, found.tick_upper) != (tick_lower, tick_upper):
            raise SourceRefused(
                f"{self.id}: NFT {self.token_id} had the range {tick_lower} to {tick_upper} and now has "
                f"{found.tick_lower} to {found.tick_upper}",
                advice="Check the manager's address: a position's range never changes.",
            )
        fees = self._fees(found, answers[4:9])
        owed = found.owed_0 + fees[0], found.owed_1 + fees[1]
        first = self._is_first(found)
        scales = (scale, other_scale) if first else (other_scale, scale)
        position = ConcentratedLiquidity(
            self.id,
            self.component,
            (self.asset, self.other_asset) if first else (self.other_asset, self.asset),
            found.liquidity,
            tick_lower,
            tick_upper,
            (RawAmount(owed[0], scales[0]), RawAmount(owed[1], scales[1])),
            self.epoch,
        )
        return (position,)

    def _deposit_calls(self) -> tuple[Call, ...]:
        if self.staker is None:
            return ()
        return (Call(self.staker, encode_call("deposits(uint256)", self.token_id)),)

    def _check_owner(self, owner: str, deposits: tuple[bytes, ...]) -> None:
        depositor = [decode_result(DEPOSIT_TYPES, data)[0] for data in deposits]
        if self.staker is not None and owner.lower() == self.staker.lower():
            check_names(self, f"the depositor of NFT {self.token_id} in {self.staker}", self.holder, depositor[0])
        else:
            check_names(self, f"the owner of NFT {self.token_id}", self.holder, owner)

    def _fees(self, found: ManagedPosition, answers: tuple[bytes, ...]) -> tuple[int, int]:
        """Fees of token 0 and token 1 since the manager last counted them, as the pool would count them now."""
        tick = decode_result(SLOT_0_TYPES, answers[0])[1]
        everywhere = decode_uint256(answers[1]), decode_uint256(answers[2])
        lower, upper = (decode_result(TICK_TYPES, data) for data in answers[3:])
        if found.liquidity > 0 and not (lower[7] and upper[7]):
            raise SourceRefused(
                f"{self.id}: pool {self.pool} knows nothing of the range of NFT {self.token_id}",
                advice="Resolve the position anew: it is of another pool.",
            )
        first, second = (
            fees_since(
                fee_growth_inside(
                    everywhere[index],
                    lower[2 + index],
                    upper[2 + index],
                    tick=tick,
                    tick_lower=found.tick_lower,
                    tick_upper=found.tick_upper,
                ),
                last,
                found.liquidity,
            )
            for index, last in enumerate((found.fee_growth_0, found.fee_growth_1))
        )
        return first, second

    def _is_first(self, found: ManagedPosition) -> bool:
        """Whether `token` is token 0; refuses other tokens than the configured ones."""
        first = found.token_0.lower() == self.token.lower()
        expected = (self.token, self.other_token) if first else (self.other_token, self.token)
        check_names(self, f"token 0 of NFT {self.token_id}", expected[0], found.token_0)
        check_names(self, f"token 1 of NFT {self.token_id}", expected[1], found.token_1)
        return first

    def _pool(self, data: bytes) -> Address:
        (pool,) = decode_result(("address",), data)
        if int(pool, 16) == 0:
            raise SourceRefused(
                f"{self.id}: the factory of {self.manager} knows no pool for NFT {self.token_id}",
                advice="Check the manager's address.",
            )
        return Address(to_checksum_address(pool))

    def _place(self) -> tuple[Address, int, int]:
        if self.pool is None or self.tick_lower is None or self.tick_upper is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: pool and range of NFT {self.token_id} are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.pool, self.tick_lower, self.tick_upper
