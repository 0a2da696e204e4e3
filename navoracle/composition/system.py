"""The running system: chains, store, outboxes, planner and slot runner, wired together."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navoracle.chain.artifacts import artifact
from navoracle.chain.node_state import NodeEvent
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.rpc import Endpoint
from navoracle.chain.signers import Signer
from navoracle.chain.transactor import FeePolicy, Web3Transactor
from navoracle.chain.versions import require_contract
from navoracle.composition.endpoints import node_pool
from navoracle.composition.lanes import GWEI, transaction_lane
from navoracle.composition.off_chain import OffChainServices, load_recorded, off_chain_services
from navoracle.composition.overrides import LiveOverrides, OverridesNews
from navoracle.composition.plans import subject_of
from navoracle.composition.publishers import Ways, chains_of_publishers, peer_outbox, resolved_peers
from navoracle.composition.resolving import resolve
from navoracle.composition.safe import safe_proposer
from navoracle.composition.signers import signer_of
from navoracle.composition.vaults import vaults_of
from navoracle.config.chains import ChainSection
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.frame import NavFrame
from navoracle.keeper.examined_settlements import VaultAccess
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.planner import Planner, Subject
from navoracle.keeper.preflight import Preflight, preflight
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.slots import SlotRunner
from navoracle.lane_port import Lane, LaneEvent, Proposer
from navoracle.ports import Address, Clock
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_codec import RecordSize
from navoracle.publishers.nav_registry_state import NavRegistryInspector
from navoracle.recorded.reader import RecordedReader
from navoracle.recorded.series import Series
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class ChainAccess:
    """How one chain is reached: its reader, and the keys: `guardian` only holds funds, `proposer` only proposes."""

    reader: Web3ChainReader
    poster: Signer | None = None
    guardian: Signer | None = None
    proposer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """How slots and lanes are held.

    Attributes:
        lease: seconds for which they are claimed.
        patience: seconds that a slot waits for its transaction; None for as long as it takes.
        on_lane_event, on_node_event, on_overrides: told of what becomes of transactions, nodes and the overrides file;
            logged when None.
        on_frame: told of every frame of a slot, a look or a sample as soon as it was run.
    """

    lease: int = 60
    patience: float | None = 120.0
    on_lane_event: Callable[[LaneEvent], None] | None = None
    on_node_event: Callable[[NodeEvent], None] | None = None
    on_overrides: Callable[[OverridesNews], None] | None = None
    on_frame: Callable[[NavFrame], None] = lambda _frame: None


ONE_SHOT: Final = Running()
"""The way of a command that works one slot off and ends."""


@dataclass(frozen=True, slots=True)
class System:
    """Everything that a command needs, built once; `config` is what counts at the start, overrides merged in."""

    config: Config
    subject: Subject
    clock: Clock
    chains: Mapping[str, ChainAccess]
    series: Mapping[str, Series]
    off_chain: OffChainServices
    ports: FramePorts
    planner: Planner
    runner: SlotRunner | None
    posters: Mapping[str, Lane]
    guardians: Mapping[str, Lane]
    vaults: Mapping[str, VaultAccess]

    def runner_or_fail(self) -> SlotRunner:
        """The slot runner. Raises ConfigurationError when the system was opened without a store."""
        if self.runner is None:
            raise ConfigurationError("the system has no store", advice="Open it with a store: slots are recorded.")
        return self.runner

    async def close(self) -> None:
        """Give up leases and connections; the store is closed by who opened it."""
        for lane in (*self.posters.values(), *self.guardians.values()):
            await lane.close()
        for access in self.chains.values():
            await access.reader.close()
        await self.off_chain.close()


def chain_access(
    name: str,
    section: ChainSection,
    *,
    live: bool,
    clock: Clock | None = None,
    on_node_event: Callable[[NodeEvent], None] | None = None,
) -> ChainAccess:
    """Reach a chain as configured; its keys are opened only for a live run.

    Args:
        clock: what the age of the chain's head is measured by; the machine's own when None.
        on_node_event: told of every node that changes its state; logged when None.

    Raises:
        ConfigurationError: an endpoint is none, or a live run lacks its key.
    """
    reader = Web3ChainReader(node_pool(name, section, clock, on_node_event), multicall=section.multicall)
    if not live:
        return ChainAccess(reader)
    safe = section.safe
    proposer = None if safe is None or safe.signer is None else signer_of(safe.signer, f"chains.{name}.safe.signer")
    sends = safe is None or safe.proposes != "posts"
    if section.signer is None and (sends or proposer is None):
        raise ConfigurationError(
            f"chains.{name} has no signer", advice="Add `signer: {key_file: FILE}`, or leave --live off."
        )
    poster = None if section.signer is None else signer_of(section.signer, f"chains.{name}.signer")
    guardian = None if section.guardian is None else signer_of(section.guardian, f"chains.{name}.guardian")
    if guardian is not None and poster is not None and guardian.address == poster.address:
        raise ConfigurationError(
            f"chains.{name}.guardian: {guardian.address} is also the poster's key",
            advice="Give the guardian a key of its own: whoever takes the poster's must not be able to stop the fund.",
        )
    return ChainAccess(reader, poster, guardian, proposer or poster)


def transactor_with(signer: Signer, section: ChainSection, endpoint: Endpoint) -> Web3Transactor:
    """A transactor of that signer, within the chain's fee cap."""
    said = section.transactions
    fees = FeePolicy(max_fee=said.max_fee_gwei * GWEI, max_tip=min(said.max_tip_gwei, said.max_fee_gwei) * GWEI)
    return Web3Transactor(endpoint, signer, chain_id=section.chain_id, fees=fees)


