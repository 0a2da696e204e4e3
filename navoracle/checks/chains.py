"""Every chain: its nodes, how many of them must agree, and how old the block is that is valued at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from navoracle.checks.findings import Finding, error, warning
from navoracle.composition import ChainAccess
from navoracle.config.models import Config
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp

WANTED_OPERATORS: Final = 3
"""Operators below which one that lies or fails stops the chain."""


def lags_of(stamps: Iterable[BlockStamp], now: Timestamp) -> dict[str, int]:
    """Seconds between the clock and the block to value at, by chain; never negative."""
    return {stamp.chain: max(0, now - stamp.timestamp) for stamp in stamps}


def check_nodes(config: Config, access: Mapping[str, ChainAccess]) -> list[Finding]:
    """Every node that cannot be read, and every chain that does not bear the loss of one; after they were dialed."""
    return [found for name in config.chains if name in access for found in _check(name, access[name])]


def _check(name: str, access: ChainAccess) -> Iterator[Finding]:
    nodes = access.reader.pool.nodes()
    many, read = len(nodes) > 1, any(node.pin is not None for node in nodes)
    for index, node in enumerate(nodes):
        place = f"chains.{name}.endpoints[{index}]" if many else f"chains.{name}.rpc"
        if not node.is_alive:
            yield error(place, f"{node.name}: {node.state.value}, {node.detail}", node.advice)
        elif node.pin is None and read:
            yield error(
                place,
                f"{node.name} cannot be read at a pinned block: {node.last_error or 'it was not tried'}",
                f"Check `chains.{name}.multicall` and the node's history; a node that cannot be pinned is never read.",
            )
    operators, quorum = len({node.operator for node in nodes}), access.reader.pool.quorum
    if operators == 1:
        yield warning(
            f"chains.{name}",
            "one operator of endpoints: what it says is believed, and nobody is compared with it",
            f"Add `chains.{name}.endpoints` of {WANTED_OPERATORS} operators.",
        )
    elif quorum == 1:
        yield warning(
            f"chains.{name}.quorum",
            f"the quorum is 1: what one of {operators} operators says is believed, and nobody is compared with it",
            "Leave `quorum` out, or set it to 2 or more.",
        )
    elif operators == quorum:
        yield warning(
            f"chains.{name}.endpoints",
            f"{operators} operators of endpoints, and all must agree: when one fails or lies, the chain cannot be read",
            f"Add one of another operator, {quorum + 1} in all.",
        )
