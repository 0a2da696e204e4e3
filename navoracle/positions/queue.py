"""What queues and cooldowns have in common: assets that have left a balance and have not arrived in another one."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from navoracle.domain.positions import LIABILITIES, Component, Holding
from navoracle.domain.units import BPS, Bps, RawAmount
from navoracle.positions.base import ComponentPosition
from navoracle.readers import ChecksumAddress, Name


class QueuePosition(ComponentPosition, frozen=True):
    """What a holder is owed by a queue; never a liability, because every figure rounds down.

    Each part is a holding of its own, named `<id>/<part>`, so that a frame shows what can be had now and what cannot.

    Attributes:
        component: collateral unless another one is stated: what waits in a queue is not cash.
        holder: whose requests are counted.
    """

    component: Component = Component.COLLATERAL
    chain: Name
    holder: ChecksumAddress

    @model_validator(mode="after")
    def _check_component(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(
                f"{self.component.value} cannot be read from a queue, which rounds a debt down: "
                "choose collateral, cash or accrued_income"
            )
        return self

    def part(self, name: str, amount: int, decimals: int, confidence: Bps = Bps(BPS)) -> Holding:
        """One part of the position, in raw units of the asset."""
        return Holding(
            f"{self.id}/{name}", self.component, self.asset, RawAmount(amount, decimals), self.epoch, confidence
        )
