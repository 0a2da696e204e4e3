"""A FundVault from the side of its fund: the units of the fund that lie in it.

Only the vault's own accounts are read, never a balance: a donation is worth nothing. Pools that wait to be claimed and
declared dividends are no longer the fund's, and are read by nobody here. Source: `contracts/src/vault/IFundVault.sol`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import RawAmount
from navoracle.domain.valuation import PriceKey
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import Claim, PositionBase
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    Name,
    check_decimals,
    check_names,
    decimals_call,
    decode_decimals,
)
from navoracle.vault_calls import ASSET, DELIVERIES, DELIVERIES_TYPES, IDLE_OF, SETTLEMENT, SETTLEMENT_TYPES


def _check_component(component: Component) -> Component:
    if component not in (Component.CASH, Component.COLLATERAL):
        raise ValueError(f"{component.value} does not lie in a vault: choose cash or collateral")
    return component


HeldComponent = Annotated[Component, AfterValidator(_check_component)]


class InKind(BaseModel, frozen=True, extra="forbid"):
    """A token that redeemers may be paid in beside the vault's asset, and the configured asset that prices it.

    Attributes:
        token: the token's contract.
        asset: the configured asset that prices it.
    """

    token: ChecksumAddress
    asset: Name
    component: HeldComponent = Component.COLLATERAL


class FundVaultPosition(PositionBase, frozen=True):
    """What lies in the fund's own vault: idle and delivered units, and the deposits that wait for the next settlement.

    Parts of a reading: `<id>/idle` and `<id>/delivered` in the vault's asset, `<id>/queued` with the epoch of the
    oldest unsettled requests, so that NAV_after counts it and NAV_before does not; `<id>/<asset> idle` and
    `<id>/<asset> delivered` for each token of `in_kind`. Requests of the epoch after that, and rejected ones, are part
    of neither.

    Attributes:
        underlying: the token that the vault's `asset()` must be; `asset` prices it.
        in_kind: the vault's payout tokens, and tokens that were on its list and still lie in it.
        decimals: of the underlying token and of those of `in_kind`, in their order; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals",)

    kind: Literal["fund_vault"]
    chain: Name
    vault: ChecksumAddress
    underlying: ChecksumAddress
    component: HeldComponent = Component.CASH
    in_kind: tuple[InKind, ...] = ()
    decimals: tuple[Decimals, ...] | None = None

    @model_validator(mode="after")
    def _check_own(self) -> Self:
        if self.epoch is not None:
            raise ValueError("a vault says itself which epoch its queue belongs to: leave `epoch` out")
        tokens = [self.underlying, *(each.token for each in self.in_kind)]
        if len(set(tokens)) != len(tokens):
            raise ValueError("in_kind names a token twice, or the underlying: it would be counted twice")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The vault's balance of each token."""
        return tuple(Claim(self.chain, token, self.vault) for token in self._tokens())

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The assets of the underlying token and of those in kind."""
        return ((self.asset, "asset"), *((each.asset, "asset") for each in self.in_kind))

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of every token."""
        answers = yield tuple(decimals_call(token) for token in self._tokens())
        found = tuple(decode_decimals(self, token, data) for token, data in zip(self._tokens(), answers, strict=True))
        return self.model_copy(update={"decimals": found})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the vault's accounts in one round.

        Raises:
            SourceRefused: the vault's asset is another one, or units of a token lie in it that is not configured.
            DecimalsChanged: a token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = self._resolved_decimals()
        tokens = self._tokens()
        count = len(tokens)
        settlement, deliveries, asset, *rest = yield (
            Call(self.vault, SETTLEMENT),
            Call(self.vault, DELIVERIES),
            Call(self.vault, ASSET),
            *(decimals_call(token) for token in tokens),
            *(Call(self.vault, encode_call(IDLE_OF, token)) for token in tokens),
        )
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), asset)[0])
        for token, data, known in zip(tokens, rest[:count], decimals, strict=True):
            check_decimals(self, token, data, known)
        delivered = self._delivered(deliveries)
        epoch, _, _, _, queued, *_ = decode_result(SETTLEMENT_TYPES, settlement)
        amount = RawAmount(queued, decimals[0])
        found = [Holding(f"{self.id}/queued", self.component, self.asset, amount, epoch)]
        for place, (token, data) in enumerate(zip(tokens, rest[count:], strict=True)):
            asset_name, component, mark = self._priced(place)
            for part, units in (("idle", decode_uint256(data)), ("delivered", delivered.get(token.lower(), 0))):
                amount = RawAmount(units, decimals[place])
                found.append(Holding(f"{self.id}/{mark}{part}", component, asset_name, amount))
        return tuple(found)

    def _tokens(self) -> tuple[ChecksumAddress, ...]:
        return (self.underlying, *(each.token for each in self.in_kind))

    def _priced(self, place: int) -> tuple[str, Component, str]:
        """Asset, component and mark of the name of a token."""
        if place == 0:
            return self.asset, self.component, ""
        each = self.in_kind[place - 1]
        return each.asset, each.component, f"{each.asset} "

    def _delivered(self, data: bytes) -> dict[str, int]:
        """Delivered units by token. A token off the vault's list has none delivered: the vault makes sure of it."""
        known = {token.lower() for token in self._tokens()}
        delivered: dict[str, int] = {}
        for token, amount, idle in zip(*decode_result(DELIVERIES_TYPES, data), strict=True):
            if token not in known and (amount or idle):
                raise SourceRefused(
                    f"{self.id}: {amount + idle} raw units of {token} lie in {self.vault}, and no asset prices them",
                    advice="Add the token to `in_kind` with the asset that prices it.",
                )
            delivered[token] = amount
        return delivered

    def _resolved_decimals(self) -> tuple[int, ...]:
        known = self.decimals or ()
        if len(known) != len(self.in_kind) + 1:
            raise ConfigurationError(
                f"{self.id} is not resolved: the decimals of its tokens are not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        return known
