"""Which risks of a fund are watched, and the limits of each. No limit has a default: one that is not wanted is null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field, model_validator

from navoracle.config.base import Name, Section
from navoracle.domain.errors import DomainError
from navoracle.domain.risk.levels import Ceiling, Floor
from navoracle.domain.risk.policy import RiskMode, contradictions
from navoracle.domain.units import WAD, Wad, format_wad
from navoracle.positions import (
    AaveV3Account,
    DeclaredMargin,
    ExchangeMargin,
    LendingModel,
    MarginModel,
    MorphoBlueAccount,
)
from navoracle.readers import DecimalWad, SignedWad
from navoracle.readers import Name as ReaderId

Account = AaveV3Account | MorphoBlueAccount | ExchangeMargin | DeclaredMargin
Label = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Part = Annotated[DecimalWad, Field(gt=0, lt=WAD)]
PositiveWad = Annotated[DecimalWad, Field(gt=0)]


class CeilingSection(Section):
    """Limits of a ratio that must not rise above them, in quotes; a ratio equal to a limit is within it.

    Attributes:
        warning: above it: WARNING.
        urgent: above it: URGENT; left out, there is no such level.
        critical: above it: CRITICAL.
    """

    warning: DecimalWad
    urgent: DecimalWad | None = None
    critical: DecimalWad

    def levels(self) -> Ceiling:
        """The limits. Raises OutOfRange where they do not rise."""
        return Ceiling(self.warning, self.critical, self.urgent)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_levels(self.levels)
        return self


class FloorSection(Section):
    """Limits of a ratio that must not fall below them, in quotes; a ratio equal to a limit is within it.

    Attributes:
        warning: below it: WARNING.
        urgent: below it: URGENT; left out, there is no such level.
        critical: below it: CRITICAL.
    """

    warning: DecimalWad
    urgent: DecimalWad | None = None
    critical: DecimalWad

    def levels(self) -> Floor:
        """The limits. Raises OutOfRange where they do not fall."""
        return Floor(self.warning, self.critical, self.urgent)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_levels(self.levels)
        return self


class LoanSection(Section):
    """A loan: an account at a lender that says its health, or one made up of the fund's own positions.

    With `account`, `assets` says which configured asset each of its tokens is. With `positions`, the lender's terms are
    stated.

    Attributes:
        name: of your own, unique in the fund.
        label: what its alerts begin with, in upper case.
        account: the account at the lender.
        assets: with `account`: the configured asset of each token that it may hold or owe, by the token's address at
            Aave, by `collateral` and `loan` at Morpho.
        positions: without `account`: ids of the fund's positions; what they own is collateral, what they owe is debt.
        max_ltv: with `positions`: up to which the lender lends.
        liquidation_threshold: with `positions`: the loan-to-value from which it liquidates.
        liquidation_bonus: with `positions`: what a liquidator takes beyond the debt that it repays.
        close_factor: with `positions`: the part of the debt that is repaid at once.
        target_ltv: where the strategy wants to be; reported, not judged.
        ltv: limits of debt over collateral.
        health_factor: limits of the health factor; left out, the loan-to-value alone is judged.
    """

    name: Name
    label: Label
    account: LendingModel | None = None
    assets: dict[str, Name] | None = None
    positions: Annotated[tuple[ReaderId, ...], Field(min_length=1)] | None = None
    max_ltv: Part | None = None
    liquidation_threshold: Part | None = None
    liquidation_bonus: Part | None = None
    close_factor: Annotated[DecimalWad, Field(gt=0, le=WAD)] | None = None
    target_ltv: Part
    ltv: CeilingSection
    health_factor: FloorSection | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        terms = ("positions", "max_ltv", "liquidation_threshold", "liquidation_bonus", "close_factor")
        stated = [name for name in terms if getattr(self, name) is not None]
        if self.account is not None:
            if stated:
                raise ValueError(
                    f"`account` and `{stated[0]}`: the lender says its own terms; leave one of the two out"
                )
            if not self.assets:
                raise ValueError("`assets` is missing: say which configured asset each token of the account is")
            return self
        missing = [name for name in terms if name not in stated]
        if missing:
            raise ValueError(f"`{missing[0]}` is missing: state an `account`, or `positions` with the lender's terms")
        if self.assets is not None:
            raise ValueError("`assets` belongs to an `account`; positions say their assets themselves")
        if self.max_ltv is not None and self.liquidation_threshold is not None:
            _ordered("max_ltv", self.max_ltv, "liquidation_threshold", self.liquidation_threshold)
        return self


class FundingSection(Section):
    """What holding perpetuals costs: longs pay the rate, shorts receive it.

    Attributes:
        rate: of the net long notional, paid each time; negative when shorts pay.
        hours: between two payments.
    """

    rate: SignedWad
    hours: Annotated[int, Field(gt=0, le=24)]


class MarginSection(Section):
    """An account at an exchange.

    Attributes:
        name: of your own, unique in the fund.
        venue: what its alerts begin with, in upper case.
        account: how it is read.
        ratio: limits of balance over exposure.
        initial_margin: the part of the exposure that must be there; the rest of the balance is free.
        maintenance_margin: the ratio below which the venue liquidates.
        funding: what its perpetuals cost; null where it is not counted.
    """

    name: Name
    venue: Label
    account: MarginModel
    ratio: FloorSection
    initial_margin: Part
    maintenance_margin: Part
    funding: FundingSection | None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ordered("maintenance_margin", self.maintenance_margin, "initial_margin", self.initial_margin)
        _ordered("maintenance_margin", self.maintenance_margin, "ratio.critical", self.ratio.critical)
        return self


class DeltaSection(Section):
    """The net exposure to one asset.

    Attributes:
        unit: the asset that delta is counted in.
        assets: the assets that move with it, itself included; each counts by its price in it.
        target: what the fund wants to be exposed to, in units; negative when short.
        limit: drift from the target, as a part of the fund's equity in units, above which it is critical.
        warning_part: the part of the limit above which it warns.
    """

    unit: Name
    assets: Annotated[tuple[Name, ...], Field(min_length=1)]
    target: SignedWad
    limit: PositiveWad
    warning_part: Part

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.unit not in self.assets:
            raise ValueError(f"`assets` lacks {self.unit}, which moves with itself: add it")
        return self


class LimitsSection(Section):
    """Limits of the fund as a whole. Each must be stated; null is "not limited".

    Attributes:
        max_leverage: what is owned and the notional of perpetuals, over the NAV.
        max_exposure: net exposure to any one asset over the NAV, long or short.
        max_drawdown: fall of the price per share from its peak; needs `gate`, which keeps the peak.
        max_funding_cost: what perpetuals would cost in a year, over the NAV.
        warning_part: the part of each limit above which it warns.
    """

    max_leverage: PositiveWad | None
    max_exposure: PositiveWad | None
    max_drawdown: Part | None
    max_funding_cost: PositiveWad | None
    warning_part: Part


class StressSection(Section):
    """A block of the stress table: assets that fall together.

    Attributes:
        name: of your own.
        assets: those that fall.
        falls: by how much, each a row; "0.2" is 20 %.
    """

    name: Name
    assets: Annotated[tuple[Name, ...], Field(min_length=1)]
    falls: Annotated[tuple[Part, ...], Field(min_length=1)]


class RiskSection(Section):
    """A fund's risk monitor. The mode says which of `lending`, `margin` and `delta` there must be, and no other.

    Attributes:
        mode: `pure_lending` and `eth_leveraged` watch loans, `btc_basis` accounts at exchanges and the delta,
            `usdt_market_neutral` all three.
        lending: loans.
        margin: accounts at exchanges.
        delta: the net exposure to one asset.
        limits: of the fund as a whole.
        stress: what the stress table is made of.
    """

    mode: RiskMode
    lending: tuple[LoanSection, ...] = ()
    margin: tuple[MarginSection, ...] = ()
    delta: DeltaSection | None = None
    limits: LimitsSection
    stress: tuple[StressSection, ...] = ()

    @property
    def watches(self) -> tuple[LoanSection | MarginSection, ...]:
        """Loans and accounts at exchanges."""
        return (*self.lending, *self.margin)

    @property
    def accounts(self) -> tuple[tuple[str, int, Account], ...]:
        """Every account that is read, with the key of its list and its place in it."""
        lent = ((index, loan.account) for index, loan in enumerate(self.lending))
        return (
            *(("lending", index, account) for index, account in lent if account is not None),
            *(("margin", index, venue.account) for index, venue in enumerate(self.margin)),
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        missing, surplus = contradictions(
            self.mode, lending=bool(self.lending), margin=bool(self.margin), delta=self.delta is not None
        )
        if missing:
            raise ValueError(f"`{missing[0].value}` is missing: a {self.mode.value} fund must watch it; add it")
        if surplus:
            raise ValueError(
                f"`{surplus[0].value}` is not watched in a {self.mode.value} fund: leave it out, or choose another mode"
            )
        if self.limits.max_funding_cost is not None and not self.margin:
            raise ValueError("`limits.max_funding_cost` needs `margin`, which this mode does not watch: set it to null")
        names = [watch.name for watch in self.watches]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two of `lending` and `margin` are named {twice[0]}; give each a name of its own")
        return self


def _check_levels(make: Callable[[], Ceiling | Floor]) -> None:
    try:
        make()
    except DomainError as error:
        raise ValueError(f"{error.message}. {error.advice}") from error


def _ordered(lower_name: str, lower: Wad, upper_name: str, upper: Wad) -> None:
    if lower > upper:
        raise ValueError(
            f"{lower_name} {format_wad(lower, 4)} is above {upper_name} {format_wad(upper, 4)}: correct one"
        )
