"""What happened, row by row: slots, frames, posts, transactions, requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from navoracle.domain.cadence import Cadence
from navoracle.read_model.cursors import cursor_of, frame_key_of, number_of, slot_key_of
from navoracle.read_model.records import Page, Record, Time, WadText, WeiText, wad_text
from navoracle.store_port import (
    FrameQuestion,
    FundFrameRow,
    HistoryRow,
    PageStore,
    PostRow,
    RequestRow,
    SlotQuestion,
    SlotRow,
    SlotState,
    TransactionRow,
    TransactionState,
)


class SlotRecord(Record):
    """A slot and how it ended."""

    fund: str
    slot_time: Time
    cadence: str
    state: str
    reason: str | None
    """Why nothing was accepted; null where something was."""
    frame: str | None
    post: int | None
    claimed_at: Time
    finished_at: Time | None
    owner: str | None
    """The keeper that has it, or had it."""
    epoch: int
    """It grows with every claim."""


class Annotation(Record):
    """What is worth a mark at a point of the history."""

    kind: Literal["post", "hold", "skip", "failure", "missed", "emergency", "high_volatility"]
    text: str


class HistoryPoint(Record):
    """A slot with what its frame found and where it was posted."""

    fund: str
    slot_time: Time
    cadence: str
    state: str
    reason: str | None
    frame: str | None
    status: str | None
    """What the frame said of the NAV; null where no frame was run."""
    nav: WadText | None
    """With queued deposits; null where the fund could not be valued."""
    price_per_share: WadText | None
    confidence_bps: int | None
    transaction: str | None
    """The transaction that was mined, or else the newest that was signed."""
    block: int | None
    annotations: list[Annotation]


class FrameRecord(Record):
    """What a frame found for a fund."""

    frame: str
    fund: str
    slot_time: Time
    now: Time
    """The valuation time."""
    status: str
    reason: str | None
    nav_before: WadText | None
    """Without queued deposits."""
    nav: WadText | None
    """With them."""
    price_per_share: WadText | None
    shares: WadText | None
    confidence_bps: int | None
    estimated: bool | None
    evidence_hash: str | None


class PostFund(Record):
    """A fund's part of a post."""

    fund: str
    fund_id: int
    nav: WadText
    price_per_share: WadText
    outcome: str | None
    """What the contract did with it; null until it was read back."""
    reason: str | None
    evidence_hash: str


class PostRecord(Record):
    """A post and what became of it."""

    post: int
    frame: str
    chain: str
    contract: str
    valuation_time: Time
    state: str
    """Of its transaction."""
    transaction: str | None
    """The hash that was mined."""
    block: int | None
    attempts: int
    """How often it was signed."""
    error: str | None
    created_at: Time
    finished_at: Time | None
    evidence_root: str
    funds: list[PostFund]


class TransactionRecord(Record):
    """A transaction, under however many hashes."""

    transaction: int
    chain: str
    sender: str
    kind: str
    to: str
    state: str
    nonce: int | None
    hashes: list[str]
    """Of what was signed, oldest first."""
    mined: str | None
    """The hash that was mined."""
    block: int | None
    fee_paid: WeiText | None
    """In wei."""
    error: str | None
    created_at: Time
    finished_at: Time | None


class SignedRequestRecord(Record):
    """A signed request and what became of it."""

    request: str
    fund: str
    action: str
    role: str
    signer: str
    reason: str
    slot: Time
    deadline: Time
    state: str
    received_at: Time
    finished_at: Time | None
    result: str | None


_MARKS: Final[dict[SlotState, Literal["post", "hold", "skip", "failure", "missed"]]] = {
    SlotState.POSTED: "post",
    SlotState.HELD: "hold",
    SlotState.SKIPPED: "skip",
    SlotState.FAILED: "failure",
    SlotState.MISSED: "missed",
}


