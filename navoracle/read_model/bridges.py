"""Why the NAV is another one than at the confirmed post: as the frame found, or out of two frames' evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from navoracle.domain.bridge import NavBridge
from navoracle.domain.bridge import bridge as bridge_between
from navoracle.domain.bridge_ends import end_in
from navoracle.domain.units import wad_text
from navoracle.read_model.evidence import parsed
from navoracle.read_model.records import Record, WadText
from navoracle.store_port import History

NOTHING_POSTED: Final = "nothing was posted before"
NOT_OURS: Final = "the value on chain is of no post of this keeper"
NO_POSTED_EVIDENCE: Final = "there is no evidence of the posted frame, or it cannot be read"
NOT_VALUED_NOW: Final = "this frame could not value the fund"
NOT_VALUED_THEN: Final = "the posted frame could not value the fund"
NOT_READABLE: Final = "the flows of the fund's vault could not be compared"


class BridgeChange(Record):
    """What one position did to the NAV."""

    position: str
    component: str
    asset: str
    price: WadText
    income: WadText
    amount: WadText


class BridgeShares(Record):
    """Where the shares came from."""

    before: WadText
    minted: WadText
    fee_shares: WadText
    burned: WadText
    now: WadText
    difference: WadText
    """What none of these explains."""


class Bridge(Record):
    """Why the NAV of the shares outstanding is another one than that of the confirmed post."""

    posted_frame: str | None
    """The frame of that post; null where the keeper does not know it."""
    before: WadText
    now: WadText
    price: WadText
    income: WadText
    fees: WadText
    flows: WadText | None
    unexplained: WadText | None
    residual: WadText
    shares: BridgeShares | None
    changes: list[BridgeChange]


def bridge_since_post(
    history: History, fund: str, document: Mapping[str, Any]
) -> tuple[Bridge, None] | tuple[None, str]:
    """The bridge from the confirmed post to a frame, or why there is none.

    Of a fund with a vault of its own it is the one that the frame found. Of another one it is computed from the
    evidence of both frames, and its flows are not known.

    Args:
        document: the frame's evidence, as `parsed` gives it.
    """
    found, confirmed = document["result"]["fund"], document["prior"]["fund"]["confirmed"]
    if found.get("bridge") is not None:
        return _found(found["bridge"], None if confirmed is None else confirmed["frame"]), None
    if confirmed is None:
        return None, NOTHING_POSTED
    if confirmed["frame"] is None:
        return None, NOT_OURS
    if found["vault"] is not None and found["valuation"] is not None:
        return None, NOT_READABLE
    now = end_in(found)
    if now is None:
        return None, NOT_VALUED_NOW
    posted = parsed(history, confirmed["frame"], fund)
    if posted is None:
        return None, NO_POSTED_EVIDENCE
    before = end_in(posted["result"]["fund"])
    if before is None:
        return None, NOT_VALUED_THEN
    return _computed(bridge_between(before, now), confirmed["frame"]), None


def _found(found: Mapping[str, Any], posted_frame: str | None) -> Bridge:
    shares = found["shares"]
    return Bridge(
        posted_frame=posted_frame,
        **{
            name: found[name]
            for name in ("before", "now", "price", "income", "fees", "flows", "unexplained", "residual")
        },
        shares=None if shares is None else BridgeShares(**shares, difference=_difference(shares)),
        changes=[BridgeChange(**{name: row[name] for name in BridgeChange.model_fields}) for row in found["changes"]],
    )


def _computed(found: NavBridge, posted_frame: str) -> Bridge:
    """Of a bridge without flows, which has no shares either."""
    return Bridge(
        posted_frame=posted_frame,
        before=wad_text(found.before),
        now=wad_text(found.now),
        price=wad_text(found.price),
        income=wad_text(found.income),
        fees=wad_text(found.fees),
        flows=None,
        unexplained=None,
        residual=wad_text(found.residual),
        shares=None,
        changes=[
            BridgeChange(
                position=each.position,
                component=each.component.value,
                asset=each.asset,
                price=wad_text(each.price),
                income=wad_text(each.income),
                amount=wad_text(each.amount),
            )
            for each in found.changes
        ],
    )


def _difference(shares: Mapping[str, str]) -> str:
    came = int(shares["before"]) + int(shares["minted"]) + int(shares["fee_shares"]) - int(shares["burned"])
    return str(int(shares["now"]) - came)
