"""What a pool asks its nodes by itself: blocks, and requests whose answers are not compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from navoracle.chain.node import Node
from navoracle.chain.rpc import NodeRefused, block_stamp
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp


class _Strong:
    """Questions whose answers are taken as they are."""

    def check(self, answer: object) -> None:
        """Every answer will do: it was checked when it came."""

    def is_weak(self, answer: object) -> bool:
        """No answer is weaker than another."""
        return False


@dataclass(frozen=True, slots=True)
class BlockAt(_Strong):
    """The block of a number."""

    number: int
    chain: str
    chain_id: int

    async def ask(self, node: Node) -> BlockStamp:
        """The block as the node has it. Raises ChainError: it has none, or answers with another one."""
        block = await node.request("eth_getBlockByNumber", [hex(self.number), False])
        if block is None:
            raise ChainError(
                f"{node.name} has no block {self.number} of {self.chain}",
                advice="Check the block's number; the node may lag, or be without this part of the history.",
            )
        stamp = block_stamp(block, self.chain, self.chain_id)
        if stamp.number != self.number:
            raise ChainError(
                f"{node.name} answered with block {stamp.number} when asked for block {self.number} of {self.chain}",
                advice="The endpoint mixes answers up: use another one.",
            )
        return stamp


@dataclass(frozen=True, slots=True)
class IsCanonical(_Strong):
    """Whether a block is still the one of its number."""

    stamp: BlockStamp

    async def ask(self, node: Node) -> bool:
        """What the node says; a node that has no block of this number says no."""
        block = await node.request("eth_getBlockByNumber", [hex(self.stamp.number), False])
        return block is not None and block_stamp(block, self.stamp.chain, self.stamp.chain_id).hash == self.stamp.hash


class Taken:
    """One node's answer, equal to nothing but itself: it is never compared."""

    def __init__(self, answer: object, refusal: NodeRefused | None = None) -> None:
        self._answer = answer
        self._refusal = refusal

    @property
    def is_empty(self) -> bool:
        """Whether it is empty data: true, or what a node says of a state that it does not have."""
        return self._refusal is None and self._answer == "0x"

    def taken(self) -> object:
        """The answer. Raises NodeRefused: the EVM ended the call."""
        if self._refusal is not None:
            raise self._refusal
        return self._answer


@dataclass(frozen=True, slots=True)
class Plain:
    """Any request. Empty data counts only where no node has more: what a contract is known by must not rest on it."""

    method: str
    params: Sequence[object]

    def check(self, answer: Taken) -> None:
        """Every answer will do."""

    def is_weak(self, answer: Taken) -> bool:
        """Whether another node may know more."""
        return answer.is_empty

    async def ask(self, node: Node) -> Taken:
        """The node's answer; that the EVM ended the call is one too."""
        try:
            return Taken(await node.request(self.method, self.params))
        except NodeRefused as refusal:
            if refusal.in_execution:
                return Taken(None, refusal)
            raise
