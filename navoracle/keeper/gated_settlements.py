"""What a fund's NAV gate says against settling: its newest recorded frame decides, whichever process made it."""

from __future__ import annotations

from navoracle.domain.settlement import Refusal
from navoracle.store_port import Store


def gate_refusals(store: Store, fund: str, *, takes_deposits: bool) -> tuple[Refusal, ...]:
    """Why the gate of the fund's newest frame does not let it settle; nothing where it does, or where it has no gate.

    Args:
        takes_deposits: whether the settlement would mint shares for queued deposits.

    Raises:
        StoreError: the database cannot be read.
    """
    rows = store.fund_frames(fund=fund, limit=1)
    gate = rows[0].gate if rows else None
    if gate is None or not gate.vetoes:
        return ()
    vetoes = ", ".join(gate.vetoes)
    advice = "It settles once a frame's gate vetoes nothing; `navoracle nav FUND --explain` shows what it looks at."
    if "settlements" in gate.stops:
        return (Refusal("nav_gate", f"the gate of frame {rows[0].frame} stops settlements ({vetoes})", advice),)
    if "deposits" in gate.stops and takes_deposits:
        detail = f"the gate of frame {rows[0].frame} stops deposits ({vetoes}), and the epoch has queued deposits"
        return (Refusal("nav_gate", detail, advice),)
    return ()
