"""The read model: the one place from which API and dashboard answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

from navoracle.read_model import events, frames, fund, history, posts, prices, requests, risk
from navoracle.read_model.attention import Attention, attention
from navoracle.read_model.documents import Documents, Index, documents_of
from navoracle.read_model.events import Acknowledged, AlertRecord, EventRecord
from navoracle.read_model.evidence import Proof, archive_of, proof_of
from navoracle.read_model.frame import FrameDetail, frame_detail
from navoracle.read_model.frames import FrameRecord
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.funds import FundColumn, FundRow, Funds, FundsQuestion
from navoracle.read_model.history import HistoryPoint, SlotRecord
from navoracle.read_model.operations import Operations, operations
from navoracle.read_model.posts import PostRecord, TransactionRecord
from navoracle.read_model.prices import RECENT, PriceDetail, PriceRow
from navoracle.read_model.records import OffsetPage, Page, RiskWord
from navoracle.read_model.requests import SignedRequestRecord
from navoracle.read_model.risk import FundRisk, RiskRow
from navoracle.read_model.sources import Sources
from navoracle.read_model.verification import Verification
from navoracle.store_port import (
    EventQuestion,
    EventRow,
    FrameQuestion,
    Severity,
    SlotQuestion,
    TransactionState,
)

ALL_FUNDS: Final = FundsQuestion()
ALL_SLOTS: Final = SlotQuestion()
ALL_FRAMES: Final = FrameQuestion()
ALL_EVENTS: Final = EventQuestion()


class ReadModel:
    """What can be asked of a keeper. Only `acknowledge` changes anything.

    Every method may wait for the disk, so ask from another thread than the loop's; any thread may ask. Every method
    raises StoreError when the database or a state file cannot be read, and those that take a cursor raise UsageError
    for one that is none of theirs. What is asked for by name and is not there is None.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._store = sources.store
        self._index = Index(sources.state_folder)
        self._funds = Funds(sources, self._index)

    # ---- funds

    def funds(self, ask: FundsQuestion = ALL_FUNDS, *, offset: int = 0, limit: int = 50) -> OffsetPage[FundRow]:
        """All funds."""
        return self._funds.page(ask, offset=offset, limit=limit)

    def attention(self, *, limit: int = 8) -> Attention:
        """The funds that need attention, the worst first."""
        return attention(self.sources, self._funds, limit=limit)

    def newest_state(self) -> tuple[bool, int | None]:
        """Whether any fund is known, and the newest valuation time of all; None where none was valued."""
        entries = self._funds.entries()
        times = (entry["updated_at"] for entry in entries.values())
        return bool(entries), max((at for at in times if at is not None), default=None)

    def fund_row(self, name: str) -> FundRow | None:
        """One fund in one line."""
        return self._funds.row(name)

    def fund(self, name: str) -> FundDetail | None:
        """One fund, whole."""
        return fund.fund_detail(self.sources, self._funds, name)

    def documents(self, name: str) -> Documents:
        """A fund's state files, all of one frame."""
        return documents_of(self.sources.state_folder, name)

    # ---- what happened

    def slots(self, ask: SlotQuestion = ALL_SLOTS, *, cursor: str | None = None, limit: int = 50) -> Page[SlotRecord]:
        """Slots, newest first."""
        return history.slots(self._store, ask, cursor=cursor, limit=limit)

    def history(
        self, ask: SlotQuestion = ALL_SLOTS, *, cursor: str | None = None, limit: int = 50
    ) -> Page[HistoryPoint]:
        """Slots with their frames and posts, and what is worth a mark, newest first."""
        return history.history(self._store, ask, cursor=cursor, limit=limit)

    def frames(
        self, ask: FrameQuestion = ALL_FRAMES, *, cursor: str | None = None, limit: int = 50
    ) -> Page[FrameRecord]:
        """What frames found for funds, newest first."""
        return frames.frames(self._store, ask, cursor=cursor, limit=limit)

    def frame(self, frame: str, name: str) -> FrameDetail | None:
        """What a frame found for a fund, whole."""
        return frame_detail(self._store, frame, name)

    def posts(
        self,
        name: str | None = None,
        state: TransactionState | None = None,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[PostRecord]:
        """Posts, newest first."""
        return posts.posts(self._store, name, state, cursor=cursor, limit=limit)

    def transactions(
        self, chain: str | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Page[TransactionRecord]:
        """Transactions, newest first."""
        return posts.transactions(self._store, chain, cursor=cursor, limit=limit)

    def requests(
        self, name: str | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Page[SignedRequestRecord]:
        """Signed requests, newest first."""
        return requests.requests(self._store, name, cursor=cursor, limit=limit)

    # ---- evidence

    def has_evidence(self, frame: str, name: str) -> bool:
        """Whether there is evidence of a fund in a frame."""
        return any(row.evidence_hash is not None for row in self._store.fund_frames(fund=name, frame=frame))

    def evidence(self, frame: str, name: str) -> bytes | None:
        """The evidence document, byte for byte. Raises StoreError where it is damaged, too."""
        return self._store.evidence(frame, name) if self.has_evidence(frame, name) else None

    def proof(self, frame: str, name: str) -> Proof | None:
        """The hash of the evidence, and the posts that cover it."""
        document = self.evidence(frame, name)
        return None if document is None else proof_of(self._store, frame, name, document)

    def archive(self, frame: str, name: str) -> bytes | None:
        """Evidence and proof as a zip archive."""
        document = self.evidence(frame, name)
        return None if document is None else archive_of(proof_of(self._store, frame, name, document), document)

    def verify(self, frame: str, name: str) -> Verification | None:
        """Compute a fund's frame again from its evidence, and compare all that is stored of it; takes its time."""
        return self.sources.verify(frame, name) if self._store.fund_frames(fund=name, frame=frame) else None

    # ---- prices and risks

    def prices(self, text: str | None = None, *, offset: int = 0, limit: int = 50) -> OffsetPage[PriceRow]:
        """The newest price of every asset and side."""
        return prices.prices(self.sources, text=text, offset=offset, limit=limit)

    def fund_prices(
        self, name: str, text: str | None = None, *, offset: int = 0, limit: int = 50
    ) -> OffsetPage[PriceRow] | None:
        """The newest price of every asset that a fund needs, on every side."""
        if self._funds.row(name) is None:
            return None
        facts = self.sources.funds().get(name)
        assets = frozenset() if facts is None else facts.assets
        return prices.prices(self.sources, text=text, assets=assets, offset=offset, limit=limit)

    def price(self, asset: str, *, seconds: int = RECENT, limit: int = 500) -> PriceDetail | None:
        """An asset's price, its votes and its past."""
        return prices.price_detail(self.sources, asset, seconds=seconds, limit=limit)

    def risks(
        self,
        *,
        text: str | None = None,
        risk_status: RiskWord | None = None,
        sort: FundColumn = "risk_status",
        descending: bool = True,
        offset: int = 0,
        limit: int = 50,
    ) -> OffsetPage[RiskRow]:
        """The risks of every fund, the worst first."""
        return risk.risks(
            self.sources,
            self._funds,
            text=text,
            risk_status=risk_status,
            sort=sort,
            descending=descending,
            offset=offset,
            limit=limit,
        )

    def risk(self, name: str) -> FundRisk | None:
        """All risks of a fund."""
        return risk.fund_risk(self.sources, self._funds, name)

    # ---- what was told

    def events(
        self, ask: EventQuestion = ALL_EVENTS, *, cursor: str | None = None, limit: int = 50
    ) -> Page[EventRecord]:
        """Events, the last one stored first."""
        return events.events(self._store, ask, cursor=cursor, limit=limit)

    def events_after(self, event: int, limit: int) -> tuple[EventRow, ...]:
        """The next events after an id, oldest first."""
        return self._store.events_after(event, limit)

    def newest_event(self) -> int:
        """The id of the last event."""
        return self._store.newest_event()

    def alerts(
        self,
        *,
        open_only: bool = False,
        severity: Severity | None = None,
        text: str | None = None,
        fund: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> OffsetPage[AlertRecord]:
        """Alerts, the one seen last first."""
        return events.alerts(
            self._store, open_only=open_only, severity=severity, text=text, fund=fund, offset=offset, limit=limit
        )

    def acknowledge(self, key: str, by: str) -> Acknowledged | None:
        """Somebody takes care of an open alert; None where none has this key."""
        return events.acknowledge(self._store, key, by, self.sources.now())

    # ---- the keeper

    def operations(self) -> Operations:
        """How the keeper does."""
        return operations(self.sources)

    def fund_frames(self) -> Mapping[str, str | None]:
        """The frame that each fund's state files are of; empty where there are none."""
        return {fund: entry["frame"] for fund, entry in self._index.entries().items()}

    def version(self) -> Hashable:
        """Another one whenever a state file or an event was written."""
        return self._index.version(), self._store.newest_event()
