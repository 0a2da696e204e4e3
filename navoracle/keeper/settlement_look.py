"""What one look at a fund's settlement found: how far it is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from navoracle.keeper.examined_settlements import Examined
from navoracle.vault_port import SettledEpoch


class Step(Enum):
    """How far a settlement is: WAITING for a reason, SENT, SETTLED, or FAILED (until another post is served)."""

    WAITING = "waiting"
    SENT = "sent"
    SETTLED = "settled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Settlement:
    """One look at a fund's settlement.

    `reason` says why it waits or failed. `examined` is None while a transaction is under way; `settled` is what the
    vault did, and `differs` names what was planned otherwise.
    """

    fund: str
    step: Step
    reason: str | None
    examined: Examined | None
    transaction: int | None = None
    settled: SettledEpoch | None = None
    differs: tuple[str, ...] = ()
