"""What a FundVault would do if it settled now: its own arithmetic, to the wei, and every reason why it would refuse."""

from navoracle.domain.settlement.plan import fees_due, plan_settlement
from navoracle.domain.settlement.types import (
    Delivery,
    Payout,
    Post,
    Refusal,
    SettledDeposits,
    SettledFees,
    SettledRedemptions,
    SettlementPlan,
    SettlementState,
    VaultFeeTerms,
    VaultLimits,
)

__all__ = [
    "Delivery",
    "Payout",
    "Post",
    "Refusal",
    "SettledDeposits",
    "SettledFees",
    "SettledRedemptions",
    "SettlementPlan",
    "SettlementState",
    "VaultFeeTerms",
    "VaultLimits",
    "fees_due",
    "plan_settlement",
]
