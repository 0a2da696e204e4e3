"""What settling a vault would do: planned at the newest block by the vault's own arithmetic, and asked of the vault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.settlement import Post, Refusal, SettlementPlan, plan_settlement
from navoracle.domain.units import Wad
from navoracle.keeper.gated_settlements import gate_refusals
from navoracle.lane_port import Lane, Proposer
from navoracle.ports import Address
from navoracle.store_port import Store
from navoracle.vault_port import SettledEpoch, VaultContract, VaultLook, payouts_of

POSTS_SEARCHED: Final = 50
"""Newest posts of a fund among which the served one is looked for."""

_UNKNOWN_POST: Final = Refusal(
    "unknown_post",
    "the served value was not posted from this database, so its components are not known",
    "Post with this keeper, then settle.",
)


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """How the keeper reaches a fund's vault; `lane` is None without a signer.

    Where there is a `proposer`, settlements are proposed to it and not sent.
    """

    fund: str
    chain: str
    contract: VaultContract
    lane: Lane | None
    proposer: Proposer | None = None

    @property
    def sender(self) -> Address | None:
        """Who settles; None where nobody can."""
        sends = self.lane if self.proposer is None else self.proposer
        return None if sends is None else sends.address


@dataclass(frozen=True, slots=True)
class Examined:
    """What would settle now.

    `refusals` are the plan's and the keeper's own, in that order; `data` is the call, None where there is no post of
    ours to settle with; `previewed` is whether the vault itself was asked.
    """

    fund: str
    look: VaultLook
    post: Post
    plan: SettlementPlan
    refusals: tuple[Refusal, ...]
    data: bytes | None
    previewed: bool

    @property
    def expected(self) -> SettledEpoch:
        """What the vault's views must say once it has settled as planned."""
        return SettledEpoch(
            epoch=self.plan.epoch,
            price_per_share=self.post.price_per_share,
            valuation_time=self.post.valuation_time,
            deposited=self.plan.deposits.value,
            minted=self.plan.deposits.shares,
            fee_shares=self.plan.fees.shares,
            burned=self.plan.redemptions.burned,
            payouts=payouts_of(self.plan.redemptions.payouts),
        )


async def examine(access: VaultAccess, store: Store, sender: Address | None) -> Examined:
    """Plan a settlement at the newest block, and ask the vault whether it would take it from the sender.

    Raises:
        ChainError: the chain cannot be read. ConfigurationError: the vault settles on another fund.
    """
    look = await access.contract.look(sender)
    components = _components(store, access.fund, look.served)
    # Without a post of ours the figures are still shown, for which any components that add up will do.
    shown = components or (look.served.nav, Wad(0), Wad(0), Wad(0), Wad(0))
    post = replace(look.served, components=shown)
    plan = plan_settlement(look.state, post, look.at.timestamp)
    refusals = [*plan.refusals, *gate_refusals(store, access.fund, takes_deposits=plan.deposits.assets > 0)]
    if components is None:
        refusals.append(_UNKNOWN_POST)
    if look.may_settle is False:
        refusals.append(
            Refusal(
                "not_keeper",
                f"{sender} does not have the vault's KEEPER role",
                "The vault's admin grants KEEPER_ROLE to the key that posts on this chain.",
            )
        )
    data = None if components is None else access.contract.settle_call(plan.epoch, components)
    previewed = data is not None and sender is not None and not refusals
    if data is not None and sender is not None and previewed:
        said = await access.contract.refusal(data, sender)
        if said is not None:
            advice = "Compare the vault with the plan (`navoracle settle --json`); nothing was sent."
            refusals.append(Refusal("vault_refuses", said, advice))
    return Examined(access.fund, look, post, plan, tuple(refusals), data, previewed)


def _components(store: Store, fund: str, served: Post) -> tuple[Wad, Wad, Wad, Wad, Wad] | None:
    """The components of the fund's own post that the registry serves; None where it is none of ours."""
    for row in store.posts(fund=fund, limit=POSTS_SEARCHED):
        if row.batch.valuation_time != served.valuation_time:
            continue
        for post in row.batch.posts:
            if post.fund == fund and (post.nav, post.price_per_share) == (served.nav, served.price_per_share):
                return post.components
    return None
