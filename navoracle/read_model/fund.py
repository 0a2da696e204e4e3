"""One fund, whole: its files, what the chain serves, what comes next, what stops it, and how its NAV moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from navoracle.domain.breaker import BreakerState
from navoracle.domain.units import Timestamp, Wad, to_wad, wad_text
from navoracle.read_model.bridges import Bridge, bridge_since_post
from navoracle.read_model.documents import Documents, documents_of
from navoracle.read_model.evidence import NO_EVIDENCE, parsed
from navoracle.read_model.fees import FeeStanding, fee_standing
from navoracle.read_model.frame import GuardDistanceRecord, guard_distance
from navoracle.read_model.funds import FundRow, Funds
from navoracle.read_model.gates import GateRecord, PeaksRecord, gate_record, peaks_record
from navoracle.read_model.history import HistoryPoint, history_point
from navoracle.read_model.operations import NOT_LIVE, NextSlot
from navoracle.read_model.records import Record, Time, WadText, number, wad_of
from navoracle.read_model.requests import SignedRequestRecord, request_record
from navoracle.read_model.sources import Sources
from navoracle.store_port import FundOutcome, PostFundRow, SlotQuestion, SlotState, Store

REQUESTS: Final = 20
"""Requests of a fund that its page shows."""

LOOKED_AT: Final = 10
"""Newest posts of a fund among which an accepted one is looked for."""


class OnChain(Record):
    """What the fund's contract serves, and how far the newest frame is from it, to the wei."""

    known_by: Literal["state_files", "post", "frame"]
    """The fund's state files; or without them the newest post that was accepted, or what its newest frame read."""
    nav: WadText | None
    """Null for a contract that keeps a price alone."""
    price_per_share: WadText
    valuation_time: Time
    held: bool
    live: bool
    """False for a fund that the contract has closed."""
    expires_at: Time | None
    """From then on the contract does not serve the value; null where it does not say, or was not asked."""
    block_number: int
    nav_difference: WadText | None
    """The frame's NAV less this one."""
    price_per_share_difference: WadText | None
    """The frame's price per share less this one."""


class BreakerRecord(Record):
    """A breaker that is not closed, or the fund's own."""

    kind: str
    """fund or asset."""
    name: str
    state: str
    """closed, half_open or open."""
    reasons: list[str]
    since: Time | None
    advice: str | None
    """Null while it is closed."""


class FundDetail(Record):
    """A fund."""

    fund: FundRow
    documents: Documents
    on_chain: OnChain | None
    next_slot: NextSlot | None
    breakers: list[BreakerRecord]
    """The fund's own, and those of its assets that are not closed: they stop it too."""
    guard_distance: GuardDistanceRecord | None
    bridge: Bridge | None
    fees: FeeStanding
    peaks: PeaksRecord | None
    gate: GateRecord | None
    """What the gate decided at the newest slot's frame."""
    latest: HistoryPoint | None
    """The newest slot."""
    posted: HistoryPoint | None
    """The newest slot that was posted."""
    requests: list[SignedRequestRecord]
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


def fund_detail(sources: Sources, funds: Funds, fund: str) -> FundDetail | None:
    """A fund; None for one of which nothing is known. Raises StoreError."""
    row = funds.row(fund)
    if row is None:
        return None
    store, unknown = sources.store, {}
    documents = documents_of(sources.state_folder, fund)
    found = store.fund_frames(fund=fund, limit=1)
    newest = found[0] if found else None
    document = None if newest is None or newest.evidence_hash is None else parsed(store, newest.frame, fund)
    result: Mapping[str, Any] = {} if document is None else document["result"]["fund"]
    none = "no frame of the fund is recorded" if newest is None else NO_EVIDENCE if document is None else ""
    distance = guard_distance(result)
    bridged, no_bridge = (None, none) if document is None else bridge_since_post(store, fund, document)
    if distance is None:
        unknown["/guard_distance"] = none or "nothing to post, or no band of a contract to post within"
    if no_bridge is not None:
        unknown["/bridge"] = no_bridge
    on_chain = _on_chain(store, fund, documents, document)
    if on_chain is None:
        unknown["/on_chain"] = "the contract serves nothing, or was not read yet"
    if sources.live is None:
        unknown["/next_slot"] = NOT_LIVE
    peaks = store.load_peaks([fund]).get(fund)
    if peaks is None:
        unknown["/peaks"] = "no_peak"
    gate = None if newest is None else newest.gate
    if gate is None:
        unknown["/gate"] = "no_gate"
    latest = store.history(fund, limit=1)
    posted = store.history_page(SlotQuestion(fund, (SlotState.POSTED,)), before=None, limit=1).rows
    if not latest:
        unknown["/latest"] = "no slot has ended yet"
    if not posted:
        unknown["/posted"] = "nothing was posted yet"
    return FundDetail(
        fund=row,
        documents=documents,
        on_chain=on_chain,
        next_slot=None if sources.live is None else sources.live.next_slot(fund),
        breakers=_breakers(sources, fund),
        guard_distance=distance,
        bridge=bridged,
        fees=fee_standing(store, fund, documents, document, unknown),
        peaks=None if peaks is None else peaks_record(peaks),
        gate=None if gate is None else gate_record(gate),
        latest=history_point(latest[0]) if latest else None,
        posted=history_point(posted[0]) if posted else None,
        requests=[request_record(each) for each in store.requests(fund, REQUESTS)],
        unknown=unknown,
    )


