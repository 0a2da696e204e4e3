"""The store: everything that the keeper remembers, in one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from navoracle.storage.alerts import AlertStore
from navoracle.storage.breakers import BreakerStore
from navoracle.storage.database import Database
from navoracle.storage.frames import FrameStore
from navoracle.storage.history import HistoryStore
from navoracle.storage.lanes import LaneStore
from navoracle.storage.ledger import LedgerStore
from navoracle.storage.pages import PageStore
from navoracle.storage.peaks import PeakStore
from navoracle.storage.posts import PostStore
from navoracle.storage.requests import RequestStore
from navoracle.storage.slots import SlotStore
from navoracle.storage.transactions import TransactionStore


class SqlStore(
    FrameStore,
    SlotStore,
    PostStore,
    LaneStore,
    TransactionStore,
    BreakerStore,
    RequestStore,
    AlertStore,
    LedgerStore,
    PeakStore,
    HistoryStore,
    PageStore,
):
    """`navoracle.store_port.Store` on SQLite or PostgreSQL. Close it, or use it as a context manager.

    Every method may raise StoreError: the disk is full or failed, the database is locked, read-only or damaged, its
    server does not answer. A write that fails leaves nothing behind; where nobody can know (the server went away while
    it was being made final) the error says so, and the write may be repeated. An event or a flow repeated in that case
    may be there twice, everything else is there once. One store may be used from several threads, each with its own
    connection.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """Open the database at `url` for writing, make it if missing, migrate it.

        Args:
            url: "sqlite:///navoracle.db", or "postgresql://user:password@host/database" of a database that exists.

        Raises:
            StoreError: the directory is missing, the server cannot be reached, the database is read-only, none,
                another program's, or of a newer schema; it is left as it was.
        """
        return cls(Database.open(url, create=True))

    @classmethod
    def open_existing(cls, url: str) -> SqlStore:
        """Open a database to look at it; one of an older schema is migrated.

        Raises:
            StoreError: there is none, or it cannot be read; see `open`.
        """
        return cls(Database.open(url, create=False))

    def transaction(self) -> AbstractContextManager[None]:
        """Group this thread's writes into one transaction: all are kept, or none when an error leaves the block.

        Reads inside see the writes. Other writers wait meanwhile, so nothing may be awaited inside.
        """
        return self._database.transaction()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> SqlStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
