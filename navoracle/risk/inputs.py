"""What a fund's risks and its gate are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navoracle.domain.failures import Failure
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.risk.gates import GatePolicy, GatePrior
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.units import Timestamp, Wad
from navoracle.domain.valuation import PriceKey


@dataclass(frozen=True, slots=True)
class RiskInput:
    """One fund, valued or not, and what was read of its accounts.

    Attributes:
        valuation: None where the fund could not be valued; lenders and exchanges are judged all the same.
        lending, margin: by the watch's name; one that could not be read is in `failures` instead, by the same name.
        estimates: prices of the frame; the unit of account is worth one and is not among them.
        drawdown: fall of the price per share from its peak, as the gate found it; None where it is not known.
    """

    policy: RiskPolicy
    unit: str
    valuation: FundValuation | None
    lending: Mapping[str, LendingAccount]
    margin: Mapping[str, MarginAccount]
    failures: Sequence[Failure]
    estimates: Mapping[PriceKey, PriceEstimate]
    drawdown: Wad | None


@dataclass(frozen=True, slots=True)
class GateInput:
    """One fund, valued or not, and how old what it was valued by is.

    Attributes:
        confirmed: what the fund's contract serves; the gate's NAV where the frame has no valuation.
        estimates: of the assets that the fund is valued in, and of what their prices rest on.
        at_exchange: ids of the position readers that read an exchange.
        balances_at: when the oldest of the fund's holdings was read: its block's time, or the frame's clock off chain.
        now: the valuation time. clock: the keeper's.
    """

    policy: GatePolicy
    prior: GatePrior
    valuation: FundValuation | None
    confirmed: ConfirmedNav | None
    estimates: Sequence[PriceEstimate]
    at_exchange: frozenset[str]
    balances_at: Timestamp
    now: Timestamp
    clock: Timestamp
