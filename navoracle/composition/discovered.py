"""What somebody asks about a contract, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from navoracle.discovery import Found, FoundFeed, Holding, RegisteredFund
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address


class NamedFeed(NamedTuple):
    """A feed that somebody names: of which asset, under which group, and every how many seconds it answers."""

    asset: str
    group: str
    feed: Address
    heartbeat: int | None


@dataclass(frozen=True, slots=True)
class Questions:
    """What somebody already knows.

    Attributes:
        rpcs: URLs of nodes of the chain.
        address: the contract to be found out about.
        chain: the name that the chain is to have; by its id when None.
        multicall: where its Multicall3 is.
        fund_ids: a registry's funds; all of its first ones when there are none.
        registry: the registry that the fund is to be posted to.
        holders, tokens: accounts of the fund, and what they hold.
        feeds: feeds of its assets.
    """

    rpcs: tuple[str, ...]
    address: Address
    chain: str | None = None
    multicall: Address | None = None
    fund_ids: tuple[int, ...] = ()
    registry: Address | None = None
    holders: tuple[Address, ...] = ()
    tokens: tuple[Address, ...] = ()
    feeds: tuple[NamedFeed, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """A chain, the contract, and what goes with it.

    Attributes:
        nodes: how many nodes were named.
        multicall: where it is not the usual one.
        found: the contract.
        funds: a registry's funds with what their vaults are (None where a fund has none that is known).
        registry: where funds are posted; None where there is none.
        holdings: by holder and token, as they were named.
        feeds: the named feeds, each with what it says of itself.
    """

    chain: str
    chain_id: int
    stamp: BlockStamp
    nodes: int
    multicall: Address | None
    found: Found
    funds: tuple[tuple[RegisteredFund, Found | None], ...]
    registry: Found | None
    holdings: tuple[Holding, ...]
    feeds: tuple[tuple[NamedFeed, FoundFeed], ...]
