"""The fees that two other accounting systems take, to the wei: what a vault of theirs will book at the next post.

Units are those of the contracts: integers of the base asset and of shares, rates in bps, times in seconds. Veda rounds
every step down and takes the smaller of two supplies; Lagoon rounds every step up and takes the mean of two assets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navoracle.domain.conversions import UINT128
from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import BPS, SCALES, SECONDS_PER_YEAR, Rounding, Timestamp, mul_div

LAGOON_MAX_PROTOCOL_BPS: Final = 3_000
"""The most of its fees that Lagoon's protocol takes, whatever its registry says."""


@dataclass(frozen=True, slots=True)
class VedaFeeState:
    """What `accountantState()` says of the fees.

    Attributes:
        exchange_rate: units of the base asset per share, stored last.
        high_water_mark: the highest rate that performance fees were taken at.
        fees_owed: units of the base asset, not claimed yet.
        shares_last_update: supply at the last update.
        last_update: its time.
        platform_bps: a year, on assets.
        performance_bps: of the rise above the mark.
        share_decimals: those of the vault.
    """

    exchange_rate: int
    high_water_mark: int
    fees_owed: int
    shares_last_update: int
    last_update: Timestamp
    platform_bps: int
    performance_bps: int
    share_decimals: int


@dataclass(frozen=True, slots=True)
class VedaFees:
    """What an update in bounds books, in units of the base asset, and the mark after it."""

    platform: int
    performance: int
    fees_owed: int
    high_water_mark: int


def veda_fees(state: VedaFeeState, *, new_rate: int, shares: int, now: Timestamp) -> VedaFees:
    """Return what `updateExchangeRate(new_rate)` books when it does not pause, each step rounded down.

    supply = min(shares now, shares at the last update); platform = supply x min(old rate, new rate) / share
    x bps / 1e4 x seconds / 365 days; performance = (new rate - mark) x supply / share x bps / 1e4, above the mark.
    An update that pauses books nothing.

    Source: `_calculateFeesOwed`, `_calculatePlatformFee` and `_calculatePerformanceFee` of
    `src/base/Roles/AccountantWithRateProviders.sol` (boring-vault).

    Raises:
        DomainError: the last update lies after `now`.
        OutOfRange: the fees owed do not fit a uint128.
    """
    seconds = now - state.last_update
    if seconds < 0:
        raise DomainError(
            f"the accountant was updated at {state.last_update}, after {now}", advice="Read the accountant again."
        )
    supply, share = min(shares, state.shares_last_update), SCALES[state.share_decimals]
    assets = _down(supply, min(new_rate, state.exchange_rate), share)
    platform = _down(_down(assets, state.platform_bps, BPS), seconds, SECONDS_PER_YEAR)
    performance = 0
    if new_rate > state.high_water_mark:
        performance = _down(_down(new_rate - state.high_water_mark, supply, share), state.performance_bps, BPS)
    return VedaFees(
        platform=platform,
        performance=performance,
        fees_owed=UINT128.check(state.fees_owed + platform + performance, "fees owed"),
        high_water_mark=max(new_rate, state.high_water_mark),
    )


@dataclass(frozen=True, slots=True)
class LagoonFeeState:
    """What a Lagoon vault says of its fees.

    Attributes:
        total_assets: units of the asset, settled last.
        total_supply: shares outstanding.
        high_water_mark: units of the asset per whole share.
        last_fee_time: when fees were taken last.
        management_bps: a year, on assets.
        performance_bps: of the rise above the mark.
        protocol_bps: of the fee shares, as the protocol's registry says; more than 3,000 counts as 3,000.
        share_decimals: those of the vault.
        decimals_offset: share decimals less those of the asset.
    """

    total_assets: int
    total_supply: int
    high_water_mark: int
    last_fee_time: Timestamp
    management_bps: int
    performance_bps: int
    protocol_bps: int
    share_decimals: int
    decimals_offset: int


