"""A world in one process: the embedded chain with a real registry on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_registry
from navoracle.chain.embedded import CHAIN_ID, EmbeddedChain
from navoracle.composition.system import ChainAccess
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.registry_port import GuardBounds

ADMIN, POSTER, RISK, GUARDIAN = range(4)
"""Which of the embedded accounts holds which role."""

SETUP_SECONDS = 3_600
"""How long before the start the chain begins: every deployment transaction takes one second."""


@dataclass(frozen=True, slots=True)
class EmbeddedWorld:
    """An embedded chain, its registry, and the poster's way to it."""

    chain: EmbeddedChain
    registry: Address
    access: ChainAccess


def embedded_chain(start: Timestamp) -> EmbeddedChain:
    """A new chain that begins early enough for everything to be deployed before `start`."""
    return EmbeddedChain(genesis_time=Timestamp(start - SETUP_SECONDS))


async def embedded_registry(
    chain: EmbeddedChain, name: str, openings: Sequence[FundOpening], bounds: GuardBounds | None = None
) -> EmbeddedWorld:
    """Deploy a registry on the chain and register the funds.

    Raises:
        CallReverted: the registry refuses a bound or an opening value.
    """
    accounts = chain.accounts
    roles = RegistryRoles(
        admin=accounts[ADMIN], poster=accounts[POSTER], risk=accounts[RISK], guardian=accounts[GUARDIAN]
    )
    deployed = await deploy_registry(chain.transactor(ADMIN), roles, bounds=bounds, funds=openings)
    return EmbeddedWorld(chain, deployed.address, ChainAccess(chain.reader(name), chain.signers[POSTER]))


__all__ = [
    "CHAIN_ID",
    "SETUP_SECONDS",
    "EmbeddedWorld",
    "FundOpening",
    "embedded_chain",
    "embedded_registry",
]
