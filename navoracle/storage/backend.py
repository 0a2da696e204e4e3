"""What a kind of database does in its own way: how it is opened, locked, and what its errors mean."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

UNCHANGED = "nothing of this write was kept"
DEFECT = "Nothing was written. Report this as a defect, with the command and the log."
PATIENCE_SECONDS = 10
"""How long a write waits for another writer's lock."""


class Explanation(NamedTuple):
    """What a database's error means, and what the operator can do about it."""

    message: str
    advice: str


class TransactionState(Enum):
    """OPEN: it goes on. FAILED: it can only be rolled back, wholly or to a savepoint. ENDED: the database ended it."""

    OPEN = "open"
    FAILED = "failed"
    ENDED = "ended"


class Backend(Protocol):
    """One database of one kind.

    Attributes:
        place: what it is called in messages; no secret is part of it.
        engine: a connection for anything.
        reader: a connection of it sees one state of the database, however many queries it asks.
    """

    place: str
    engine: Engine
    reader: Engine

    def writer(self, *, durable: bool) -> Engine:
        """Transactions that are kept whole or not at all; a durable one also survives a loss of power."""

    def find(self, *, create: bool) -> None:
        """Refuse what cannot be opened at all, before anything is made. Raises StoreError."""

    def exists(self) -> bool:
        """Whether there is something to open; what cannot be looked at counts, so that opening it explains."""

    def begin(self, connection: Connection) -> None:
        """What every writing transaction starts with."""

    def lock(self, connection: Connection, name: str) -> None:
        """Let one transaction at a time pass, until it ends."""

    def migration(self) -> AbstractContextManager[Connection]:
        """A transaction in which the schema may be changed, by one process at a time."""

    def prepare_for_writing(self) -> None:
        """Find out now, rather than in a slot, whether the database can be written."""

    def transaction_state(self, driver: Any) -> TransactionState:
        """What became of the transaction that was begun on the driver's connection."""

    def explain(self, error: DBAPIError) -> Explanation:
        """What an error of the driver means."""
