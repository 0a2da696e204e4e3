"""Share price, shares for a deposit, assets for a redemption: every division rounds down, against the one who asks."""

from __future__ import annotations

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import WAD, Rounding, Wad, mul_div


def price_per_share(nav_before: Wad, shares: Wad) -> Wad:
    """Return NAV_before / shares (Wad), rounded down; exactly 1e18 when there are no shares.

    A negative NAV gives a negative share price: the caller decides what an insolvent fund means.

    Raises:
        OutOfRange: the number of shares is negative.
    """
    _check_shares(shares)
    if shares == 0:
        return Wad(WAD)
    return Wad(mul_div(nav_before, WAD, shares, Rounding.DOWN))


def shares_for_delta(delta_nav: Wad, nav_before: Wad, shares: Wad) -> Wad:
    """Return floor(delta_nav x shares / nav_before), the shares that `delta_nav` buys; one for one without shares.

    Raises:
        DomainError: the delta is not positive, or shares are outstanding on a NAV that is not positive.
        OutOfRange: the number of shares is negative.
    """
    _check_shares(shares)
    if delta_nav <= 0:
        raise DomainError(
            f"no shares for a delta of {delta_nav}", advice="Mint only for deposits that add to the fund's value."
        )
    if shares == 0:
        return Wad(delta_nav)
    if nav_before <= 0:
        raise DomainError(
            f"{shares} shares are outstanding on a NAV of {nav_before}",
            advice="A deposit now would be given to nobody: hold deposits until the fund is worth something again.",
        )
    return Wad(mul_div(delta_nav, shares, nav_before, Rounding.DOWN))


def redemption(amount: int, shares_redeemed: Wad, shares: Wad) -> int:
    """Return the part of `amount` (any scale) that `shares_redeemed` of `shares` are entitled to, rounded down.

    Raises:
        DomainError: more shares are redeemed than exist, or there are none.
        OutOfRange: the amount or the shares redeemed are negative.
    """
    _check_shares(shares_redeemed)
    if amount < 0:
        raise OutOfRange(f"redemption from a negative amount {amount}", advice="Redeem from realized assets only.")
    if shares_redeemed > shares or shares == 0:
        raise DomainError(
            f"{shares_redeemed} of {shares} shares redeemed", advice="Redeem at most the shares that are outstanding."
        )
    return mul_div(amount, shares_redeemed, shares, Rounding.DOWN)


def _check_shares(shares: int) -> None:
    if shares < 0:
        raise OutOfRange(f"negative number of shares {shares}", advice="Read the share supply again.")
