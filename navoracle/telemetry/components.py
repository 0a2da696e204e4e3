"""Which part of the keeper an event is of: the file that it is written to."""

from __future__ import annotations

from typing import Final

COMPONENTS: Final = ("keeper", "chain", "prices", "guards", "requests", "alerts", "store")

LANE_KINDS: Final = frozenset(
    {
        "sent", "bumped", "republished", "mined", "confirmed", "reorganized", "replaced", "failed", "expired",
        "fee_cap", "fee_budget", "gap_filled", "key_used_elsewhere", "low_funds", "no_funds", "deep_reorganization",
        "wrong_signature", "send_failed",
    }
)  # fmt: skip
"""The kinds of `lane_port.LaneEvent`."""

_BEGINNINGS: Final = (
    ("chain", ("node", "rpc", "lane", "tx", "transaction", "signer", "contract", "code", "clock")),
    ("prices", ("price", "source", "reader", "asset")),
    ("guards", ("guard", "breaker", "rebase", "suspicious", "insolvent", "verdict")),
    ("requests", ("request",)),
    ("alerts", ("alert", "notice")),
    ("store", ("store", "lease", "database", "migration")),
)


def component_of(kind: str) -> str:
    """The component of an event's kind, by its first word; what belongs to no other part is the keeper's."""
    if kind in LANE_KINDS:
        return "chain"
    first = kind.replace(".", "_").partition("_")[0]
    return next((component for component, words in _BEGINNINGS if first in words), "keeper")
