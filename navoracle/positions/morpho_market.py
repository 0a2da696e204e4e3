"""A Morpho Blue market as its readers find it: parameters, totals, and interest up to the block's time."""

from __future__ import annotations

from typing import Annotated, Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pydantic import BaseModel, Field

from navoracle.abi import decode_result, decode_uint256, encode_arguments, encode_call
from navoracle.domain.errors import OutOfRange, SourceRefused
from navoracle.domain.morpho import Accrued, MorphoMarket, accrue
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Address, Call, Read
from navoracle.positions.lending import ZERO_ADDRESS
from navoracle.readers import ChecksumAddress, ReaderModel

MARKET_PARAMS: Final = "idToMarketParams(bytes32)"
MARKET: Final = "market(bytes32)"
POSITION: Final = "position(bytes32,address)"
POSITION_TYPES: Final = ("uint256", "uint128", "uint128")
PARAMS_TYPE: Final = "(address,address,address,address,uint256)"
STATE_TYPE: Final = "(uint128,uint128,uint128,uint128,uint128,uint128)"
BORROW_RATE: Final = f"borrowRateView({PARAMS_TYPE},{STATE_TYPE})"

MarketId = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
"""The keccak-256 of the market's parameters, in lower case."""


class MorphoParams(BaseModel, frozen=True, extra="forbid"):
    """The parameters of a market, which never change.

    Attributes:
        loan, collateral: the tokens; a market may have no collateral.
        oracle, irm: None where the market has none (an idle market; a rate of zero).
        lltv: the loan-to-value at which liquidation begins (Wad).
    """

    loan: ChecksumAddress
    collateral: ChecksumAddress | None
    oracle: ChecksumAddress | None
    irm: ChecksumAddress | None
    lltv: int = Field(ge=0, lt=2**256)

    @property
    def words(self) -> tuple[Any, ...]:
        """As the contract takes them."""
        optional = (address or ZERO_ADDRESS for address in (self.collateral, self.oracle, self.irm))
        return (self.loan, *optional, self.lltv)


def id_bytes(market: str) -> bytes:
    """The id of a market as the contract takes it."""
    return bytes.fromhex(market[2:])


def decode_params(reader: ReaderModel, morpho: Address, market: str, data: bytes) -> MorphoParams:
    """Decode an answer of `idToMarketParams`.

    Raises:
        SourceRefused: there is no such market.
        EmptyResult, MalformedResult: the answer is none of Morpho's.
    """
    params = decode_result(("address", "address", "address", "address", "uint256"), data)
    # An unknown id answers zeros and does not revert; nor would a contract that is not Morpho know the hash.
    if keccak(encode_arguments((PARAMS_TYPE,), (params,))) != id_bytes(market):
        raise SourceRefused(
            f"{reader.id}: {morpho} has no market {market}",
            advice="Check the id and the chain; the id is the keccak-256 of the market's parameters.",
        )
    loan, *optional, lltv = params
    collateral, oracle, irm = (
        None if found == ZERO_ADDRESS else Address(to_checksum_address(found)) for found in optional
    )
    return MorphoParams(
        loan=Address(to_checksum_address(loan)), collateral=collateral, oracle=oracle, irm=irm, lltv=lltv
    )


def decode_market(reader: ReaderModel, morpho: Address, market: str, data: bytes, now: Timestamp) -> MorphoMarket:
    """Decode an answer of `market`: the totals at its last update.

    Raises:
        SourceRefused: there is no such market, or its state is not of this block's past.
        EmptyResult, MalformedResult: the answer is none of Morpho's.
    """
    supply, supply_shares, borrow, borrow_shares, last_update, fee = decode_result(("uint128",) * 6, data)
    if not 0 < last_update <= now:
        raise SourceRefused(
            f"{reader.id}: {morpho} says that {market} was last updated at {last_update}, read at {now}",
            advice="Check the id: an unknown market answers zeros.",
        )
    try:
        return MorphoMarket(supply, supply_shares, borrow, borrow_shares, Timestamp(last_update), Wad(fee))
    except OutOfRange as error:
        raise SourceRefused(f"{reader.id}: {error.message}", advice=error.advice) from error


def accrued_market(reader: ReaderModel, params: MorphoParams, stored: MorphoMarket, now: Timestamp) -> Read[Accrued]:
    """Add the interest up to the block's time; asks the rate model in a round of its own where there is interest.

    Raises:
        SourceRefused: the contract itself would revert.
    """
    if params.irm is None or stored.last_update == now or stored.total_borrow_assets == 0:
        return Accrued(stored, 0)
    (rate,) = yield (Call(params.irm, encode_call(BORROW_RATE, params.words, _state(stored))),)
    try:
        return accrue(stored, Wad(decode_uint256(rate)), now)
    except OutOfRange as error:
        raise SourceRefused(
            f"{reader.id}: interest of the market cannot be accrued: {error.message}",
            advice="Look at the market's rate model: Morpho itself would revert here.",
        ) from error


def _state(market: MorphoMarket) -> tuple[int, ...]:
    return (
        market.total_supply_assets,
        market.total_supply_shares,
        market.total_borrow_assets,
        market.total_borrow_shares,
        market.last_update,
        market.fee,
    )
