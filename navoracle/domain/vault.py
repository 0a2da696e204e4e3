"""A vault of the fund's own, as far as a valuation needs it: its fees are the vault's, and so are its flows."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows


@dataclass(frozen=True, slots=True)
class VaultState:
    """What a vault says at one block.

    Attributes:
        terms: the fee terms in effect. The withdrawal rate is zero: a vault takes that fee in shares of the redeemer,
            which change hands and are no liability of the fund.
        fees: its high-water mark and fee clock; both None before it was opened for the first time.
        flows: sums over its life.
    """

    terms: FeeTerms
    fees: FeeState
    flows: VaultFlows
