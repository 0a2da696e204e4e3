"""A margin account at an exchange, as a reader finds it."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.errors import DomainError
from navoracle.domain.units import Wad


@dataclass(frozen=True, slots=True)
class PerpetualExposure:
    """One open perpetual or future.

    Attributes:
        symbol: the venue's name of the market.
        asset: the configured asset that it follows; None where the operator has named none (it then counts for the
            margin, and its delta is not known).
        size: whole units of that asset, signed: negative when short (Wad).
        notional: size at the venue's mark price in the account's currency, without sign, rounded up (Wad); None where
            the frame's own prices mark it, which needs `asset`.

    Raises:
        DomainError: it has neither a notional nor an asset to mark it by.
    """

    symbol: str
    asset: str | None
    size: Wad
    notional: Wad | None

    def __post_init__(self) -> None:
        if self.notional is None and self.asset is None:
            raise DomainError(
                f"{self.symbol} has neither a notional nor an asset that prices it",
                advice="Name the asset that it follows.",
            )


@dataclass(frozen=True, slots=True)
class MarginAccount:
    """What an account holds against what it is exposed to.

    Attributes:
        venue: the exchange's name in the configuration.
        asset: the configured asset that it settles in, in which all figures are counted (Wad of whole units).
        balance: equity: wallet and unrealized profit, rounded down; negative when it is owed.
        exposures: open positions.
    """

    venue: str
    asset: str
    balance: Wad
    exposures: tuple[PerpetualExposure, ...]
