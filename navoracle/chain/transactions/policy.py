"""What a lane may spend and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.chain.rpc import Endpoint
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.gas_fees import FeeLimits
from navoracle.store_port.transactions import Urgency

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """What a lane may spend and how patient it is. Fees in wei per gas, budgets in wei, times in seconds.

    Attributes:
        routine_max_fee, emergency_max_fee: the most that is ever offered, base fee and tip together.
        min_tip, max_tip: what is offered to the block's proposer at first. A replacement raises the tip as far as nodes
            ask, beyond `max_tip` too, within the ceiling.
        routine_budget, emergency_budget: what the transactions of one urgency may cost in a UTC day, those under way
            counted at the most that they can cost; None for no limit. Forms that only free a nonce are not held up.
        resubmit_after: unmined for so long, a transaction is replaced by one that offers more.
        republish_after: between two broadcasts of the same bytes.
        post_confirmations: blocks on top of a transaction's own after which it counts as done.
        missing_looks, missing_after: its nonce is used and no node knows a receipt of ours: so many looks over so
            many seconds, and another transaction of the key used it.
        gap_looks, gap_after: a nonce stands free before others of ours for so many looks over so many seconds, and it
            is filled.
        private_patience: how long a private relay has a transaction for itself.
        low_funds, critical_funds: runways at which an operator is told.
        funds_every: between two looks at the balance.
        lease: how long the lane stays its owner's without a renewal, by the database's clock.

    Raises:
        ConfigurationError: the fees contradict one another.
    """

    routine_max_fee: int = 200 * GWEI
    emergency_max_fee: int = 500 * GWEI
    min_tip: int = 0
    max_tip: int = 20 * GWEI
    routine_budget: int | None = None
    emergency_budget: int | None = None
    resubmit_after: int = 48
    republish_after: int = 30
    post_confirmations: int = 2
    missing_looks: int = 3
    missing_after: int = 60
    gap_looks: int = 2
    gap_after: int = 10
    private_patience: int = 60
    low_funds: int = 48 * 3_600
    critical_funds: int = 12 * 3_600
    funds_every: int = 300
    lease: int = 60

    def __post_init__(self) -> None:
        ordered = 0 <= self.min_tip <= self.max_tip
        if not (
            ordered and 0 < self.routine_max_fee <= self.emergency_max_fee and self.min_tip <= self.routine_max_fee
        ):
            raise ConfigurationError(
                f"min_tip {self.min_tip}, max_tip {self.max_tip}, routine_max_fee {self.routine_max_fee} and "
                f"emergency_max_fee {self.emergency_max_fee} contradict one another",
                advice="State 0 <= min_tip <= max_tip and min_tip <= routine_max_fee <= emergency_max_fee, in wei.",
            )

    def ceiling(self, urgency: Urgency) -> int:
        """The most that is offered per gas."""
        return self.emergency_max_fee if urgency is Urgency.EMERGENCY else self.routine_max_fee

    def limits(self, urgency: Urgency) -> FeeLimits:
        """The limits of a first price."""
        ceiling = self.ceiling(urgency)
        return FeeLimits(ceiling=ceiling, min_tip=self.min_tip, max_tip=min(self.max_tip, ceiling))

    def budget(self, urgency: Urgency) -> int | None:
        """What a day's transactions of this urgency may cost."""
        return self.emergency_budget if urgency is Urgency.EMERGENCY else self.routine_budget


@dataclass(frozen=True, slots=True)
class Relay:
    """A private relay: where routine transactions go first, and by which method."""

    endpoint: Endpoint
    method: Literal["eth_sendRawTransaction", "eth_sendPrivateTransaction"] = "eth_sendRawTransaction"