async def open_system(
    config: Config,
    *,
    clock: Clock,
    store: Store | None,
    live: bool = False,
    chains: Mapping[str, ChainAccess] | None = None,
    documents: Path | None = None,
    services: bool = True,
    running: Running = ONE_SHOT,
) -> System:
    """Build the system and resolve its readers.

    Args:
        store: where frames are recorded; None for valuations that are only shown.
        live: whether posts are signed and sent.
        chains: how chains are reached, instead of by the configuration (embedded chains).
        documents: the folder of attestations.
        services: whether HTTP services and exchanges are asked; without them only what is recorded answers.
        running: how slots and lanes are held; a single command's way unless given.

    Raises:
        ConfigurationError, ChainError: something named in the configuration is not there, or not what it is said to be.
        UsageError: a recorded series cannot be read.
    """
    overrides = LiveOverrides(config, clock.now, running.on_overrides)
    config = overrides.current.config
    series = load_recorded(config)
    off_chain = off_chain_services(config, RecordedReader(series, documents), live=services)
    access = dict(chains or {})
    posted = chains_of_publishers(config)
    for name, section in config.chains.items():
        if name not in access:
            access[name] = chain_access(
                name,
                section,
                live=live and (section.registry is not None or name in posted),
                clock=clock,
                on_node_event=running.on_node_event,
            )
    readers = {name: reached.reader for name, reached in access.items()}
    outboxes: dict[str, Outbox] = {}
    posters: dict[str, Lane] = {}
    guardians: dict[str, Lane] = {}
    settlers: dict[str, Proposer] = {}
    owner = owner_name()
    async with AsyncExitStack() as on_failure:
        on_failure.push_async_callback(off_chain.close)
        for reader in readers.values():
            on_failure.push_async_callback(reader.close)
        chain_ids = {name: section.chain_id for name, section in config.chains.items()}
        subject = await resolve(subject_of(config), readers, off_chain, clock.now(), chain_ids)
        peers = {} if store is None else await resolved_peers(config, readers)
        for name, section in config.chains.items():
            if store is None or (section.registry is None and name not in posted):
                continue
            reached = access[name]
            if section.registry is not None:
                await require_contract(reached.reader, section.registry, "NavRegistry")
            settler = safe_proposer(section.safe, reached.reader, reached.proposer, clock) if live else None
            proposer = settler if section.safe is not None and section.safe.proposes == "posts" else None
            poster = None if proposer is not None else reached.poster  # what proposes sends nothing itself
            for lanes, signer in ((posters, poster), (guardians, reached.guardian)):
                if live and signer is not None:
                    lanes[name] = transaction_lane(
                        name,
                        section,
                        reached.reader,
                        signer,
                        store=store,
                        clock=clock,
                        owner=owner,
                        lease=running.lease,
                        on_event=running.on_lane_event,
                    )
            if settler is not None and proposer is None:
                settlers[name] = settler
            ways = Ways(posters.get(name), proposer, settler)
            outboxes |= {
                target: peer_outbox(target, peer, reached.reader, ways, store=store, clock=clock, live=live)
                for target, peer in peers.items()
                if peer.chain == name
            }
            if section.registry is None:
                continue
            outboxes[name] = Outbox(
                chain=access[name].reader,
                publisher=NavRegistryPublisher(
                    access[name].reader,
                    chain=name,
                    registry=section.registry,
                    record_size=RecordSize(config.record_size),
                ),
                lane=posters.get(name),
                store=store,
                clock=clock,
                live=live,
                look=_look(name, section, reached.reader, section.registry),
                proposer=proposer,
                max_batch_gas=section.transactions.max_batch_gas,
            )
        vaults = {} if store is None else await vaults_of(config, readers, posters, settlers)
        on_failure.pop_all()
    ports = FramePorts(readers, off_chain, clock, store, outboxes)
    planner = Planner(subject, store, outboxes, now=clock.now(), policies=overrides)
    runner = (
        None
        if store is None
        else SlotRunner(
            planner,
            ports,
            store,
            owner=owner,
            lease=running.lease,
            patience=running.patience,
            on_frame=running.on_frame,
        )
    )
    return System(config, subject, clock, access, series, off_chain, ports, planner, runner, posters, guardians, vaults)


def _look(
    name: str, section: ChainSection, reader: Web3ChainReader, registry: Address
) -> Callable[[Mapping[str, int], Address | None], Awaitable[Preflight]]:
    inspector = registry_inspector(reader, registry)

    async def look(fund_ids: Mapping[str, int], sender: Address | None) -> Preflight:
        return await preflight(inspector, chain=name, chain_id=section.chain_id, fund_ids=fund_ids, sender=sender)

    return look


def registry_inspector(reader: Web3ChainReader, registry: Address) -> NavRegistryInspector:
    """What looks at a registry before it is posted to."""
    return NavRegistryInspector(reader, registry=registry, is_known_code=artifact("NavRegistry").is_code)


def owner_name() -> str:
    """The name under which this process claims slots and lanes; no other process has it, not even its successor."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
