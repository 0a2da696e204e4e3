"""Every chain: its nodes, how many of them must agree, and how old the block is that is valued at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from navoracle.checks.findings import Finding, error, warning
from navoracle.composition.system import ChainAccess
from navoracle.config.models import Config
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp

INTERVALS: Final = 5
"""How many blocks back the interval between blocks is looked at."""

WANTED_OPERATORS: Final = 3
"""Operators below which one that lies or fails stops the chain."""


def lags_of(stamps: Iterable[BlockStamp], now: Timestamp) -> dict[str, int]:
    """Seconds between the clock and the block to value at, by chain; never negative."""
    return {stamp.chain: max(0, now - stamp.timestamp) for stamp in stamps}


async def intervals_of(stamps: Iterable[BlockStamp], access: Mapping[str, ChainAccess]) -> dict[str, int]:
    """Seconds from one block to the next, the median of the last ones, by chain; zero where they cannot be read."""
    return {stamp.chain: await _interval(stamp, access[stamp.chain]) for stamp in stamps}


async def _interval(stamp: BlockStamp, access: ChainAccess) -> int:
    times = [stamp.timestamp]
    try:
        for number in range(stamp.number - 1, max(-1, stamp.number - 1 - INTERVALS), -1):
            times.append((await access.reader.stamp(number)).timestamp)
    except ChainError:
        return 0
    gaps = sorted(later - earlier for later, earlier in pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 0


def check_block_ages(config: Config, lags: Mapping[str, int]) -> list[Finding]:
    """Every fund whose own guard refuses blocks as old as the home chain's finality makes them."""
    home = config.home_chain or ""
    lag = lags.get(home, 0)
    return [
        error(
            f"funds.{name}.guards.max_block_age",
            f"blocks of {home} are {lag} s old here, and the fund takes {fund.guards.max_block_age} s at most",
            f"Value at a newer block (`chains.{home}.confirmations`), or raise it.",
        )
        for name, fund in config.funds.items()
        if lag > fund.guards.max_block_age
    ]


def check_nodes(config: Config, access: Mapping[str, ChainAccess]) -> list[Finding]:
    """Every node that cannot be read, and every chain that does not bear the loss of one; after they were dialed."""
    return [
        found
        for name, section in config.chains.items()
        if name in access
        for found in _check(name, access[name], listed=section.rpc is None)
    ]


def _check(name: str, access: ChainAccess, *, listed: bool) -> Iterator[Finding]:
    nodes = access.reader.pool.nodes()
    listed = listed or len(nodes) > 1
    read = any(node.pin is not None for node in nodes)
    for index, node in enumerate(nodes):
        place = f"chains.{name}.endpoints[{index}]" if listed else f"chains.{name}.rpc"
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
