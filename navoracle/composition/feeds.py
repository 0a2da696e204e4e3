"""Deploying the feeds through which other protocols read the funds of a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from navoracle.chain.feeds import (
    FeedKind,
    FeedPlace,
    create_feeds,
    deploy_factory,
    locate_feed,
    require_factory,
)
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.deployment import deployer_of
from navoracle.composition.reach import require_registry
from navoracle.composition.system import ChainAccess, chain_access
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.ports import Address


@dataclass(frozen=True, slots=True)
class PlannedFeed:
    """A fund's feed; `place` is None while there is no factory that could say where it will be."""

    fund: str
    kind: FeedKind
    place: FeedPlace | None


@dataclass(frozen=True, slots=True)
class FeedsPlan:
    """The feeds of a chain's funds; `factory` None is one that is still to be deployed."""

    chain: str
    chain_id: int
    registry: Address
    factory: Address | None
    feeds: tuple[PlannedFeed, ...]


@dataclass(frozen=True, slots=True)
class DeployedFeeds:
    """What was deployed: every feed of the plan has its place, and its transactions are named."""

    deployer: Address
    plan: FeedsPlan
    transactions: tuple[str, ...]


async def plan_feeds(
    config: Config,
    chain: str,
    names: Sequence[str],
    *,
    flavours: Sequence[bool],
    decimals: int,
    factory: Address | None,
    chains: Mapping[str, ChainAccess] | None = None,
) -> FeedsPlan:
    """Find out which feeds there are and which are missing; nothing is sent.

    Args:
        names: funds of that chain; all of them when empty.
        flavours: whether strict, of each feed that a fund gets.
        decimals: of `latestRoundData`: 18 or 8.
        factory: the registry's factory, where there is one.

    Raises:
        UsageError: a fund that is not on this chain.
        ConfigurationError: the chain has no registry, or the factory is another registry's.
        ChainError, CallReverted: the chain cannot be read, or the factory refuses a fund.
    """
    known = [name for name, fund in config.funds.items() if fund.chain == chain]
    for name in names:
        if name not in known:
            raise UsageError(f"{name} is no fund on {chain}", advice=f"Its funds are {', '.join(known)}.")
    section = config.chains[chain]
    if section.registry is None:
        raise ConfigurationError(
            f"chains.{chain} has no registry that feeds could read",
            advice=f"Deploy one with `navoracle deploy`, and add `chains: {chain}: registry:`.",
        )
    wanted = [
        (name, FeedKind(config.funds[name].id, decimals, strict)) for name in names or known for strict in flavours
    ]
    access = (chains or {}).get(chain) or chain_access(chain, section, live=False)
    try:
        await require_registry(access, section.registry)
        if factory is not None:
            await require_factory(access.reader, factory, section.registry)
        feeds = [PlannedFeed(name, kind, await _place(access.reader, factory, kind)) for name, kind in wanted]
    finally:
        await access.reader.close()
    return FeedsPlan(chain, section.chain_id, section.registry, factory, tuple(feeds))


async def deploy_feeds(
    config: Config, plan: FeedsPlan, key_file: Path, *, chains: Mapping[str, ChainAccess] | None = None
) -> DeployedFeeds:
    """Deploy the factory, where there is none, and the feeds that are missing, with the key in `key_file`.

    Raises:
        ConfigurationError: the key file.
        CallReverted, ChainError: the chain refuses or fails. What was mined before stays.
    """
    access, transactor = deployer_of(config, plan.chain, key_file, chains)
    try:
        factory = plan.factory or await deploy_factory(transactor, plan.registry)
        missing = [feed.kind for feed in plan.feeds if feed.place is None or not feed.place.created]
        transactions = await create_feeds(transactor, factory, missing)
        feeds = [
            PlannedFeed(feed.fund, feed.kind, await _place(access.reader, factory, feed.kind)) for feed in plan.feeds
        ]
    finally:
        await access.reader.close()
    done = FeedsPlan(plan.chain, plan.chain_id, plan.registry, factory, tuple(feeds))
    return DeployedFeeds(transactor.address, done, transactions)


async def _place(reader: Web3ChainReader, factory: Address | None, kind: FeedKind) -> FeedPlace | None:
    return None if factory is None else await locate_feed(reader, factory, kind)
