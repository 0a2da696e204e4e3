"""The running system: chains, store, outboxes, planner and slot runner, wired together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.rpc import Endpoint
from navoracle.chain.signers import KeyFileSigner
from navoracle.chain.transactor import GWEI, FeePolicy, Web3Transactor
from navoracle.chain.versions import require_contract
from navoracle.composition.endpoints import node_pool
from navoracle.composition.off_chain import OffChainServices, off_chain_services
from navoracle.composition.plans import resolve, subject_of
from navoracle.config.chains import ChainSection
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.planner import Planner, Subject
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.slots import SlotRunner
from navoracle.ports import Clock, Transactor
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_codec import RecordSize
from navoracle.recorded.reader import RecordedReader
from navoracle.recorded.series import Series, load_series
from navoracle.store_port import Store

MAX_TIP_GWEI = 20
"""The most that is offered to a block's proposer, whatever the cap."""


@dataclass(frozen=True, slots=True)
class ChainAccess:
    """How one chain is reached: its reader, and the signer's transactor where anything may be sent."""

    reader: Web3ChainReader
    transactor: Transactor | None


@dataclass(frozen=True, slots=True)
class System:
    """Everything that a command needs, built once."""

    config: Config
    subject: Subject
    clock: Clock
    chains: Mapping[str, ChainAccess]
    series: Mapping[str, Series]
    off_chain: OffChainServices
    ports: FramePorts
    planner: Planner
    runner: SlotRunner | None

    def runner_or_fail(self) -> SlotRunner:
        """The slot runner. Raises ConfigurationError when the system was opened without a store."""
        if self.runner is None:
            raise ConfigurationError("the system has no store", advice="Open it with a store: slots are recorded.")
        return self.runner

    async def close(self) -> None:
        """Give up connections; the store is closed by who opened it."""
        for access in self.chains.values():
            await access.reader.close()
        await self.off_chain.close()


def chain_access(name: str, section: ChainSection, *, live: bool, clock: Clock | None = None) -> ChainAccess:
    """Reach a chain as configured; its key is opened only for a live run.

    Args:
        clock: what the age of the chain's head is measured by; the machine's own when None.

    Raises:
        ConfigurationError: an endpoint is none, or a live run lacks its key file.
    """
    reader = Web3ChainReader(node_pool(name, section, clock), multicall=section.multicall)
    return ChainAccess(reader, transactor_of(name, section, reader.endpoint) if live else None)


def transactor_of(name: str, section: ChainSection, endpoint: Endpoint) -> Transactor:
    """The configured signer on that endpoint. Raises ConfigurationError when there is none."""
    if section.signer is None:
        raise ConfigurationError(
            f"chains.{name} has no signer", advice="Add `signer: {key_file: FILE}`, or leave --live off."
        )
    return transactor_with(section.signer.key_file, section, endpoint)


def transactor_with(key_file: Path, section: ChainSection, endpoint: Endpoint) -> Web3Transactor:
    """A transactor of the key in a file, within the chain's fee cap. Raises ConfigurationError for a bad key file."""
    fees = FeePolicy(max_fee=section.max_fee_gwei * GWEI, max_tip=min(MAX_TIP_GWEI, section.max_fee_gwei) * GWEI)
    return Web3Transactor(endpoint, KeyFileSigner(key_file), chain_id=section.chain_id, fees=fees)


async def open_system(
    config: Config,
    *,
    clock: Clock,
    store: Store | None,
    live: bool = False,
    chains: Mapping[str, ChainAccess] | None = None,
    documents: Path | None = None,
    services: bool = True,
) -> System:
    """Build the system and resolve its readers.

    Args:
        store: where frames are recorded; None for valuations that are only shown.
        live: whether posts are signed and sent.
        chains: how chains are reached, instead of by the configuration (embedded chains).
        documents: the folder of attestations.
        services: whether HTTP services and exchanges are asked; without them only what is recorded answers.

    Raises:
        ConfigurationError, ChainError: something named in the configuration is not there, or not what it is said to be.
        UsageError: a recorded series cannot be read.
    """
    series = {name: load_series(section.file, step=section.step) for name, section in config.recorded.items()}
    off_chain = off_chain_services(config, RecordedReader(series, documents), live=services)
    access = dict(chains or {})
    for name, section in config.chains.items():
        if name not in access:
            access[name] = chain_access(name, section, live=live and section.registry is not None, clock=clock)
    readers = {name: reached.reader for name, reached in access.items()}
    outboxes: dict[str, Outbox] = {}
    async with AsyncExitStack() as on_failure:
        on_failure.push_async_callback(off_chain.close)
        for reader in readers.values():
            on_failure.push_async_callback(reader.close)
        chain_ids = {name: section.chain_id for name, section in config.chains.items()}
        subject = await resolve(subject_of(config), readers, off_chain, clock.now(), chain_ids)
        for name, section in config.chains.items():
            if store is None or section.registry is None:
                continue
            await require_contract(access[name].reader, section.registry, "NavRegistry")
            outboxes[name] = Outbox(
                chain=access[name].reader,
                publisher=NavRegistryPublisher(
                    access[name].reader,
                    chain=name,
                    registry=section.registry,
                    record_size=RecordSize(config.record_size),
                ),
                transactor=access[name].transactor,
                store=store,
                clock=clock,
                live=live,
            )
        on_failure.pop_all()
    ports = FramePorts(readers, off_chain, clock, store, outboxes)
    planner = Planner(subject, store, outboxes, now=clock.now())
    runner = None if store is None else SlotRunner(planner, ports, store)
    return System(config, subject, clock, access, series, off_chain, ports, planner, runner)
