"""Long lists in pages: newest first, from one row on, with the number of all rows that match.

A page begins after the last row of the page before, which its key names: rows that are stored meanwhile neither repeat
nor hide another one. A key is the columns by which the list is sorted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.domain.prices import PriceStatus, Side
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.store_port.records import EventRow, FundFrameRow, HistoryRow, PostRow, Severity, SlotRow, SlotState
from navoracle.store_port.requests import RequestRow
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import TransactionRow

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Rows(Generic[R_co]):
    """A page; `total` counts all rows that match, whatever page they are on."""

    rows: tuple[R_co, ...]
    total: int


class SlotKey(NamedTuple):
    """Where a slot stands in the list of slots."""

    slot_time: Timestamp
    fund: str


class FrameKey(NamedTuple):
    """Where what a frame found for a fund stands in the list of these."""

    now: Timestamp
    clock: Timestamp
    frame: str
    fund: str


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to and including `until`, Unix seconds; None is open."""

    since: Timestamp | None = None
    until: Timestamp | None = None


ALWAYS = Span()


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """Which events: those that match all that is said. `text` stands in the message, whatever its case."""

    fund: str | None = None
    kind: str | None = None
    severity: Severity | None = None
    text: str | None = None
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class SlotQuestion:
    """Which slots: those that match all that is said; `states` None takes all."""

    fund: str | None = None
    states: Collection[SlotState] | None = None
    cadence: Cadence | None = None
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class FrameQuestion:
    """Which frames of funds: those that match all that is said."""

    fund: str | None = None
    status: NavStatus | None = None
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """What a source said in a frame; `excluded` is why it does not count."""

    asset: str
    source: str
    group: str
    price: Wad
    confidence: Bps
    observed_at: Timestamp
    published_at: Timestamp | None
    used: bool
    excluded: str | None


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """An asset's price in a frame, on one side; `now` is the frame's time."""

    frame: str
    now: Timestamp
    asset: str
    side: Side
    price: Wad | None
    confidence: Bps
    status: PriceStatus
    reason: str | None
    spread_bps: int | None
    as_of: Timestamp | None


class PageStore(Protocol):
    """Pages of what was recorded. Every method raises StoreError when the database cannot be read."""

    def event_page(self, ask: EventQuestion, *, before: int | None, limit: int) -> Rows[EventRow]:
        """Events, the last one stored first, below the id `before`."""

    def events_after(self, event: int, limit: int) -> tuple[EventRow, ...]:
        """The next events after an id, oldest first."""

    def newest_event(self) -> int:
        """The id of the last event; 0 before the first."""

    def slot_page(self, ask: SlotQuestion, *, before: SlotKey | None, limit: int) -> Rows[SlotRow]:
        """Slots, newest first, and of one time by fund."""

    def history_page(self, ask: SlotQuestion, *, before: SlotKey | None, limit: int) -> Rows[HistoryRow]:
        """The same slots with their frames and posts."""

    def frame_page(
        self, ask: FrameQuestion, *, before: FrameKey | None, limit: int
    ) -> Rows[tuple[FundFrameRow, FrameKey]]:
        """What frames found for funds, each with its key."""

    def post_page(
        self, fund: str | None, state: TransactionState | None, *, before: int | None, limit: int
    ) -> Rows[PostRow]:
        """Posts, newest first, below the number `before`."""

    def transaction_page(self, chain: str | None, *, before: int | None, limit: int) -> Rows[TransactionRow]:
        """Transactions, newest first, below the number `before`."""

    def request_page(self, fund: str | None, *, before: int | None, limit: int) -> Rows[tuple[RequestRow, int]]:
        """Requests, newest first, below the number `before`, each with its number."""

    def newest_estimates(self, within: int) -> tuple[EstimateRow, ...]:
        """The newest estimate of each asset and side in the `within` seconds up to the newest frame, sorted.

        The sampler's frames keep samples, and no estimates.
        """

    def estimates_of(self, asset: str, side: Side, span: Span, limit: int) -> tuple[EstimateRow, ...]:
        """The newest estimates of an asset, newest first."""

    def quotes_of(self, frame: str, asset: str) -> tuple[QuoteRow, ...]:
        """What the sources of an asset said in a frame, sorted by source."""
