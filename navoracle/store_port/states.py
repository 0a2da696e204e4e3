"""Where a transaction stands: its own module, because posts and transactions both speak of it."""

from __future__ import annotations

from enum import Enum


class TransactionState(Enum):
    """Where a logical transaction stands; see `navoracle.store_port.transactions`."""

    PREPARED = "prepared"
    SENT = "sent"
    MINED = "mined"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Whether nothing more will come of it."""
        return self in _ENDS


_ENDS = frozenset({TransactionState.CONFIRMED, TransactionState.REPLACED, TransactionState.FAILED})
