"""Posts, and the transactions under however many hashes, newest first."""

from __future__ import annotations

from navoracle.domain.units import wad_text
from navoracle.read_model.cursors import number_of
from navoracle.read_model.paging import page_of
from navoracle.read_model.records import Page, Record, Time, WadText, WeiText
from navoracle.store_port import PageStore, PostRow, TransactionRow, TransactionState


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


def posts(
    store: PageStore, fund: str | None, state: TransactionState | None, *, cursor: str | None, limit: int
) -> Page[PostRecord]:
    """Posts, newest first. Raises StoreError, UsageError for a cursor of another list."""
    found = store.post_page(fund, state, before=number_of(cursor), limit=limit + 1)
    return page_of(found, post_record, limit=limit, key=lambda row: (row.id,))


def transactions(store: PageStore, chain: str | None, *, cursor: str | None, limit: int) -> Page[TransactionRecord]:
    """Transactions, newest first. Raises as `posts`."""
    found = store.transaction_page(chain, before=number_of(cursor), limit=limit + 1)
    return page_of(found, transaction_record, limit=limit, key=lambda row: (row.id,))


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
                nav=wad_text(part.nav),
                price_per_share=wad_text(part.price_per_share),
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
