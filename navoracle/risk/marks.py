"""The prices that amounts are compared at, and the parts of a valuation that are the fund's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from navoracle.domain.errors import RiskCalculationFailed
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import WAD, Wad
from navoracle.domain.valuation import PositionValue, PriceKey


@dataclass(frozen=True, slots=True)
class Marks:
    """Prices of the frame without haircuts: a haircut is no move of the market, and would look like a drift.

    Attributes:
        unit: the unit of account, worth one.
        falls: parts (Wad) by which assets are taken to have fallen; empty but for a stress test.
    """

    unit: str
    estimates: Mapping[PriceKey, PriceEstimate]
    falls: Mapping[str, Wad]

    def price(self, asset: str) -> Wad:
        """Unit of account per whole unit of the asset, on the asset's side; a fall rounds down.

        Raises:
            RiskCalculationFailed: the frame has no price of it, or nothing is left of the price.
        """
        price = self._before(asset)
        fall = self.falls.get(asset)
        if fall is not None:
            price = Wad(price * (WAD - fall) // WAD)
        if price <= 0:
            raise RiskCalculationFailed(
                f"nothing is left of the price of {asset} after a fall of {fall}", advice="Test a smaller fall."
            )
        return price

    def _before(self, asset: str) -> Wad:
        if asset == self.unit:
            return Wad(WAD)
        estimate = self.estimates.get((asset, "asset"))
        if estimate is None or estimate.price is None:
            reason = "it was not priced" if estimate is None else estimate.reason
            raise RiskCalculationFailed(
                f"{asset} has no price ({reason}), and risk is counted by it",
                advice="Look at the sources of the asset; `navoracle price ASSET --explain` shows each.",
            )
        return estimate.price if estimate.undecayed_price is None else estimate.undecayed_price


def own_rows(valuation: FundValuation) -> Iterator[PositionValue]:
    """The rows that make up NAV_before: what comes from queued deposits is left out."""
    return (row for row in valuation.positions if row.epoch is None)


def signed(row: PositionValue) -> int:
    """The row's value before haircuts (Wad), negative where it is owed."""
    return -row.undecayed if row.component.is_liability else row.undecayed


def by_asset(rows: Iterable[PositionValue]) -> dict[str, int]:
    """What the rows hold less what they owe of each asset, as values before haircuts (Wad)."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.asset] = found.get(row.asset, 0) + signed(row)
    return found


def required(valuation: FundValuation | None) -> FundValuation:
    """The valuation. Raises RiskCalculationFailed where the fund could not be valued."""
    if valuation is None:
        raise RiskCalculationFailed(
            "the fund could not be valued, and this is measured against its NAV",
            advice="Restore what the fund's valuation lacks; its status says what.",
        )
    return valuation
