"""What the NAV gates of a frame start from: kept peaks, dividends since, and the history where a peak is rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import EVERYTHING, GatePolicy, GatePrior, NavPoint
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import FundPlan
from navoracle.risk.gate import SOUND
from navoracle.store_port import FundFrameRow, KeptPeaks, SlotState, Store

HISTORY_POINTS: Final = 500
"""Newest frames of a fund that a peak is rebuilt from, however many there are in the policy's time."""


class GatePriors:
    """Reads them from the store. Remembers which funds' peaks were moved since the process started."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._moved: set[str] = set()

    def of(
        self, funds: Iterable[FundPlan], confirmed: Mapping[str, ConfirmedNav | None], now: Timestamp
    ) -> dict[str, GatePrior]:
        """What the gate of each fund that has one starts from.

        Args:
            confirmed: what each fund's contract serves.

        Raises:
            StoreError: the database cannot be read.
        """
        gates = {fund.fund: fund.gate for fund in funds if fund.gate is not None}
        known = {} if self._store is None else self._store.load_peaks(gates.keys())
        return {
            name: self._prior(name, policy, known.get(name), confirmed.get(name), now) for name, policy in gates.items()
        }

    def absorb(self, frame: NavFrame) -> None:
        """Remember whose peaks the frame has moved; one beyond the contract's band moves none."""
        for part in frame.funds:
            is_beyond = part.distance is not None and not part.distance.within
            if part.gate is not None and part.gate.health.healthy and part.status in SOUND and not is_beyond:
                self._moved.add(part.fund)

    def _prior(
        self, name: str, policy: GatePolicy, kept: KeptPeaks | None, served: ConfirmedNav | None, now: Timestamp
    ) -> GatePrior:
        is_first = name not in self._moved
        if self._store is None:
            return GatePrior(None, None, (), (), is_first)
        state = None if kept is None else kept.state
        history: tuple[NavPoint, ...] = ()
        reached = [] if state is None else [state.peak_at, state.daily_peak_at]
        if state is None or state.measure != policy.measure or now - state.updated_at > policy.peak_stale_seconds:
            rows = self._store.fund_frames(
                fund=name, since=Timestamp(now - policy.history_seconds), limit=HISTORY_POINTS
            )
            held = _held_frames(self._store, name, rows)
            history = tuple(
                point
                for row in reversed(rows)
                if row.frame not in held and (point := _point(row, policy.measure)) is not None
            )
            reached += [point.time for point in history[:1]]
            reached += [] if served is None else [served.valuation_time]
        paid = self._store.distributions(name, min(reached), until=now) if reached else ()
        return GatePrior(state, None if kept is None else kept.frame, history, paid, is_first)


def _held_frames(store: Store, fund: str, rows: Sequence[FundFrameRow]) -> frozenset[str | None]:
    """Those whose post the contract held.

    One that the RISK role accepted later is left out too: the frame after it, within the band of the accepted value,
    stands for it. A slot that the keeper held has no post.
    """
    if not rows:
        return frozenset()
    slots = store.slots(fund, since=min(row.slot_time for row in rows))
    return frozenset(slot.frame for slot in slots if slot.state is SlotState.HELD and slot.post is not None)


def _point(row: FundFrameRow, measure: str) -> NavPoint | None:
    """A sound frame's price per share of the measure; None where it has none.

    A frame from before the fund had a gate tells the NAV of everything alone.
    """
    if row.status not in SOUND:
        return None
    if row.gate is not None:
        price = row.gate.price_per_share if row.gate.healthy and row.gate.measure == measure else None
    else:
        price = row.values.price_per_share if row.values is not None and measure == EVERYTHING else None
    return None if price is None or price <= 0 else NavPoint(row.now, price, row.frame)
