"""The state of a node as a pure function of what was found out about it.

    UNDIALED      not asked yet
    UNREACHABLE   it did not answer, or not sensibly
    WRONG_CHAIN   it serves another chain; never read
    SYNCING       it says that it is catching up
    OUT_OF_SYNC   its head lags, is too old by the clock, or belongs to another branch than the quorum's
    NO_FINALIZED  it lacks the block tag by which the chain is valued
    DISPUTED      it gave other bytes than a quorum of nodes; out for a cool-down
    ALIVE         none of these: it may be read

The first that applies, in this order, is the state. Nothing is remembered but the facts of the last dial and the mark
of a dispute, so a node recovers as soon as it answers right again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class NodeState(Enum):
    """What may be done with a node; see the module."""

    UNDIALED = "undialed"
    UNREACHABLE = "unreachable"
    WRONG_CHAIN = "wrong_chain"
    SYNCING = "syncing"
    OUT_OF_SYNC = "out_of_sync"
    NO_FINALIZED = "no_finalized"
    DISPUTED = "disputed"
    ALIVE = "alive"


ADVICE: Final[Mapping[NodeState, str]] = {
    NodeState.UNDIALED: "Nothing to do: the node is asked when the chain is read.",
    NodeState.UNREACHABLE: "Check that the node is up, its URL and key, and its quota.",
    NodeState.WRONG_CHAIN: "Correct the endpoint's URL or the chain's `chain_id` in the configuration.",
    NodeState.SYNCING: "Wait until the node has caught up, or use another one.",
    NodeState.OUT_OF_SYNC: "Check the node's peers and its provider's status; `max_lag` and `max_head_age` set limits.",
    NodeState.NO_FINALIZED: "Use a node that serves this block tag, or value by `finality: confirmations`.",
    NodeState.DISPUTED: "Find out why it answered otherwise; remove it from the configuration if it does so again.",
    NodeState.ALIVE: "Nothing to do.",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a node.

    Attributes:
        dialed: whether it was ever asked.
        problem: why the last dial failed; None when it did not.
        chain_id: the chain that it serves.
        behind: by how many blocks it says that it is behind while syncing; None when it does not say that it is.
        head, head_time: its newest block's number and timestamp.
        tagged: the number of its block of the finality tag; None where it has none.
        branch: in what its block differs from the one that a quorum has; None when it does not.
        dispute: in what it contradicted a quorum, as long as it is out for that.
    """

    dialed: bool = False
    problem: str | None = None
    chain_id: int | None = None
    behind: int | None = None
    head: int | None = None
    head_time: int | None = None
    tagged: int | None = None
    branch: str | None = None
    dispute: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a node.

    Attributes:
        chain_id: the chain.
        max_lag: most blocks behind the best head.
        best_head: the head that lag is measured from; None while no node has one.
        oldest_head: the timestamp before which a head is too old; None for no limit.
        tag: the finality tag that nodes must serve; None for none.
    """

    chain_id: int
    max_lag: int
    best_head: int | None = None
    oldest_head: int | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """A node changed its state; `detail` says why and `advice` what to do. No part of it is secret."""

    chain: str
    node: str
    was: NodeState
    state: NodeState
    detail: str
    advice: str


def state_of(facts: Facts, limits: Limits) -> tuple[NodeState, str]:
    """The state, and what led to it in words (empty for ALIVE)."""
    for state, why in (
        (NodeState.UNDIALED, "" if facts.dialed else "not asked yet"),
        (NodeState.UNREACHABLE, _unreachable(facts)),
        (NodeState.WRONG_CHAIN, _wrong_chain(facts, limits)),
        (NodeState.SYNCING, _syncing(facts, limits)),
        (NodeState.OUT_OF_SYNC, _out_of_sync(facts, limits)),
        (NodeState.NO_FINALIZED, _no_finalized(facts, limits)),
        (NodeState.DISPUTED, facts.dispute or ""),
    ):
        if why:
            return state, why
    return NodeState.ALIVE, ""


def _unreachable(facts: Facts) -> str:
    missing = facts.chain_id is None or facts.head is None or facts.head_time is None
    return facts.problem or ("did not say what its chain and head are" if missing else "")


def _wrong_chain(facts: Facts, limits: Limits) -> str:
    wrong = facts.chain_id != limits.chain_id
    return f"serves chain {facts.chain_id}, not {limits.chain_id}" if wrong else ""


def _syncing(facts: Facts, limits: Limits) -> str:
    syncing = facts.behind is not None and facts.behind > limits.max_lag
    return f"is {facts.behind} blocks behind and syncing" if syncing else ""


def _out_of_sync(facts: Facts, limits: Limits) -> str:
    head, time = facts.head or 0, facts.head_time or 0
    if limits.oldest_head is not None and time < limits.oldest_head:
        return f"its head {head} is {limits.oldest_head - time} s older than may be"
    if limits.best_head is not None and head < limits.best_head - limits.max_lag:
        return f"its head {head} is {limits.best_head - head} blocks behind"
    return facts.branch or ""


def _no_finalized(facts: Facts, limits: Limits) -> str:
    return f"has no {limits.tag} block" if limits.tag is not None and facts.tagged is None else ""
