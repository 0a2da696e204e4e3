"""The logs of one chain as they are mined: by subscription where a node has WebSocket, by polling where none has.

Two tasks run beside one another. One keeps a subscription at one healthy node and moves to another node when the
connection is lost, no new block comes, or the pool no longer holds the node for healthy. The other asks for logs by
block range: often while nothing is subscribed, at once when a subscription begins (what was mined in the hole), and now
and then beside it, because a push that is lost is not missed by anybody. Each log is handed over once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.chain.limits import LONGEST_BACK_OFF, BackOff
from navoracle.chain.log_sweep import LogSweep
from navoracle.chain.logs import Seen, filter_params, parse_log
from navoracle.chain.node import Node
from navoracle.chain.node_state import NodeState
from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import block_field
from navoracle.chain.subscription import Subscribable, Subscription
from navoracle.domain.errors import ChainError
from navoracle.ports import Log, LogFilter

_NEW_HEADS: Final = 0
"""The place of the subscription to new blocks, before those to logs."""

_LOOK_SECONDS: Final = 0.5
"""How often it is looked whether a node that can be subscribed to is there."""


class LogWatchState(Enum):
    """How logs are found.

    WEBSOCKET: by a subscription. POLLING: by asking for ranges of blocks. BLIND: not at all, no node answers.
    """

    WEBSOCKET = "websocket"
    POLLING = "polling"
    BLIND = "blind"


ADVICE: Final = {
    LogWatchState.WEBSOCKET: "Nothing to do, unless a sweep fails: then check that the endpoints serve eth_getLogs.",
    LogWatchState.POLLING: "Nothing to do where no endpoint is ws or wss; else check the node and its plan.",
    LogWatchState.BLIND: "Bring the chain's endpoints back: until then large trades wait for the next regular slot.",
}


@dataclass(frozen=True, slots=True)
class LogWatchStatus:
    """How the logs of a chain are found now; no part of it is secret.

    Attributes:
        chain: the configuration's name of the chain.
        state: see `LogWatchState`.
        node: the node that is subscribed to; None in the other states.
        detail: what failed last, while it fails; empty otherwise.
        block: up to which block was swept; None before the first sweep.
    """

    chain: str
    state: LogWatchState
    node: str | None
    detail: str
    block: int | None

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.state]


class LogWatch:
    """The logs of one chain. Implements `ports.LogSource`; one `follow` at a time.

    Args:
        pool: the chain's nodes.
        poll_seconds: between two looks at the head while nothing is subscribed.
        sweep_seconds: between two looks beside a subscription.
        silent_seconds: how long a subscription may bring no new block; longer than any pause of the chain.
        overlap: how many blocks each sweep looks at again; a deeper reorganization may hide a log.
        range_blocks: most blocks in one request.
        request_seconds: after which a sweep asks the next node, and a subscription is given up.
        on_event: told whenever state, node or failure changes.
        monotonic: the passing of time.
    """

    def __init__(
        self,
        pool: NodePool,
        *,
        poll_seconds: float = 2.0,
        sweep_seconds: float = 15.0,
        silent_seconds: float = 60.0,
        overlap: int = 12,
        range_blocks: int = 1_000,
        request_seconds: float = 10.0,
        on_event: Callable[[LogWatchStatus], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._poll_seconds = poll_seconds
        self._sweep_seconds = sweep_seconds
        self._silent_seconds = silent_seconds
        self._overlap = overlap
        self._range_blocks = range_blocks
        self._request_seconds = request_seconds
        self._on_event = on_event
        self._monotonic = monotonic
        self._seen = Seen()
        self._resting: dict[Node, BackOff] = {}
        self._wake = asyncio.Event()
        self._node: Node | None = None
        self._swept = False
        self._failed_sweeps = 0
        self._lost = ""
        self._failure = ""
        self._told: tuple[LogWatchState, str | None, bool] | None = None
        self._sweep: LogSweep | None = None

    @property
    def chain(self) -> str:
        """The configuration's name of the chain."""
        return self._pool.chain

    def status(self) -> LogWatchStatus:
        """How logs are found now."""
        state = LogWatchState.POLLING if self._swept else LogWatchState.BLIND
        if self._node is not None:
            state = LogWatchState.WEBSOCKET
        return LogWatchStatus(
            chain=self.chain,
            state=state,
            node=None if self._node is None else self._node.name,
            detail=self._failure or ("" if self._node is not None else self._lost),
            block=None if self._sweep is None else self._sweep.last,
        )

    async def follow(self, filters: Sequence[LogFilter], on_logs: Callable[[tuple[Log, ...]], None]) -> None:
        """Hand over every new log that a filter matches, until cancelled; see `ports.LogSource`."""
        if not filters:
            return

        def hand_over(found: Sequence[Log]) -> None:
            if new := tuple(log for log in found if self._seen.is_new(log)):
                on_logs(new)

        sweep = LogSweep(
            self._pool,
            filters,
            hand_over,
            overlap=self._overlap,
            range_blocks=self._range_blocks,
            request_seconds=self._request_seconds,
        )
        self._sweep = sweep
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_sweeping(sweep))
            group.create_task(self._keep_subscribed(filters, hand_over))

    # ---- by ranges of blocks

    async def _keep_sweeping(self, sweep: LogSweep) -> None:
        while True:
            self._wake.clear()
            try:
                await sweep.run()
            except ChainError as error:
                self._failed_sweeps += 1
                self._failure, self._swept = error.message, False
            else:
                self._failed_sweeps = 0
                self._failure, self._swept = "", True
            self._tell()
            try:
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _pause(self) -> float:
        if self._failed_sweeps:
            return min(LONGEST_BACK_OFF, self._poll_seconds * 2.0 ** min(self._failed_sweeps - 1, 8))
        return self._poll_seconds if self._node is None else self._sweep_seconds

    # ---- by subscription

    async def _keep_subscribed(self, filters: Sequence[LogFilter], on_logs: Callable[[Sequence[Log]], None]) -> None:
        wanted: list[list[object]] = [["newHeads"]]
        wanted += [["logs", filter_params(each)] for each in filters]
        while True:
            found = self._subscribable()
            if found is None:
                await asyncio.sleep(min(_LOOK_SECONDS, self._poll_seconds))
                continue
            node, endpoint = found
            try:
                await self._subscribed(node, endpoint, wanted, on_logs)
            except ChainError as error:
                self._gave_up(node, error)

    def _subscribable(self) -> tuple[Node, Subscribable] | None:
        """The healthy node to subscribe to: the fastest one that did not fail a moment ago."""
        now = self._monotonic()
        for node in self._pool.alive():
            resting = self._resting.get(node)
            if isinstance(node.endpoint, Subscribable) and (resting is None or resting.remaining(now) <= 0):
                return node, node.endpoint
        return None

    async def _subscribed(
        self,
        node: Node,
        endpoint: Subscribable,
        wanted: Sequence[Sequence[object]],
        on_logs: Callable[[Sequence[Log]], None],
    ) -> None:
        """Take what one node sends, until it fails. Raises ChainError: it cannot be subscribed to."""
        try:
            async with asyncio.timeout(self._request_seconds):
                subscription = await endpoint.subscribe(wanted)
        except TimeoutError:
            raise ChainError(
                f"{node.name}: no subscription within {self._request_seconds:g} s", advice="Use a faster endpoint."
            ) from None
        self._node, self._lost = node, ""
        self._tell()
        # What was mined before the node listened.
        self._wake.set()
        try:
            await self._take(node, subscription, on_logs)
        except ChainError as error:
            # Polling begins now: closing a dead connection takes its time.
            self._gave_up(node, error)
            self._wake.set()
        finally:
            self._node = None
            await subscription.close()

    async def _take(self, node: Node, subscription: Subscription, on_logs: Callable[[Sequence[Log]], None]) -> None:
        head: object = None
        patience = asyncio.timeout(self._silent_seconds)
        try:
            async with patience:
                while True:
                    notices = await subscription.take()
                    on_logs([log for place, each in notices if place != _NEW_HEADS and (log := parse_log(each))])
                    heads = [block_field(each, "hash") for place, each in notices if place == _NEW_HEADS]
                    # A stuck node may send one block for ever.
                    if any(each != head for each in heads):
                        head = heads[-1]
                        patience.reschedule(asyncio.get_running_loop().time() + self._silent_seconds)
                        self._resting.pop(node, None)
                    if node.state is not NodeState.ALIVE:
                        raise ChainError(f"{node.name} is {node.state.value}: {node.detail}", advice="See the node.")
        except TimeoutError:
            raise ChainError(
                f"{node.name}: its subscription has brought no new block for {self._silent_seconds:g} s",
                advice="Check the node; where all say so the chain has stopped.",
            ) from None

    def _gave_up(self, node: Node, error: ChainError) -> None:
        node.failed(error)
        self._resting.setdefault(node, BackOff()).failed(self._monotonic())
        self._node, self._lost = None, error.message
        self._tell()

    def _tell(self) -> None:
        """Tell of a change; at the start not of the polling that is about to end."""
        status = self.status()
        if self._told is None and status.state is LogWatchState.POLLING and not self._lost and self._subscribable():
            return
        now = status.state, status.node, bool(self._failure)
        if now != self._told:
            self._told = now
            if self._on_event is not None:
                self._on_event(status)
