"""The world as far as it can be reached: what a check looks at before anything is known to be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from navoracle.chain.versions import require_contract
from navoracle.composition.off_chain import OffChainServices, load_recorded, off_chain_services
from navoracle.composition.publishers import chains_of_publishers
from navoracle.composition.system import ChainAccess, chain_access
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError, NavoracleError, SignerFailed
from navoracle.ports import Address, Clock
from navoracle.recorded.reader import RecordedReader


@dataclass(frozen=True, slots=True)
class Reach:
    """Every chain and service that a configuration names; `unsigned` are chains whose key cannot be used, and why."""

    chains: Mapping[str, ChainAccess]
    off_chain: OffChainServices
    unsigned: tuple[tuple[str, NavoracleError], ...]

    async def close(self) -> None:
        """Give up connections."""
        for access in self.chains.values():
            await access.reader.close()
        await self.off_chain.close()


def reach(
    config: Config, *, clock: Clock, chains: Mapping[str, ChainAccess] | None = None, documents: Path | None = None
) -> Reach:
    """Reach what the configuration names; nothing is asked yet.

    Args:
        chains: how chains are reached, instead of by the configuration.
        documents: the folder of attestations.

    Raises:
        ConfigurationError: an exchange cannot be reached at all.
        UsageError: a recorded series cannot be read.
    """
    series = load_recorded(config)
    off_chain = off_chain_services(config, RecordedReader(series, documents))
    access = dict(chains or {})
    unsigned: list[tuple[str, NavoracleError]] = []
    posted = chains_of_publishers(config)
    for name, section in config.chains.items():
        if name in access:
            continue
        try:
            signs = section.signer is not None and (section.registry is not None or name in posted)
            access[name] = chain_access(name, section, live=signs, clock=clock)
        except (ConfigurationError, SignerFailed) as failure:
            unsigned.append((name, failure))
            access[name] = chain_access(name, section, live=False, clock=clock)
    return Reach(access, off_chain, tuple(unsigned))


async def require_registry(access: ChainAccess, registry: Address) -> None:
    """Refuse an address that is not the NavRegistry of this version. Raises ChainError."""
    await require_contract(access.reader, registry, "NavRegistry")
