"""Deploying a NavRegistry for a configuration's funds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import DeployedRegistry, FundOpening, RegistryRoles, deploy_contract, deploy_registry
from navoracle.chain.signers import KeyFileSigner
from navoracle.chain.transactor import Web3Transactor
from navoracle.composition.system import ChainAccess, chain_access, open_system, transactor_with
from navoracle.config.models import Config
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ConfigurationError, GuardRefused, UsageError
from navoracle.domain.frame import FundFrame
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.advice import advice_for
from navoracle.keeper.frame import run_frame
from navoracle.ports import NO_ADDRESS, Address, Clock
from navoracle.registry_port import GuardBounds

MAX_POST_AGE = 900
"""The oldest valuation (seconds) that the registry takes; fixed at deployment."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The NAV and the price per share (Wad) that a fund's first post is judged against."""

    nav: Wad
    price_per_share: Wad


@dataclass(frozen=True, slots=True)
class Grants:
    """Who gets which role; `admin` None leaves it with the deploying key."""

    admin: Address | None
    poster: Address | None
    risk: Address | None
    guardian: Address | None
    manager: Address | None
    engine: Address | None


@dataclass(frozen=True, slots=True)
class RegistryPlan:
    """A registry to be deployed. `funds` are by name; `block_number` is where openings were read."""

    chain: str
    chain_id: int
    grants: Grants
    bounds: GuardBounds
    funds: Mapping[str, FundOpening]
    block_number: int


def deployment_chain(config: Config, named: str | None) -> str:
    """The chain to deploy on: the named one, or the only one that funds are posted to.

    Raises:
        UsageError: there is no such chain, no fund on it, or more than one to choose from.
    """
    chains = sorted({fund.chain for fund in config.funds.values() if fund.chain is not None})
    if named is None and len(chains) == 1:
        return chains[0]
    if named is None:
        what = f"funds are posted on {', '.join(chains)}" if chains else "no fund names a chain to be posted on"
        raise UsageError(what, advice="Name one with --chain." if chains else "Add `chain:` to the funds.")
    if named not in chains:
        raise UsageError(
            f"no fund is posted on {named}", advice=f"Name one of: {', '.join(chains) or 'none is configured'}."
        )
    return named


async def plan_registry(
    config: Config,
    chain: str,
    *,
    grants: Grants,
    bounds: GuardBounds,
    openings: Mapping[str, Opening],
    vaults: Mapping[str, Address],
    base: Address | None = None,
    clock: Clock,
    chains: Mapping[str, ChainAccess] | None = None,
    documents: Path | None = None,
) -> RegistryPlan:
    """Find out what to deploy: every fund of the chain, with the opening that is given or with its value now.

    Args:
        vaults: the address that the registry knows a fund by, where it is not its share token.
        base: the unit of account as an address: a token, or a currency as ERC-7726 writes it; None for neither.
        documents: the folder of attestations.

    Raises:
        UsageError: an opening or vault of an unknown fund; a fund without share token or vault.
        GuardRefused: a fund without a given opening cannot be valued.
    """
    names = [name for name, fund in config.funds.items() if fund.chain == chain]
    for name in (*openings, *vaults):
        if name not in names:
            raise UsageError(f"{name} is no fund on {chain}", advice=f"Its funds are {', '.join(names)}.")
    section = config.chains[chain].model_copy(update={"registry": None, "signer": None})
    without = config.model_copy(update={"chains": {**config.chains, chain: section}})
    system = await open_system(without, clock=clock, store=None, chains=chains, documents=documents)
    try:
        stamp = await system.chains[chain].reader.stamp()
        found = dict(openings)
        times = dict.fromkeys(openings, stamp.timestamp)
        missing = [name for name in names if name not in openings]
        if missing:
            plan = await system.planner.slot(missing, clock.now(), Cadence.HOURLY, publish=False, now=clock.now())
            frame = await run_frame(plan, system.ports)
            found |= {part.fund: _opening_of(part) for part in frame.funds}
            times |= dict.fromkeys(missing, Timestamp(min(frame.now, stamp.timestamp)))
    finally:
        await system.close()
    return RegistryPlan(
        chain=chain,
        chain_id=section.chain_id,
        grants=grants,
        bounds=bounds,
        funds={
            name: FundOpening(
                fund_id=config.funds[name].id,
                vault=vaults.get(name) or _share_token(config, name),
                nav=found[name].nav,
                price_per_share=found[name].price_per_share,
                valuation_time=times[name],
                base=base or NO_ADDRESS,
            )
            for name in names
        },
        block_number=stamp.number,
    )


def _opening_of(part: FundFrame) -> Opening:
    if part.valuation is None or not part.postable:
        raise GuardRefused(
            f"{part.fund} has no value to open with: {part.status.value} ({part.reason})",
            advice=f"{advice_for(part)} Or state it: --opening {part.fund}=NAV:PRICE_PER_SHARE.",
        )
    return Opening(part.valuation.after.nav, part.valuation.price_per_share)


def _share_token(config: Config, name: str) -> Address:
    supply = config.funds[name].supply
    if supply.kind != "erc20":
        raise UsageError(
            f"{name} has no share token that the registry could know it by", advice=f"Say --vault {name}=ADDRESS."
        )
    return supply.token


async def deploy_planned(
    config: Config, plan: RegistryPlan, key_file: Path, *, chains: Mapping[str, ChainAccess] | None = None
) -> tuple[Address, DeployedRegistry]:
    """Deploy what was planned with the key in `key_file`; returns the deployer and the registry.

    Raises:
        ConfigurationError: the key file, or roles that one address cannot hold together.
        CallReverted, ChainError: the chain refuses or fails. What was mined before stays.
    """
    access, transactor = deployer_of(config, plan.chain, key_file, chains)
    grants = plan.grants
    roles = RegistryRoles(
        grants.admin or transactor.address,
        grants.poster,
        grants.risk,
        grants.guardian,
        grants.manager,
        grants.engine,
    )
    try:
        await access.reader.stamp()
        deployed = await deploy_registry(
            transactor, roles, bounds=plan.bounds, funds=tuple(plan.funds.values()), max_post_age=MAX_POST_AGE
        )
    finally:
        await access.reader.close()
    return transactor.address, deployed


async def deploy_multicall(
    config: Config, chain: str, key_file: Path, *, chains: Mapping[str, ChainAccess] | None = None
) -> Address:
    """Deploy a Multicall3 on a chain that has none; returns its address. Raises as `deploy_planned`."""
    access, transactor = deployer_of(config, chain, key_file, chains)
    try:
        return await deploy_contract(transactor, artifact("Multicall3").creation_code())
    finally:
        await access.reader.close()


def deployer_of(
    config: Config, chain: str, key_file: Path, chains: Mapping[str, ChainAccess] | None
) -> tuple[ChainAccess, Web3Transactor]:
    """The chain and the sender of deployments, who signs with a key file. Raises ConfigurationError."""
    section = config.chains.get(chain)
    if section is None:
        raise ConfigurationError(f"chain {chain} is not configured", advice=f"Add `chains: {chain}:`.")
    access = (chains or {}).get(chain) or chain_access(chain, section, live=False)
    return access, transactor_with(KeyFileSigner(key_file), section, access.reader.endpoint)
