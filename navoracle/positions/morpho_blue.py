"""What an account lends, borrows and has pledged in one Morpho Blue market."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pydantic import BaseModel, Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_arguments, encode_call
from navoracle.domain.errors import ConfigurationError, OutOfRange, SourceRefused
from navoracle.domain.morpho import Accrued, MorphoMarket, accrue, owed, supplied
from navoracle.domain.positions import Position
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.lending import ZERO_ADDRESS, LendingPosition, LentToken, check_distinct
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    block_of,
    check_decimals,
    check_names,
    decimals_call,
    decode_decimals,
)

FEE_RECIPIENT: Final = encode_call("feeRecipient()")
MARKET_PARAMS: Final = "idToMarketParams(bytes32)"
MARKET: Final = "market(bytes32)"
POSITION: Final = "position(bytes32,address)"
PARAMS_TYPE: Final = "(address,address,address,address,uint256)"
STATE_TYPE: Final = "(uint128,uint128,uint128,uint128,uint128,uint128)"
BORROW_RATE: Final = f"borrowRateView({PARAMS_TYPE},{STATE_TYPE})"

MarketId = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
"""The keccak-256 of the market's parameters, in lower case."""


class MorphoTerms(BaseModel, frozen=True, extra="forbid"):
    """The parameters of a market, which never change.

    Attributes:
        oracle, irm: None where the market has none (an idle market; a rate of zero).
        lltv: the loan-to-value at which liquidation begins (Wad).
        loan_decimals, collateral_decimals: of the tokens; the second is None without a collateral token.
    """

    oracle: ChecksumAddress | None
    irm: ChecksumAddress | None
    lltv: int = Field(ge=0, lt=2**256)
    loan_decimals: Decimals
    collateral_decimals: Decimals | None


