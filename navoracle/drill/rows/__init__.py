"""The scenarios of a drill, by what goes wrong; importing this package fills the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from navoracle.drill.catalogue import ROWS, Row
from navoracle.drill.rows import (
    chain_reads,
    clocks,
    contracts,
    fees,
    funds_and_signers,
    nonces,
    outages,
    receipts,
    sending,
    slots,
)

SCENARIOS = (
    chain_reads,
    clocks,
    contracts,
    fees,
    funds_and_signers,
    nonces,
    outages,
    receipts,
    sending,
    slots,
)
"""The modules whose scenarios enter themselves."""


def catalogue() -> Mapping[int, Sequence[Row]]:
    """Every row that a drill has, by number."""
    return ROWS
