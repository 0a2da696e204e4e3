"""Results as JSON: integers of Wad scale as strings, basis points and times as integers, addresses checksummed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from navoracle.domain.units import wad_text

if TYPE_CHECKING:
    from navoracle.domain.bridge import NavBridge
    from navoracle.domain.failures import Failure
    from navoracle.domain.frame import BlockStamp, FundFrame, GuardDistance, NavFrame
    from navoracle.domain.nav import Breakdown, FundValuation
    from navoracle.domain.prices import PriceEstimate, Quote
    from navoracle.domain.valuation import PositionValue
    from navoracle.domain.verdicts import Verdict
    from navoracle.store_port import HistoryRow, SlotOutcome


def frame_document(frame: NavFrame) -> dict[str, Any]:
    """A frame with everything in it but its evidence."""
    return {
        "frame": frame.id,
        "slot_time": frame.slot_time,
        "cadence": frame.cadence.value,
        "clock": frame.clock,
        "now": frame.now,
        "verifies": frame.verifies,
        "stamps": [stamp_document(stamp) for stamp in frame.stamps],
        "funds": [fund_document(part, frame.evidence.get(part.fund)) for part in frame.funds],
        "prices": [estimate_document(estimate, side, frame.quotes) for (_, side), estimate in frame.estimates.items()],
        "failures": failure_documents(frame.failures),
    }


def stamp_document(stamp: BlockStamp) -> dict[str, Any]:
    """A block of a frame."""
    return {
        "chain": stamp.chain,
        "chain_id": stamp.chain_id,
        "number": stamp.number,
        "hash": stamp.hash,
        "timestamp": stamp.timestamp,
    }


def fund_document(part: FundFrame, evidence: bytes | None) -> dict[str, Any]:
    """What a frame found for one fund."""
    from navoracle.keeper.evidence import evidence_hash

    return {
        "fund": part.fund,
        "status": part.status.value,
        "reason": part.reason,
        "postable": part.postable,
        **valuation_document(part.valuation),
        "verdicts": [verdict_document(verdict) for verdict in part.verdicts],
        "failures": failure_documents(part.failures),
        "immaterial": list(part.immaterial),
        "guard_distance": None if part.distance is None else distance_document(part.distance),
        "bridge": None if part.bridge is None else bridge_document(part.bridge),
        "evidence_hash": None if evidence is None else "0x" + evidence_hash(evidence).hex(),
    }


def bridge_document(found: NavBridge) -> dict[str, Any]:
    """Why the NAV of the shares outstanding is another one than that of the confirmed post."""
    shares = found.shares
    return {
        "before": wad_text(found.before),
        "now": wad_text(found.now),
        "price": wad_text(found.price),
        "income": wad_text(found.income),
        "fees": wad_text(found.fees),
        "flows": wad_text(found.flows),
        "unexplained": wad_text(found.unexplained),
        "residual": wad_text(found.residual),
        "shares": None
        if shares is None
        else {
            "before": wad_text(shares.before),
            "minted": wad_text(shares.minted),
            "fee_shares": wad_text(shares.fee_shares),
            "burned": wad_text(shares.burned),
            "now": wad_text(shares.now),
            "difference": wad_text(shares.difference),
        },
        "changes": [
            {
                "position": each.position,
                "component": each.component.value,
                "asset": each.asset,
                "price": wad_text(each.price),
                "income": wad_text(each.income),
                "amount": wad_text(each.amount),
            }
            for each in found.changes
        ],
    }


def distance_document(found: GuardDistance) -> dict[str, Any]:
    """How much of the contract's band a post would use; steps in tenths of a basis point, `used_bps` of the band."""
    return {
        "used_bps": found.used_bps,
        "within": found.within,
        "binds": found.binds,
        "step": found.step,
        "step_limit": found.step_limit,
        "day": found.day,
        "day_limit": found.day_limit,
    }