class MorphoBluePosition(LendingPosition, frozen=True):
    """Supply, debt and collateral of an account, with interest up to the block's time, to the wei.

    Morpho stores totals of the last touch and shows no accrued balance, so interest is computed here as the contract
    will compute it: the rate model is asked for the market's rate at this block (three terms of the Taylor series,
    virtual shares, supplies down, debts up). Where the account receives the market's fee, the shares that it is due are
    counted.

    Attributes:
        market: id of the market.
        loan: the token that is lent and borrowed, and the component of what the account lends.
        collateral: the token that is pledged; None in a market that has none.
        terms: of the market; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("terms",)

    kind: Literal["morpho_blue"]
    morpho: ChecksumAddress
    market: MarketId
    loan: LentToken
    collateral: LentToken | None
    terms: MorphoTerms | None = None

    @model_validator(mode="after")
    def _check_tokens(self) -> Self:
        if self.collateral is not None:
            check_distinct((self.loan, self.collateral))
        return self

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The loan asset on both sides, the collateral on one."""
        pledged: tuple[PriceKey, ...] = () if self.collateral is None else ((self.collateral.asset, "asset"),)
        return ((self.loan.asset, "asset"), (self.loan.asset, "debt"), *pledged)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Each part of the account's position in the market."""
        parts = ("supply", "borrow", "collateral")
        return tuple(Claim(self.chain, self.morpho, self.account, f"{part} of {self.market}") for part in parts)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the market's parameters and the tokens' decimals.

        Raises:
            SourceRefused: there is no such market, or it is of other tokens than configured.
        """
        data, *scales = yield (
            Call(self.morpho, encode_call(MARKET_PARAMS, self._market_id)),
            *(decimals_call(of.token) for of in self._tokens),
        )
        params = decode_result(("address", "address", "address", "address", "uint256"), data)
        # An unknown id answers zeros and does not revert; nor would a contract that is not Morpho know the hash.
        if keccak(encode_arguments((PARAMS_TYPE,), (params,))) != self._market_id:
            raise SourceRefused(
                f"{self.id}: {self.morpho} has no market {self.market}",
                advice="Check the id and the chain; the id is the keccak-256 of the market's parameters.",
            )
        loan, pledged, oracle, irm, lltv = params
        check_names(self, f"the loan token of {self.market}", self.loan.token, loan)
        expected = Address(ZERO_ADDRESS) if self.collateral is None else self.collateral.token
        check_names(self, f"the collateral token of {self.market}", expected, pledged)
        decimals = [decode_decimals(self, of.token, scale) for of, scale in zip(self._tokens, scales, strict=True)]
        terms = MorphoTerms(
            oracle=_address_or_none(oracle),
            irm=_address_or_none(irm),
            lltv=lltv,
            loan_decimals=decimals[0],
            collateral_decimals=None if self.collateral is None else decimals[1],
        )
        return self.model_copy(update={"terms": terms})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the stored state in one round and the rate, where interest accrued since, in a second one.

        Raises:
            SourceRefused: there is no such market, or its state is not of this block's past.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the position is not resolved, or is read without a block.
        """
        now = block_of(self, at).timestamp
        terms = self._resolved()
        state, position, recipient, *scales = yield (
            Call(self.morpho, encode_call(MARKET, self._market_id)),
            Call(self.morpho, encode_call(POSITION, self._market_id, self.account)),
            Call(self.morpho, FEE_RECIPIENT),
            *(decimals_call(of.token) for of in self._tokens),
        )
        decimals = [terms.loan_decimals]
        if terms.collateral_decimals is not None:
            decimals.append(terms.collateral_decimals)
        for of, scale, known in zip(self._tokens, scales, decimals, strict=True):
            check_decimals(self, of.token, scale, known)
        stored = self._decode_market(state, now)
        supply_shares, borrow_shares, pledged = decode_result(("uint256", "uint128", "uint128"), position)
        accrued = yield from self._accrue(terms, stored, now)
        if decode_result(("address",), recipient)[0] == self.account.lower():
            supply_shares += accrued.fee_shares
        loan = self.loan
        positions: list[Position] = [
            self.supplied(loan, supplied(supply_shares, accrued.market), terms.loan_decimals),
            self.borrowed(loan, owed(borrow_shares, accrued.market), terms.loan_decimals),
        ]
        if self.collateral is not None and terms.collateral_decimals is not None:
            positions.append(self.supplied(self.collateral, pledged, terms.collateral_decimals, "pledged"))
        return tuple(positions)

    def _accrue(self, terms: MorphoTerms, stored: MorphoMarket, now: Timestamp) -> Read[Accrued]:
        if terms.irm is None or stored.last_update == now or stored.total_borrow_assets == 0:
            return Accrued(stored, 0)
        (rate,) = yield (Call(terms.irm, encode_call(BORROW_RATE, self._params(terms), _state(stored))),)
        try:
            return accrue(stored, Wad(decode_uint256(rate)), now)
        except OutOfRange as error:
            raise SourceRefused(
                f"{self.id}: interest of {self.market} cannot be accrued: {error.message}",
                advice="Look at the market's rate model: Morpho itself would revert here.",
            ) from error

    def _decode_market(self, data: bytes, now: Timestamp) -> MorphoMarket:
        figures = decode_result(("uint128",) * 6, data)
        supply, supply_shares, borrow, borrow_shares, last_update, fee = figures
        if not 0 < last_update <= now:
            raise SourceRefused(
                f"{self.id}: {self.morpho} says that {self.market} was last updated at {last_update}, read at {now}",
                advice="Check the id: an unknown market answers zeros.",
            )
        try:
            return MorphoMarket(supply, supply_shares, borrow, borrow_shares, Timestamp(last_update), Wad(fee))
        except OutOfRange as error:
            raise SourceRefused(f"{self.id}: {error.message}", advice=error.advice) from error

    @property
    def _market_id(self) -> bytes:
        return bytes.fromhex(self.market[2:])

    @property
    def _tokens(self) -> tuple[LentToken, ...]:
        return (self.loan,) if self.collateral is None else (self.loan, self.collateral)

    def _params(self, terms: MorphoTerms) -> tuple[Any, ...]:
        pledged = ZERO_ADDRESS if self.collateral is None else self.collateral.token
        return (self.loan.token, pledged, terms.oracle or ZERO_ADDRESS, terms.irm or ZERO_ADDRESS, terms.lltv)

    def _resolved(self) -> MorphoTerms:
        if self.terms is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the market's parameters are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.terms


def _state(market: MorphoMarket) -> tuple[int, ...]:
    return (
        market.total_supply_assets,
        market.total_supply_shares,
        market.total_borrow_assets,
        market.total_borrow_shares,
        market.last_update,
        market.fee,
    )


def _address_or_none(found: str) -> Address | None:
    return None if found == ZERO_ADDRESS else Address(to_checksum_address(found))
