"""The contracts of other vault systems that a configuration posts to, resolved, each behind an outbox of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError, ReadError
from navoracle.keeper.publishing import Outbox
from navoracle.lane_port import Lane, Proposer
from navoracle.ports import Address, Clock, ReadPoint
from navoracle.publisher_port import Publisher
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.publisher import PeerPublisher, PeerReader, run_read
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class Ways:
    """How calls leave for one chain: by the poster's lane, or as proposals of posts, or of what posts need."""

    lane: Lane | None
    proposer: Proposer | None
    settler: Proposer | None


def chains_of_publishers(config: Config) -> frozenset[str]:
    """The chains on which a fund is posted to a contract that is no registry of ours."""
    return frozenset(config.publishers[name].chain for name in _used(config))


async def resolved_peers(config: Config, readers: Mapping[str, PeerReader]) -> dict[str, PeerModel]:
    """Every publisher that a fund uses, with what only its chain knows. Raises as `resolved_peer`."""
    return {name: await resolved_peer(name, config, readers) for name in _used(config)}


async def resolved_peer(name: str, config: Config, readers: Mapping[str, PeerReader]) -> PeerModel:
    """A publisher with what only its chain knows.

    Raises:
        ChainError: its chain cannot be read.
        ConfigurationError: its address holds no such contract, or the configuration does not fit it.
    """
    peer: Any = config.publishers[name]
    if not peer.is_resolved:
        at = await readers[peer.chain].stamp()
        try:
            peer = await run_read(peer.resolve(ReadPoint(at.timestamp, at)), readers[peer.chain], at)
        except ReadError as error:
            raise ConfigurationError(
                f"publishers.{name}: {peer.contract} on {peer.chain} is no contract of kind {peer.kind}: "
                f"{error.message}",
                advice=error.advice,
            ) from error
    found: PeerModel = peer
    return found


def peer_publisher(peer: PeerModel, reader: PeerReader, sender: Address | None, clock: Clock) -> Publisher:
    """What posts to a resolved contract; previews are of a call of `sender`, of the configured one where it is None."""
    sending = peer if sender is None else peer.model_copy(update={"sender": sender})
    return PeerPublisher(reader, sending, clock)


def peer_outbox(
    name: str,
    peer: PeerModel,
    reader: PeerReader,
    ways: Ways,
    *,
    store: Store,
    clock: Clock,
    live: bool,
) -> Outbox:
    """The way to one contract. Previews are of a call of whoever will send, where anybody will."""
    sends = ways.lane if ways.proposer is None else ways.proposer
    return Outbox(
        chain=reader,
        publisher=peer_publisher(peer, reader, None if sends is None else sends.address, clock),
        lane=ways.lane,
        store=store,
        clock=clock,
        live=live,
        label=name,
        proposer=ways.proposer,
        settler=ways.settler,
    )


def _used(config: Config) -> tuple[str, ...]:
    return tuple(sorted({fund.publisher for fund in config.funds.values() if fund.publisher is not None}))
