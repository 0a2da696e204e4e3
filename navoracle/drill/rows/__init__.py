"""The scenarios of a drill, by what goes wrong; importing this package fills the catalogue."""

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

__all__ = [
    "chain_reads",
    "clocks",
    "contracts",
    "fees",
    "funds_and_signers",
    "nonces",
    "outages",
    "receipts",
    "sending",
    "slots",
]
