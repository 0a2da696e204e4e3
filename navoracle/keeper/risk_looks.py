"""Looks at risk between slots: the same frame, stopped after its guards, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from navoracle.domain.errors import ErrorSeverity, NavoracleError
from navoracle.domain.frame import NavFrame
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.slots import SlotRunner
from navoracle.ports import Clock
from navoracle.risk.handling import handling_of
from navoracle.risk.health import ComponentHealth
from navoracle.risk.monitor import Observation, RiskMonitor

Trigger = Literal["slot", "look", "retry"]
"""What made a frame that the monitor saw."""

CAUSE: Final = "risk"


def watched_funds(funds: Iterable[FundPlan]) -> tuple[str, ...]:
    """The funds that have a monitor or a gate."""
    return tuple(fund.fund for fund in funds if fund.risk is not None or fund.gate is not None)


class RiskObserver(Protocol):
    """Listens to the monitor; no method may raise."""

    def risk_observed(self, seen: Observation, health: ComponentHealth, trigger: Trigger, seconds: float) -> None:
        """The monitor has seen a frame; `seconds` is what that took, the frame of a look included."""

    def risk_unseen(self, health: ComponentHealth) -> None:
        """The monitor saw nothing: a look failed as a whole, which is told as any failure is, or all funds are busy."""


@dataclass(frozen=True, slots=True)
class RiskLooks:
    """The monitor of a running keeper, or of a replay.

    Attributes:
        watched: the funds that have a monitor or a gate.
        ask_emergency: asks for an EMERGENCY slot of a fund, with the cause and the reason.
    """

    monitor: RiskMonitor
    runner: SlotRunner
    clock: Clock
    observer: RiskObserver
    watched: tuple[str, ...]
    ask_emergency: Callable[[str, str, str], None]

    async def look(self, busy: Collection[str] = ()) -> None:
        """Value the watched funds as they are now, and act on what their risks say.

        What could not be computed is looked at again after a second, after two and after four; then the monitor is
        unhealthy until a look succeeds.

        Args:
            busy: funds whose slots are under way: their frames are seen anyway.

        Raises:
            ChainError: the home chain, or a registry, cannot be read at all.
            StoreError: the database cannot be read.
        """
        funds = [fund for fund in self.watched if fund not in busy]
        if not funds:
            self.observer.risk_unseen(self.monitor.health(self.clock.now()))
            return
        began, errors = time.monotonic(), list[ErrorSeverity]()
        waits = list(handling_of(ErrorSeverity.HIGH).retry_after)
        trigger: Trigger = "look"
        while True:
            try:
                seen = self.monitor.observe(await self.runner.look(funds))
            except NavoracleError:
                self.observer.risk_unseen(self._update([*errors, ErrorSeverity.HIGH], succeeded=False))
                raise
            errors += seen.own_errors
            self._ask(seen)
            if not seen.failed or not waits:
                break
            self._tell(seen, self.monitor.health(self.clock.now()), trigger, began)
            await self.clock.sleep(waits.pop(0))
            funds, trigger, began = list(seen.failed), "retry", time.monotonic()
        health = self._update(errors, succeeded=not seen.failed)
        self._tell(seen, health, trigger, began)

    def of_slot(self, frames: Iterable[NavFrame]) -> None:
        """A slot's frames: what they say of risk, and what follows."""
        for frame in frames:
            began = time.monotonic()
            seen = self.monitor.observe(frame)
            if not seen.readings:
                continue
            self._ask(seen)
            health = self._update(seen.own_errors, succeeded=not seen.failed)
            self._tell(seen, health, "slot", began)

    def _update(self, errors: Iterable[ErrorSeverity], *, succeeded: bool) -> ComponentHealth:
        return self.monitor.update(errors, succeeded=succeeded, at=self.clock.now())

    def _ask(self, seen: Observation) -> None:
        for fund, reason in seen.emergencies:
            self.ask_emergency(fund, CAUSE, reason)

    def _tell(self, seen: Observation, health: ComponentHealth, trigger: Trigger, began: float) -> None:
        self.observer.risk_observed(seen, health, trigger, time.monotonic() - began)
