"""Money that moves in and out of a fund, and the change of its value that is left when flows are taken out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Literal

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div

FlowKind = Literal["deposit", "withdrawal", "dividend"]

_SIGNS = {"deposit": 1, "withdrawal": -1, "dividend": -1}


@dataclass(frozen=True, slots=True)
class Flow:
    """One movement of `amount` (Wad, positive) at a time; the kind gives the direction.

    Raises:
        OutOfRange: the amount is not positive, or the kind is unknown.
    """

    kind: FlowKind
    amount: Wad
    at: Timestamp

    def __post_init__(self) -> None:
        if self.kind not in _SIGNS:
            raise OutOfRange(f"unknown flow {self.kind!r}", advice=f"Use one of: {', '.join(_SIGNS)}.")
        if self.amount <= 0:
            raise OutOfRange(
                f"{self.kind} of {self.amount}", advice="State the amount as positive; the kind gives the direction."
            )


@dataclass(frozen=True, slots=True)
class Distribution:
    """A dividend per share (Wad), and when it was paid."""

    at: Timestamp
    per_share: Wad


@dataclass(frozen=True, slots=True)
class VaultFlows:
    """What a vault counts of its flows, over its life or, as differences, over a time. Values and shares are Wad.

    Attributes:
        deposited: value of settled deposits that shares were minted for.
        redeemed: value paid to redeemers.
        dividends: value declared as dividends.
        minted: shares minted for deposits.
        burned: shares burned by redemptions.
        fee_shares: shares minted for management and performance fees.
    """

    deposited: Wad
    redeemed: Wad
    dividends: Wad
    minted: Wad
    burned: Wad
    fee_shares: Wad

    def since(self, earlier: VaultFlows) -> VaultFlows:
        """The flows between an earlier reading of the sums and this one.

        Raises:
            DomainError: a sum fell; a vault's never do.
        """
        mine, theirs = astuple(self), astuple(earlier)
        if any(now < then for now, then in zip(mine, theirs, strict=True)):
            raise DomainError(
                f"the vault's flows fell from {theirs} to {mine}",
                advice="The node lags, the chain was reorganized, or it is another vault: compare the endpoints.",
            )
        return VaultFlows(*(Wad(now - then) for now, then in zip(mine, theirs, strict=True)))


def net_flows(flows: Iterable[Flow]) -> Wad:
    """Return deposits less withdrawals and dividends (Wad, signed)."""
    return Wad(sum(_SIGNS[flow.kind] * flow.amount for flow in flows))


def flow_adjusted_change(previous_nav: Wad, nav: Wad, flows: Iterable[Flow]) -> Wad:
    """Return what the NAV changed by that no flow explains: nav - previous_nav - net flows (Wad, signed, exact).

    An amount, not a ratio, so that a limit is compared exactly: `exceeds_bps(abs(change), previous_nav, limit)`.
    """
    return Wad(nav - previous_nav - net_flows(flows))


def dividend_per_share(amount: Wad, shares: Wad) -> Wad:
    """Return amount / shares (Wad), rounded down.

    Raises:
        DomainError: there are no shares to pay to.
        OutOfRange: the amount is negative.
    """
    if amount < 0:
        raise OutOfRange(f"dividend of {amount}", advice="A dividend is paid out: state it as positive.")
    if shares <= 0:
        raise DomainError(f"dividend on {shares} shares", advice="A dividend needs shares that it is paid on.")
    return Wad(mul_div(amount, WAD, shares, Rounding.DOWN))


def distributions_added_back(price_per_share: Wad, distributions_per_share: Wad) -> Wad:
    """Return the share price with the distributions declared since the last post added back (all Wad per share).

    For the change guard: a declared distribution is not a loss.

    Raises:
        OutOfRange: the distributions are negative.
    """
    if distributions_per_share < 0:
        raise OutOfRange(
            f"distributions of {distributions_per_share} per share",
            advice="A distribution is paid out: state it as positive.",
        )
    return Wad(price_per_share + distributions_per_share)
