"""The section of a chain that says what transactions may cost and how they are seen to their end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from navoracle.config.base import NodeUrl, Section


class RelaySection(Section):
    """A private relay: routine posts go there first, and after `patience` seconds to the public mempool too.

    Attributes:
        url: where it is.
        method: how it wants transactions.
        patience: seconds after which the public mempool gets them too.
    """

    url: NodeUrl
    method: Literal["eth_sendRawTransaction", "eth_sendPrivateTransaction"] = "eth_sendRawTransaction"
    patience: Annotated[int, Field(gt=0)] = 60


class TransactionsSection(Section):
    """What transactions may cost, and how they are seen to their end. Fees in gwei per gas, budgets in gwei a UTC day.

    Attributes:
        max_fee_gwei, emergency_max_fee_gwei: the most that is ever offered, base fee and tip together.
        budget_gwei, emergency_budget_gwei: what a day's transactions of the poster may cost; no limit without one.
        resubmit_seconds: unmined for so long, a transaction is replaced by one that offers more.
        republish_seconds: between two broadcasts of what cannot be replaced.
        confirmations: blocks on top of a transaction's own after which it counts as done; the chain's, unless set.
        max_batch_gas: a frame's funds are split so that no transaction takes more.
        relay: a private relay for routine posts.
        max_tip_gwei, min_tip_gwei: the most and the least that the block's proposer is offered.
    """

    max_fee_gwei: Annotated[int, Field(gt=0)] = 200
    emergency_max_fee_gwei: Annotated[int, Field(gt=0)] = 500
    max_tip_gwei: Annotated[int, Field(ge=0)] = 20
    min_tip_gwei: Annotated[int, Field(ge=0)] = 0
    budget_gwei: Annotated[int, Field(gt=0)] | None = None
    emergency_budget_gwei: Annotated[int, Field(gt=0)] | None = None
    resubmit_seconds: Annotated[int, Field(gt=0)] = 48
    republish_seconds: Annotated[int, Field(gt=0)] = 30
    confirmations: Annotated[int, Field(ge=0, le=10_000)] | None = None
    max_batch_gas: Annotated[int, Field(ge=100_000)] = 12_000_000
    relay: RelaySection | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_tip_gwei <= self.max_tip_gwei:
            raise ValueError(f"min_tip_gwei {self.min_tip_gwei} is above max_tip_gwei {self.max_tip_gwei}")
        if not self.max_fee_gwei <= self.emergency_max_fee_gwei:
            raise ValueError(
                f"emergency_max_fee_gwei {self.emergency_max_fee_gwei} is below max_fee_gwei {self.max_fee_gwei}: an "
                "emergency may not be worth less than a routine post"
            )
        return self
