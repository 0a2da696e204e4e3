"""One node of a chain: its endpoint, with its own limits, latency, record of errors and state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from navoracle.chain.limits import BackOff, RateLimit
from navoracle.chain.node_state import ADVICE, Facts, Limits, NodeState, state_of
from navoracle.chain.rpc import UNSUPPORTED, Endpoint, NoAnswer, NodeRefused, RateLimited, block_field, quantity
from navoracle.chain.together import together
from navoracle.domain.errors import ChainError
from navoracle.redaction import redact_text

Pin: TypeAlias = Literal["auto", "hash", "number"]
"""How reads are pinned to a block: by its hash (EIP-1898), by its number with proof, or as the node can."""

_NEWEST_WEIGHT: Final = 0.2


class BackingOff(ChainError):
    """The node was not asked: it failed a moment ago and is left alone."""


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """A node as dashboards and checks show it; no part of it is secret.

    Attributes:
        name: its URL without what may be secret.
        operator: who runs it; nodes of one operator count once.
        state, detail: see `node_state`.
        head: its newest block's number, None before it was dialed.
        latency_ms: moving average of its answers' times, None before the first one.
        requests, errors: how often it was asked, and how often it failed.
        last_error: its last failure.
        failing_seconds: how long ago the first failure after its last good answer was; None when that was good.
        pin: how reads are pinned on it, None before it was probed.
    """

    name: str
    operator: str
    state: NodeState
    detail: str
    head: int | None
    latency_ms: int | None
    requests: int
    errors: int
    last_error: str | None
    failing_seconds: int | None
    pin: Pin | None

    @property
    def is_alive(self) -> bool:
        """Whether it may be read."""
        return self.state is NodeState.ALIVE

    @property
    def advice(self) -> str:
        """What to do about its state."""
        return ADVICE[self.state]


class Node:
    """One node. All times are those of the injected monotonic clock, in seconds.

    Args:
        endpoint: how it is reached.
        operator: who runs it; nodes of one operator are not independent. The endpoint's name unless given.
        pin: how reads are pinned; `auto` is found out by a probe.
        requests_per_second: its rate limit; None for none.
        concurrency: most requests under way at once.
        back_off: shared by the nodes of one host.
        monotonic, sleep: the passing of time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        operator: str | None = None,
        pin: Pin = "auto",
        requests_per_second: int | None = None,
        concurrency: int = 8,
        back_off: BackOff | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.operator = operator or endpoint.name
        self.wanted_pin = pin
        self.pin: Pin | None = None
        self.facts = Facts()
        self.state = NodeState.UNDIALED
        self.detail = ""
        self.latency: float | None = None
        self._rate = RateLimit(requests_per_second)
        self._back_off = back_off or BackOff()
        self._monotonic = monotonic
        self._sleep = sleep
        self._concurrency = concurrency
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore | None = None
        self._serves_syncing = True
        self._disputed_until = float("-inf")
        self._requests = 0
        self._errors = 0
        self._last_error: str | None = None
        self._failing_since: float | None = None

    def __repr__(self) -> str:
        return f"Node({self.name}, {self.state.value})"

    @property
    def back_off(self) -> float:
        """Seconds until it may be asked again; 0 when it may be now."""
        return self._back_off.remaining(self._monotonic())

    def snapshot(self) -> NodeSnapshot:
        """What is known about it now."""
        return NodeSnapshot(
            name=self.name,
            operator=self.operator,
            state=self.state,
            detail=self.detail,
            head=self.facts.head,
            latency_ms=None if self.latency is None else round(self.latency * 1_000),
            requests=self._requests,
            errors=self._errors,
            last_error=self._last_error,
            failing_seconds=None if self._failing_since is None else int(self._monotonic() - self._failing_since),
            pin=self.pin,
        )

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask it once, within its limits.

        Raises:
            BackingOff: it failed a moment ago; nothing was sent.
            NodeRefused: it answered with an error.
            NoAnswer: it did not answer.
        """
        async with self._slot():
            await self._sleep_for(self._rate.reserve(self._monotonic()))
            # Only now: others may have failed while this request waited for its turn.
            if (left := self.back_off) > 0:
                raise BackingOff(
                    f"{self.name}: left alone for {left:.1f} s after: {self._last_error or 'a failure of its host'}",
                    advice="Nothing was sent; check the node's health and quota if it goes on.",
                )
            self._requests += 1
            started = self._monotonic()
            try:
                answer = await self.endpoint.request(method, params)
            except NodeRefused as refusal:
                self._answered(started)
                if not (refusal.in_execution or refusal.too_large or refusal.rpc_code in UNSUPPORTED):
                    self.failed(refusal, rest=refusal.busy)
                raise
            except NoAnswer as error:
                self.failed(error, rest=True, at_least=error.retry_after if isinstance(error, RateLimited) else 0.0)
                raise
            self._answered(started)
            self._failing_since = None
            self._back_off.succeeded()
            return answer

    def failed(self, error: ChainError, *, rest: bool = False, at_least: float = 0.0) -> None:
        """Count a failure; `rest` leaves the host alone for a while, `at_least` so many seconds."""
        self._errors += 1
        self._last_error = redact_text(error.message)
        if self._failing_since is None:
            self._failing_since = self._monotonic()
        if rest:
            self._back_off.failed(self._monotonic(), at_least)

    def dispute(self, why: str, seconds: float) -> None:
        """Mark it as having contradicted a quorum; it is out for so many seconds."""
        self._disputed_until = self._monotonic() + seconds
        self.facts = replace(self.facts, dispute=why)

    async def dial(self, tag: str | None, timeout: float) -> None:
        """Find out its chain, head, sync state and tagged block; what fails is a fact too. Nothing is raised."""
        dispute = self.facts.dispute if self._monotonic() < self._disputed_until else None
        try:
            async with asyncio.timeout(timeout):
                # A short back-off is waited out; during a long one the node stays what it was: unreachable.
                if (left := self.back_off) < timeout / 2:
                    await self._sleep_for(left)
                found = await self._look(tag)
        except TimeoutError:
            found = Facts(problem=f"no answer within {timeout:g} s")
            self.failed(ChainError(f"{self.name}: {found.problem}", advice="Use a faster node."))
        except ChainError as error:
            found = Facts(problem=redact_text(error.message.removeprefix(f"{self.name}: ")))
        self.facts = replace(found, dialed=True, dispute=dispute)

    def judge(self, limits: Limits) -> None:
        """Bring state and detail up to date with the facts."""
        self.state, self.detail = state_of(self.facts, limits)

    async def close(self) -> None:
        """Give up its connections."""
        await self.endpoint.close()

    async def _look(self, tag: str | None) -> Facts:
        chain_id, newest, syncing, tagged = await together(
            (
                self.request("eth_chainId", []),
                self.request("eth_getBlockByNumber", ["latest", False]),
                self._if_served("eth_syncing", []) if self._serves_syncing else _nothing(),
                _nothing() if tag is None else self._if_served("eth_getBlockByNumber", [tag, False]),
            )
        )
        self._serves_syncing = syncing is not None
        try:
            return Facts(
                chain_id=quantity(chain_id, "chain id"),
                head=quantity(block_field(newest, "number"), "block number"),
                head_time=quantity(block_field(newest, "timestamp"), "block timestamp"),
                behind=_behind(syncing),
                tagged=None if tagged is None else quantity(block_field(tagged, "number"), "block number"),
            )
        except ChainError as error:
            self.failed(error)
            raise

    async def _if_served(self, method: str, params: Sequence[object]) -> object:
        """The answer; None from a node that does not serve this."""
        try:
            return await self.request(method, params)
        except NodeRefused as refusal:
            if refusal.passing:
                raise
            return None

    def _answered(self, started: float) -> None:
        taken = self._monotonic() - started
        self.latency = taken if self.latency is None else self.latency + _NEWEST_WEIGHT * (taken - self.latency)

    async def _sleep_for(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    def _slot(self) -> asyncio.Semaphore:
        """The slots of the running loop: commands run one loop after another."""
        loop = asyncio.get_running_loop()
        if self._slots is None or self._loop is not loop:
            self._loop = loop
            self._slots = asyncio.Semaphore(self._concurrency)
        return self._slots


async def _nothing() -> None:
    """The answer to a question that is not put."""


def _behind(syncing: object) -> int | None:
    """How far behind a node says that it is; hosted nodes need not say, their head says enough."""
    if not isinstance(syncing, Mapping):
        return None
    highest = quantity(block_field(syncing, "highestBlock"), "highest block")
    return highest - quantity(block_field(syncing, "currentBlock"), "current block")
