"""A slot's postings as JSON and on the terminal: what was found, the exact call, and what the contract says of it."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from navoracle.abi import known_signature
from navoracle.cli.documents import fund_document, outcome_document, stamp_document
from navoracle.cli.output import moment, money, plain, table
from navoracle.cli.posting import Posting
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.guards import sentence
from navoracle.domain.units import wad_text
from navoracle.publisher_port import Preview, ReadBack


def posting_document(posting: Posting) -> dict[str, Any]:
    funds = []
    for fund, outcome in posting.outcomes.items():
        found = posting.found(fund)
        frame = next((each for each in posting.frames if each.id == outcome.frame), None)
        funds.append(
            {
                "fund": fund,
                **outcome_document(outcome, posting.transaction(fund)),
                "advice": posting.advice(fund),
                "call": _call_document(posting, fund),
                "verdict": _verdict_document(posting, fund),
                "read_back": _read_back_document(posting, fund),
                "found": None if found is None or frame is None else fund_document(found, frame.evidence.get(fund)),
            }
        )
    return {
        "slot_time": posting.slot_time,
        "live": posting.live,
        "frames": [
            {
                "frame": frame.id,
                "now": frame.now,
                "verifies": frame.verifies,
                "stamps": [stamp_document(stamp) for stamp in frame.stamps],
            }
            for frame in posting.frames
        ],
        "funds": funds,
    }


def _call_document(posting: Posting, fund: str) -> dict[str, Any] | None:
    """The call that was, or would have been, sent; of a batch it carries other funds too."""
    previewed = posting.previewed.get(fund)
    if previewed is None:
        return None
    batch = previewed.batch
    return {
        "chain": batch.chain,
        "to": batch.to,
        "data": "0x" + batch.data.hex(),
        "signature": known_signature(batch.data),
        "funds": [post.fund for post in batch.posts],
    }


def _verdict_document(posting: Posting, fund: str) -> dict[str, Any] | None:
    """What the contract itself would do with it, and how far its guards are."""
    previewed = posting.previewed.get(fund)
    if previewed is None:
        return None
    preview: Preview = previewed.preview
    return {
        "accepts": preview.reason is None,
        "reason": preview.reason,
        "send": preview.send,
        "ready_at": preview.ready_at,
        "role": preview.role,
        "advice": preview.advice,
        "guards": [_guard_document(guard) for guard in preview.guards],
    }


def _guard_document(guard: GuardUse) -> dict[str, Any]:
    return {
        "guard": guard.name,
        "value": str(guard.value),
        "limit": str(guard.limit),
        "side": guard.side,
        "distance": str(guard.distance),
        "unit": guard.unit,
        "passes": guard.passes,
        "used_bps": guard.used_bps,
    }


def _read_back_document(posting: Posting, fund: str) -> dict[str, Any] | None:
    """What the contract held once the post was mined, and who must act where somebody must."""
    previewed = posting.previewed.get(fund)
    if previewed is None or previewed.read_back is None:
        return None
    found: ReadBack = previewed.read_back
    return {
        "accepted": found.accepted,
        "reason": found.reason,
        "role": found.role,
        "advice": found.advice,
        "price_per_share": wad_text(found.confirmed.price_per_share),
        "nav": wad_text(found.confirmed.nav),
        "valuation_time": found.confirmed.valuation_time,
        "held": found.confirmed.held,
    }


def show_posting(out: Console, posting: Posting) -> None:
    mode = "" if posting.live else "  [yellow]dry run: nothing was recorded, signed or sent[/]"
    out.print(f"[bold]Slot[/] {moment(posting.slot_time)}{mode}")
    rows = table("fund", "result", "NAV", "price per share", "frame", "transaction", right=("NAV", "price per share"))
    for fund, outcome in posting.outcomes.items():
        found = posting.found(fund)
        valuation = None if found is None else found.valuation
        style = "green" if posting.succeeded(fund) else "red"
        rows.add_row(
            plain(fund),
            f"[{style}]{plain(posting.result(fund))}[/]",
            money(None if valuation is None else valuation.after.nav),
            money(None if valuation is None else valuation.price_per_share, 6),
            plain(outcome.frame),
            plain(posting.transaction(fund)),
        )
    out.print(rows)
    for fund in posting.outcomes:
        found = posting.found(fund)
        if found is not None and found.distance is not None:
            out.print(f"{plain(fund)}: {plain(sentence(found.distance))}")
        _show_contract(out, posting, fund)
        if posting.advice(fund):
            out.print(f"{plain(fund)}: advice: {plain(posting.advice(fund))}")


def _show_contract(out: Console, posting: Posting, fund: str) -> None:
    """The call, the guards of its contract, and what somebody must do there after it."""
    previewed = posting.previewed.get(fund)
    if previewed is None:
        return
    batch = previewed.batch
    out.print(f"{plain(fund)}: call: {plain(known_signature(batch.data))} of {plain(batch.to)} on {plain(batch.chain)}")
    for guard in previewed.preview.guards:
        used = "" if guard.used_bps is None else f", {-(-guard.used_bps // 100)} % used"
        mark = "[green]within[/]" if guard.passes else "[red]beyond[/]"
        limit = "at least" if guard.side == "at_least" else "of"
        out.print(
            f"{plain(fund)}: {plain(guard.name)}: {guard.value}, {limit} {guard.limit} {guard.unit}: {mark}{used}"
        )
    found = previewed.read_back
    if found is not None and found.accepted and found.advice:
        out.print(f"{plain(fund)}: {plain(found.role or '')}: {plain(found.advice)}")