def _on_chain(store: Store, fund: str, documents: Documents, document: Mapping[str, Any] | None) -> OnChain | None:
    """By the state files; where there are none, by the newest accepted post or what the newest frame read."""
    served = None if documents.nav_state is None else documents.nav_state.confirmed
    if served is not None:
        return OnChain(
            known_by="state_files",
            nav=wad_of(served.nav),
            price_per_share=str(int(to_wad(served.price_per_share))),
            valuation_time=served.valuation_time,
            held=served.held,
            live=served.live,
            expires_at=_expiry(document, served.valuation_time),
            block_number=served.block_number,
            nav_difference=wad_of(served.nav_difference),
            price_per_share_difference=wad_of(served.price_per_share_difference),
        )
    confirmed = None if document is None else document["prior"]["fund"]["confirmed"]
    valuation = None if document is None else document["result"]["fund"]["valuation"]
    nav = None if valuation is None else _nav(valuation["after"])
    price = None if valuation is None else int(valuation["price_per_share"])
    accepted = _accepted(store, fund)
    if accepted is not None and (confirmed is None or accepted[0] >= int(confirmed["valuation_time"])):
        at, block, part = accepted
        return OnChain(
            known_by="post",
            nav=wad_text(part.nav),
            price_per_share=wad_text(part.price_per_share),
            valuation_time=at,
            held=False,
            live=True,
            expires_at=_expiry(document, at),
            block_number=block,
            nav_difference=None if nav is None else str(nav - part.nav),
            price_per_share_difference=None if price is None else str(price - part.price_per_share),
        )
    if confirmed is None:
        return None
    on_chain = number(confirmed["nav"])
    return OnChain(
        known_by="frame",
        nav=wad_text(on_chain),
        price_per_share=confirmed["price_per_share"],
        valuation_time=int(confirmed["valuation_time"]),
        held=confirmed["held"],
        live=confirmed["live"],
        expires_at=_expiry(document, int(confirmed["valuation_time"])),
        block_number=int(confirmed["block_number"]),
        nav_difference=None if nav is None or on_chain is None else str(nav - on_chain),
        price_per_share_difference=None if price is None else str(price - int(confirmed["price_per_share"])),
    )


def _expiry(document: Mapping[str, Any] | None, valuation_time: int) -> int | None:
    """By the bounds that the newest frame read from the contract."""
    confirmed = None if document is None else document["prior"]["fund"]["confirmed"]
    bounds = None if confirmed is None else confirmed["bounds"]
    found = None if bounds is None else number(bounds.get("max_age"))
    return None if found is None else valuation_time + found


def _accepted(store: Store, fund: str) -> tuple[Timestamp, int, PostFundRow] | None:
    """The newest of the fund's last posts that its contract accepted."""
    for post in store.posts(fund=fund, limit=LOOKED_AT):
        for part in post.funds:
            if part.fund == fund and part.outcome is FundOutcome.ACCEPTED and post.block_number is not None:
                return post.batch.valuation_time, post.block_number, part
    return None


def _nav(after: Mapping[str, str]) -> Wad:
    assets = sum(int(after[name]) for name in ("cash", "collateral", "accrued_income", "rewards"))
    return Wad(assets - sum(int(after[name]) for name in ("debt", "pending_withdrawals", "margin_calls", "fees")))


def _breakers(sources: Sources, fund: str) -> list[BreakerRecord]:
    facts = sources.funds().get(fund)
    assets = frozenset() if facts is None else facts.assets
    found = {
        (subject.kind, subject.name): breaker
        for subject, breaker in sources.store.load_breakers().items()
        if (subject.kind == "fund" and subject.name == fund) or (subject.kind == "asset" and subject.name in assets)
    }
    made = [
        BreakerRecord(
            kind=kind,
            name=name,
            state=breaker.state.value,
            reasons=list(breaker.reasons),
            since=breaker.since,
            advice=breaker.advice,
        )
        for (kind, name), breaker in sorted(found.items())
    ]
    if ("fund", fund) in found:
        return made
    closed = BreakerState.CLOSED.value
    return [*made, BreakerRecord(kind="fund", name=fund, state=closed, reasons=[], since=None, advice=None)]
