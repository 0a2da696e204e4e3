"""Settling a FundVault on the posts of a NavRegistry. Implements `vault_port.VaultContract`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError, ReadError
from navoracle.domain.flows import VaultFlows
from navoracle.domain.frame import BlockStamp
from navoracle.domain.settlement import Delivery, Post, SettlementState, VaultFeeTerms, VaultLimits
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Address, Answer, Call, ChainReader
from navoracle.publisher_port import Receipt
from navoracle.publishers.nav_registry_codec import FundWord, Status, decode_word
from navoracle.vault_calls import (
    ASSET,
    ASSET_SCALE,
    BREAKDOWN,
    BREAKDOWN_TYPES,
    CANCELLED_SINCE,
    DELIVERIES,
    DELIVERIES_TYPES,
    EPOCH_LENGTH,
    EPOCH_OF,
    EPOCH_OF_TYPES,
    FEE_STATE,
    FEE_TERMS,
    FEE_TERMS_TYPES,
    FLOW_TOTALS,
    FLOW_TOTALS_TYPES,
    FUND_ID,
    GET_QUOTE,
    HAS_ROLE,
    KEEPER_ROLE,
    LIMITS,
    LIMITS_TYPES,
    PAYOUTS_OF,
    PAYOUTS_OF_TYPES,
    QUOTER,
    REGISTRY,
    SETTLE,
    SETTLEMENT,
    SETTLEMENT_TYPES,
    decode_flows,
)
from navoracle.vault_port import Components, SettledEpoch, VaultLook

_SETTINGS = encode_call("settings()")
_BOUNDS_TYPES = ("uint16", "uint16", "uint16", "uint32", "uint32")
_NOT_KEPT = (Wad(0), Wad(0), Wad(0), Wad(0), Wad(0))


class FundVaultContract:
    """One FundVault.

    Args:
        reader: the chain.
        vault: the contract's address. That its code is the known one is checked where this is built.
        registry: the registry that the fund is posted to.
        fund_id: the fund's number there.
    """

    def __init__(self, reader: ChainReader, *, vault: Address, registry: Address, fund_id: int) -> None:
        self._reader = reader
        self._vault = vault
        self._registry = registry
        self._fund_id = fund_id

    @property
    def address(self) -> Address:
        """The vault."""
        return self._vault

    async def look(self, sender: Address | None) -> VaultLook:
        """See `vault_port.VaultContract`. Two rounds of reads at one block."""
        at = await self._reader.newest()
        views = (SETTLEMENT, DELIVERIES, FEE_STATE, FEE_TERMS, LIMITS, EPOCH_LENGTH, ASSET_SCALE, FLOW_TOTALS)
        named = (REGISTRY, FUND_ID, ASSET, QUOTER, KEEPER_ROLE)
        answers = await self._read(
            [
                *(Call(self._vault, view) for view in (*views, *named)),
                Call(self._registry, encode_call("readRaw(uint256)", self._fund_id)),
                Call(self._registry, _SETTINGS),
            ],
            at,
        )
        settlement, deliveries, fees, terms, limits, length, scale, flows = answers[: len(views)]
        registry, fund_id, asset, quoter, role, word, settings = answers[len(views) :]
        self._check_fund(self._one("address", registry), self._one("uint256", fund_id))
        served = decode_word(self._one("uint256", word))
        state = self._decode(SETTLEMENT_TYPES, settlement)
        tokens, delivered, _ = self._decode(DELIVERIES_TYPES, deliveries)
        unit = self._one("uint256", scale)
        asks = [
            Call(self._vault, encode_call(CANCELLED_SINCE, state[0], served.valuation_time)),
            Call(self._registry, encode_call("getProfile(uint256)", served.profile)),
        ]
        if sender is not None:
            asks.append(Call(self._vault, encode_call(HAS_ROLE, role.data, sender)))
        where, token = self._one("address", quoter), self._one("address", asset)
        in_kind = [(each, units) for each, units in zip(tokens[1:], delivered[1:], strict=True) if units]
        quotes = [Call(Address(where), encode_call(GET_QUOTE, units, each, token)) for each, units in in_kind]
        found = await self._reader.read([*asks, *quotes], at)
        cancelled, bounds, *granted = (self._good(answer) for answer in found[: len(asks)])
        worth = {tokens[0]: delivered[0] * unit} | {
            each: _quoted(answer, unit) for (each, _), answer in zip(in_kind, found[len(asks) :], strict=True)
        }
        mark, clock = self._decode(("uint256", "uint256"), fees)
        now = self._decode(FEE_TERMS_TYPES, terms)
        said = self._decode(LIMITS_TYPES, limits)
        return VaultLook(
            at=at,
            state=SettlementState(
                epoch=state[0],
                closes_at=Timestamp(state[1]),
                settleable_at=Timestamp(state[2]),
                newer_than=Timestamp(state[3]),
                epoch_length=self._one("uint256", length),
                deposit_assets=state[4],
                cancelled_assets=self._one("uint256", cancelled),
                redeem_shares=Wad(state[5]),
                supply=Wad(state[8]),
                asset_scale=unit,
                high_water_mark=Wad(mark),
                fee_clock=Timestamp(clock),
                deliveries=tuple(
                    Delivery(each, units, worth.get(each, Wad(0)))
                    for each, units in zip(tokens, delivered, strict=True)
                ),
                terms=VaultFeeTerms(Wad(now[0]), Wad(now[1]), Wad(now[2]), now[3]),
                limits=VaultLimits(Wad(said[2]), said[4], said[5]),
                frozen=state[9],
                closed=state[10],
                paused=state[11],
            ),
            served=_served(
                served,
                max_age=self._decode(_BOUNDS_TYPES, bounds)[4],
                paused=self._decode(("address", "bool", "uint256"), settings)[1],
            ),
            flows=self._flows(flows, unit),
            may_settle=self._one("bool", granted[0]) if granted else None,
        )

    def settle_call(self, epoch: int, components: Components) -> bytes:
        """See `vault_port.VaultContract`."""
        return encode_call(SETTLE, epoch, list(components))

    async def refusal(self, data: bytes, sender: Address) -> str | None:
        """See `vault_port.VaultContract`."""
        try:
            await self._reader.call(self._vault, data, sender)
        except CallReverted as error:
            return error.message
        return None

    async def settled(self, epoch: int, receipt: Receipt, before: VaultFlows) -> SettledEpoch | None:
        """See `vault_port.VaultContract`."""
        at = await self._reader.stamp(receipt.block_number)
        if at.hash != receipt.block_hash:
            raise ChainError(
                f"block {receipt.block_number} of {at.chain} is no longer the one that holds {receipt.hash}",
                advice="The chain was reorganized; the settlement is looked up again.",
            )
        views = (encode_call(EPOCH_OF, epoch), encode_call(PAYOUTS_OF, epoch), BREAKDOWN, FLOW_TOTALS, ASSET_SCALE)
        answers = await self._read([Call(self._vault, view) for view in views], at)
        _, _, minted, price, _, _ = self._decode(EPOCH_OF_TYPES, answers[0])
        settled = self._decode(BREAKDOWN_TYPES, answers[2])
        if price == 0:
            return None
        tokens, amounts = self._decode(PAYOUTS_OF_TYPES, answers[1])
        period = self._flows(answers[3], self._one("uint256", answers[4])).since(before)
        return SettledEpoch(
            epoch=settled[5],
            price_per_share=Wad(price),
            valuation_time=Timestamp(settled[2]),
            deposited=period.deposited,
            minted=Wad(minted),
            fee_shares=period.fee_shares,
            burned=period.burned,
            payouts=tuple((token, amount) for token, amount in zip(tokens, amounts, strict=True) if amount),
        )

    def _check_fund(self, registry: str, fund_id: int) -> None:
        if registry != self._registry.lower() or fund_id != self._fund_id:
            raise ConfigurationError(
                f"the vault {self._vault} settles on fund {fund_id} of the registry {registry}, and fund "
                f"{self._fund_id} of {self._registry} is posted",
                advice="Correct the fund's vault, its id, or its chain's registry.",
            )

    async def _read(self, calls: Sequence[Call], at: BlockStamp) -> list[Answer]:
        return [self._good(answer) for answer in await self._reader.read(calls, at)]

    def _good(self, answer: Answer) -> Answer:
        if answer.failure is not None:
            raise self._unknown(answer.failure)
        return answer

    def _decode(self, types: tuple[str, ...], answer: Answer) -> tuple[Any, ...]:
        try:
            return decode_result(types, answer.data)
        except ReadError as error:
            raise self._unknown(error.message) from error

    def _one(self, kind: str, answer: Answer) -> Any:
        return self._decode((kind,), answer)[0]

    def _flows(self, answer: Answer, asset_scale: int) -> VaultFlows:
        return decode_flows(self._decode(FLOW_TOTALS_TYPES, answer), asset_scale)

    def _unknown(self, what: str) -> ChainError:
        return ChainError(
            f"{self._vault} does not answer as a FundVault: {what}",
            advice="Check the vault's address, and that this navoracle knows the version of the contract.",
        )


def _served(word: FundWord, *, max_age: int, paused: bool) -> Post:
    return Post(
        nav=word.nav,
        price_per_share=word.price_per_share,
        valuation_time=word.valuation_time,
        confidence=word.confidence,
        max_age=max_age,
        components=_NOT_KEPT,
        live=Status.LIVE in word.status,
        held=Status.HELD in word.status,
        estimated=Status.ESTIMATED in word.status,
        registry_paused=paused,
    )


def _quoted(answer: Answer, asset_scale: int) -> Wad | None:
    """What a quoter's answer is worth; None where it gave none, which is no zero."""
    if answer.failure is not None:
        return None
    try:
        return Wad(decode_uint256(answer.data) * asset_scale)
    except ReadError:
        return None
