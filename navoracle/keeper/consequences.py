"""What follows from a frame and from the end of a slot: whoever listens hears of it, and funds are valued again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from navoracle.domain.breaker import BreakerState
from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavFrame
from navoracle.domain.units import Timestamp
from navoracle.keeper.breakers import BreakerChange
from navoracle.keeper.failures import Failures
from navoracle.keeper.parts import Keeper
from navoracle.keeper.risk_looks import RiskLooks
from navoracle.keeper.trades import SeenTrade
from navoracle.store_port import BreakerSubject, SlotOutcome, SlotState

_ASK_AGAIN: Final = frozenset({"interval", "registry:too_early"})
"""Endings of an EMERGENCY slot that came too soon after a post: it is asked for again, never lost."""


def asked_again(cadence: Cadence, outcome: SlotOutcome) -> str | None:
    """Why another EMERGENCY slot follows from how one ended; None where none does."""
    if cadence is Cadence.EMERGENCY and outcome.reason in _ASK_AGAIN:
        return f"an emergency came too soon after a post ({outcome.reason})"
    return None


class Consequences:
    """Tells the watch, breakers, requests, the risk monitor and the observer.

    Args:
        risk: None where no fund is watched.
        ask_emergency: asks for an EMERGENCY slot of a fund, with the cause and the reason.
    """

    def __init__(
        self,
        keeper: Keeper,
        failures: Failures,
        risk: RiskLooks | None,
        ask_emergency: Callable[[str, str, str], None],
    ) -> None:
        self._keeper = keeper
        self._failures = failures
        self._risk = risk
        self._ask_emergency = ask_emergency
        self._trades: dict[str, SeenTrade] = {}

    def of_trade(self, trade: SeenTrade) -> None:
        """A large trade: an EMERGENCY slot at once, and another one when the first valued a block before the trade."""
        known = self._trades.get(trade.fund)
        if known is None or known.block < trade.block:
            self._trades[trade.fund] = trade
        self._ask_emergency(trade.fund, "trade", trade.reason)

    def of_sample(self, frame: NavFrame) -> None:
        """A frame of the sampler, which posts nothing. Raises StoreError."""
        keeper = self._keeper
        asked = {emergency.fund: emergency.reasons for emergency in keeper.watch.state.pending}
        keeper.watch.observe_sample(frame)
        for emergency in keeper.watch.state.pending:
            if emergency.reasons != asked.get(emergency.fund):
                keeper.observer.emergency_asked(emergency.fund, "oracle_move", emergency.reasons[-1])
        self._of_frame(frame)
        self.of_breakers(keeper.breakers.after_frame(frame))

    async def of_slot(
        self, slot_time: Timestamp, cadence: Cadence, frames: Sequence[NavFrame], outcomes: Mapping[str, SlotOutcome]
    ) -> None:
        """The end of a slot: its frames, and what became of each fund. Raises StoreError."""
        keeper = self._keeper
        for frame in frames:
            keeper.watch.observe_slot(frame)
            self._of_frame(frame)
            await self._failures.guard("insolvency", keeper.insolvency.after_frame, frame)
            self.of_breakers(keeper.breakers.after_frame(frame))
        if self._risk is not None:
            self._risk.of_slot(frames)
        for fund, outcome in outcomes.items():
            found = next((frame for frame in frames if frame.id == outcome.frame), None)
            keeper.observer.slot_ended(fund, slot_time, cadence, outcome, found)
            keeper.requests.slot_ended(fund, outcome)
            if found is not None:
                self._after_trade(fund, found)
            if outcome.state is SlotState.POSTED and found is not None:
                self._use_rebase(fund, found.clock)
            again = asked_again(cadence, outcome)
            if again is not None:
                self._ask_emergency(fund, "repeated", again)

    def of_breakers(self, changes: Iterable[BreakerChange]) -> None:
        """Breakers that moved; a fund that is free again is posted at once."""
        for subject, before, after in changes:
            self._keeper.observer.breaker_changed(subject, before, after)
            if after.state is BreakerState.CLOSED:
                self._value_anew(subject, "its breaker closed")

    def try_funds(self) -> None:
        """Ask for a frame of every fund on trial, minute by minute: frames an hour apart rarely agree.

        Raises:
            StoreError: the breakers cannot be read.
        """
        known = self._keeper.breakers.load()
        self._keeper.observer.breakers(known)
        for subject, breaker in known.items():
            if breaker.state is BreakerState.HALF_OPEN:
                self._value_anew(subject, f"its breaker is half open, {breaker.agreed} frames agreed")

    def _of_frame(self, frame: NavFrame) -> None:
        self._keeper.latest.observe(frame)
        self._keeper.observer.framed(frame)

    def _after_trade(self, fund: str, frame: NavFrame) -> None:
        """The fund was valued: was the trade that was seen part of it?"""
        trade = self._trades.get(fund)
        if trade is None:
            return
        if any(stamp.chain == trade.chain and stamp.number < trade.block for stamp in frame.stamps):
            self._ask_emergency(fund, "repeated", f"{trade.reason}, block {trade.block}, was not final yet")
        else:
            del self._trades[fund]

    def _value_anew(self, subject: BreakerSubject, reason: str) -> None:
        if subject.kind == "fund" and subject.name in self._keeper.planner.subject.funds:
            self._ask_emergency(subject.name, "breaker", reason)

    def _use_rebase(self, fund: str, valued_at: Timestamp) -> None:
        """A re-base that was granted when the fund was valued has served its one post."""
        store = self._keeper.store
        granted = store.rebase_of(fund, valued_at)
        if granted is not None:
            store.use_rebase(fund, granted, self._keeper.clock.now())
