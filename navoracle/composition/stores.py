"""Opening the store: to keep, to look at, or to rehearse with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from tempfile import TemporaryDirectory

from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError, UsageError
from navoracle.domain.fees import Basis
from navoracle.domain.frame import NavFrame
from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_database_url
from navoracle.storage import SqlStore
from navoracle.storage.administration import current_revision, database_exists, migrate_to
from navoracle.storage.database import Database
from navoracle.storage.schema import newest_revision
from navoracle.store_port import AlertRow, BreakerSubject, Claim, Event, SlotOutcome

__all__ = [
    "RehearsalStore",
    "current_revision",
    "migrate_to",
    "newest_revision",
    "open_existing_store",
    "open_fresh_store",
    "open_store",
    "rehearsal_store",
    "store_exists",
]


def open_store(url: str) -> SqlStore:
    """Open the database for writing; make it if missing. Raises StoreError."""
    return SqlStore.open(url)


def open_fresh_store(url: str) -> SqlStore:
    """Open a database for one run of a timeline: a new one, or one that holds nothing yet.

    Raises:
        UsageError: it holds frames: its slots are taken and its prices remembered, so nothing could be run anew.
        StoreError: it cannot be written.
    """
    store = SqlStore.open(url)
    if store.frames(limit=1, samples=True):
        store.close()
        raise UsageError(
            f"{redact_database_url(url)} holds the frames of an earlier run",
            advice="Name another database, or leave --database out: a new one is made.",
        )
    return store


def open_existing_store(url: str) -> SqlStore:
    """Open a database that is there, to look at it. Raises StoreError."""
    return SqlStore.open_existing(url)


class RehearsalStore(SqlStore):
    """A store that answers as the database does and keeps nothing.

    A dry run thereby starts from the real state and leaves none behind: no slot is taken from the live run that
    follows, no fee clock or high-water mark begins, no breaker moves.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Nothing is kept, so nobody has to wait for it."""
        return nullcontext()

    def claim_slot(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, *, owner: str, lease: int, at: Timestamp
    ) -> Claim | None:
        """The slot if it could be had; it stays as it is."""
        known = next((row for row in self.slots(fund, since=slot_time) if row.slot_time == slot_time), None)
        if known is None:
            return Claim(fund, slot_time, cadence, owner, 1)
        abandoned = any((row.fund, row.slot_time) == (fund, slot_time) for row in self.abandoned_slots())
        return Claim(fund, slot_time, cadence, owner, known.epoch + 1) if abandoned else None

    def renew_claims(self, claims: Sequence[Claim], lease: int) -> None:
        """Nothing was claimed."""

    def finish_slot(self, claim: Claim, outcome: SlotOutcome, at: Timestamp) -> None:
        """Nothing is kept."""

    def miss_slot(self, fund: str, slot_time: Timestamp, cadence: Cadence, reason: str, at: Timestamp) -> bool:
        """Whether nobody has the slot; nothing is kept."""
        return all(row.slot_time != slot_time for row in self.slots(fund, since=slot_time))

    def record_frame(
        self,
        frame: NavFrame,
        *,
        hashes: Mapping[str, str],
        fee_bases: Mapping[str, Basis] | None = None,
        peaks: Mapping[str, PeakState] | None = None,
    ) -> None:
        """Nothing is kept."""

    def record_sample(self, frame: NavFrame) -> None:
        """Nothing is kept."""

    def save_breaker(self, subject: BreakerSubject, breaker: Breaker, *, was: Breaker, at: Timestamp) -> bool:
        """Nothing is kept."""
        return True

    def use_rebase(self, fund: str, request: str, at: Timestamp) -> None:
        """Nothing is kept."""

    def save_alert(self, alert: AlertRow) -> None:
        """Nothing is kept."""

    def append_event(self, event: Event) -> int:
        """Nothing is kept; the number is none of a kept event's."""
        return 0


@contextmanager
def rehearsal_store(url: str) -> Iterator[RehearsalStore]:
    """A store for valuations that are only shown and for dry runs; a missing database is as good as an empty one.

    Raises:
        StoreError: the database is there and cannot be read.
    """
    with TemporaryDirectory(prefix="navoracle-") as folder:
        found = url if store_exists(url) else f"sqlite:///{folder}/empty.db"
        store = RehearsalStore(Database.open(found, create=found != url))
        try:
            yield store
        finally:
            store.close()


def store_exists(url: str) -> bool:
    """Whether there is something at a database URL; a URL that cannot be used counts, so that opening it explains."""
    try:
        return database_exists(url)
    except StoreError:
        return True
