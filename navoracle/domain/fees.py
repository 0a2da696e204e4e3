"""Fees that a fund owes: management on gross, performance above the high-water mark, a fee on pending withdrawals.

Amounts, share prices and rates are Wad (2 % = 0.02e18), times are seconds. Fees are liabilities: each is rounded up,
with one division at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Rounding, Timestamp, Wad, divide

Basis = Literal["per_share", "total_nav"]


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """A fund's fee rates (Wad) and what its high-water mark measures.

    Attributes:
        management_rate: per 365 days, on gross.
        performance_rate: of the gain above the high-water mark.
        withdrawal_rate: of pending withdrawals.
        basis: "per_share", or "total_nav" for funds without flows (there a deposit looks like profit).
        cap_bps: most that management and performance fee together may be of the NAV that they leave; None for no cap.
        max_seconds: most time that a management fee is due for at once; None for however long it was.

    Raises:
        OutOfRange: a rate lies outside 0 to 1e18, the cap outside 0 to 10,000, the time is negative, or the basis is
            unknown.
    """

    management_rate: Wad = Wad(0)
    performance_rate: Wad = Wad(0)
    withdrawal_rate: Wad = Wad(0)
    basis: Basis = "per_share"
    cap_bps: int | None = None
    max_seconds: int | None = None

    def __post_init__(self) -> None:
        for name, rate in (
            ("management_rate", self.management_rate),
            ("performance_rate", self.performance_rate),
            ("withdrawal_rate", self.withdrawal_rate),
        ):
            if not 0 <= rate <= WAD:
                raise OutOfRange(f"{name} is {rate}", advice=f"Set {name} to 0 to 1e18 (100 %); 2 % is 0.02e18.")
        if self.basis not in ("per_share", "total_nav"):
            raise OutOfRange(f"unknown fee basis {self.basis!r}", advice='Use "per_share" or "total_nav".')
        if self.cap_bps is not None and not 0 <= self.cap_bps <= BPS:
            raise OutOfRange(f"cap_bps is {self.cap_bps}", advice="Set the cap to 0 to 10,000 (100 %).")
        if self.max_seconds is not None:
            _check_not_negative(self.max_seconds, "longest time of a management fee")


@dataclass(frozen=True, slots=True)
class FeeState:
    """Where a fund's fees stand.

    Attributes:
        high_water_mark: share price (or total NAV, by the terms' basis) above which a performance fee is due; None
            before the first valuation.
        accrued_since: the time up to which the management fee has been taken; None before the first valuation.

    Raises:
        OutOfRange: the mark is negative.
    """

    high_water_mark: Wad | None = None
    accrued_since: Timestamp | None = None

    def __post_init__(self) -> None:
        if self.high_water_mark is not None:
            _check_not_negative(self.high_water_mark, "high-water mark")


@dataclass(frozen=True, slots=True)
class FeesPayable:
    """The fees that a fund owes at a valuation, each Wad."""

    management: Wad
    performance: Wad
    withdrawal: Wad

    @property
    def total(self) -> Wad:
        """The sum of the three."""
        return Wad(self.management + self.performance + self.withdrawal)


def management_fee(gross: Wad, rate: Wad, seconds: int) -> Wad:
    """Return gross x rate x seconds / 365 days, rounded up; zero when gross is not positive.

    Raises:
        OutOfRange: the rate or the time is negative.
    """
    _check_not_negative(rate, "management rate")
    _check_not_negative(seconds, "seconds since the last collection")
    return Wad(divide(max(0, gross) * rate * seconds, SECONDS_PER_YEAR * WAD, Rounding.UP))


def performance_fee(price_per_share: Wad, high_water_mark: Wad, shares: Wad, rate: Wad) -> Wad:
    """Return (price_per_share - high_water_mark) x shares x rate, rounded up; zero at or under the mark.

    Raises:
        OutOfRange: the mark, the shares or the rate is negative.
    """
    _check_not_negative(high_water_mark, "high-water mark")
    _check_not_negative(shares, "number of shares")
    _check_not_negative(rate, "performance rate")
    return Wad(divide(max(0, price_per_share - high_water_mark) * shares * rate, WAD * WAD, Rounding.UP))


def performance_fee_on_total(nav: Wad, high_water_mark: Wad, rate: Wad) -> Wad:
    """Return (nav - high_water_mark) x rate, rounded up; zero at or under the mark. The mark is a total NAV.

    Raises:
        OutOfRange: the mark or the rate is negative.
    """
    _check_not_negative(high_water_mark, "high-water mark")
    _check_not_negative(rate, "performance rate")
    return Wad(divide(max(0, nav - high_water_mark) * rate, WAD, Rounding.UP))


def withdrawal_fee(value: Wad, rate: Wad) -> Wad:
    """Return value x rate, rounded up; zero when the value is not positive.

    Raises:
        OutOfRange: the rate is negative.
    """
    _check_not_negative(rate, "withdrawal rate")
    return Wad(divide(max(0, value) * rate, WAD, Rounding.UP))


def raise_high_water_mark(mark: Wad | None, price_per_share: Wad) -> Wad:
    """Return the higher of the mark and the share price; without a mark it starts at the share price.

    Raises:
        DomainError: there is no mark and the share price is not positive: a mark of zero would tax all capital as gain.
    """
    if mark is not None:
        return max(mark, price_per_share)
    if price_per_share <= 0:
        raise DomainError(
            f"a high-water mark cannot start at a share price of {price_per_share}",
            advice="Start the mark at the first valuation at which the fund is worth something.",
        )
    return price_per_share


def fees_payable(
    terms: FeeTerms, state: FeeState, *, gross: Wad, shares: Wad, pending_withdrawals: Wad, now: Timestamp
) -> FeesPayable:
    """Return the fees that a fund owes at `now`.

    Args:
        gross: NAV before fees; not positive for an insolvent fund, which owes no management or performance fee.
        shares: shares outstanding; without any there is no performance fee per share.
        pending_withdrawals: the withdrawals that are a liability, i.e. whose shares are burned.

    Management is due on gross since the fee clock. Performance is due when the share price after the management fee
    (rounded down, as it is posted) is above the mark; its amount is then taken of the exact share price, so that it is
    rounded once, up. A first valuation owes neither: without a clock it starts at `now`, without a mark the mark
    starts at the current share price; the caller keeps both. A cap is taken off the performance fee first: with
    fees <= (gross - fees) x cap, they are at most gross x cap / (1 + cap). What is beyond is not owed: it is in the
    share price that others join and leave at, and does not come back into it later.

    Raises:
        DomainError: the fee clock lies after `now`.
        OutOfRange: the number of shares is negative.
    """
    seconds = 0 if state.accrued_since is None else now - state.accrued_since
    if seconds < 0:
        raise DomainError(
            f"the fee clock stands at {state.accrued_since}, after the valuation time {now}",
            advice="Correct the time of the last fee collection.",
        )
    if terms.max_seconds is not None:
        seconds = min(seconds, terms.max_seconds)
    management = management_fee(gross, terms.management_rate, seconds)
    performance = _performance_payable(terms, state.high_water_mark, Wad(gross - management), shares)
    if terms.cap_bps is not None:
        most = divide(max(0, gross) * terms.cap_bps, BPS + terms.cap_bps, Rounding.UP)
        management = Wad(min(management, most))
        performance = Wad(min(performance, most - management))
    return FeesPayable(
        management=management,
        performance=performance,
        withdrawal=withdrawal_fee(pending_withdrawals, terms.withdrawal_rate),
    )


def _performance_payable(terms: FeeTerms, mark: Wad | None, nav: Wad, shares: Wad) -> Wad:
    _check_not_negative(shares, "number of shares")
    if mark is None:
        return Wad(0)
    if terms.basis == "total_nav":
        return performance_fee_on_total(nav, mark, terms.performance_rate)
    # The rest that rounding the share price down leaves is not a gain: a fund at its mark owes nothing.
    if shares == 0 or price_per_share(nav, shares) <= mark:
        return Wad(0)
    return Wad(divide((nav * WAD - mark * shares) * terms.performance_rate, WAD * WAD, Rounding.UP))


def _check_not_negative(value: int, what: str) -> None:
    if value < 0:
        raise OutOfRange(f"negative {what}: {value}", advice=f"Give the {what} as zero or more.")
