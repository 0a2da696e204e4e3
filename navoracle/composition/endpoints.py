"""The nodes of a chain, by the configuration or as somebody names one beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from navoracle.chain.connect import endpoint_at
from navoracle.chain.head import Finality
from navoracle.chain.limits import BackOff
from navoracle.chain.node import Node
from navoracle.chain.node_state import NodeEvent, NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.chain.rpc import quantity, redact_url
from navoracle.clock import SteadyClock, SystemClock
from navoracle.config.chains import ChainSection
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Clock

DEADLINE_IN_TIMEOUTS: Final = 2.5
"""How many requests' time one operation may take: two nodes may be dead before a third one answers."""


def node_pool(
    name: str,
    section: ChainSection,
    clock: Clock | None = None,
    on_event: Callable[[NodeEvent], None] | None = None,
) -> NodePool:
    """The configured nodes of a chain; their changes are logged unless somebody else listens.

    Raises:
        ConfigurationError: a URL is none.
    """
    finality: Finality = section.confirmations if section.finality == "confirmations" else section.finality
    back_offs: dict[str, BackOff] = {}
    # A node is left alone for seconds of the keeper's own time, which a rehearsal lets run faster.
    given: object = clock
    steady = given if isinstance(given, SteadyClock) else SystemClock()
    nodes = [
        Node(
            endpoint_at(endpoint.url.get_secret_value(), timeout=section.timeout),
            operator=endpoint.operated_by,
            pin=endpoint.pin or section.pin,
            requests_per_second=endpoint.requests_per_second,
            concurrency=endpoint.concurrency,
            # Nodes of one server share its troubles, and its quota.
            back_off=back_offs.setdefault(redact_url(endpoint.url.get_secret_value()), BackOff()),
            monotonic=steady.monotonic,
            sleep=steady.sleep,
        )
        for endpoint in section.nodes
    ]
    return NodePool(
        nodes,
        chain=name,
        chain_id=section.chain_id,
        finality=finality,
        quorum=section.quorum,
        max_lag=section.max_lag,
        max_head_age=section.max_head_age,
        clock=clock,
        on_event=on_event or log_node_event,
        deadline=DEADLINE_IN_TIMEOUTS * section.timeout,
        sleep=steady.sleep,
    )


def log_node_event(event: NodeEvent) -> None:
    """Tell the operator that a node changed its state, and what to do."""
    log = structlog.get_logger("navoracle.chain")
    fields = {"chain": event.chain, "node": event.node, "state": event.state.value, "was": event.was.value}
    if event.state is not NodeState.ALIVE:
        say = log.error if event.state in (NodeState.DISPUTED, NodeState.WRONG_CHAIN) else log.warning
        say("node_state", **fields, detail=event.detail, advice=event.advice)
    elif event.was is NodeState.UNDIALED:
        log.debug("node_state", **fields)
    else:
        log.info("node_state", **fields)


async def chain_reader_at(
    url: str, stamps: Sequence[BlockStamp], *, multicall: Address | None = None, timeout: float = 20.0
) -> Web3ChainReader:
    """A reader for the one of the stamped chains that the node serves; close it after use.

    Args:
        multicall: where the chain's Multicall3 is; the usual address when None.

    Raises:
        ConfigurationError: the URL is none.
        ChainError: the node does not answer, serves none of these chains, or the chain has no Multicall3.
    """
    endpoint = endpoint_at(url, timeout=timeout)
    try:
        served = quantity(await endpoint.request("eth_chainId", []), "chain id")
        stamp = next((stamp for stamp in stamps if stamp.chain_id == served), None)
        if stamp is None:
            known = ", ".join(f"{stamp.chain} ({stamp.chain_id})" for stamp in stamps) or "no chain"
            raise ChainError(
                f"{endpoint.name} serves chain {served}; the frame read {known}",
                advice="Name a node of a chain that the frame read.",
            )
        pool = NodePool.of(endpoint, chain=stamp.chain, chain_id=served, finality=0)
        reader = Web3ChainReader(pool, multicall=multicall or MULTICALL3)
        await reader.stamp()
    except ChainError:
        await endpoint.close()
        raise
    return reader
