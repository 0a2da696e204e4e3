"""Which risks of a fund are watched, and the limits of each: what the operator has configured, resolved.

Nothing here has a default that an operator could have forgotten: a limit that is not wanted is said to be None.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.risk.levels import Ceiling, Floor
from navoracle.domain.units import WAD, Wad


class RiskMode(Enum):
    """What kind of fund it is, which says the risks that matter: see `RISKS_OF`."""

    PURE_LENDING = "pure_lending"
    BTC_BASIS = "btc_basis"
    ETH_LEVERAGED = "eth_leveraged"
    USDT_MARKET_NEUTRAL = "usdt_market_neutral"


class RiskKind(Enum):
    """The three risks of the monitor."""

    LENDING = "lending"
    MARGIN = "margin"
    DELTA = "delta"


RISKS_OF: dict[RiskMode, frozenset[RiskKind]] = {
    RiskMode.PURE_LENDING: frozenset({RiskKind.LENDING}),
    RiskMode.BTC_BASIS: frozenset({RiskKind.MARGIN, RiskKind.DELTA}),
    RiskMode.ETH_LEVERAGED: frozenset({RiskKind.LENDING}),
    RiskMode.USDT_MARKET_NEUTRAL: frozenset(RiskKind),
}
"""The risks that matter, by mode."""


@dataclass(frozen=True, slots=True)
class PositionTerms:
    """A loan that is judged by the fund's own positions, at the frame's prices, because no protocol says its health.

    Attributes:
        positions: ids of the position readers that make up the account: what they own is collateral, what they owe is
            debt.
        max_ltv, liquidation_threshold, liquidation_bonus, close_factor: of the lender (Wad).
    """

    positions: tuple[str, ...]
    max_ltv: Wad
    liquidation_threshold: Wad
    liquidation_bonus: Wad
    close_factor: Wad


@dataclass(frozen=True, slots=True)
class LendingLimits:
    """Limits of one account at a lender.

    Attributes:
        watch: its name, unique in the fund; that of its reader where a protocol is asked.
        label: what its alerts begin with ("AAVE").
        target_ltv: where the strategy wants to be; reported, not judged.
        ltv: limits of debt over collateral.
        health_factor: limits of the health factor; None where the loan-to-value alone is judged.
        terms: of the lender where `watch` has no reader.
        assets: (token, asset) for what the account consists of, so that a stress test knows which price moves it: the
            underlying tokens at Aave; "collateral" and "loan" at Morpho. Empty with `terms`: its positions say it.
    """

    watch: str
    label: str
    target_ltv: Wad
    ltv: Ceiling
    health_factor: Floor | None
    terms: PositionTerms | None
    assets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FundingTerms:
    """What holding perpetuals costs: `rate` (Wad, signed) of the net long notional is paid every `interval` seconds.

    Raises:
        OutOfRange: the interval is not positive.
    """

    rate: Wad
    interval: int

    def __post_init__(self) -> None:
        if self.interval <= 0:
            raise OutOfRange(f"funding every {self.interval} seconds", advice="State the seconds between two payments.")


@dataclass(frozen=True, slots=True)
class MarginLimits:
    """Limits of one account at an exchange.

    Attributes:
        watch: the name of its reader.
        venue: what its alerts begin with, in upper case ("BINANCE").
        ratio: limits of balance over exposure.
        initial_margin: part of the exposure that must be there to open (0.15e18); the rest of the balance is free.
        maintenance_margin: the ratio at which the venue liquidates (0.10e18).
        funding: None where it is not counted.
    """

    watch: str
    venue: str
    ratio: Floor
    initial_margin: Wad
    maintenance_margin: Wad
    funding: FundingTerms | None


@dataclass(frozen=True, slots=True)
class DeltaLimits:
    """Limits of the net exposure to one asset.

    Attributes:
        unit: the asset that delta is counted in ("WETH").
        assets: the assets that move with it, itself included; each counts by its price in it.
        target: what the fund wants to be exposed to (Wad of whole units, signed); 0 for a market-neutral fund.
        limit: drift from the target, as a part of the fund's equity in that unit, that is critical (Wad).
        warning_part: the part of the limit above which it warns (0.6e18).
    """

    unit: str
    assets: tuple[str, ...]
    target: Wad
    limit: Wad
    warning_part: Wad


@dataclass(frozen=True, slots=True)
class FundLimits:
    """Limits of the fund as a whole; None: not limited. Above `warning_part` of a limit it warns.

    Attributes:
        max_leverage: assets and notional of perpetuals over NAV.
        max_exposure: net exposure to any one asset over NAV, in either direction.
        max_drawdown: fall of the price per share from its peak.
        max_funding_cost: what perpetuals would cost in a year, over NAV.
    """

    max_leverage: Wad | None
    max_exposure: Wad | None
    max_drawdown: Wad | None
    max_funding_cost: Wad | None
    warning_part: Wad


@dataclass(frozen=True, slots=True)
class Shock:
    """A block of the stress table: these assets fall together, by each of `falls` (Wad, 0.2e18 is 20 %).

    Raises:
        OutOfRange: a fall is not between 0 and 1e18.
    """

    name: str
    assets: tuple[str, ...]
    falls: tuple[Wad, ...]

    def __post_init__(self) -> None:
        beyond = [fall for fall in self.falls if not 0 < fall < WAD]
        if beyond:
            raise OutOfRange(
                f"stress {self.name}: a fall of {beyond[0]} lies outside 0 to 1e18", advice="State a part: 0.2 is 20 %."
            )


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """All limits of one fund: those of every risk that its mode has, and of no other.

    Raises:
        DomainError: a risk of the mode has no limits, or another one has.
    """

    mode: RiskMode
    lending: tuple[LendingLimits, ...]
    margin: tuple[MarginLimits, ...]
    delta: DeltaLimits | None
    limits: FundLimits
    stress: tuple[Shock, ...]

    def __post_init__(self) -> None:
        missing, surplus = contradictions(
            self.mode, lending=bool(self.lending), margin=bool(self.margin), delta=self.delta is not None
        )
        if missing or surplus:
            lacking = ", ".join(kind.value for kind in (*missing, *surplus))
            raise DomainError(
                f"a {self.mode.value} fund with limits that do not fit its mode: {lacking}",
                advice="State the limits of every risk that the mode has, and of no other.",
            )


def contradictions(
    mode: RiskMode, *, lending: bool, margin: bool, delta: bool
) -> tuple[tuple[RiskKind, ...], tuple[RiskKind, ...]]:
    """The risks of the mode without limits, and the limits of risks that it does not have, in the order of `RiskKind`.

    Args:
        lending, margin, delta: whether there are limits of that risk.
    """
    stated = {RiskKind.LENDING: lending, RiskKind.MARGIN: margin, RiskKind.DELTA: delta}
    needed = RISKS_OF[mode]
    missing = tuple(kind for kind in RiskKind if kind in needed and not stated[kind])
    return missing, tuple(kind for kind in RiskKind if kind not in needed and stated[kind])
