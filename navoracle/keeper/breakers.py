"""Breakers as the store keeps them: read, moved on by a pure transition, and written by compare-and-set.

Whoever moves a breaker leaves an event in the same transaction. Two keepers that move one at once do so one after the
other: the second one begins again from what the first one left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.breaker_watch import (
    NO_MAJORITY,
    asset_after_frame,
    fund_after_frame,
    is_large_change,
)
from navoracle.domain.errors import StoreError
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.verdicts import Outcome
from navoracle.store_port import BreakerSubject, Event, FundFrameRow, Severity, Store

EVENT: Final = "breaker"
"""The kind of the event that a change leaves."""

_TRIES: Final = 10


class BreakerChange(NamedTuple):
    """A breaker that took another state, other reasons, or counted an agreeing frame."""

    subject: BreakerSubject
    before: Breaker
    after: Breaker


class Breakers:
    """Moves the breakers of a store.

    What sources without a majority did in the frames before, and an asset's last live price, is remembered by this
    process alone: after a restart an asset needs its frames in a row anew.

    Args:
        bases: what derived assets are derived from; such an asset is not stopped for what is wrong with its base, whose
            own breaker stops the same funds.
    """

    def __init__(self, store: Store, policy: BreakerPolicy, bases: Mapping[str, str] | None = None) -> None:
        self._store = store
        self._policy = policy
        self._bases = {} if bases is None else dict(bases)
        self._without_majority: dict[str, int] = {}
        self._last_prices: dict[str, Wad] = {
            price.asset: price.last_valid.price for price in store.load_prior_prices() if price.side == "asset"
        }

    def load(self) -> Mapping[BreakerSubject, Breaker]:
        """Every breaker that is not closed. Raises StoreError."""
        return self._store.load_breakers()

    def after_frame(self, frame: NavFrame) -> tuple[BreakerChange, ...]:
        """Move the breakers of the frame's assets and funds; sampler's frames count for assets too.

        The frame must have been recorded, and each frame be given once, in the order of their making.

        Raises:
            StoreError: the database cannot be read or written; what was moved before stays moved.
        """
        known = self.load()
        changes: list[BreakerChange] = []
        by_asset = _by_asset(frame)
        reasons = {asset: {each.reason for each in estimates} - {None} for asset, estimates in by_asset.items()}
        for asset, estimates in by_asset.items():
            if reasons[asset] & reasons.get(self._bases.get(asset, ""), set()):
                continue
            moved = self._asset(BreakerSubject("asset", asset), estimates, frame, known)
            changes += [] if moved is None else [moved]
        for found in frame.funds:
            moved = self._fund(BreakerSubject("fund", found.fund), found, frame, known)
            changes += [] if moved is None else [moved]
        return tuple(changes)

    def cool_down(self, at: Timestamp) -> tuple[BreakerChange, ...]:
        """Let every breaker whose cool-down is over be half open, frame or not. Raises StoreError."""
        moved = (
            self._move(subject, lambda breaker: breaker.cool_down(at, self._policy), at)
            for subject in sorted(self.load(), key=lambda subject: (subject.kind, subject.name))
        )
        return tuple(change for change in moved if change is not None)

    def open(self, subject: BreakerSubject, reason: str, at: Timestamp, by: Role = Role.KEEPER) -> BreakerChange | None:
        """Open a breaker; None when it was open for that reason already. Raises StoreError, DomainError (no reason)."""
        return self._move(subject, lambda breaker: breaker.open(reason, at, by), at, by)

    def reset(self, subject: BreakerSubject, at: Timestamp, by: Role) -> BreakerChange | None:
        """Close a breaker; None when it was closed. Raises GuardRefused (anyone but RISK), StoreError."""
        return self._move(subject, lambda breaker: breaker.reset(by, at), at, by)

    def _asset(
        self,
        subject: BreakerSubject,
        estimates: tuple[PriceEstimate, ...],
        frame: NavFrame,
        known: Mapping[BreakerSubject, Breaker],
    ) -> BreakerChange | None:
        asset, previous = subject.name, self._last_prices.get(subject.name)
        without = any(estimate.reason == NO_MAJORITY for estimate in estimates)
        count = self._without_majority[asset] = self._without_majority.get(asset, 0) + 1 if without else 0
        live = next((each.price for each in estimates if each.status is PriceStatus.LIVE), None)
        if live is not None:
            self._last_prices[asset] = live

        def after(breaker: Breaker) -> Breaker:
            return asset_after_frame(breaker, estimates, previous, frame.clock, self._policy, no_majority=count)

        return self._move(subject, after, frame.clock, seen=known.get(subject, Breaker()))

    def _fund(
        self,
        subject: BreakerSubject,
        found: FundFrame,
        frame: NavFrame,
        known: Mapping[BreakerSubject, Breaker],
    ) -> BreakerChange | None:
        seen = known.get(subject, Breaker())
        closed = seen.state is BreakerState.CLOSED
        changes = self._large_changes(found.fund, frame.clock) if closed and is_large_change(found) else 0

        def after(breaker: Breaker) -> Breaker:
            return fund_after_frame(breaker, found, frame.clock, self._policy, large_changes=changes)

        return self._move(subject, after, frame.clock, seen=seen)

    def _large_changes(self, fund: str, at: Timestamp) -> int:
        """Slots with a large change within the window, since the breaker was last closed."""
        since = Timestamp(at - self._policy.window)
        closings = (
            row.event.at
            for row in self._store.events(fund=fund, kind=EVENT, since=since)
            if row.event.data.get("after") == BreakerState.CLOSED.value
        )
        since = max([since, *closings])
        rows = self._store.fund_frames(fund=fund, since=since)
        return len({row.slot_time for row in rows if _asked_for_change(row)})

    def _move(
        self,
        subject: BreakerSubject,
        after: Callable[[Breaker], Breaker],
        at: Timestamp,
        by: Role = Role.KEEPER,
        *,
        seen: Breaker | None = None,
    ) -> BreakerChange | None:
        """Move a breaker on from what it is now, again when somebody else moved it meanwhile."""
        was = self.load().get(subject, Breaker()) if seen is None else seen
        for _ in range(_TRIES):
            now = after(was)
            if now == was or (now.state is BreakerState.CLOSED and was.state is BreakerState.CLOSED):
                return None
            change = BreakerChange(subject, was, now)
            told = _is_worth_telling(change)
            with self._store.transaction():
                saved = self._store.save_breaker(subject, now, was=was, at=at)
                if saved and told:
                    self._store.append_event(_event(change, at, by))
            if saved:
                return change if told else None
            was = self.load().get(subject, Breaker())
        raise StoreError(
            f"the breaker of {subject.kind} {subject.name} was moved by others {_TRIES} times in a row",
            advice="Find out who else writes to this database: two keepers take turns, they do not race.",
        )


def _is_worth_telling(change: BreakerChange) -> bool:
    """Whether more changed than the time of it: a breaker that is opened again and again is told once."""
    before, after = change.before, change.after
    return (before.state, before.reasons, before.needs_reset, before.agreed) != (
        after.state,
        after.reasons,
        after.needs_reset,
        after.agreed,
    )


def _event(change: BreakerChange, at: Timestamp, by: Role) -> Event:
    subject, before, after = change
    why = f" ({', '.join(after.reasons)})" if after.reasons else ""
    return Event(
        at=at,
        kind=EVENT,
        fund=subject.name if subject.kind == "fund" else None,
        severity=Severity.CRITICAL if after.state is BreakerState.OPEN else Severity.INFO,
        message=f"the breaker of {subject.kind} {subject.name} is {after.state.value.replace('_', ' ')}{why}",
        advice=after.advice or "",
        data={
            "kind": subject.kind,
            "name": subject.name,
            "before": before.state.value,
            "after": after.state.value,
            "reasons": list(after.reasons),
            "needs_reset": after.needs_reset,
            "agreed": after.agreed,
            "by": by.value,
        },
    )


def _by_asset(frame: NavFrame) -> Mapping[str, tuple[PriceEstimate, ...]]:
    """The frame's estimates by asset, that of the asset side first."""
    found: dict[str, tuple[PriceEstimate, ...]] = {}
    for (asset, _), estimate in sorted(frame.estimates.items(), key=lambda item: item[0]):
        found[asset] = (*found.get(asset, ()), estimate)
    return found


def _asked_for_change(row: FundFrameRow) -> bool:
    return any(verdict.check == "change" and verdict.outcome is Outcome.VERIFY for verdict in row.verdicts)
