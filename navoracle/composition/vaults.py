"""The vaults that a keeper settles: those of the configuration's funds, and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping

from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.versions import require_contract
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.keeper.examined_settlements import VaultAccess
from navoracle.lane_port import Lane, Proposer
from navoracle.publishers.fund_vault import FundVaultContract


async def vaults_of(
    config: Config,
    readers: Mapping[str, Web3ChainReader],
    lanes: Mapping[str, Lane],
    proposers: Mapping[str, Proposer],
) -> dict[str, VaultAccess]:
    """How each fund's vault is reached, by chain: the posters' lanes, and the Safes that settle in their place.

    Raises:
        ConfigurationError: there is no FundVault of the known version, or its chain has no registry.
        ChainError: a chain cannot be read.
    """
    found: dict[str, VaultAccess] = {}
    for name, fund in config.funds.items():
        if fund.vault is None:
            continue
        chain = fund.vault.chain
        registry = config.chains[chain].registry
        if registry is None:
            raise ConfigurationError(
                f"funds.{name}.vault: chains.{chain} has no registry",
                advice="Deploy one with `navoracle deploy`: a vault settles on what a registry serves.",
            )
        await require_contract(readers[chain], fund.vault.contract, "FundVault")
        contract = FundVaultContract(readers[chain], vault=fund.vault.contract, registry=registry, fund_id=fund.id)
        found[name] = VaultAccess(name, chain, contract, lanes.get(chain), proposers.get(chain))
    return found
