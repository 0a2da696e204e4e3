"""The nodes of one chain: their states, the block that they agree on, and who is asked.

A quorum counts operators, not URLs, and never shrinks: where too few can be read there is no answer, only a reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from navoracle.chain.head import Finality, best_head, common_head, common_tag
from navoracle.chain.node import Node, NodeSnapshot, Pin
from navoracle.chain.node_state import ADVICE, Limits, NodeEvent, NodeState, state_of
from navoracle.chain.poll import Poll, Question, V, outcome, poll
from navoracle.chain.pool_questions import BlockAt, IsCanonical, Plain, Taken
from navoracle.chain.rpc import Endpoint
from navoracle.chain.shortage import shortage
from navoracle.clock import SystemClock
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Clock

DEFAULT_QUORUM: Final = 2
"""How many operators must agree where at least so many are configured."""


class NodePool:
    """The nodes of one chain.

    Args:
        nodes: at least one.
        chain: the configuration's name of the chain.
        chain_id: what a node must say its chain is.
        finality: which block is final enough to value at.
        quorum: how many independent operators must agree; 2 where there are two or more, else 1, unless given.
        max_lag: most blocks that a node's head may lie behind the best one.
        max_head_age: most seconds that a head may lie behind the clock; None for no limit.
        clock: what the age of a head is measured by.
        on_event: told of every change of a node's state.
        cool_down: seconds that a node is out after it contradicted a quorum.
        dial_timeout: seconds for finding out a node's state.
        deadline: seconds for one operation as a whole.
        sleep: how to wait.

    Raises:
        ConfigurationError: there is no node, or the quorum cannot be reached.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        *,
        chain: str,
        chain_id: int,
        finality: Finality = 2,
        quorum: int | None = None,
        max_lag: int = 5,
        max_head_age: int | None = None,
        clock: Clock | None = None,
        on_event: Callable[[NodeEvent], None] | None = None,
        cool_down: float = 600.0,
        dial_timeout: float = 5.0,
        deadline: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._nodes = tuple(nodes)
        self.operators = frozenset(node.operator for node in nodes)
        self.quorum = min(DEFAULT_QUORUM, len(self.operators)) if quorum is None else quorum
        if not 1 <= self.quorum <= len(self.operators):
            raise ConfigurationError(
                f"{chain}: the quorum is {self.quorum} and there are {len(self.operators)} operators of endpoints",
                advice="Add endpoints of other operators, or lower the quorum.",
            )
        self.chain = chain
        self.chain_id = chain_id
        self.finality = finality
        self.deadline = deadline
        self._max_lag = max_lag
        self._max_head_age = max_head_age
        self._clock = clock or SystemClock()
        self._on_event = on_event
        self._cool_down = cool_down
        self._dial_timeout = dial_timeout
        self.sleep = sleep
        self._limits = Limits(chain_id, max_lag, tag=self._tag)
        self._told = {node: node.state for node in self._nodes}
        for index, node in enumerate(self._nodes):
            earlier = sum(other.endpoint.name == node.name for other in self._nodes[:index])
            node.name = f"{node.name} #{earlier + 1}" if earlier else node.name

    @classmethod
    def of(
        cls, endpoint: Endpoint, *, chain: str, chain_id: int, finality: Finality = 2, pin: Pin = "auto"
    ) -> NodePool:
        """A pool of one node, without a limit on the age of its head."""
        return cls([Node(endpoint, pin=pin)], chain=chain, chain_id=chain_id, finality=finality)

    @property
    def name(self) -> str:
        """How messages name it; never contains a key."""
        first = self._nodes[0].name
        return first if len(self._nodes) == 1 else f"{first} and {len(self._nodes) - 1} more"

    def nodes(self) -> tuple[NodeSnapshot, ...]:
        """Every node as it is known now, in the order of the configuration."""
        return tuple(node.snapshot() for node in self._nodes)

    def alive(self, avoid: Collection[str] = ()) -> list[Node]:
        """The nodes that may be read, in order: operators not to be avoided, who is not backing off, the fastest."""
        found = [node for node in self._nodes if node.state is NodeState.ALIVE]
        return sorted(found, key=lambda node: (node.operator in avoid, node.back_off > 0, node.latency or 0.0))

    # ---- blocks

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block to value at, or that of a number, as a quorum of nodes has it.

        Raises:
            EndpointsDisagree: nodes have different blocks of this number, and no quorum agrees.
            NoQuorum: too few nodes can be read.
            ChainError: the only node cannot be read, or every head is too old.
        """
        return await self._stamp(self._number if number is None else lambda: number)

    async def newest(self) -> BlockStamp:
        """The newest block that a quorum of nodes has reached, whatever the finality. Raises as `stamp` does."""
        return await self._stamp(self._newest)

    async def _stamp(self, choose: Callable[[], int]) -> BlockStamp:
        try:
            async with self.within_deadline("the block to read at"):
                await self._dial()
                self._require(self.quorum)
                wanted = choose()
                found = await self.poll(BlockAt(wanted, self.chain, self.chain_id), self.quorum)
            if not found.agreed:
                raise self.refusal(found, f"block {wanted}")
            for node, other in found.dissent:
                branch = f"has {other.hash} as block {wanted}, a quorum {found.answer.hash}"
                node.facts = replace(node.facts, branch=branch)
                node.judge(self._limits)
        finally:
            self._announce()
        return found.answer

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether a quorum of nodes still has the block. Raises ChainError: too few nodes answer."""
        async with self.within_deadline(f"whether block {stamp.number} stands"):
            await self.ensure(self.quorum)
            found = await self.poll(IsCanonical(stamp), self.quorum)
        if found.agreed:
            return found.answer
        if len(found.voters()) >= self.quorum:
            return False
        raise self.refusal(found, f"whether block {stamp.number} stands")

    # ---- questions

    async def poll(self, question: Question[V], copies: int, order: Sequence[Node] | None = None) -> Poll[V]:
        """Put a question to so many independent nodes as must agree; see `poll.poll`."""
        return await poll(question, self.alive() if order is None else order, copies, sleep=self.sleep)

    async def ask(self, method: str, params: Sequence[object]) -> object:
        """Ask one node; where it fails, the next one.

        Raises:
            NodeRefused: the EVM ended the call, on the first node that ran it.
            ChainError: no node answered.
        """
        async with self.within_deadline(method):
            await self.ensure(1)
            found = await self.poll(Plain(method, params), 1)
        if not found.agreed:
            raise self.refusal(found, method)
        return found.answer.taken()

    async def ask_all(self, method: str, params: Sequence[object]) -> list[object]:
        """The answers of all nodes that give one; once there is one, slow nodes are not waited for much longer.

        Raises:
            ChainError: none gives one; the error is that of the first node.
        """
        async with self.within_deadline(method):
            await self.ensure(1)
            tasks = [asyncio.create_task(outcome(Plain(method, params).ask, node)) for node in self.alive()]
            try:
                _, slow = await asyncio.wait(tasks, timeout=self._dial_timeout)
                while slow and not any(isinstance(each.result(), Taken) for each in tasks if each.done()):
                    _, slow = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in tasks:
                    each.cancel()
        outcomes = [each.result() for each in tasks if each.done() and not each.cancelled()]
        answered = [found.taken() for found in outcomes if isinstance(found, Taken)]
        failed = [found for found in outcomes if isinstance(found, ChainError)]
        if not answered:
            raise failed[0]
        return answered

    async def ask_once(self, method: str, params: Sequence[object]) -> object:
        """Ask one node, once, whatever comes of it. Raises NodeRefused for an error answer, ChainError for none."""
        await self.ensure(1)
        return await self.alive()[0].request(method, params)

    def refusal(self, found: Poll[V], what: str) -> ChainError:
        """Why a poll came to nothing, with every node of the pool accounted for."""
        unasked = [f"{node.name} is {node.state.value}" for node in self._nodes if node.state is not NodeState.ALIVE]
        return found.error(self.chain, what, unasked)

    async def ensure(self, operators: int) -> None:
        """See to it that nodes of so many operators may be read: where not, look whether they recovered.

        Raises:
            ChainError: they may not; `NoQuorum` where there is more than one node.
        """
        if len({node.operator for node in self.alive()}) < operators:
            await self._dial()
            self._announce()
            self._require(operators)

    def dispute(self, node: Node, why: str) -> None:
        """A node contradicted a quorum: it is out for the cool-down, and whoever listens is told."""
        node.dispute(why, self._cool_down)
        node.failed(ChainError(f"{node.name}: {why}", advice=ADVICE[NodeState.DISPUTED]))
        node.judge(self._limits)
        self._announce()

    async def close(self) -> None:
        """Give up all connections."""
        await asyncio.gather(*(node.close() for node in self._nodes))

    @asynccontextmanager
    async def within_deadline(self, what: str) -> AsyncIterator[None]:
        """End what is under way at the deadline. Raises ChainError, which then says what it was."""
        try:
            async with asyncio.timeout(self.deadline):
                yield
        except TimeoutError:
            errors = [error for node in self.nodes() if (error := node.last_error) is not None]
            raise ChainError(
                "; ".join([f"{self.name}: {what} was not answered within {self.deadline:g} s", *errors]),
                advice="Use a faster endpoint, or raise the chain's `timeout`.",
            ) from None

    # ---- states

    @property
    def _tag(self) -> str | None:
        return self.finality if isinstance(self.finality, str) else None

    async def _dial(self) -> None:
        await asyncio.gather(*(node.dial(self._tag, self._dial_timeout) for node in self._nodes))
        oldest = None if self._max_head_age is None else self._clock.now() - self._max_head_age
        self._limits = Limits(self.chain_id, self._max_lag, oldest_head=oldest, tag=self._tag)
        heads = [
            (node.operator, node.facts.head)
            for node in self._nodes
            if node.facts.head is not None and state_of(node.facts, self._limits)[0] is NodeState.ALIVE
        ]
        self._limits = replace(self._limits, best_head=best_head(heads, self.quorum, self._max_lag))
        for node in self._nodes:
            node.judge(self._limits)

    def _announce(self) -> None:
        """Tell of every node whose state is not the one that was told last."""
        for node in self._nodes:
            was, self._told[node] = self._told[node], node.state
            if was is not node.state and self._on_event is not None:
                self._on_event(NodeEvent(self.chain, node.name, was, node.state, node.detail, ADVICE[node.state]))

    def _number(self) -> int:
        """The number of the block to value at."""
        if isinstance(self.finality, str):
            number = self._reached([(node, node.facts.tagged) for node in self.alive()])
        else:
            heads = [(node.operator, node.facts.head) for node in self.alive() if node.facts.head is not None]
            head = common_head(heads, self._limits.best_head or 0, self._max_lag)
            number = None if head is None else max(0, head - self.finality)
        if number is None:
            raise self._shortage()
        return number

    def _newest(self) -> int:
        """The highest head that a quorum has: no single node can hold it back, or raise it."""
        number = self._reached([(node, node.facts.head) for node in self.alive()])
        if number is None:
            raise self._shortage()
        return number

    def _reached(self, claims: Iterable[tuple[Node, int | None]]) -> int | None:
        return common_tag([(node.operator, number) for node, number in claims if number is not None], self.quorum)

    def _require(self, operators: int) -> None:
        if len({node.operator for node in self.alive()}) < operators:
            raise self._shortage()

    def _shortage(self) -> ChainError:
        return shortage(self.chain, self._nodes, self._limits, self.quorum, self._max_head_age)
