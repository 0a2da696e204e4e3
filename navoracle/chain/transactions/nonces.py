"""Which nonce comes next and which one is missing, as pure functions of the chain and of what is stored.

There is no counter, so none can drift.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import TransactionRow

MOST_AT_ONCE: Final = 8
"""How many missing nonces are looked at together: each one costs a transaction."""


def nonces_of_ours(rows: Iterable[TransactionRow]) -> set[int]:
    """The nonces that are in a block or may still get there.

    One that was given up before anything of it was broadcast has none: its nonce is as free as if it had never been.
    """
    given_up = TransactionState.FAILED
    return {row.nonce for row in rows if row.nonce is not None and (row.state is not given_up or row.receipt)}


def next_nonce(count: int, ours: Collection[int]) -> int:
    """The nonce of a new transaction.

    Args:
        count: how many of the sender's transactions are in blocks; nodes that lag say too little, which is no harm.
        ours: the newest nonces of ours; see `nonces_of_ours`.
    """
    return max(count, max(ours, default=-1) + 1)


def free_nonces(count: int, waiting: Collection[int], lost: Collection[int] = ()) -> list[int]:
    """The nonces that no open transaction has, and that must be used before anything of ours goes on; the lowest few.

    Args:
        waiting: the nonces of open transactions.
        lost: those of ended ones that the chain took back.
    """
    end = max((*waiting, *(nonce + 1 for nonce in lost)), default=count)
    return list(islice((nonce for nonce in range(count, end) if nonce not in waiting), MOST_AT_ONCE))
