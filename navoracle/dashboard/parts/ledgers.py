"""Rows of what happened: slots, transactions, events."""

from __future__ import annotations

import json
from typing import Any, Final

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.parts.records import Column, exact, link, toned, unknown
from navoracle.dashboard.words import SEVERITY_TONES, SLOT_TONES, TRANSACTION_TONES, tone_of
from navoracle.read_model.events import EventRecord
from navoracle.read_model.history import SlotRecord
from navoracle.read_model.posts import TransactionRecord

SLOTS: Final = (
    Column("time", "Slot", "time", head=True),
    Column("fund", "Fund"),
    Column("cadence", "Cadence"),
    Column("state", "Result"),
    Column("took", "Took", "number"),
    Column("post", "Post", "number"),
    Column("evidence", "Evidence"),
)
TRANSACTIONS: Final = (
    Column("created", "Prepared", "time", head=True),
    Column("chain", "Chain"),
    Column("kind", "What"),
    Column("sender", "Sender"),
    Column("nonce", "Nonce", "number"),
    Column("state", "State"),
    Column("hash", "Transaction"),
    Column("block", "Block", "number"),
    Column("fee", "Fee paid", "number"),
)
EVENTS: Final = (
    Column("time", "Time", "time", head=True),
    Column("severity", "Severity"),
    Column("kind", "Kind"),
    Column("fund", "Fund"),
    Column("message", "What happened", "prose"),
)


def slot_row(row: SlotRecord) -> dict[str, Any]:
    """A slot and how it ended."""
    took = None if row.finished_at is None else row.finished_at - row.claimed_at
    return {
        "key": f"{row.slot_time}/{row.fund}",
        "time": formats.moment(row.slot_time),
        "fund": link(row.fund, addresses.fund_page(row.fund)),
        "cadence": formats.word(row.cadence),
        "state": toned(row.state, tone_of(SLOT_TONES, row.state), row.reason or ""),
        "took": unknown("it has not ended") if took is None else f"{took:,d} s",
        "post": unknown("nothing was posted") if row.post is None else str(row.post),
        "evidence": unknown("no frame was run")
        if row.frame is None
        else link("zip", addresses.evidence_file(row.frame, row.fund)),
    }


def transaction_row(row: TransactionRecord) -> dict[str, Any]:
    """A transaction, under the hash that was mined or else the newest."""
    known = row.mined or (row.hashes[-1] if row.hashes else None)
    attempts = f"{len(row.hashes)} attempts" if len(row.hashes) > 1 else ""
    return {
        "key": str(row.transaction),
        "created": formats.moment(row.created_at),
        "chain": row.chain,
        "kind": formats.word(row.kind),
        "sender": exact(formats.short_hash(row.sender), row.sender),
        "nonce": unknown("not signed yet") if row.nonce is None else str(row.nonce),
        "state": toned(row.state, tone_of(TRANSACTION_TONES, row.state), row.error or ""),
        "hash": unknown("not signed yet")
        if known is None
        else {**exact(formats.short_hash(known), known), "note": attempts},
        "block": unknown("not mined") if row.block is None else f"{row.block:,d}",
        "fee": unknown("not mined")
        if row.fee_paid is None
        else exact(formats.ether(row.fee_paid), f"{row.fee_paid} wei"),
    }


def event_row(row: EventRecord) -> dict[str, Any]:
    """An event; its advice stands with its message."""
    return {
        "key": str(row.id),
        "time": {"text": formats.moment(row.at), "title": json.dumps(row.data, ensure_ascii=False, indent=1)},
        "severity": toned(row.severity, tone_of(SEVERITY_TONES, row.severity)),
        "kind": {"text": formats.word(row.kind), "note": row.component},
        "fund": unknown("of no fund alone") if row.fund is None else link(row.fund, addresses.fund_page(row.fund)),
        "message": {"text": row.message, "note": row.advice},
    }
