"""How fresh everything is: the keeper's time, its newest state, and whether anybody still renews it."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.dashboard import formats
from navoracle.read_model.model import ReadModel


@dataclass(frozen=True, slots=True)
class Standing:
    """What the head of every page says.

    Attributes:
        now: the keeper's clock, Unix seconds.
        updated_at: the valuation time of the newest state of any fund; None where there is none.
        trouble: why what is shown cannot be relied on; empty where it can.
    """

    now: int
    updated_at: int | None
    trouble: str


def standing_of(model: ReadModel, stale_after: int) -> Standing:
    """How it stands now. Raises StoreError.

    Args:
        stale_after: seconds after which state that nobody renewed is that of a dead keeper.
    """
    now = model.sources.now()
    has_funds, updated_at = model.newest_state()
    if updated_at is None:
        trouble = "No fund has been valued yet." if has_funds else "No fund is known yet."
    elif now - updated_at > stale_after:
        trouble = (
            f"The keeper is dead or stuck: nothing was valued since {formats.moment(updated_at)}. What is below is the "
            "last known state. Look at the keeper's log, and at `navoracle status`."
        )
    else:
        trouble = ""
    return Standing(now, updated_at, trouble)