def slots(store: PageStore, ask: SlotQuestion, *, cursor: str | None, limit: int) -> Page[SlotRecord]:
    """Slots, newest first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.slot_page(ask, before=slot_key_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(shown[-1].slot_time, shown[-1].fund) if len(found.rows) > limit else None
    return Page(items=[slot_record(row) for row in shown], total=found.total, limit=limit, next=following)


def history(store: PageStore, ask: SlotQuestion, *, cursor: str | None, limit: int) -> Page[HistoryPoint]:
    """Slots with frames and posts, newest first. Raises as `slots`."""
    found = store.history_page(ask, before=slot_key_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(shown[-1].slot_time, shown[-1].fund) if len(found.rows) > limit else None
    return Page(items=[history_point(row) for row in shown], total=found.total, limit=limit, next=following)


def frames(store: PageStore, ask: FrameQuestion, *, cursor: str | None, limit: int) -> Page[FrameRecord]:
    """What frames found, newest first. Raises as `slots`."""
    found = store.frame_page(ask, before=frame_key_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(*shown[-1][1]) if len(found.rows) > limit else None
    return Page(items=[frame_record(row) for row, _ in shown], total=found.total, limit=limit, next=following)


def posts(
    store: PageStore, fund: str | None, state: TransactionState | None, *, cursor: str | None, limit: int
) -> Page[PostRecord]:
    """Posts, newest first. Raises as `slots`."""
    found = store.post_page(fund, state, before=number_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(shown[-1].id) if len(found.rows) > limit else None
    return Page(items=[post_record(row) for row in shown], total=found.total, limit=limit, next=following)


def transactions(store: PageStore, chain: str | None, *, cursor: str | None, limit: int) -> Page[TransactionRecord]:
    """Transactions, newest first. Raises as `slots`."""
    found = store.transaction_page(chain, before=number_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(shown[-1].id) if len(found.rows) > limit else None
    return Page(items=[transaction_record(row) for row in shown], total=found.total, limit=limit, next=following)


def requests(store: PageStore, fund: str | None, *, cursor: str | None, limit: int) -> Page[SignedRequestRecord]:
    """Signed requests, newest first. Raises as `slots`."""
    found = store.request_page(fund, before=number_of(cursor), limit=limit + 1)
    shown = found.rows[:limit]
    following = cursor_of(shown[-1][1]) if len(found.rows) > limit else None
    return Page(items=[request_record(row) for row, _ in shown], total=found.total, limit=limit, next=following)


def slot_record(row: SlotRow) -> SlotRecord:
    """A slot."""
    return SlotRecord(
        fund=row.fund,
        slot_time=row.slot_time,
        cadence=row.cadence.value,
        state=row.state.value,
        reason=row.reason,
        frame=row.frame,
        post=row.post,
        claimed_at=row.claimed_at,
        finished_at=row.finished_at,
        owner=row.owner,
        epoch=row.epoch,
    )


def history_point(row: HistoryRow) -> HistoryPoint:
    """A slot with its frame and post."""
    return HistoryPoint(
        fund=row.fund,
        slot_time=row.slot_time,
        cadence=row.cadence.value,
        state=row.state.value,
        reason=row.reason,
        frame=row.frame,
        status=None if row.status is None else row.status.value,
        nav=wad_text(row.nav_after),
        price_per_share=wad_text(row.price_per_share),
        confidence_bps=row.confidence,
        transaction=row.transaction_hash,
        block=row.block_number,
        annotations=list(_annotations(row)),
    )


def _annotations(row: HistoryRow) -> Iterator[Annotation]:
    said = row.state.value if row.reason is None else f"{row.state.value}: {row.reason}"
    if row.state in _MARKS:
        yield Annotation(kind=_MARKS[row.state], text=said)
    if row.cadence is Cadence.EMERGENCY:
        yield Annotation(kind="emergency", text="an emergency slot")
    if row.cadence is Cadence.HIGH_VOLATILITY:
        yield Annotation(kind="high_volatility", text="a slot of a volatile period")


def frame_record(row: FundFrameRow) -> FrameRecord:
    """What a frame found for a fund."""
    values = row.values
    return FrameRecord(
        frame=row.frame,
        fund=row.fund,
        slot_time=row.slot_time,
        now=row.now,
        status=row.status.value,
        reason=row.reason,
        nav_before=None if values is None else wad_text(values.nav_before),
        nav=None if values is None else wad_text(values.nav_after),
        price_per_share=None if values is None else wad_text(values.price_per_share),
        shares=None if values is None else wad_text(values.shares),
        confidence_bps=None if values is None else values.confidence,
        estimated=None if values is None else values.estimated,
        evidence_hash=row.evidence_hash,
    )


def post_record(post: PostRow) -> PostRecord:
    """A post."""
    return PostRecord(
        post=post.id,
        frame=post.frame,
        chain=post.batch.chain,
        contract=post.batch.to,
        valuation_time=post.batch.valuation_time,
        state=post.state.value,
        transaction=post.transaction_hash,
        block=post.block_number,
        attempts=len(post.attempts),
        error=post.error,
        created_at=post.created_at,
        finished_at=post.finished_at,
        evidence_root=post.batch.evidence_root,
        funds=[
            PostFund(
                fund=part.fund,
                fund_id=part.fund_id,
                nav=str(int(part.nav)),
                price_per_share=str(int(part.price_per_share)),
                outcome=None if part.outcome is None else part.outcome.value,
                reason=part.reason,
                evidence_hash=part.evidence_hash,
            )
            for part in post.funds
        ],
    )


def transaction_record(row: TransactionRow) -> TransactionRecord:
    """A transaction."""
    return TransactionRecord(
        transaction=row.id,
        chain=row.chain,
        sender=row.sender,
        kind=row.intent.kind.value,
        to=row.intent.to,
        state=row.state.value,
        nonce=row.nonce,
        hashes=[attempt.signed.hash for attempt in row.attempts],
        mined=None if row.receipt is None else row.receipt.hash,
        block=None if row.receipt is None else row.receipt.block_number,
        fee_paid=wad_text(row.fee_paid),
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def request_record(row: RequestRow) -> SignedRequestRecord:
    """A signed request."""
    record = row.record
    return SignedRequestRecord(
        request=record.id,
        fund=record.fund,
        action=record.action,
        role=record.role,
        signer=record.signer,
        reason=record.reason,
        slot=record.slot,
        deadline=record.deadline,
        state=row.state.value,
        received_at=row.received_at,
        finished_at=row.finished_at,
        result=row.result,
    )
