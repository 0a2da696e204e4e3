"""From rows of the database to the records of `navoracle.store_port.records`, and from domain values to JSON columns.

JSON columns hold money as decimal strings, because readers other than Python lose digits of long numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from navoracle.domain.cadence import Cadence
from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp, NavStatus
from navoracle.domain.nav import Breakdown
from navoracle.domain.risk.gates import GateDecision
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FundPost, Receipt, SignedTransaction
from navoracle.store_port.peaks import GateRow
from navoracle.store_port.records import (
    Event,
    EventRow,
    FrameRow,
    FundFrameRow,
    FundOutcome,
    FundValues,
    HistoryRow,
    PostFundRow,
    PostRow,
    Severity,
    SlotRow,
    SlotState,
)
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import Attempt, NewTransaction, TransactionKind, TransactionRow, Urgency

Json = Mapping[str, Any]


def stamp_json(stamp: BlockStamp) -> dict[str, object]:
    """A block stamp as JSON."""
    return {
        "chain": stamp.chain,
        "chain_id": stamp.chain_id,
        "number": stamp.number,
        "hash": stamp.hash,
        "parent_hash": stamp.parent_hash,
        "timestamp": stamp.timestamp,
    }


def breakdown_json(breakdown: Breakdown) -> dict[str, str]:
    """Components as JSON."""
    return {name: str(value) for name, value in breakdown._asdict().items()}


def verdict_json(verdict: Verdict) -> dict[str, str]:
    """A verdict as JSON."""
    return {
        "check": verdict.check,
        "outcome": verdict.outcome.value,
        "detail": verdict.detail,
        "advice": verdict.advice,
    }


def failure_json(failure: Failure) -> dict[str, str]:
    """A failure as JSON."""
    return {
        "reader": failure.reader,
        "code": failure.code,
        "message": failure.message,
        "advice": failure.advice,
    }


def gate_json(gate: GateDecision) -> dict[str, object]:
    """What is asked for later of a gate's decision, as JSON."""
    return {
        "measure": gate.health.measure,
        "price_per_share": _text(gate.health.price_per_share),
        "healthy": gate.health.healthy,
        "drawdown": _text(gate.drawdown),
        "daily_loss": _text(gate.daily_loss),
        "vetoes": list(gate.vetoes),
        "warnings": list(gate.warnings),
        "stops": list(gate.stops),
    }


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)


def _gate(stored: Json | None) -> GateRow | None:
    if stored is None:
        return None
    return GateRow(
        measure=stored["measure"],
        price_per_share=_wad(stored["price_per_share"]),
        healthy=stored["healthy"],
        drawdown=_wad(stored["drawdown"]),
        daily_loss=_wad(stored["daily_loss"]),
        vetoes=tuple(stored["vetoes"]),
        warnings=tuple(stored["warnings"]),
        stops=tuple(stored["stops"]),
    )


def _wad(stored: str | None) -> Wad | None:
    return None if stored is None else Wad(int(stored))


def _breakdown(stored: Json) -> Breakdown:
    return Breakdown(**{name: Wad(int(value)) for name, value in stored.items()})


def frame_row(row: RowMapping) -> FrameRow:
    """A row of `frames`."""
    return FrameRow(
        id=row["id"],
        slot_time=row["slot_time"],
        cadence=Cadence(row["cadence"]),
        clock=row["clock"],
        now=row["now"],
        stamps=tuple(BlockStamp(**stamp) for stamp in row["stamps"]),
        verifies=row["verifies"],
        stop_after=row["stop_after"],
        code_version=row["code_version"],
    )


def fund_frame_row(row: RowMapping) -> FundFrameRow:
    """A row of `fund_frames` with its frame's `slot_time` and `now`."""
    values = None
    if row["components"] is not None:
        values = FundValues(
            before=_breakdown(row["components"]["before"]),
            after=_breakdown(row["components"]["after"]),
            nav_before=Wad(row["nav_before"]),
            nav_after=Wad(row["nav_after"]),
            price_per_share=Wad(row["price_per_share"]),
            shares=Wad(row["shares"]),
            confidence=Bps(row["confidence"]),
            undecayed_nav=Wad(row["undecayed_nav"]),
            estimated=row["estimated"],
        )
    return FundFrameRow(
        frame=row["frame"],
        fund=row["fund"],
        slot_time=row["slot_time"],
        now=row["now"],
        status=NavStatus(row["status"]),
        reason=row["reason"],
        values=values,
        verdicts=tuple(Verdict(**(stored | {"outcome": Outcome(stored["outcome"])})) for stored in row["verdicts"]),
        failures=tuple(Failure(**stored) for stored in row["failures"]),
        immaterial=tuple(row["immaterial"]),
        gate=_gate(row["gate"]),
        evidence_hash=row["evidence_hash"],
    )


