"""What a settlement looks at, and what it would do.

Values and shares are Wad, rates Wad, times Unix seconds. "Assets" are raw units of the vault's asset, one whole of
which is one unit of account (within the tolerance): their value is assets x `asset_scale`.
"""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.units import Timestamp, Wad


@dataclass(frozen=True, slots=True)
class VaultFeeTerms:
    """The vault's fee terms in effect (`feeTerms()`); the cap is of the net NAV, for one settlement."""

    management_rate: Wad
    performance_rate: Wad
    withdrawal_rate: Wad
    cap_bps: int


@dataclass(frozen=True, slots=True)
class VaultLimits:
    """What a settlement must keep to (`limits()`); confidence is in per cent."""

    min_share_price: Wad
    tolerance_bps: int
    min_confidence: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """Units of a token that lie ready for the redeemers of the epoch.

    `worth` is their value (Wad): the asset at par, others as the vault's quoter says; None where it gives no answer.
    """

    token: str
    amount: int
    worth: Wad | None


@dataclass(frozen=True, slots=True)
class SettlementState:
    """What the vault's views say at one block: `settlement()`, `deliveries()`, `feeState()` and the settings.

    Attributes:
        epoch: the oldest unsettled one.
        closes_at: requests before this time are in it.
        settleable_at: the earliest time of its settlement.
        newer_than: a post must be valued after this.
        epoch_length: seconds from one closing to the next.
        deposit_assets: queued assets of the epoch.
        cancelled_assets: of its requests, those cancelled at or after the post's valuation (`cancelledSince`).
        redeem_shares: shares in escrow of the epoch, still outstanding.
        supply: shares outstanding.
        asset_scale: value of one raw unit of the asset.
        high_water_mark: per share.
        fee_clock: up to when the management fee has been taken.
        deliveries: in the order of the vault's tokens, the asset first.
    """

    epoch: int
    closes_at: Timestamp
    settleable_at: Timestamp
    newer_than: Timestamp
    epoch_length: int
    deposit_assets: int
    cancelled_assets: int
    redeem_shares: Wad
    supply: Wad
    asset_scale: int
    high_water_mark: Wad
    fee_clock: Timestamp
    deliveries: tuple[Delivery, ...]
    terms: VaultFeeTerms
    limits: VaultLimits
    frozen: bool = False
    closed: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """What the registry serves for the fund.

    Attributes:
        nav: NAV_after.
        price_per_share: NAV_before / shares, rounded down, net of fees.
        valuation_time: when it was valued.
        confidence: per cent.
        max_age: seconds after which readers must not use it.
        components: cash, collateral, income and rewards, debt, other liabilities and fees; they are stored by settling.
        live: whether the registry has the fund open.
        held: whether it holds the fund at this value.
        estimated: whether a price of it was a fallback.
        registry_paused: whether posting is stopped.
    """

    nav: Wad
    price_per_share: Wad
    valuation_time: Timestamp
    confidence: int
    max_age: int
    components: tuple[Wad, Wad, Wad, Wad, Wad]
    live: bool = True
    held: bool = False
    estimated: bool = False
    registry_paused: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the vault would not settle: a stable code, what was found, and what an operator can do."""

    code: str
    detail: str
    advice: str


@dataclass(frozen=True, slots=True)
class SettledFees:
    """Fees of a settlement: values, the shares minted for them, and the mark after it."""

    management: Wad
    performance: Wad
    forgiven: Wad
    shares: Wad
    high_water_mark: Wad


@dataclass(frozen=True, slots=True)
class SettledDeposits:
    """Deposits of the epoch: assets, their value at par, the NAV that they brought, the value minted for, the shares.

    `delta` is measured from the least that NAV_before can be; `value` from the most, and within the tolerance.
    """

    assets: int
    queued: Wad
    delta: Wad
    value: Wad
    shares: Wad


@dataclass(frozen=True, slots=True)
class Payout:
    """Of a delivered token: units paid to the epoch's redeemers, and units that return to idle."""

    token: str
    paid: int
    returned: int


@dataclass(frozen=True, slots=True)
class SettledRedemptions:
    """Redemptions of the epoch.

    `shares` were in escrow; of them `fee_shares` go to the fee recipient and the rest is burned for `part` of the NAV.
    `worth` is that of the delivered units, None where a quote is missing; `missing` is what must still be delivered.
    """

    shares: Wad
    fee_shares: Wad
    part: Wad
    worth: Wad | None
    missing: Wad
    payouts: tuple[Payout, ...]

    @property
    def burned(self) -> Wad:
        """Shares that are burned."""
        return Wad(self.shares - self.fee_shares)


@dataclass(frozen=True, slots=True)
class SettlementPlan:
    """What `settle(epoch, components)` would do at a time; with refusals it reverts, and the figures are forecasts.

    `supply` are the shares outstanding afterwards, `closes_at` the next epoch's closing.
    """

    epoch: int
    refusals: tuple[Refusal, ...]
    fees: SettledFees
    deposits: SettledDeposits
    redemptions: SettledRedemptions
    supply: Wad
    closes_at: Timestamp

    @property
    def settles(self) -> bool:
        """Whether the vault would settle."""
        return not self.refusals

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of the refusals, in the vault's own order."""
        return tuple(refusal.code for refusal in self.refusals)