def valuation_document(found: FundValuation | None) -> dict[str, Any]:
    """A valuation's figures; every one is null for a fund that could not be valued."""
    return {
        "nav_before": None if found is None else wad_text(found.before.nav),
        "nav_after": None if found is None else wad_text(found.after.nav),
        "delta_nav": None if found is None else wad_text(found.delta_nav),
        "price_per_share": None if found is None else wad_text(found.price_per_share),
        "shares": None if found is None else wad_text(found.shares),
        "shares_to_mint": None if found is None or found.before.nav <= 0 else wad_text(found.shares_to_mint),
        "confidence_bps": None if found is None else found.confidence,
        "undecayed_nav": None if found is None else wad_text(found.undecayed_nav),
        "estimated": None if found is None else found.estimated,
        "components": None
        if found is None
        else {"before": breakdown_document(found.before), "after": breakdown_document(found.after)},
        "fees": None
        if found is None
        else {
            "management": wad_text(found.fees.management),
            "performance": wad_text(found.fees.performance),
            "withdrawal": wad_text(found.fees.withdrawal),
            "total": wad_text(found.fees.total),
        },
        "positions": None if found is None else [position_document(row) for row in found.positions],
    }


def breakdown_document(breakdown: Breakdown) -> dict[str, str | None]:
    """The components of a NAV; liabilities are magnitudes."""
    return {
        **{name: wad_text(amount) for name, amount in breakdown._asdict().items()},
        "gross": wad_text(breakdown.gross),
        "nav": wad_text(breakdown.nav),
    }


def position_document(row: PositionValue) -> dict[str, Any]:
    """One position's contribution. `amount` is in the token's own units."""
    return {
        "position": row.position,
        "component": row.component.value,
        "asset": row.asset,
        "amount": str(row.amount.value),
        "decimals": row.amount.decimals,
        "price": wad_text(row.price),
        "value": wad_text(row.value),
        "confidence_bps": row.confidence,
        "epoch": row.epoch,
    }


def verdict_document(verdict: Verdict) -> dict[str, str]:
    """One guard's answer."""
    return {
        "check": verdict.check,
        "outcome": verdict.outcome.value,
        "detail": verdict.detail,
        "advice": verdict.advice,
    }


def failure_documents(failures: Iterable[Failure]) -> list[dict[str, str]]:
    """Readers that failed."""
    return [
        {"reader": each.reader, "code": each.code, "message": each.message, "advice": each.advice} for each in failures
    ]


def estimate_document(estimate: PriceEstimate, side: str, quotes: Iterable[Quote]) -> dict[str, Any]:
    """A price with its votes, its quotes, and what was excluded and why."""
    return {
        "asset": estimate.asset,
        "side": side,
        "price": wad_text(estimate.price),
        "undecayed_price": wad_text(estimate.undecayed_price),
        "status": estimate.status.value,
        "reason": estimate.reason,
        "confidence_bps": estimate.confidence,
        "spread_bps": estimate.spread_bps,
        "as_of": estimate.as_of,
        "votes": [
            {"group": vote.group, "price": wad_text(vote.price), "confidence_bps": vote.confidence}
            for vote in estimate.votes
        ],
        "used": list(estimate.used),
        "excluded": [{"source": source, "reason": reason} for source, reason in estimate.excluded],
        "quotes": [quote_document(quote) for quote in quotes if quote.asset == estimate.asset],
        "native_gap_bps": estimate.native_gap_bps,
        "native_alarm": estimate.native_alarm,
    }


def quote_document(quote: Quote) -> dict[str, Any]:
    """What one source said."""
    return {
        "source": quote.source,
        "group": quote.group,
        "price": wad_text(quote.price),
        "confidence_bps": quote.confidence,
        "observed_at": quote.observed_at,
        "published_at": quote.published_at,
    }


def outcome_document(outcome: SlotOutcome, transaction: str | None) -> dict[str, Any]:
    """How a slot ended."""
    return {
        "state": outcome.state.value,
        "reason": outcome.reason,
        "frame": outcome.frame,
        "post": outcome.post,
        "transaction": transaction,
    }


def history_document(row: HistoryRow) -> dict[str, Any]:
    """One slot with what became of it, as the API says it; what is worth a mark there is told by the fields here."""
    from navoracle.read_model.history import history_point

    return history_point(row).model_dump(exclude={"annotations"})
