"""The arithmetic of a settlement: fees, then deposits, then redemptions, all at the posted price.

Mirrors `contracts/src/vault/VaultSettlement.sol` and `VaultMath.sol`: the same operations in the same order with the
same roundings. The posted price per share is rounded down, so the true one lies between it and a wei more: what is paid
out is taken at the price, and shares are minted at a wei more, so that neither lowers the price of the others' shares.
"""

from __future__ import annotations

from navoracle.domain.settlement.refusals import deposit_refusals, post_refusals, redemption_refusals, stops
from navoracle.domain.settlement.types import (
    Payout,
    Post,
    SettledDeposits,
    SettledFees,
    SettledRedemptions,
    SettlementPlan,
    SettlementState,
)
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Rounding, Timestamp, Wad, divide, mul_div

_DOWN, _UP = Rounding.DOWN, Rounding.UP


def plan_settlement(state: SettlementState, post: Post, now: Timestamp) -> SettlementPlan:
    """Return what the vault would do with this post in a block of time `now`, and every reason why it would not.

    Raises:
        DomainError: fee rates that no vault accepts (a year's management fee, or a performance fee, of all there is).
    """
    fees, deposits, redemptions = fees_due(state, post), _deposits(state, post), _redemptions(state, post)
    ahead = max(0, now - state.closes_at) // state.epoch_length + 1
    return SettlementPlan(
        epoch=state.epoch,
        refusals=(
            *stops(state),
            *post_refusals(state, post, now),
            *deposit_refusals(state, post, deposits),
            *redemption_refusals(state, redemptions),
        ),
        fees=fees,
        deposits=deposits,
        redemptions=redemptions,
        supply=Wad(state.supply + fees.shares + deposits.shares - redemptions.burned),
        closes_at=Timestamp(state.closes_at + ahead * state.epoch_length),
    )


def fees_due(state: SettlementState, post: Post) -> SettledFees:
    """Return the fees that were deducted to arrive at the posted price, each rounded down (`VaultMath.fees`).

    With net = price x supply: performance = (price - mark) x supply x p / (1 - p) above the mark, and management =
    (net + performance) x m t / (year - m t), for a year at most. Their sum is capped, and what is beyond is forgiven.
    """
    supply, price, terms = state.supply, post.price_per_share, state.terms
    if supply == 0:
        return SettledFees(Wad(0), Wad(0), Wad(0), Wad(0), Wad(WAD))
    net, performance = mul_div(supply, price, WAD, _DOWN), 0
    if price > state.high_water_mark:
        gain = mul_div(supply, price - state.high_water_mark, WAD, _DOWN)
        performance = mul_div(gain, terms.performance_rate, WAD - terms.performance_rate, _DOWN)
    seconds = min(max(0, post.valuation_time - state.fee_clock), SECONDS_PER_YEAR)
    charge = terms.management_rate * seconds
    management = mul_div(net + performance, charge, SECONDS_PER_YEAR * WAD - charge, _DOWN)
    forgiven = max(0, management + performance - mul_div(net, terms.cap_bps, BPS, _DOWN))
    return SettledFees(
        management=Wad(management),
        performance=Wad(performance),
        forgiven=Wad(forgiven),
        shares=_shares_for(management + performance - forgiven, price),
        high_water_mark=max(state.high_water_mark, price),
    )


def _deposits(state: SettlementState, post: Post) -> SettledDeposits:
    assets, supply, price = state.deposit_assets, state.supply, post.price_per_share
    queued = assets * state.asset_scale
    if assets == 0:
        return SettledDeposits(0, Wad(0), Wad(0), Wad(0), Wad(0))
    gone = state.cancelled_assets * state.asset_scale
    delta = max(0, post.nav - gone - mul_div(supply, price, WAD, _DOWN))
    value = max(0, post.nav - gone - mul_div(supply, price + 1, WAD, _UP))
    value = min(value, mul_div(queued, BPS + state.limits.tolerance_bps, BPS, _DOWN))
    shares = value if supply == 0 else _shares_for(value, price)
    return SettledDeposits(assets, Wad(queued), Wad(delta), Wad(value), Wad(shares))


def _redemptions(state: SettlementState, post: Post) -> SettledRedemptions:
    shares, tolerance = state.redeem_shares, state.limits.tolerance_bps
    fee_shares = mul_div(shares, state.terms.withdrawal_rate, WAD, _UP)
    part = mul_div(shares - fee_shares, post.price_per_share, WAD, _DOWN)
    delivered = [each for each in state.deliveries if each.amount != 0]
    quotes = [each.worth for each in delivered] if part != 0 else []
    worth = Wad(sum(each for each in quotes if each is not None))
    missing = max(0, divide(part * (BPS - tolerance), BPS, _UP) - worth)
    # A quote is rounded down: what it may hide, less than a unit of the asset, is counted against the redeemers.
    hidden = sum(state.asset_scale for each in state.deliveries[1:] if each.amount != 0)
    payouts = []
    for each in delivered:
        paid = each.amount if part != 0 else 0
        if worth > part:
            paid = mul_div(each.amount, part, worth + hidden, _DOWN)
        payouts.append(Payout(each.token, paid, each.amount - paid))
    return SettledRedemptions(
        shares=shares,
        fee_shares=Wad(fee_shares),
        part=Wad(part),
        worth=None if None in quotes else worth,
        missing=Wad(missing),
        payouts=tuple(payouts),
    )


def _shares_for(value: int, price: Wad) -> Wad:
    return Wad(mul_div(value, WAD, price + 1, _DOWN))
