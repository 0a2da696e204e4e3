"""What was found at an address; amounts in raw units of the token, addresses checksummed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from navoracle.domain.positions import Component
from navoracle.ports import Address


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token. `symbol` is what the contract says and may be any text; None where it says nothing readable.

    `address` is None for the chain's own coin, whose symbol no contract says.
    """

    address: Address | None
    symbol: str | None
    decimals: int


@dataclass(frozen=True, slots=True)
class Role:
    """Who may do what: the role as the contract calls it, and who has it."""

    name: str
    account: Address


@dataclass(frozen=True, slots=True)
class Holding:
    """A token's balance of an account.

    Attributes:
        amount: raw units of `token`.
        component: the part of the NAV that it belongs to.
        priced: the token whose price values it, where it is another one (a vault share's underlying, a loan's).
        through_vault: whether `token` is an ERC-4626 vault and is counted as what its shares convert to.
    """

    token: FoundToken
    holder: Address
    amount: int
    component: Component
    priced: FoundToken | None = None
    through_vault: bool = False


@dataclass(frozen=True, slots=True)
class RegisteredFund:
    """A fund of a registry: its number, its vault and the asset that it counts in (None where it has none)."""

    number: int
    vault: Address | None
    base: Address | None


@dataclass(frozen=True, slots=True)
class Found:
    """A contract, and what it says of itself.

    Attributes:
        kind: the name of the probe that knew it.
        shares: the share token; None where the contract does not name it.
        base: what it counts in; None for a registry, and where the contract does not say.
        roles: who may do what, as far as it can be asked.
        holdings: where what belongs to it is known to lie.
        total: what it says that it has altogether, in raw units of `base`; None where it does not say.
        settings: what a section of `publishers` says beside kind, chain and contract; None for what is no publisher.
        priced: the other tokens that a post is priced in.
        registry, fund_id: where a FundVault's NAV is posted.
        payouts: what a FundVault pays redeemers in, besides `base`.
        funds: of a registry.
        notes: what somebody should know, one sentence each.
    """

    kind: str
    contract: Address
    shares: FoundToken | None = None
    base: FoundToken | None = None
    roles: tuple[Role, ...] = ()
    holdings: tuple[Holding, ...] = ()
    total: int | None = None
    settings: Mapping[str, Any] | None = None
    priced: tuple[FoundToken, ...] = ()
    registry: Address | None = None
    fund_id: int | None = None
    payouts: tuple[FoundToken, ...] = ()
    funds: tuple[RegisteredFund, ...] = ()
    notes: tuple[str, ...] = field(default=())
