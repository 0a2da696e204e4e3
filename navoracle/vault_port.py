"""A FundVault as the keeper settles it: what it says now, the call that settles it, and what a settlement did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from navoracle.domain.flows import VaultFlows
from navoracle.domain.frame import BlockStamp
from navoracle.domain.settlement import Payout, Post, SettlementState
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Address
from navoracle.publisher_port import Receipt

Components = tuple[Wad, Wad, Wad, Wad, Wad]
"""Cash, collateral, income and rewards, debt, other liabilities and fees (Wad)."""


@dataclass(frozen=True, slots=True)
class VaultLook:
    """A vault and its registry at one block.

    Attributes:
        served: what the registry serves for the fund. Its components are zero: a registry does not keep them.
        flows: sums over the vault's life.
        may_settle: whether the sender has the vault's KEEPER role; None without a sender.
    """

    at: BlockStamp
    state: SettlementState
    served: Post
    flows: VaultFlows
    may_settle: bool | None


@dataclass(frozen=True, slots=True)
class SettledEpoch:
    """What a settlement did, as the vault's views say it at the end of the settlement's block, or as a plan expects it.

    Attributes:
        valuation_time: of the post that it settled on.
        minted: shares for deposits; `deposited` is the value that they were minted for.
        fee_shares: shares for management and performance fees.
        burned: shares burned by redemptions.
        payouts: units set aside for the redeemers, by token; only those that are not zero.
    """

    epoch: int
    price_per_share: Wad
    valuation_time: Timestamp
    deposited: Wad
    minted: Wad
    fee_shares: Wad
    burned: Wad
    payouts: tuple[tuple[str, int], ...]


class VaultContract(Protocol):
    """One FundVault on one chain."""

    @property
    def address(self) -> Address:
        """The vault."""

    async def look(self, sender: Address | None) -> VaultLook:
        """The vault and what its registry serves, at the newest block.

        Raises:
            ChainError: the chain cannot be read, or the contract does not answer as a FundVault.
            ConfigurationError: the vault settles on another registry or another fund than the configured one.
        """

    def settle_call(self, epoch: int, components: Components) -> bytes:
        """The call that settles an epoch. Raises DomainError: a component does not fit its field."""

    async def refusal(self, data: bytes, sender: Address) -> str | None:
        """Why the vault would refuse the call from this sender in the newest block; None where it would not.

        Raises:
            ChainError: the chain cannot be read.
        """

    async def settled(self, epoch: int, receipt: Receipt, before: VaultFlows) -> SettledEpoch | None:
        """What the settlement of an epoch did; None where the epoch was not settled by the end of the receipt's block.

        Args:
            before: the sums before the settlement.

        Raises:
            ChainError: the chain cannot be read, or another block has taken the place of the receipt's.
        """


def payouts_of(payouts: tuple[Payout, ...]) -> tuple[tuple[str, int], ...]:
    """The planned units by token, as `SettledEpoch` has them."""
    return tuple((each.token.lower(), each.paid) for each in payouts if each.paid)