@dataclass(frozen=True, slots=True)
class LagoonFees:
    """What a settlement takes before it settles anything.

    Attributes:
        management: units of the asset.
        performance: units of the asset.
        management_shares: shares that the management fee is worth.
        performance_shares: shares that the performance fee is worth.
        manager_shares: minted to the vault's fee receiver.
        protocol_shares: minted to the protocol's.
        high_water_mark: units of the asset per whole share, after the fees.
    """

    management: int
    performance: int
    management_shares: int
    performance_shares: int
    manager_shares: int
    protocol_shares: int
    high_water_mark: int

    @property
    def minted(self) -> int:
        """All shares that are minted for fees."""
        return self.manager_shares + self.protocol_shares


def lagoon_fees(state: LagoonFeeState, *, new_total_assets: int, now: Timestamp) -> LagoonFees:
    """Return the fees that `settleDeposit` or `settleRedeem` takes at these total assets, each step rounded up.

    management = (old + new assets) // 2 x bps / 1e4 x seconds / 365 days; performance is due on the share price after
    it, above the mark; both are minted as shares at the assets that are left after both:
    fee x (supply + 10**offset) / (assets - fees + 1).

    Source: `takeManagementAndPerformanceFees` and `takeFees` of `src/v0.6.0/libraries/FeeLib.sol` (lagoon-v0).

    Raises:
        DomainError: fees were taken after `now`.
        OutOfRange: the fees are more than the assets; the vault's subtraction reverts.
    """
    seconds = now - state.last_fee_time
    if seconds < 0:
        raise DomainError(f"fees were taken at {state.last_fee_time}, after {now}", advice="Read the vault again.")
    one, virtual = SCALES[state.share_decimals], state.total_supply + SCALES[state.decimals_offset]
    # The mean is cut off: the one step that does not round up.
    mean = (new_total_assets + state.total_assets) // 2
    management = _up(_up(mean, state.management_bps, BPS), seconds, SECONDS_PER_YEAR)
    if management > new_total_assets + 1:
        raise _more_than_assets(management, new_total_assets)
    price = _up(one, new_total_assets + 1 - management, virtual)
    performance = 0
    if price > state.high_water_mark:
        profit = _up(price - state.high_water_mark, state.total_supply, one)
        performance = _up(profit, state.performance_bps, BPS)
    if management + performance > new_total_assets:
        raise _more_than_assets(management + performance, new_total_assets)
    left = new_total_assets - (management + performance) + 1
    management_shares, performance_shares = _up(management, virtual, left), _up(performance, virtual, left)
    manager, protocol = _split(management_shares, performance_shares, protocol_bps=state.protocol_bps)
    after = _down(one, new_total_assets + 1, virtual + manager + protocol)
    return LagoonFees(
        management=management,
        performance=performance,
        management_shares=management_shares,
        performance_shares=performance_shares,
        manager_shares=manager,
        protocol_shares=protocol,
        high_water_mark=max(state.high_water_mark, after),
    )


def lagoon_flow_fee(shares: int, rate_bps: int) -> int:
    """Return the entry or exit fee on so many shares, rounded up (`computeFee` of `FeeLib.sol`)."""
    return _up(shares, rate_bps, BPS)


def _split(*fees: int, protocol_bps: int) -> tuple[int, int]:
    """The manager's and the protocol's shares of these fees; nothing at all where the protocol's part is the whole."""
    manager = protocol = 0
    for shares in fees:
        part = _up(shares, min(protocol_bps, LAGOON_MAX_PROTOCOL_BPS), BPS)
        if shares > part:
            manager, protocol = manager + shares - part, protocol + part
    return manager, protocol


def _more_than_assets(fees: int, assets: int) -> OutOfRange:
    return OutOfRange(
        f"fees of {fees} on total assets of {assets}",
        advice="The vault would revert: correct the total assets, or settle more often.",
    )


def _down(a: int, b: int, denominator: int) -> int:
    return mul_div(a, b, denominator, Rounding.DOWN)


def _up(a: int, b: int, denominator: int) -> int:
    return mul_div(a, b, denominator, Rounding.UP)
