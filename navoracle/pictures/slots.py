"""What a picture is drawn from: a fund's slots, out of a replay's reports or out of a database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from navoracle.domain.errors import StoreError
from navoracle.domain.prices import PriceEstimate, PriceStatus, Vote
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.replay.report import SlotReport
from navoracle.store_port import History, HistoryRow, SlotState

NOT_VALUED = "not valued"
"""The status of a slot without a frame."""


@dataclass(frozen=True, slots=True)
class PicturedSlot:
    """One slot of the fund; what there is not is None.

    Attributes:
        status: of the NAV, or NOT_VALUED.
        price_per_share: Wad, as computed.
        served: Wad, the price per share that the contract served after the slot.
        prices: the estimate of every asset that the slot's frame priced.
    """

    time: Timestamp
    cadence: str
    state: str
    reason: str | None
    status: str
    price_per_share: Wad | None
    served: Wad | None
    prices: Mapping[str, PriceEstimate]


@dataclass(frozen=True, slots=True)
class FundPicture:
    """What one picture shows: a fund's slots, oldest first. `source` says where they come from, for the title."""

    fund: str
    source: str
    slots: tuple[PicturedSlot, ...]

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that was priced in any slot, sorted."""
        return tuple(sorted({asset for slot in self.slots for asset in slot.prices}))


def picture_of_replay(fund: str, reports: Sequence[SlotReport]) -> FundPicture:
    """The slots of one fund of a replay; `served` is what its contract said after each."""
    slots = (
        PicturedSlot(
            time=report.time,
            cadence=report.cadence,
            state=report.state,
            reason=report.reason,
            status=NOT_VALUED if report.status == "none" else report.status,
            price_per_share=report.price_per_share,
            served=None if report.contract is None else report.contract.price_per_share,
            prices=report.prices,
        )
        for report in reports
        if report.fund == fund
    )
    return FundPicture(fund, "Replay of recorded prices", tuple(sorted(slots, key=lambda slot: slot.time)))


def picture_of_history(fund: str, store: History, rows: Sequence[HistoryRow]) -> FundPicture:
    """The slots of `rows`, which are the fund's, newest first; prices come out of their evidence.

    `served` is known where the slot was posted: its value was then read back from the contract.

    Raises:
        StoreError: a document cannot be read.
    """
    slots = [
        PicturedSlot(
            time=row.slot_time,
            cadence=row.cadence.value,
            state=row.state.value,
            reason=row.reason,
            status=NOT_VALUED if row.status is None else row.status.value,
            price_per_share=row.price_per_share,
            served=row.price_per_share if row.state is SlotState.POSTED else None,
            prices={} if row.frame is None else kept_prices(row.frame, store.evidence(row.frame, fund)),
        )
        for row in reversed(rows)
    ]
    return FundPicture(fund, "Slots of the database", tuple(slots))


def kept_prices(frame: str, document: bytes) -> dict[str, PriceEstimate]:
    """The estimates of assets (not of debts) in a frame's evidence. Raises StoreError when it holds none."""
    try:
        estimates = json.loads(document)["result"]["estimates"]
        return {
            str(found["asset"]): _estimate(found)
            for key, found in estimates.items()
            if key.rpartition("/")[2] == "asset"
        }
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"the evidence of frame {frame} holds no prices that can be drawn: {type(error).__name__}: {error}",
            advice="It is of another version of navoracle, or damaged; draw the slots after it with --since.",
        ) from error


def _estimate(found: Mapping[str, Any]) -> PriceEstimate:
    return PriceEstimate(
        asset=str(found["asset"]),
        price=_wad(found["price"]),
        confidence=Bps(int(found["confidence"])),
        status=PriceStatus(found["status"]),
        reason=found["reason"],
        spread_bps=None if found["spread_bps"] is None else int(found["spread_bps"]),
        as_of=None if found["as_of"] is None else Timestamp(int(found["as_of"])),
        used=tuple(found["used"]),
        excluded=tuple((source, reason) for source, reason in found["excluded"]),
        votes=tuple(
            Vote(vote["group"], Wad(int(vote["price"])), Bps(int(vote["confidence"])), tuple(vote["sources"]))
            for vote in found["votes"]
        ),
        undecayed_price=_wad(found["undecayed_price"]),
    )


def _wad(text: str | None) -> Wad | None:
    return None if text is None else Wad(int(text))
