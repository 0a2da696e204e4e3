"""The health of an account at an Aave v3 pool: for risk, never for the NAV.

The pool's own prices decide about liquidation and nothing else: they are capped, and no age is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.aave_rules import AaveRules
from navoracle.domain.errors import CallReverted, ConfigurationError, SourceRefused
from navoracle.domain.lending import AaveAccount, AavePosition, AaveReserve
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import BPS, SCALES, Bps, RawAmount, Wad
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
from navoracle.positions.aave_v3_e_mode import ASSET_PRICE, E_MODE_BITMAP, EModeFound, EModeManner, EModeReading
from navoracle.positions.base import BALANCE_OF
from navoracle.positions.lending import ZERO_ADDRESS
from navoracle.readers import ChecksumAddress, Name, ReaderModel

ADDRESSES_PROVIDER: Final = encode_call("ADDRESSES_PROVIDER()")
RESERVES_LIST: Final = encode_call("getReservesList()")
PRICE_ORACLE: Final = encode_call("getPriceOracle()")
ACCOUNT_DATA: Final = "getUserAccountData(address)"
USER_E_MODE: Final = "getUserEMode(address)"
CONFIGURATION: Final = "getConfiguration(address)"
SUPPLY_INDEX: Final = "getReserveNormalizedIncome(address)"
DEBT_INDEX: Final = "getReserveNormalizedVariableDebt(address)"
REVISION: Final = encode_call("POOL_REVISION()")
BASE_UNIT: Final = encode_call("BASE_CURRENCY_UNIT()")

NO_DEBT: Final = 2**256 - 1
_FIRST_REVISIONS: Final = {
    AaveRules.V3_0: 1,
    AaveRules.V3_3: 7,
    AaveRules.V3_5: 9,
    AaveRules.V3_6: 10,
    AaveRules.V3_7: 11,
}
"""The pool's revision with which the rules of a version began (PoolInstance.sol of each)."""


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
    e_mode: EModeManner
    reserves: tuple[ListedReserve, ...]


class AaveV3Account(ReaderModel, frozen=True):
    """Everything that the account's health factor depends on, computed again and compared with the pool's own answer.

    Totals, averages of limits and health factor must be the pool's to the wei under the rules of its version, or the
    reading is refused. Where `getUserAccountData` reverts (one feed at zero does it) the account has
    no health factor, and can neither be liquidated nor borrow.

    Attributes:
        listing: of the pool; filled by `resolve`.
        pool: the market's Pool.
        account: whose account it is.
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
        e_mode: EModeManner = "bitmap"
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

    def read(self, at: ReadPoint) -> Read[LendingAccount]:
        """Read the account's settings in one round and its reserves in a later one, at the same block.

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
        revision, configuration, category, data, oracle = yield (
            Call(self.pool, REVISION),
            Call(self.pool, encode_call(USER_CONFIGURATION, self.account)),
            Call(self.pool, encode_call(USER_E_MODE, self.account)),
            Call(self.pool, encode_call(ACCOUNT_DATA, self.account)),
            Call(self.listing.provider, PRICE_ORACLE),
        )
        rules = self._rules(decode_uint256(revision))
        settings = decode_uint256(configuration)
        used = self._used(self.listing, borrowed_ids(settings) | collateral_ids(settings))
        prices = Address(to_checksum_address(decode_result(("address",), oracle)[0]))
        reading = EModeReading(self.pool, prices, self.listing.e_mode, rules)
        e_mode = yield from reading.read(decode_uint256(category))
        unit, *found = yield (
            Call(prices, BASE_UNIT),
            *(request for reserve in used for request in self._requests(reserve, prices)),
        )
        answers = iter(found)
        reserves = tuple(self._reserve(reserve, answers, collateral_ids(settings), e_mode) for reserve in used)
        position = AavePosition(reserves, e_mode.terms, rules)
        expected = _decode_account(data)
        if position.account() != expected:
            raise SourceRefused(
                f"{self.id}: the pool {self.pool} says {expected}, from the reserves it is {position.account()} by the "
                f"rules of {rules.name} (revision {decode_uint256(revision)})",
                advice="Find out whether the pool was upgraded, and restart; there is no health factor until then.",
            )
        return LendingAccount.of_aave(position, self._base_decimals(decode_uint256(unit)))

    def _rules(self, revision: int) -> AaveRules:
        """Those of the pool's version; a later one than is known must still give the figures of the newest rules."""
        known = [rules for rules, first in _FIRST_REVISIONS.items() if first <= revision]
        if not known:
            raise SourceRefused(
                f"{self.id}: the pool {self.pool} says that its revision is {revision}",
                advice="Check the pool's address; revisions of Aave v3 begin at 1.",
            )
        return known[-1]

    def _base_decimals(self, unit: int) -> int:
        if unit not in SCALES:
            raise SourceRefused(
                f"{self.id}: the oracle of the pool {self.pool} counts in units of {unit}",
                advice="Check the pool's address; the unit of its base currency is a power of ten.",
            )
        return SCALES.index(unit)

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
            *(Call(self.pool, encode_call(what, reserve.token)) for what in (CONFIGURATION, SUPPLY_INDEX, DEBT_INDEX)),
            Call(oracle, encode_call(ASSET_PRICE, reserve.token)),
            *(Call(token, balance) for token in (reserve.a_token, *reserve.debt_tokens)),
        )

    def _reserve(
        self, reserve: ListedReserve, answers: Iterator[bytes], pledged: set[int], e_mode: EModeFound
    ) -> AaveReserve:
        """Understand the answers to `_requests`."""
        terms, supply_index, debt_index, price, supplied, *owed = (
            decode_uint256(next(answers)) for _ in range(5 + len(reserve.debt_tokens))
        )
        bonus = terms >> 32 & 0xFFFF
        return AaveReserve(
            token=reserve.token,
            supplied=RawAmount(supplied, decimals_of(terms)),
            owed=RawAmount(sum(owed), decimals_of(terms)),
            owed_at_stable_rate=sum(owed[1:]),
            supply_index=supply_index,
            debt_index=debt_index,
            price=price,
            loan_to_value=Bps(terms & 0xFFFF),
            liquidation_threshold=Bps(terms >> 16 & 0xFFFF),
            liquidation_bonus=Bps(bonus - BPS) if bonus >= BPS else None,
            protocol_fee=Bps(terms >> 152 & 0xFFFF),
            is_collateral=reserve.reserve_id in pledged,
            in_e_mode=e_mode.holds(reserve.reserve_id, terms),
            lends_nothing_in_e_mode=reserve.reserve_id in e_mode.lends_nothing,
        )


def _decode_account(data: bytes) -> AaveAccount:
    collateral, debt, _, threshold, max_ltv, health = decode_result(("uint256",) * 6, data)
    return AaveAccount(collateral, debt, Bps(threshold), Bps(max_ltv), None if health == NO_DEBT else Wad(health))
