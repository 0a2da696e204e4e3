"""Which block a pool of nodes stands at, as pure functions of what each operator's nodes say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

Finality: TypeAlias = int | Literal["safe", "finalized"]
"""Which block is final enough to value at: the newest less so many confirmations, or the chain's own tag."""

Claim: TypeAlias = tuple[str, int]
"""An operator, and a block number that a node of his names."""


def best_head(claims: Iterable[Claim], quorum: int, max_lag: int) -> int | None:
    """The head that lag is measured from: the highest one that a quorum of operators comes within `max_lag` of.

    A single node that claims a head far above all others therefore puts nobody out of sync. Where no head has a quorum
    near it the highest claim stands, which leaves fewer nodes in sync than the quorum. None without claims.
    """
    known = list(claims)
    highest_first = sorted({number for _, number in known}, reverse=True)
    for head in highest_first:
        if len({operator for operator, number in known if head - max_lag <= number <= head}) >= quorum:
            return head
    return highest_first[0] if highest_first else None


def common_head(claims: Iterable[Claim], best: int, max_lag: int) -> int | None:
    """The lowest head within `max_lag` of the best one: every node in sync has it. None where there is none."""
    return min((number for _, number in claims if best - max_lag <= number <= best), default=None)


def common_tag(claims: Iterable[Claim], quorum: int) -> int | None:
    """The highest number that a quorum of operators has reached, with a tag or as head; None where fewer did."""
    highest: dict[str, int] = {}
    for operator, number in claims:
        highest[operator] = max(number, highest.get(operator, number))
    reached = sorted(highest.values(), reverse=True)
    return reached[quorum - 1] if len(reached) >= quorum else None
