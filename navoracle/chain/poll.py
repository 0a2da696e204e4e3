"""One question to several nodes: who is asked, until enough independent nodes give the same answer.

A node that fails is no vote: the next one is asked, and where none is left the failed ones are asked again, twice, if
their failure may pass. A `weak` answer (a refusal that may be the node's own limit) counts only where no node gives a
better one. Nodes of one operator have one vote. Nothing here decides what a disagreement means: see `Poll.error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from navoracle.chain.node import BackingOff, Node
from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.domain.errors import ChainError, EndpointsDisagree, NoQuorum

ATTEMPTS: Final = 3
"""How often one node is asked one question before it counts as failed."""

V = TypeVar("V", bound=Hashable)


class Question(Protocol[V]):
    """What is asked."""

    async def ask(self, node: Node) -> V:
        """The node's answer. Raises ChainError: the node failed."""

    def check(self, answer: V) -> None:
        """Raises ChainError for an answer that no sound node gives; called before an answer is accepted."""

    def is_weak(self, answer: V) -> bool:
        """Whether the answer counts only where no node gives a better one."""


@dataclass(slots=True)
class Poll(Generic[V]):
    """How a question was answered.

    Attributes:
        copies: how many operators must agree.
        votes, weak: who gave which answer.
        failures: who failed, and how the last time.
        agreed: whether the question is settled; `answer` is then the answer.
    """

    copies: int
    votes: dict[V, list[Node]] = field(default_factory=dict)
    weak: dict[V, list[Node]] = field(default_factory=dict)
    failures: dict[Node, ChainError] = field(default_factory=dict)
    agreed: bool = False
    _answer: list[V] = field(default_factory=list)

    @property
    def answer(self) -> V:
        """What was agreed on; only after a poll that is `agreed`."""
        return self._answer[0]

    @property
    def dissent(self) -> list[tuple[Node, V]]:
        """Who gave another answer than the one agreed on; weak ones are no dissent."""
        return [(node, vote) for vote, nodes in self.votes.items() if vote != self.answer for node in nodes]

    def lacking(self) -> int:
        """How many more of the same votes are needed."""
        return self.copies - max(map(len, self.votes.values()), default=0)

    def voters(self) -> set[str]:
        """The operators that have given an answer."""
        return {node.operator for given in (self.votes, self.weak) for nodes in given.values() for node in nodes}

    def fail(self, node: Node, error: ChainError) -> None:
        """Note that the node failed; what it got wrong beyond its transport is counted here, the rest was already."""
        self.failures[node] = error
        if not isinstance(error, NodeRefused | NoAnswer):
            node.failed(error)

    def settle(self, question: Question[V]) -> None:
        """Drop answers that no sound node gives, where it matters, and see whether enough agree."""
        if len(self.votes) > 1 or self.lacking() <= 0:
            for vote in list(self.votes):
                try:
                    question.check(vote)
                except ChainError as error:
                    for node in self.votes.pop(vote):
                        self.fail(node, ChainError(f"{node.name}: {error.message}", advice=error.advice))
        self._accept(self.votes)

    def settle_weak(self) -> None:
        """Accept what only weak answers say, for want of a better one."""
        if not self.votes:
            self._accept(self.weak)

    def error(self, chain: str, what: str, unasked: Sequence[str] = ()) -> ChainError:
        """Why there is no answer: the node's own error where it is the only one, else with all nodes named.

        `unasked` are the nodes that could not be asked, each with its state.
        """
        failed = [*(error.message for error in self.failures.values()), *unasked]
        if len(self.votes) > 1:
            groups = " against ".join(", ".join(node.name for node in nodes) for nodes in self.votes.values())
            also = f"; failed: {'; '.join(failed)}" if failed else ""
            return EndpointsDisagree(
                f"{chain}: {what} is answered differently: {groups}{also}",
                advice="One of them lies, lags or mixes blocks: add an endpoint of a third operator to tell which one.",
            )
        if len(failed) == 1 and self.failures and not self.voters():
            return next(iter(self.failures.values()))
        refused = [f"{node.name} refused" for nodes in self.weak.values() for node in nodes]
        return NoQuorum(
            f"{chain}: {what} was answered by {len(self.voters())} of {self.copies} independent nodes"
            + "".join(f"; {each}" for each in (*refused, *failed)),
            advice="Bring the chain's endpoints back, or configure more of them; the quorum is never lowered.",
        )

    def _accept(self, given: dict[V, list[Node]]) -> None:
        ranked = sorted(given.items(), key=lambda item: len(item[1]), reverse=True)
        if ranked and len(ranked[0][1]) >= self.copies:
            self.agreed = True
            self._answer = [ranked[0][0]]


async def poll(
    question: Question[V],
    order: Sequence[Node],
    copies: int,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Poll[V]:
    """Put a question until `copies` independent nodes agree or no more can be asked; preferred nodes come first."""
    found: Poll[V] = Poll(copies)
    waiting = list(order)
    asked: dict[Node, int] = {}
    while True:
        found.settle(question)
        if found.agreed:
            return found
        waiting = [node for node in waiting if node.operator not in found.voters()] or _again(found, asked)
        if not waiting:
            found.settle_weak()
            return found
        chosen = _chosen(waiting, found.lacking())
        if not chosen:
            await sleep(min(node.back_off for node in waiting))
            continue
        waiting = [node for node in waiting if node not in chosen]
        answers = await asyncio.gather(*(outcome(question.ask, node) for node in chosen))
        for node, answer in zip(chosen, answers, strict=True):
            if isinstance(answer, BackingOff):
                waiting.append(node)
                continue
            asked[node] = asked.get(node, 0) + 1
            if isinstance(answer, ChainError):
                found.fail(node, answer)
                continue
            found.failures.pop(node, None)
            given = found.weak if question.is_weak(answer) else found.votes
            given.setdefault(answer, []).append(node)


def _chosen(waiting: Sequence[Node], wanted: int) -> list[Node]:
    """The first nodes of different operators that may be asked now."""
    chosen: dict[str, Node] = {}
    for node in waiting:
        if len(chosen) < wanted and node.operator not in chosen and node.back_off <= 0:
            chosen[node.operator] = node
    return list(chosen.values())


def _again(found: Poll[V], asked: dict[Node, int]) -> list[Node]:
    """The failed nodes that are worth another attempt: those whose failure may pass, where they could settle it."""
    voters = found.voters()
    nodes = [
        node
        for node, error in found.failures.items()
        if asked[node] < ATTEMPTS and node.operator not in voters and _may_pass(error)
    ]
    return nodes if len({node.operator for node in nodes}) >= found.lacking() else []


def _may_pass(error: ChainError) -> bool:
    return error.passing if isinstance(error, NodeRefused) else isinstance(error, NoAnswer)


async def outcome(ask: Callable[[Node], Awaitable[V]], node: Node) -> V | ChainError:
    """What comes of asking one node once: its answer, or how it failed."""
    try:
        return await ask(node)
    except ChainError as error:
        return error
