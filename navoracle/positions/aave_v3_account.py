"""The health of an account at an Aave v3 pool: for risk, never for the NAV.

The pool's own prices decide about liquidation and nothing else: they are capped, and no age is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, ConfigurationError, SourceRefused
from navoracle.domain.lending import AaveAccount, AavePosition, AaveReserve, AaveRules, EMode
from navoracle.domain.units import Bps, RawAmount, Wad
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.aave_v3 import (
    RESERVE_DATA,
    USER_CONFIGURATION,
    AaveTokens,
    borrowed_ids,
    collateral_ids,
    decimals_of,
    decode_reserve,
)
from navoracle.positions.base import BALANCE_OF
from navoracle.positions.lending import ZERO_ADDRESS
from navoracle.readers import ChecksumAddress, Name, ReaderModel

ADDRESSES_PROVIDER: Final = encode_call("ADDRESSES_PROVIDER()")
RESERVES_LIST: Final = encode_call("getReservesList()")
PRICE_ORACLE: Final = encode_call("getPriceOracle()")
ACCOUNT_DATA: Final = "getUserAccountData(address)"
USER_E_MODE: Final = "getUserEMode(address)"
CONFIGURATION: Final = "getConfiguration(address)"
ASSET_PRICE: Final = "getAssetPrice(address)"
E_MODE_CATEGORY: Final = "getEModeCategoryData(uint8)"
E_MODE_CONFIG: Final = "getEModeCategoryCollateralConfig(uint8)"
E_MODE_BITMAP: Final = "getEModeCategoryCollateralBitmap(uint8)"

NO_DEBT: Final = 2**256 - 1
_CATEGORY_TYPE: Final = "(uint16,uint16,uint16,address,string)"


class ListedReserve(AaveTokens, frozen=True):
    """A reserve of the pool with its underlying token."""

    token: ChecksumAddress


class AavePool(BaseModel, frozen=True, extra="forbid"):
    """What a pool consists of.

    Attributes:
        provider: its addresses provider, which names the price oracle.
        e_mode: whether an asset belongs to one category (3.0 and 3.1) or a category has a bitmap of assets (3.2 on).
        reserves: all that it lists.
    """

    provider: ChecksumAddress
    e_mode: Literal["category", "bitmap"]
    reserves: tuple[ListedReserve, ...]


class AaveV3Account(ReaderModel, frozen=True):
    """Everything that the account's health factor depends on, computed again and compared with the pool's own answer.

    Totals, average liquidation threshold and health factor must be the pool's to the wei under the rules of one of its
    versions, or the reading is refused. Where `getUserAccountData` reverts (one feed at zero does it) the account has
    no health factor, and can neither be liquidated nor borrow.

    Attributes:
        listing: of the pool; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("listing",)

    kind: Literal["aave_v3_account"]
    chain: Name
    pool: ChecksumAddress
    account: ChecksumAddress
    listing: AavePool | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the pool's reserves, provider and manner of efficiency modes."""
        provider, listed = yield (Call(self.pool, ADDRESSES_PROVIDER), Call(self.pool, RESERVES_LIST))
        tokens = [Address(to_checksum_address(token)) for token in decode_result(("address[]",), listed)[0]]
        answers = yield tuple(Call(self.pool, encode_call(RESERVE_DATA, token)) for token in tokens)
        reserves = tuple(
            ListedReserve(token=token, **decode_reserve(self, self.pool, token, data).model_dump())
            for token, data in zip(tokens, answers, strict=True)
        )
        e_mode: Literal["category", "bitmap"] = "bitmap"
        try:
            yield (Call(self.pool, encode_call(E_MODE_BITMAP, 1)),)
        except CallReverted:
            e_mode = "category"
        (found,) = decode_result(("address",), provider)
        if found == ZERO_ADDRESS:
            raise SourceRefused(
                f"{self.id}: the pool {self.pool} names no addresses provider",
                advice="Check the pool's address: it must be the proxy, not its implementation.",
            )
        listing = AavePool(provider=Address(to_checksum_address(found)), e_mode=e_mode, reserves=reserves)
        return self.model_copy(update={"listing": listing})

    def read(self, at: ReadPoint) -> Read[AavePosition]:
        """Read the account's settings in one round and its reserves in a second one, at the same block.

        Raises:
            SourceRefused: a reserve that was listed after the start, or figures that are not the pool's.
            CallReverted: the pool cannot compute the account.
            ConfigurationError: the reader is not resolved.
        """
        if self.listing is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the pool's reserves are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        configuration, category, data, oracle = yield (
            Call(self.pool, encode_call(USER_CONFIGURATION, self.account)),
            Call(self.pool, encode_call(USER_E_MODE, self.account)),
            Call(self.pool, encode_call(ACCOUNT_DATA, self.account)),
            Call(self.listing.provider, PRICE_ORACLE),
        )
        expected = _decode_account(data)
        settings = decode_uint256(configuration)
        used = self._used(self.listing, borrowed_ids(settings) | collateral_ids(settings))
        prices = Address(to_checksum_address(decode_result(("address",), oracle)[0]))
        e_mode, members = yield from self._e_mode(self.listing, decode_uint256(category), prices)
        requests = [request for reserve in used for request in self._requests(reserve, prices)]
        answers = iter((yield tuple(requests)) if requests else ())
        reserves = []
        for reserve in used:
            terms, supplied = decode_uint256(next(answers)), decode_uint256(next(answers))
            owed = sum(decode_uint256(next(answers)) for _ in reserve.debt_tokens)
            reserves.append(
                AaveReserve(
                    token=reserve.token,
                    supplied=RawAmount(supplied, decimals_of(terms)),
                    owed=RawAmount(owed, decimals_of(terms)),
                    price=decode_uint256(next(answers)),
                    liquidation_threshold=Bps(terms >> 16 & 0xFFFF),
                    is_collateral=reserve.reserve_id in collateral_ids(settings),
                    in_e_mode=e_mode is not None
                    and (
                        reserve.reserve_id in members
                        if self.listing.e_mode == "bitmap"
                        else terms >> 168 & 0xFF == e_mode.category
                    ),
                )
            )
        return self._agreed(AavePosition(tuple(reserves), e_mode, AaveRules.V3_0), self.listing, expected)

    def _used(self, listing: AavePool, ids: set[int]) -> Sequence[ListedReserve]:
        known = {reserve.reserve_id: reserve for reserve in listing.reserves}
        unknown = sorted(ids - known.keys())
        if unknown:
            raise SourceRefused(
                f"{self.id}: {self.account} uses reserve number {unknown[0]} of {self.pool}, which was listed later",
                advice="Restart, so that the pool's reserves are read again.",
            )
        return [known[place] for place in sorted(ids)]

    def _requests(self, reserve: ListedReserve, oracle: Address) -> tuple[Call, ...]:
        balance = encode_call(BALANCE_OF, self.account)
        return (
            Call(self.pool, encode_call(CONFIGURATION, reserve.token)),
            *(Call(token, balance) for token in (reserve.a_token, *reserve.debt_tokens)),
            Call(oracle, encode_call(ASSET_PRICE, reserve.token)),
        )

    def _e_mode(self, listing: AavePool, category: int, oracle: Address) -> Read[tuple[EMode | None, set[int]]]:
        """The account's efficiency mode, and the places of its assets where the category says them."""
        if category == 0:
            return None, set()
        if listing.e_mode == "bitmap":
            config, bitmap = yield (
                Call(self.pool, encode_call(E_MODE_CONFIG, category)),
                Call(self.pool, encode_call(E_MODE_BITMAP, category)),
            )
            _, threshold, _ = decode_result(("uint16", "uint16", "uint16"), config)
            places = decode_uint256(bitmap)
            members = {reserve.reserve_id for reserve in listing.reserves if places >> reserve.reserve_id & 1}
            return EMode(category, Bps(threshold)), members
        (data,) = yield (Call(self.pool, encode_call(E_MODE_CATEGORY, category)),)
        ((_, threshold, _, source, _),) = decode_result((_CATEGORY_TYPE,), data)
        if source == ZERO_ADDRESS:
            return EMode(category, Bps(threshold)), set()
        (price,) = yield (Call(oracle, encode_call(ASSET_PRICE, source)),)
        # The pool takes a category's price of zero as "none": each asset keeps its own.
        return EMode(category, Bps(threshold), decode_uint256(price) or None), set()

    def _agreed(self, found: AavePosition, listing: AavePool, expected: AaveAccount) -> AavePosition:
        """The position under the newest rules that give the pool's own figures."""
        for rules in (AaveRules.V3_0,) if listing.e_mode == "category" else reversed(AaveRules):
            position = replace(found, rules=rules)
            if position.account() == expected:
                return position
        raise SourceRefused(
            f"{self.id}: the pool {self.pool} says {expected}, which no known version computes from the reserves",
            advice="Find out whether the pool was upgraded; restart to resolve it anew. No health factor until then.",
        )


def _decode_account(data: bytes) -> AaveAccount:
    collateral, debt, _, threshold, _, health = decode_result(("uint256",) * 6, data)
    return AaveAccount(collateral, debt, Bps(threshold), None if health == NO_DEBT else Wad(health))
