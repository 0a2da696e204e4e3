"""Handing signed bytes to nodes, and what their answers mean.

An error answer says nothing certain about where the bytes went: whoever asked looks the hash up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from navoracle.chain.node import Node
from navoracle.chain.rpc import Endpoint, NodeRefused
from navoracle.chain.transactions.policy import Relay
from navoracle.domain.errors import ChainError
from navoracle.publisher_port import SignedTransaction


class Verdict(Enum):
    """What became of a broadcast, the best first: of several nodes' answers the first one counts."""

    TAKEN = "taken"
    NONCE_USED = "nonce_used"
    UNDERPRICED = "underpriced"
    FEE_TOO_LOW = "fee_too_low"
    NO_FUNDS = "no_funds"
    TYPE_CONFLICT = "type_conflict"
    UNCLEAR = "unclear"


_RANK: Final = list(Verdict)

# What nodes say, by verdict; in lower case. An order matters: "replacement transaction underpriced" before the next.
_WORDS: Final = (
    (Verdict.TAKEN, ("already known", "already imported", "known transaction", "alreadyknown", "already in mempool")),
    (Verdict.NONCE_USED, ("nonce too low", "nonce is too low", "oldnonce", "nonce has already been used")),
    (
        Verdict.UNDERPRICED,
        ("replacement transaction underpriced", "replacementnotallowed", "another transaction with same nonce"),
    ),
    (
        Verdict.FEE_TOO_LOW,
        ("underpriced", "feetoolow", "fee too low", "less than block base fee", "gas price too low", "below minimum"),
    ),
    (Verdict.NO_FUNDS, ("insufficient funds", "insufficientfunds", "exceeds account balance")),
    (Verdict.TYPE_CONFLICT, ("already reserved",)),
)

ADVICE: Final = {
    Verdict.TAKEN: "Nothing to do.",
    Verdict.NONCE_USED: "Nothing to do yet: receipts tell whether one of ours used the nonce.",
    Verdict.UNDERPRICED: "Nothing to do: it is replaced at a higher fee, up to the ceiling.",
    Verdict.FEE_TOO_LOW: "It is replaced at a higher fee, up to the ceiling; raise the ceiling if that is too low.",
    Verdict.NO_FUNDS: "Send native coin to the sender; everything that waits is broadcast again by itself.",
    Verdict.TYPE_CONFLICT: "Another program uses this key for blob transactions: give the keeper a key of its own.",
    Verdict.UNCLEAR: "Nothing to do unless it goes on: the same bytes are broadcast again. Check the node.",
}


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What became of one broadcast; `error` is what the node answered, None where it took the bytes."""

    verdict: Verdict
    error: str | None


async def broadcast_once(node: Node, signed: SignedTransaction) -> Broadcast:
    """Hand the bytes to one node, once."""
    return await _ask(node, "eth_sendRawTransaction", [signed.raw], signed)


async def broadcast_everywhere(nodes: Sequence[Node], signed: SignedTransaction) -> Broadcast:
    """Hand the same bytes to every node; the best answer counts."""
    answers = await asyncio.gather(*(broadcast_once(node, signed) for node in nodes))
    return min(answers, key=lambda each: _RANK.index(each.verdict))


async def broadcast_privately(relay: Relay, signed: SignedTransaction) -> Broadcast:
    """Hand the bytes to the private relay, and to nobody else."""
    private = relay.method == "eth_sendPrivateTransaction"
    params: list[object] = [{"tx": signed.raw}] if private else [signed.raw]
    return await _ask(relay.endpoint, relay.method, params, signed)


async def _ask(
    endpoint: Node | Endpoint, method: str, params: Sequence[object], signed: SignedTransaction
) -> Broadcast:
    try:
        return _taken(await endpoint.request(method, params), signed)
    except ChainError as error:
        return _refused(error)


def _taken(answer: object, signed: SignedTransaction) -> Broadcast:
    if answer == signed.hash:
        return Broadcast(Verdict.TAKEN, None)
    return Broadcast(Verdict.UNCLEAR, f"the node answered with {str(answer)[:80]!r} instead of the hash")


def _refused(error: ChainError) -> Broadcast:
    verdict = verdict_of(error.detail) if isinstance(error, NodeRefused) else Verdict.UNCLEAR
    return Broadcast(verdict, None if verdict is Verdict.TAKEN else error.message)


def verdict_of(message: str) -> Verdict:
    """What a node's refusal of a transaction means, by its words: there are no codes for it."""
    lowered = message.lower()
    return next(
        (verdict for verdict, words in _WORDS if any(word in lowered for word in words)),
        Verdict.UNCLEAR,
    )
