"""What the running service tells about itself; logs, metrics, alerts and event files stand behind this one protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import NavoracleError
from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import Timestamp
from navoracle.keeper.risk_looks import RiskObserver
from navoracle.lane_port import LaneStatus
from navoracle.store_port import BreakerSubject, RequestRow, SlotOutcome


class Observer(RiskObserver, Protocol):
    """Listens. No method may raise: what is told has happened, whoever hears of it."""

    def beat(self) -> None:
        """The loop moves."""

    def job(self, name: str, result: str) -> None:
        """A scheduled job was executed, failed, missed or skipped."""

    def cycle(self, kind: str, *, ok: bool, seconds: float) -> None:
        """A frame was run; `kind` is "slot" or "sample"."""

    def framed(self, frame: NavFrame) -> None:
        """What a frame found: a slot's, or a sample's, which has no funds."""

    def slot_ended(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, outcome: SlotOutcome, found: NavFrame | None
    ) -> None:
        """A slot ended; `found` is the frame that decided, where this process ran it."""

    def emergency_asked(self, fund: str, cause: str, reason: str) -> None:
        """An EMERGENCY slot was asked for."""

    def breaker_changed(self, subject: BreakerSubject, before: Breaker, after: Breaker) -> None:
        """A breaker took another state, or another reason."""

    def breakers(self, known: Mapping[BreakerSubject, Breaker]) -> None:
        """Every breaker that is not closed."""

    def confirmed(self, fund: str, confirmed: ConfirmedNav) -> None:
        """What the chain serves for a fund."""

    def lane(self, status: LaneStatus, epoch: int | None) -> None:
        """A lane as it is now; `epoch` is that of this keeper's lease, None without one."""

    def request_ended(self, row: RequestRow) -> None:
        """A signed request was acted upon, or could not be."""

    def skew(self, chain: str, seconds: int) -> None:
        """The keeper's clock minus the newest block's time."""

    def failed(self, what: str, error: NavoracleError) -> None:
        """Something failed that ends nothing by itself; `what` names the job."""

    def crashed(self, what: str, error: BaseException) -> None:
        """Something ended by an error that nobody raised on purpose: a defect."""

    def recovered(self, what: str) -> None:
        """What failed before works again."""
