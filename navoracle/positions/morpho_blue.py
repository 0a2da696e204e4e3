"""What an account lends, borrows and has pledged in one Morpho Blue market."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.morpho import owed, supplied
from navoracle.domain.positions import Position
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.lending import ZERO_ADDRESS, LendingPosition, LentToken, check_distinct
from navoracle.positions.morpho_market import (
    MARKET,
    MARKET_PARAMS,
    POSITION,
    MarketId,
    MorphoParams,
    accrued_market,
    decode_market,
    decode_params,
    id_bytes,
)
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
        morpho: the Morpho contract.
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
            Call(self.morpho, encode_call(MARKET_PARAMS, id_bytes(self.market))),
            *(decimals_call(of.token) for of in self._tokens),
        )
        params = decode_params(self, self.morpho, self.market, data)
        check_names(self, f"the loan token of {self.market}", self.loan.token, params.loan)
        expected = None if self.collateral is None else self.collateral.token
        found = params.collateral or ZERO_ADDRESS
        check_names(self, f"the collateral token of {self.market}", expected or Address(ZERO_ADDRESS), found)
        decimals = [decode_decimals(self, of.token, scale) for of, scale in zip(self._tokens, scales, strict=True)]
        terms = MorphoTerms(
            oracle=params.oracle,
            irm=params.irm,
            lltv=params.lltv,
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
            Call(self.morpho, encode_call(MARKET, id_bytes(self.market))),
            Call(self.morpho, encode_call(POSITION, id_bytes(self.market), self.account)),
            Call(self.morpho, FEE_RECIPIENT),
            *(decimals_call(of.token) for of in self._tokens),
        )
        decimals = [terms.loan_decimals]
        if terms.collateral_decimals is not None:
            decimals.append(terms.collateral_decimals)
        for of, scale, known in zip(self._tokens, scales, decimals, strict=True):
            check_decimals(self, of.token, scale, known)
        stored = decode_market(self, self.morpho, self.market, state, now)
        supply_shares, borrow_shares, pledged = decode_result(("uint256", "uint128", "uint128"), position)
        accrued = yield from accrued_market(self, self._params(terms), stored, now)
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

    @property
    def _tokens(self) -> tuple[LentToken, ...]:
        return (self.loan,) if self.collateral is None else (self.loan, self.collateral)

    def _params(self, terms: MorphoTerms) -> MorphoParams:
        pledged = None if self.collateral is None else self.collateral.token
        return MorphoParams(
            loan=self.loan.token, collateral=pledged, oracle=terms.oracle, irm=terms.irm, lltv=terms.lltv
        )

    def _resolved(self) -> MorphoTerms:
        if self.terms is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the market's parameters are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return self.terms
