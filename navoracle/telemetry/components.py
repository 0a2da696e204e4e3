"""Which part of the keeper an event is of: the file that it is written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMPONENTS: Final = ("keeper", "chain", "prices", "guards", "risk", "requests", "alerts", "store")

LANE_KINDS: Final = frozenset(
    {
        "sent", "bumped", "republished", "mined", "confirmed", "reorganized", "replaced", "failed", "expired",
        "fee_cap", "fee_budget", "gap_filled", "key_used_elsewhere", "low_funds", "no_funds", "deep_reorganization",
        "wrong_signature", "send_failed",
    }
)  # fmt: skip
"""The kinds of `lane_port.LaneEvent`."""

COMPONENT_INITIALIZATION: Final = "component_initialization"
"""A part of the service begins; written to the file of the component that its data names."""

ERROR: Final = "error"
"""Something failed; written to the file of the component that its data names."""

STATE_UPDATE: Final = "state_update"
"""The risk monitor looked at a frame."""

_NAMES_ITS_COMPONENT: Final = frozenset({COMPONENT_INITIALIZATION, ERROR})

_BEGINNINGS: Final = (
    ("risk", ("risk", "nav_gate", STATE_UPDATE)),
    ("chain", ("node", "rpc", "lane", "tx", "transaction", "signer", "contract", "code", "clock")),
    ("prices", ("price", "source", "reader", "asset")),
    ("guards", ("guard", "breaker", "rebase", "suspicious", "insolvent", "verdict")),
    ("requests", ("request",)),
    ("alerts", ("alert", "notice")),
    ("store", ("store", "lease", "database", "migration")),
)


def component_of(kind: str, data: Mapping[str, object] | None = None) -> str:
    """The component of an event, by the first words of its kind; what belongs to no other part is the keeper's.

    Args:
        data: the event's; `component_initialization` and `error` name their component in it.
    """
    if kind in _NAMES_ITS_COMPONENT:
        named = None if data is None else data.get("component")
        return named if isinstance(named, str) and named in COMPONENTS else "keeper"
    if kind in LANE_KINDS:
        return "chain"
    words = kind.replace(".", "_") + "_"
    return next(
        (
            component
            for component, beginnings in _BEGINNINGS
            if any(words.startswith(f"{beginning}_") for beginning in beginnings)
        ),
        "keeper",
    )
