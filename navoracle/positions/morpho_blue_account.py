"""The health of an account in a Morpho Blue market: for risk, never for the NAV.

The market's own oracle decides about liquidation, and nobody else's: its price may be stale, or zero.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import ConfigurationError, OutOfRange, SourceRefused
from navoracle.domain.morpho import MorphoPosition
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.units import Wad
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.morpho_market import (
    MARKET,
    MARKET_PARAMS,
    POSITION,
    POSITION_TYPES,
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
    Name,
    ReaderModel,
    block_of,
    check_decimals,
    decimals_call,
    decode_decimals,
)

ORACLE_PRICE: Final = encode_call("price()")


class MorphoBlueAccount(ReaderModel, frozen=True):
    """What an account has borrowed and pledged in one market, with interest up to the block's time.

    It is healthy exactly where the contract would refuse to liquidate it in this block (`_isHealthy`). Where the oracle
    reverts, nobody can liquidate the account, and nobody can say how healthy it is: the reading fails.

    Attributes:
        market: id of the market.
        params, loan_decimals: of the market; filled by `resolve`.
        morpho: the Morpho contract.
        account: whose account it is.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("params", "loan_decimals")

    kind: Literal["morpho_blue_account"]
    chain: Name
    morpho: ChecksumAddress
    market: MarketId
    account: ChecksumAddress
    params: MorphoParams | None = None
    loan_decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the market's parameters, then the loan token's decimals.

        Raises:
            SourceRefused: there is no such market, or it has no oracle and so lends nothing.
        """
        (data,) = yield (Call(self.morpho, encode_call(MARKET_PARAMS, id_bytes(self.market))),)
        params = decode_params(self, self.morpho, self.market, data)
        if params.oracle is None:
            raise SourceRefused(
                f"{self.id}: the market {self.market} has no oracle: nothing can be borrowed in it",
                advice="Leave this reader out: an idle market has no risk of liquidation.",
            )
        (scale,) = yield (decimals_call(params.loan),)
        found = {"params": params, "loan_decimals": decode_decimals(self, params.loan, scale)}
        return self.model_copy(update=found)

    def read(self, at: ReadPoint) -> Read[LendingAccount]:
        """Read state, position and price in one round and the rate, where interest accrued since, in a second one.

        Raises:
            SourceRefused: the market's state is not of this block's past, or its figures are none of Morpho's.
            CallReverted: the oracle says no price.
            DecimalsChanged: the loan token changed its scale.
            ConfigurationError: the reader is not resolved, or is read without a block.
        """
        now = block_of(self, at).timestamp
        if self.params is None or self.params.oracle is None or self.loan_decimals is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the market's parameters are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        state, position, price, scale = yield (
            Call(self.morpho, encode_call(MARKET, id_bytes(self.market))),
            Call(self.morpho, encode_call(POSITION, id_bytes(self.market), self.account)),
            Call(self.params.oracle, ORACLE_PRICE),
            decimals_call(self.params.loan),
        )
        check_decimals(self, self.params.loan, scale, self.loan_decimals)
        stored = decode_market(self, self.morpho, self.market, state, now)
        _, borrow_shares, collateral = decode_result(POSITION_TYPES, position)
        accrued = yield from accrued_market(self, self.params, stored, now)
        try:
            found = MorphoPosition(
                accrued.market, borrow_shares, collateral, decode_uint256(price), Wad(self.params.lltv)
            )
        except OutOfRange as error:
            raise SourceRefused(f"{self.id}: {error.message}", advice=error.advice) from error
        return LendingAccount.of_morpho(found, self.loan_decimals)