def slot_row(row: RowMapping) -> SlotRow:
    """A row of `slots`."""
    return SlotRow(
        fund=row["fund"],
        slot_time=row["slot_time"],
        cadence=Cadence(row["cadence"]),
        state=SlotState(row["state"]),
        reason=row["reason"],
        frame=row["frame"],
        post=row["post"],
        claimed_at=row["claimed_at"],
        finished_at=row["finished_at"],
        owner=row["owner"],
        epoch=row["epoch"],
        lease_until=None if row["lease_until"] is None else Timestamp(row["lease_until"] // 1_000),
    )


def event_row(row: RowMapping) -> EventRow:
    """A row of `events`."""
    event = Event(
        at=row["at"],
        kind=row["kind"],
        fund=row["fund"],
        severity=Severity(row["severity"]),
        message=row["message"],
        advice=row["advice"],
        data=row["data"],
    )
    return EventRow(row["id"], event)


def post_row(row: RowMapping, attempts: Sequence[RowMapping], funds: Sequence[RowMapping]) -> PostRow:
    """A row of `posts` and its transaction, with their rows of `attempts` and `post_funds`, both in order."""
    return PostRow(
        id=row["id"],
        frame=row["frame"],
        batch=Batch(
            chain=row["chain"],
            to=Address(row["registry"]),
            data=_bytes(row["calldata"]),
            valuation_time=Timestamp(row["valuation_time"]),
            evidence_root=row["evidence_root"],
            posts=tuple(_fund_post(fund) for fund in funds),
        ),
        transaction=row["transaction"],
        state=TransactionState(row["state"]),
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        transaction_hash=row["transaction_hash"],
        block_number=row["block_number"],
        error=row["error"],
        attempts=tuple(map(_signed, attempts)),
        funds=tuple(_post_fund(fund) for fund in funds),
    )


def transaction_row(row: RowMapping, attempts: Sequence[RowMapping]) -> TransactionRow:
    """A row of `transactions` with its rows of `attempts`, in order."""
    receipt = None
    if row["block_hash"] is not None:  # posts of the first schema have no whole receipt
        receipt = Receipt(row["hash"], row["success"], row["block_number"], row["block_hash"], row["gas_used"])
    return TransactionRow(
        id=row["id"],
        chain=row["chain"],
        sender=Address(row["sender"]),
        intent=NewTransaction(
            key=row["key"],
            kind=TransactionKind(row["kind"]),
            to=Address(row["to"]),
            data=_bytes(row["calldata"]),
            urgency=Urgency(row["urgency"]),
            valid_until=row["valid_until"],
        ),
        state=TransactionState(row["state"]),
        nonce=row["nonce"],
        attempts=tuple(map(_attempt, attempts)),
        receipt=receipt,
        fee_paid=row["fee_paid"],
        error=row["error"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(
        signed=_signed(row),
        gas=row["gas"],
        max_fee=row["max_fee"],
        max_tip=row["max_tip"],
        noop=row["noop"],
        signed_at=row["signed_at"],
        sent_at=row["sent_at"],
        error=row["error"],
    )


def _signed(row: RowMapping) -> SignedTransaction:
    return SignedTransaction(row["raw"], row["hash"], row["nonce"], Address(row["sender"]), Address(row["to"]))


def _bytes(stored: str) -> bytes:
    return bytes.fromhex(stored.removeprefix("0x"))


def _fund_post(row: RowMapping) -> FundPost:
    cash, collateral, income, debt, other = (Wad(int(value)) for value in row["components"])
    return FundPost(
        fund=row["fund"],
        fund_id=row["fund_id"],
        nav=Wad(row["nav"]),
        price_per_share=Wad(row["price_per_share"]),
        confidence=Bps(row["confidence"]),
        estimated=row["estimated"],
        components=(cash, collateral, income, debt, other),
        nav_before=Wad(row["nav_before"]),
    )


def _post_fund(row: RowMapping) -> PostFundRow:
    return PostFundRow(
        fund=row["fund"],
        fund_id=row["fund_id"],
        nav=Wad(row["nav"]),
        price_per_share=Wad(row["price_per_share"]),
        outcome=None if row["outcome"] is None else FundOutcome(row["outcome"]),
        reason=row["reason"],
        proof=tuple(row["proof"]),
        evidence_hash=row["evidence_hash"],
    )


def history_row(row: RowMapping) -> HistoryRow:
    """A row of the history query."""
    return HistoryRow(
        fund=row["fund"],
        slot_time=row["slot_time"],
        cadence=Cadence(row["cadence"]),
        state=SlotState(row["state"]),
        reason=row["reason"],
        frame=row["frame"],
        status=None if row["status"] is None else NavStatus(row["status"]),
        nav_after=row["nav_after"],
        price_per_share=row["price_per_share"],
        confidence=row["confidence"],
        transaction_hash=row["transaction_hash"],
        block_number=row["block_number"],
    )
