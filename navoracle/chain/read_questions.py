"""What a pinned read asks its nodes: chunks of calls through Multicall3, calls that must go alone, code and storage.

Answers are compared as the text that the nodes sent. It is decoded once, after enough nodes agreed on it; a second copy
costs a comparison of text. Where nodes differ, more is decoded, to see whether one of them is broken or short of gas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_utils.address import to_checksum_address

from navoracle.chain.chunks import Target
from navoracle.chain.multicall import decode_answers, encode_aggregate3
from navoracle.chain.node import Node
from navoracle.chain.pins import block_of, require_block, require_unchanged, witness_calls
from navoracle.chain.request_body import HexText
from navoracle.chain.rpc import NodeRefused, hex_bytes
from navoracle.domain.errors import CallReverted, ChainError, MalformedResult
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address, Answer

WORD: Final = 32
"""Bytes of a word of storage."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The EVM ended the request: two nodes agree on it when the revert data is the same, whatever their words."""

    data: bytes
    out_of_gas: bool = field(compare=False)


class ChunkQuestion:
    """Some calls in one `aggregate3` at a block.

    Args:
        calls: at least one.
        at: the block.
        multicall: the Multicall3.
        witnessed: whether the chunk proves its block; it must where any node is pinned by number, and then on all
            nodes, so that their texts can be compared.
    """

    def __init__(self, calls: Sequence[Target], at: BlockStamp, multicall: Address, *, witnessed: bool) -> None:
        target = bytes.fromhex(multicall[2:])
        witnesses = witness_calls(target, at) if witnessed else []
        self._at = at
        self._witnesses = len(witnesses)
        self._count = len(witnesses) + len(calls)
        self._alone = len(calls) == 1
        self._transaction = {
            "to": to_checksum_address(multicall),
            "data": HexText.of(encode_aggregate3([*witnesses, *calls])),
        }
        self._decoded: dict[str, list[Answer]] = {}

    async def ask(self, node: Node) -> str | Refused:
        """The node's text. Raises ChainError: it failed, answered nothing, or read another block."""
        text = await _call(node, self._transaction, self._at)
        if isinstance(text, Refused):
            return text
        if text == "0x":
            raise ChainError(
                f"{node.name} answered nothing for block {self._at.number} of {self._at.chain}",
                advice="The node may not have this block's state: use one with enough history.",
            )
        if node.pin == "number":
            try:
                require_block(node, self._decode(text), self._at)
            except MalformedResult as error:
                raise ChainError(f"{node.name}: {error.message}", advice=error.advice) from error
            await require_unchanged(node, self._at)
        return text

    def check(self, answer: str | Refused) -> None:
        """Raises ChainError for a text that is no list of so many results."""
        if isinstance(answer, str):
            try:
                self._decode(answer)
            except MalformedResult as error:
                raise ChainError(error.message, advice=error.advice) from error

    def is_weak(self, answer: str | Refused) -> bool:
        """A refused chunk may be too much for the node; a single call is only where gas ran out."""
        return isinstance(answer, Refused) and (answer.out_of_gas or not self._alone)

    def answers(self, answer: str) -> list[Answer]:
        """The answers to the calls, in order."""
        return self._decode(answer)[self._witnesses :]

    def short_of_gas(self, one: str | Refused, other: str | Refused) -> bool:
        """Whether two answers differ in nothing but calls of `one` that failed without data, as starved calls do."""
        if isinstance(one, Refused) or isinstance(other, Refused) or self._alone:
            return False
        pairs = zip(self.answers(one), self.answers(other), strict=True)
        return all(is_silent(mine) for mine, theirs in pairs if mine != theirs)

    def _decode(self, text: str) -> list[Answer]:
        if text not in self._decoded:
            try:
                data = hex_bytes(text, "call result")
            except ChainError as error:
                raise MalformedResult(error.message, advice=error.advice) from error
            self._decoded[text] = decode_answers(data, self._count)
        return self._decoded[text]


class DirectQuestion:
    """One call outside of Multicall3 at a block, as its own sender."""

    def __init__(self, target: Target, sender: Address | None, at: BlockStamp) -> None:
        self._at = at
        self._transaction = {"to": to_checksum_address(target[0]), "data": "0x" + target[1].hex()}
        if sender is not None:
            self._transaction["from"] = sender

    async def ask(self, node: Node) -> str | Refused:
        """The node's text. Raises ChainError: it failed, or the block is another one."""
        text = await _call(node, self._transaction, self._at)
        if node.pin == "number":
            await require_unchanged(node, self._at)
        return text

    def check(self, answer: str | Refused) -> None:
        """Raises ChainError for a text that is no hex."""
        if isinstance(answer, str):
            hex_bytes(answer, "call result")

    def is_weak(self, answer: str | Refused) -> bool:
        """Nothing may be all that there is, or all that this node has; gas may have run out on this node alone."""
        return answer == "0x" if isinstance(answer, str) else answer.out_of_gas


class CodeQuestion:
    """The run-time code of a contract at a block."""

    def __init__(self, address: Address, at: BlockStamp) -> None:
        self._address = address
        self._at = at

    async def ask(self, node: Node) -> str:
        """The node's text. Raises ChainError: it failed, or the block is another one."""
        answer = await node.request("eth_getCode", [self._address, block_of(node.pin, self._at)])
        if node.pin == "number":
            await require_unchanged(node, self._at)
        return str(answer)

    def check(self, answer: str) -> None:
        """Raises ChainError for a text that is no hex."""
        hex_bytes(answer, "code")

    def is_weak(self, answer: str) -> bool:
        """Nothing may be all that there is, or all that this node has."""
        return answer == "0x"


class StorageQuestion:
    """One word of a contract's storage at a block."""

    def __init__(self, contract: Address, slot: int, at: BlockStamp) -> None:
        self._contract = contract
        self._slot = slot
        self._at = at

    async def ask(self, node: Node) -> str:
        """The node's text. Raises ChainError: it failed, or the block is another one."""
        where = f"{self._slot:#066x}"
        answer = await node.request("eth_getStorageAt", [self._contract, where, block_of(node.pin, self._at)])
        if node.pin == "number":
            await require_unchanged(node, self._at)
        return str(answer)

    def check(self, answer: str) -> None:
        """Raises ChainError for a text that is no word of 32 bytes."""
        word = hex_bytes(answer, "storage")
        if len(word) != WORD:
            raise ChainError(
                f"a node answered {len(word)} bytes for a word of storage", advice="Take the node out of the pool."
            )

    def is_weak(self, answer: str) -> bool:
        """Never: zero is what most slots hold."""
        return False


def is_silent(answer: Answer) -> bool:
    """Whether a call failed without data, as one does that was left no gas."""
    return answer.failure == CallReverted.code and not answer.data


async def _call(node: Node, transaction: dict[str, str], at: BlockStamp) -> str | Refused:
    try:
        answer = await node.request("eth_call", [transaction, block_of(node.pin, at)])
    except NodeRefused as refusal:
        if refusal.in_execution:
            return Refused(refusal.data, refusal.out_of_gas)
        raise
    if not isinstance(answer, str) or answer[:2] != "0x":
        raise ChainError(
            f"{node.name} answered {str(answer)[:80]!r} where a call result was due",
            advice="Check the node's health; another endpoint shows whether it is the node or the chain.",
        )
    return answer
