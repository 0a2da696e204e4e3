"""One frame's finding for one fund, whole: figures from the store, rows and prices from the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from navoracle.domain.nav import Breakdown
from navoracle.domain.units import wad_text
from navoracle.read_model.bridges import Bridge, bridge_since_post
from navoracle.read_model.estimates import Estimate, estimates_in
from navoracle.read_model.evidence import NO_EVIDENCE, parsed
from navoracle.read_model.frames import FrameRecord, frame_record
from navoracle.read_model.gates import GateRecord, gate_record
from navoracle.read_model.posts import PostRecord, post_record
from navoracle.read_model.records import Record, Time, WadText, WeiText
from navoracle.store_port import FundFrameRow, History

NOT_VALUED: Final = "the frame could not value the fund"


class Components(Record):
    """The components of a NAV; what is owed is a magnitude."""

    cash: WadText
    collateral: WadText
    accrued_income: WadText
    rewards: WadText
    debt: WadText
    pending_withdrawals: WadText
    margin_calls: WadText
    fees: WadText
    gross: WadText
    nav: WadText


class FeeRecord(Record):
    """Fees payable."""

    management: WadText
    performance: WadText
    withdrawal: WadText


class PositionRecord(Record):
    """A position's part of the NAV."""

    position: str
    component: str
    asset: str
    amount: WeiText
    """In the token's own units."""
    decimals: int
    price: WadText
    value: WadText
    confidence_bps: int
    epoch: str | None
    """Of the queue that it waits in; null outside of queues."""


class VerdictRecord(Record):
    """One guard's answer."""

    check: str
    outcome: str
    detail: str
    advice: str


class FailureRecord(Record):
    """A reader that failed."""

    reader: str
    code: str
    message: str
    advice: str


class GuardDistanceRecord(Record):
    """How much of the contract's own band a post would use; steps in tenths of a basis point."""

    used_bps: int
    """The larger part of the two bounds; 10000 is all of it."""
    within: bool
    binds: str
    """The bound that it is the part of: step or day."""
    step: int
    step_limit: int
    day: int
    day_limit: int


class FrameDetail(Record):
    """What a frame found for a fund."""

    found: FrameRecord
    components_before: Components | None
    """Without queued deposits."""
    components_after: Components | None
    """With them."""
    undecayed_nav: WadText | None
    """The NAV without queued deposits and without the haircuts of old prices."""
    fees: FeeRecord | None
    positions: list[PositionRecord] | None
    verdicts: list[VerdictRecord]
    failures: list[FailureRecord]
    immaterial: list[str]
    """Positions without a price that counted as zero."""
    prices: list[Estimate] | None
    guard_distance: GuardDistanceRecord | None
    bridge: Bridge | None
    gate: GateRecord | None
    posts: list[PostRecord]
    code_version: str | None
    verifies: str | None
    """The frame that this one looked at a second time."""
    clock: Time | None
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


def frame_detail(history: History, frame: str, fund: str) -> FrameDetail | None:
    """A fund's frame; None where there is none. Raises StoreError."""
    rows = history.fund_frames(fund=fund, frame=frame)
    if not rows:
        return None
    row, document = rows[0], parsed(history, frame, fund)
    bridged, no_bridge = (None, NO_EVIDENCE) if document is None else bridge_since_post(history, fund, document)
    result: Mapping[str, Any] = {} if document is None else document["result"]["fund"]
    valuation = result.get("valuation")
    values = row.values
    unknown = _unknown(row, document, result)
    if no_bridge is not None:
        unknown["/bridge"] = no_bridge
    return FrameDetail(
        found=frame_record(row),
        components_before=None if values is None else components(values.before),
        components_after=None if values is None else components(values.after),
        undecayed_nav=None if values is None else wad_text(values.undecayed_nav),
        fees=None if valuation is None else FeeRecord(**valuation["fees"]),
        positions=None if valuation is None else [_position(each) for each in valuation["positions"]],
        verdicts=[
            VerdictRecord(check=each.check, outcome=each.outcome.value, detail=each.detail, advice=each.advice)
            for each in row.verdicts
        ],
        failures=[
            FailureRecord(reader=each.reader, code=each.code, message=each.message, advice=each.advice)
            for each in row.failures
        ],
        immaterial=list(row.immaterial),
        prices=None if document is None else estimates_in(document),
        guard_distance=guard_distance(result),
        bridge=bridged,
        gate=None if row.gate is None else gate_record(row.gate),
        posts=[post_record(post) for post in history.posts(fund=fund, frame=frame)],
        code_version=None if document is None else document["code_version"],
        verifies=None if document is None else document["plan"]["verifies"],
        clock=None if document is None else int(document["clock"]),
        unknown=unknown,
    )


def _unknown(row: FundFrameRow, document: Mapping[str, Any] | None, result: Mapping[str, Any]) -> dict[str, str]:
    unknown: dict[str, str] = {}
    if row.values is None:
        unknown |= dict.fromkeys(
            ("/components_before", "/components_after", "/undecayed_nav"), row.reason or NOT_VALUED
        )
    if document is None:
        for name in ("fees", "positions", "prices", "guard_distance", "code_version", "verifies", "clock"):
            unknown[f"/{name}"] = NO_EVIDENCE
        return unknown
    if result["valuation"] is None:
        unknown |= dict.fromkeys(("/fees", "/positions"), row.reason or NOT_VALUED)
    if result["distance"] is None:
        unknown["/guard_distance"] = "nothing to post, or no band of a contract to post within"
    if row.gate is None:
        unknown["/gate"] = "no_gate"
    return unknown


def components(part: Breakdown) -> Components:
    """The components of a NAV."""
    figures = {name: wad_text(amount) for name, amount in part._asdict().items()}
    return Components(**figures, gross=wad_text(part.gross), nav=wad_text(part.nav))


def guard_distance(result: Mapping[str, Any]) -> GuardDistanceRecord | None:
    """The distance to the contract's band in a fund's evidence; None where there is none."""
    found = result.get("distance")
    if found is None:
        return None
    step, step_limit, day, day_limit = (int(found[name]) for name in ("step", "step_limit", "day", "day_limit"))
    return GuardDistanceRecord(
        used_bps=int(found["used_bps"]),
        within=abs(step) <= step_limit and abs(day) <= day_limit,
        binds=found["binds"],
        step=step,
        step_limit=step_limit,
        day=day,
        day_limit=day_limit,
    )


def _position(row: Mapping[str, Any]) -> PositionRecord:
    return PositionRecord(
        position=row["position"],
        component=row["component"],
        asset=row["asset"],
        amount=row["amount"]["value"],
        decimals=int(row["amount"]["decimals"]),
        price=row["price"],
        value=row["value"],
        confidence_bps=int(row["confidence"]),
        epoch=row["epoch"],
    )
