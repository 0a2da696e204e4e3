"""Logs by `eth_getLogs`: from the last block that was looked at to the head, in ranges that the node bears.

Every sweep looks at the last few blocks again: a reorganization may have replaced them, and a provider whose servers
disagree may have left out the newest ones. Nothing else is remembered, so that a node that fell back, or claimed a head
that never came, does no lasting harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from navoracle.chain.logs import filter_params, parse_log
from navoracle.chain.node import BackingOff, Node
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import NoAnswer, NodeRefused, quantity
from navoracle.chain.together import together
from navoracle.domain.errors import ChainError, EndpointsDisagree, NoQuorum
from navoracle.ports import Log, LogFilter

UNLIKELY_LEAP: Final = 5_000
"""Blocks between two sweeps from which on a quorum must have seen the head: one node could name any number."""

_TRIALS: Final = 8
"""Ranges of the full size that must succeed before a larger one is tried."""


class LogSweep:
    """Finds the logs of the blocks that were mined since the last sweep.

    The first sweep only takes note of the head: what was mined before it is no concern of a watch.

    Args:
        pool: the chain's nodes; the first one that answers is believed.
        filters: what is wanted.
        on_logs: is given what is found, range by range, in the chain's order.
        overlap: how many blocks are looked at again each time.
        range_blocks: most blocks in one request, while no node has refused so many.
        request_seconds: after which the next node is asked.
    """

    def __init__(
        self,
        pool: NodePool,
        filters: Sequence[LogFilter],
        on_logs: Callable[[tuple[Log, ...]], None],
        *,
        overlap: int,
        range_blocks: int,
        request_seconds: float,
    ) -> None:
        self._pool = pool
        self._filters = [filter_params(each) for each in filters]
        self._on_logs = on_logs
        self._overlap = overlap
        self._range_blocks = range_blocks
        self._request_seconds = request_seconds
        self._ranges: dict[Node, _Range] = {}
        self._first: int | None = None
        self.last: int | None = None

    async def run(self) -> None:
        """Look at every block up to the head of the first node that answers.

        Raises:
            ChainError: no node answers; what was found until then was handed over.
        """
        await self._pool.ensure(1)
        failures: list[ChainError] = []
        for node in self._pool.alive():
            try:
                await self._by(node)
            except ChainError as error:
                # What its transport got wrong was counted when it was asked, and a want of quorum is not its own.
                if not isinstance(error, NodeRefused | NoAnswer | BackingOff | NoQuorum | EndpointsDisagree):
                    node.failed(error)
                failures.append(error)
            else:
                return
        if len(failures) == 1:
            raise failures[0]
        raise ChainError(
            "; ".join([f"{self._pool.chain}: no node answers for logs", *(error.message for error in failures)]),
            advice=failures[0].advice if failures else "Bring the chain's endpoints back.",
        )

    async def _by(self, node: Node) -> None:
        head = quantity(await self._ask(node, "eth_blockNumber", []), "block number")
        if self.last is None or self._first is None:
            self._first, self.last = head + 1, head
            return
        if head == self.last:
            return
        if head - self.last > UNLIKELY_LEAP:
            head = min(head, (await self._pool.newest()).number)
        limit = self._ranges.setdefault(node, _Range(self._range_blocks))
        start = max(self._first, min(self.last, head) + 1 - self._overlap)
        while start <= head:
            stop = min(head, start + limit.size - 1)
            found = await self._range(node, limit, start, stop)
            if found is None:
                continue
            if found:
                self._on_logs(tuple(sorted(found, key=lambda log: (log.block_number, log.index))))
            self.last, start = stop, stop + 1
        self.last = head

    async def _range(self, node: Node, limit: _Range, start: int, stop: int) -> list[Log] | None:
        """The logs of some blocks; None where the node wants fewer blocks at once."""
        span = {"fromBlock": hex(start), "toBlock": hex(stop)}
        blocks = stop - start + 1
        try:
            answers = await together(self._ask(node, "eth_getLogs", [{**each, **span}]) for each in self._filters)
        except ChainError as error:
            # Whatever went wrong, fewer blocks are easier: some providers hang up instead of refusing.
            if not isinstance(error, BackingOff):
                limit.failed(blocks)
            if isinstance(error, NodeRefused) and error.too_large and blocks > 1:
                return None
            raise
        found = [log for answer in answers for log in _logs(node, answer)]
        limit.succeeded(blocks)
        return found

    async def _ask(self, node: Node, method: str, params: Sequence[object]) -> object:
        try:
            async with asyncio.timeout(self._request_seconds):
                return await node.request(method, params)
        except TimeoutError:
            late = NoAnswer(
                f"{node.name}: {method} was not answered within {self._request_seconds:g} s",
                advice="Use a faster endpoint.",
            )
            node.failed(late, rest=True)
            raise late from None


class _Range:
    """How many blocks one node is asked for at once: half as many after a failure, more again after many successes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._successes = 0
        self.size = most

    def failed(self, blocks: int) -> None:
        self._successes = 0
        self.size = max(1, blocks // 2)

    def succeeded(self, blocks: int) -> None:
        if blocks < self.size or self.size == self._most:
            return
        self._successes += 1
        if self._successes >= _TRIALS:
            self._successes = 0
            self.size = min(self._most, 2 * self.size)


def _logs(node: Node, answer: object) -> list[Log]:
    if not isinstance(answer, list):
        raise ChainError(
            f"{node.name}: eth_getLogs was answered with {str(answer)[:80]!r}", advice="Check the node's health."
        )
    return [log for each in answer if (log := parse_log(each)) is not None]
