"""Limits of the keeper's own guards."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.units import Bps


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """Limits of the keeper's own guards (section names are those of the user guide).

    Attributes:
        min_interval: seconds since the last confirmed valuation.
        max_change_bps: change of price per share above which a second frame must agree.
        agreement_bps: how far the second frame may lie from the first one.
        max_haircut_bps: how far haircuts of fallback prices may move the NAV before the fund is halted.
        immaterial_bps: an unpriced asset position whose last value is under this part of NAV counts as zero.
        rate_gap_bps: gap between the two values of derived rates, as a part of NAV, that asks for a second frame.
        time_weighted_gap_bps: gap between a price and its 30-minute average that asks for a second frame.
        max_mixed_age: seconds between the oldest and the newest reading of a fund.
        max_block_age: seconds that the block may lie behind the clock.
        max_baseline_age: seconds after which the confirmed value is too old to compare with.
        post_estimated: whether the fund's contract knows the status ESTIMATED.
        max_unexplained_bps: change of NAV that neither prices, income, fees nor flows explain, as a part of the NAV
            posted last and the deposits since, above which the fund is halted.
    """

    min_interval: int = 60
    max_change_bps: Bps = Bps(3_000)
    agreement_bps: Bps = Bps(50)
    max_haircut_bps: Bps = Bps(1_000)
    immaterial_bps: Bps = Bps(1)
    rate_gap_bps: Bps = Bps(50)
    time_weighted_gap_bps: Bps = Bps(500)
    max_mixed_age: int = 3_600
    max_block_age: int = 900
    max_baseline_age: int = 604_800
    post_estimated: bool = True
    max_unexplained_bps: Bps = Bps(50)
