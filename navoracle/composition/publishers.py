"""The contracts of other vault systems that a configuration posts to, resolved, each behind an outbox of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError, ReadError
from navoracle.keeper.publishing import Outbox
from navoracle.lane_port import Lane, Proposer
from navoracle.ports import Clock, ReadPoint
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.publisher import PeerPublisher, PeerReader, run_read
from navoracle.store_port import Store


def chains_of_publishers(config: Config) -> frozenset[str]:
    """The chains on which a fund is posted to a contract that is no registry of ours."""
    return frozenset(config.publishers[name].chain for name in _used(config))


async def resolved_peers(config: Config, readers: Mapping[str, PeerReader]) -> dict[str, PeerModel]:
    """Every publisher that a fund uses, with what only its chain knows.

    Raises:
        ChainError: a chain cannot be read.
        ConfigurationError: an address holds no such contract, or the configuration does not fit it.
    """
    found: dict[str, PeerModel] = {}
    for name in _used(config):
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
        found[name] = peer
    return found


def peer_outbox(
    name: str,
    peer: PeerModel,
    reader: PeerReader,
    lane: Lane | None,
    proposer: Proposer | None,
    *,
    store: Store,
    clock: Clock,
    live: bool,
) -> Outbox:
    """The way to one contract; the sender that previews assume is who will send."""
    sends = lane if proposer is None else proposer
    sending = peer if sends is None else peer.model_copy(update={"sender": sends.address})
    return Outbox(
        chain=reader,
        publisher=PeerPublisher(reader, sending, clock),
        lane=lane,
        store=store,
        clock=clock,
        live=live,
        label=name,
        proposer=proposer,
    )


def _used(config: Config) -> tuple[str, ...]:
    return tuple(sorted({fund.publisher for fund in config.funds.values() if fund.publisher is not None}))
