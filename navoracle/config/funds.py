"""What a fund holds and owes, and how it is guarded and posted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from navoracle.config.base import BpsField, Name, Seconds, Section
from navoracle.config.gates import GateSection
from navoracle.config.requests import FundRequestsSection
from navoracle.config.risk import RiskSection
from navoracle.domain.units import Wad
from navoracle.positions import FundVaultState, PositionModel, SupplyModel
from navoracle.readers import DecimalWad


class FeesSection(Section):
    """Fee rates a year (management), of profit (performance) and of a withdrawal, as decimals.

    Attributes:
        management_rate: of gross value, a year of 365 days.
        performance_rate: of the gain above the high-water mark.
        withdrawal_rate: of what is withdrawn.
        basis: what the high-water mark is of: the price per share, or the whole NAV (for funds without flows).
    """

    management_rate: DecimalWad = Wad(0)
    performance_rate: DecimalWad = Wad(0)
    withdrawal_rate: DecimalWad = Wad(0)
    basis: Literal["per_share", "total_nav"] = "per_share"


class GuardsSection(Section):
    """The keeper's own limits for one fund; see `navoracle.domain.guard_policy.GuardPolicy`.

    Attributes:
        min_interval: seconds since the last confirmed valuation.
        max_change_bps: the change per share above which a second frame must agree.
        agreement_bps: how far the two may lie apart.
        max_haircut_bps: the most that prices past their time may move the NAV.
        immaterial_bps: of NAV: an unpriced position whose last known value is less counts as zero, and is named.
        rate_gap_bps: of NAV: a gap between the two rates of a principal token above it asks for a second frame.
        time_weighted_gap_bps: a gap between a price and its average of 30 minutes above it asks for a second frame.
        max_mixed_age: seconds between the oldest and the newest reading of a frame.
        max_block_age: seconds that the block of a valuation may be old.
        max_baseline_age: seconds after which the value on chain is too old to compare with.
        post_estimated: whether a NAV with a price past its time may be posted, marked as such.
        max_unexplained_bps: of the NAV posted last: the most of a change that prices, income, fees and flows may leave
            unexplained.
    """

    min_interval: Seconds = 60
    max_change_bps: BpsField = 3_000
    agreement_bps: BpsField = 50
    max_haircut_bps: BpsField = 1_000
    immaterial_bps: BpsField = 1
    rate_gap_bps: BpsField = 50
    time_weighted_gap_bps: BpsField = 500
    max_mixed_age: Seconds = 3_600
    max_block_age: Seconds = 900
    max_baseline_age: Seconds = 604_800
    post_estimated: bool = True
    max_unexplained_bps: BpsField = 50


class FundSection(Section):
    """One fund: its number on the registry, what it holds and owes, its shares, fees and limits.

    It is posted to the registry of `chain`, or to the contract of a `publisher`, or nowhere. `vault` is a FundVault of
    its own: fees are by the vault's terms, and the keeper settles it.

    Attributes:
        id: its number on the registry.
        chain: the chain whose registry it is posted to.
        publisher: the contract of somebody else that it is posted to instead, by its name under `publishers`.
        supply: its shares.
        positions: what it holds and owes.
        fees: its fee terms; a fund with a `vault` has the vault's.
        vault: its own FundVault, which the keeper settles.
        guards: the keeper's limits.
        risk: what its risk monitor watches; without it, it has none.
        gate: what its NAV gate vetoes; without it, it has none.
        requests: who may ask for something, and how often.
    """

    id: Annotated[int, Field(ge=0, le=65_535)]
    chain: Name | None = None
    publisher: Name | None = None
    supply: SupplyModel
    positions: Annotated[tuple[PositionModel, ...], Field(min_length=1)]
    fees: FeesSection = FeesSection()
    vault: FundVaultState | None = None
    guards: GuardsSection = GuardsSection()
    risk: RiskSection | None = None
    gate: GateSection | None = None
    requests: FundRequestsSection = FundRequestsSection()
