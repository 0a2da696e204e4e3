"""Why a chain cannot be read: what is said where too few of its nodes are alive."""

from __future__ import annotations

from collections.abc import Sequence

from navoracle.chain.node import Node
from navoracle.chain.node_state import ADVICE, Limits, NodeState
from navoracle.domain.errors import ChainError, NoQuorum


def shortage(chain: str, nodes: Sequence[Node], limits: Limits, quorum: int, max_head_age: int | None) -> ChainError:
    """Why the chain cannot be read, by the states of all nodes; `NoQuorum` where there is more than one."""
    oldest, ages = limits.oldest_head, [node.facts.head_time for node in nodes if node.facts.head_time]
    if oldest is not None and ages and max(ages) < oldest:
        age = oldest - max(ages) + (max_head_age or 0)
        return ChainError(
            f"{chain}: the newest head of any node is {age} s old, more than {max_head_age} s",
            advice="The chain has halted, or every node is stuck; `max_head_age` sets the limit.",
        )
    if len(nodes) == 1:
        (node,) = nodes
        return ChainError(f"{node.name} {node.detail} ({chain})", advice=ADVICE[node.state])
    states = "; ".join(
        f"{node.name}: {node.state.value}" + (f" ({node.detail})" if node.detail else "") for node in nodes
    )
    alive = len({node.operator for node in nodes if node.state is NodeState.ALIVE})
    return NoQuorum(
        f"{chain}: {alive} of {quorum} independent nodes can be read: {states}",
        advice="Bring the chain's endpoints back, or configure more of them; the quorum is never lowered.",
    )
