"""What a settlement never does: lower the price of others' shares, pay more than a part, take more than is owed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.fees import FeeState, FeeTerms, fees_payable
from navoracle.domain.settlement import Delivery, Post, SettlementState, VaultFeeTerms, plan_settlement
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import BPS, SECONDS_PER_YEAR, WAD, Timestamp, Wad
from tests.unit.domain.settlements import CLOSES, LENGTH, LIMITS, READY, post, state

# Drawn as odd fractions of their ranges: hypothesis prefers numbers near zero, where nothing is left to round.
supplies = (st.integers(1, 10**4) | st.integers(1, 10**10).map(lambda n: n * 999_999_999_999_999_989)).map(Wad)
navs = (st.integers(1, 10**4) | st.integers(1, 10**10).map(lambda n: n * 1_000_000_000_000_000_003)).map(Wad)
around_one = st.integers(0, 3_000).map(lambda n: Wad(n * WAD // 1_009))
tolerances = st.integers(0, 500)
NO_FEES = VaultFeeTerms(Wad(0), Wad(0), Wad(0), 0)
rates = st.builds(
    VaultFeeTerms,
    st.integers(0, 100).map(lambda n: Wad(n * WAD // 1_009)),
    st.integers(0, 500).map(lambda n: Wad(n * WAD // 1_009)),
    st.integers(0, 50).map(lambda n: Wad(n * WAD // 1_009)),
    st.integers(0, 1_000),
)
periods = st.integers(0, 365).map(lambda n: n * SECONDS_PER_YEAR // 365)


def settled_at(nav_before: Wad, supply: Wad, brought: int = 0) -> Post:
    """A post of this NAV_before over so many shares, with what queued deposits brought in its NAV_after."""
    return post(Wad(nav_before + brought), price_per_share=price_per_share(nav_before, supply))


@given(supplies, navs, st.integers(1, 10**16), st.integers(-600, 600), tolerances)
def test_deposits__whatever_they_bring__never_lower_the_true_share_price(
    supply: Wad, nav: Wad, assets: int, off_bps: int, tolerance: int
) -> None:
    vault = state(
        supply=supply,
        deposit_assets=assets,
        asset_scale=10**12,
        terms=NO_FEES,
        limits=replace(LIMITS, tolerance_bps=tolerance, min_share_price=Wad(0)),
    )
    brought = assets * 10**12 * (BPS + off_bps) // BPS
    plan = plan_settlement(vault, settled_at(nav, supply, brought), READY)
    if plan.settles:
        # The price after it is not under the one before, in fractions.
        assert brought * supply >= nav * plan.deposits.shares
        assert plan.deposits.value <= brought
        assert plan.deposits.value * BPS <= plan.deposits.queued * (BPS + tolerance)
        assert off_bps >= -tolerance - 1
    else:
        assert set(plan.reasons) <= {"no_delta", "delta_too_small"}
    assert plan.supply == supply + plan.deposits.shares


@given(supplies, navs, st.integers(1, 10**16), tolerances)
def test_deposits__that_bring_what_they_are_worth__get_their_value_but_for_dust(
    supply: Wad, nav: Wad, assets: int, tolerance: int
) -> None:
    vault = state(
        supply=supply,
        deposit_assets=assets,
        terms=NO_FEES,
        limits=replace(LIMITS, tolerance_bps=tolerance, min_share_price=Wad(0)),
    )
    served = settled_at(nav, supply, assets * 10**12)
    found = plan_settlement(vault, served, READY).deposits
    # NAV_before is known within a wei a share: that much of the value, at most, is left to the others.
    assert found.queued - found.value <= supply // WAD + 2 or found.value == 0
    price = served.price_per_share
    lost = found.value - Fraction(found.shares * price, WAD)
    assert 0 <= lost <= Fraction(price + 1, WAD) + Fraction(found.shares, WAD)


@given(
    navs,
    supplies,
    rates,
    around_one,
    periods,
)
def test_fees__of_any_post__are_never_more_than_the_keeper_deducted_and_within_dust_of_it(
    gross: Wad, supply: Wad, terms: VaultFeeTerms, mark: Wad, seconds: int
) -> None:
    clock = Timestamp(CLOSES - seconds)
    owed = fees_payable(
        FeeTerms(terms.management_rate, terms.performance_rate),
        FeeState(high_water_mark=mark, accrued_since=clock),
        gross=gross,
        shares=supply,
        pending_withdrawals=Wad(0),
        now=CLOSES,
    )
    net = Wad(gross - owed.total)
    if net <= 0:
        return
    vault = state(supply=supply, terms=replace(terms, cap_bps=BPS), high_water_mark=mark, fee_clock=clock)
    fees = plan_settlement(vault, settled_at(net, supply), READY).fees
    assert fees.management <= owed.management
    assert fees.performance <= owed.performance
    dust = 2 * (supply // WAD) + 10
    if fees.forgiven == 0:
        assert owed.total - fees.management - fees.performance <= dust
        # Turning the liability into shares leaves each share at least as much: (net + owed) / (supply + minted).
        assert owed.total * supply >= net * fees.shares
    assert fees.high_water_mark == max(mark, price_per_share(net, supply))


@given(navs, supplies, rates, around_one, st.integers(0, 3 * SECONDS_PER_YEAR))
def test_fees__capped_for_the_keeper_too__leave_nothing_that_comes_back_into_the_price(
    gross: Wad, supply: Wad, terms: VaultFeeTerms, mark: Wad, seconds: int
) -> None:
    clock = Timestamp(CLOSES - seconds)
    owed = fees_payable(
        FeeTerms(terms.management_rate, terms.performance_rate, cap_bps=terms.cap_bps, max_seconds=SECONDS_PER_YEAR),
        FeeState(high_water_mark=mark, accrued_since=clock),
        gross=gross,
        shares=supply,
        pending_withdrawals=Wad(0),
        now=CLOSES,
    ).total
    vault = state(supply=supply, terms=terms, high_water_mark=mark, fee_clock=clock)
    fees = plan_settlement(vault, settled_at(Wad(gross - owed), supply), READY).fees
    taken = fees.management + fees.performance - fees.forgiven
    assert 0 <= owed - taken <= 2 * (supply // WAD) + 10


@given(navs, supplies, rates, around_one, periods)
def test_fees__of_any_terms__stay_under_the_cap(
    nav: Wad, supply: Wad, terms: VaultFeeTerms, mark: Wad, seconds: int
) -> None:
    vault = state(supply=supply, terms=terms, high_water_mark=mark, fee_clock=Timestamp(CLOSES - seconds))
    served = settled_at(nav, supply)
    fees = plan_settlement(vault, served, READY).fees
    taken = fees.management + fees.performance - fees.forgiven
    assert taken >= 0
    assert taken * BPS <= supply * served.price_per_share * terms.cap_bps // WAD
    assert fees.shares * (served.price_per_share + 1) <= taken * WAD
    assert fees.forgiven >= 0


deliveries = st.lists(
    st.tuples(st.integers(0, 10**24), st.integers(0, 10**28)).map(
        lambda pair: Delivery("T", pair[0], Wad(pair[1] if pair[0] else 0))
    ),
    max_size=4,
).map(lambda found: tuple(replace(each, token=f"T{number}") for number, each in enumerate(found)))


@given(navs, supplies, st.integers(0, BPS), deliveries, rates, tolerances)
def test_redemptions__of_any_delivery__pay_no_more_than_the_part_and_lose_no_unit(
    nav: Wad, supply: Wad, redeemed_bps: int, units: tuple[Delivery, ...], terms: VaultFeeTerms, tolerance: int
) -> None:
    shares = Wad(supply * redeemed_bps // BPS)
    vault = state(
        supply=supply,
        redeem_shares=shares,
        deliveries=units,
        terms=replace(NO_FEES, withdrawal_rate=terms.withdrawal_rate),
        limits=replace(LIMITS, tolerance_bps=tolerance, min_share_price=Wad(0)),
    )
    served = settled_at(nav, supply)
    plan = plan_settlement(vault, served, READY)
    found = plan.redemptions
    assert found.burned + found.fee_shares == shares
    assert found.fee_shares * WAD >= shares * terms.withdrawal_rate
    # The part is never more than the burned shares' share of the NAV.
    assert found.part * supply <= nav * found.burned
    paid = Fraction(0)
    by_token = {each.token: each for each in units}
    assert [each.token for each in found.payouts] == [each.token for each in units if each.amount]
    for payout in found.payouts:
        unit = by_token[payout.token]
        assert payout.paid >= 0
        assert payout.returned >= 0
        assert payout.paid + payout.returned == unit.amount
        assert unit.worth is not None
        paid += Fraction(payout.paid * unit.worth, unit.amount)
    assert paid <= found.part
    if plan.settles:
        # Nor does what stays fall by more than the shares that are burned.
        assert (nav - paid) * supply >= nav * (supply - found.burned)
        assert plan.supply == supply - found.burned
    else:
        assert plan.reasons == ("under_delivered",)
        assert found.missing > 0


@given(navs, supplies, st.integers(1, BPS), tolerances, st.integers(0, BPS))
def test_redemptions__what_is_missing__settles_when_delivered_and_not_a_wei_less(
    nav: Wad, supply: Wad, redeemed_bps: int, tolerance: int, there_bps: int
) -> None:
    limits = replace(LIMITS, tolerance_bps=tolerance, min_share_price=Wad(0))
    vault = state(supply=supply, redeem_shares=Wad(supply * redeemed_bps // BPS), limits=limits, terms=NO_FEES)
    served = settled_at(nav, supply)
    part = plan_settlement(vault, served, READY).redemptions.part
    there = Wad(part * there_bps // BPS)

    def with_units(worth: int) -> SettlementState:
        return replace(vault, deliveries=(Delivery("T", 1, Wad(worth)),))

    missing = plan_settlement(with_units(there), served, READY).redemptions.missing
    assert plan_settlement(with_units(there + missing), served, READY).settles
    if missing:
        assert plan_settlement(with_units(there + missing - 1), served, READY).reasons == ("under_delivered",)


@given(st.integers(1, 10 * LENGTH), st.integers(0, 100 * LENGTH))
def test_next_closing__at_any_time__is_ahead_and_by_whole_lengths(length: int, late: int) -> None:
    now = Timestamp(CLOSES + late)
    closes = plan_settlement(state(epoch_length=length), post(), now).closes_at
    assert now < closes <= now + length
    assert (closes - CLOSES) % length == 0


@given(navs, supplies, st.integers(0, 10**16), st.integers(0, BPS), rates)
def test_plan__any_epoch__adds_and_burns_exactly_its_shares(
    nav: Wad, supply: Wad, assets: int, redeemed_bps: int, terms: VaultFeeTerms
) -> None:
    vault = state(
        supply=supply,
        deposit_assets=assets,
        redeem_shares=Wad(supply * redeemed_bps // BPS),
        terms=terms,
        fee_clock=Timestamp(CLOSES - LENGTH),
    )
    plan = plan_settlement(vault, settled_at(nav, supply, assets * 10**12), READY)
    assert plan.supply == supply + plan.fees.shares + plan.deposits.shares - plan.redemptions.burned
    assert plan.supply >= 0


@given(
    supplies,
    around_one,
    navs,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    around_one,
    periods,
    rates,
    tolerances,
)
def test_plan__any_figures__are_exact_fractions_rounded_where_the_vault_rounds(
    supply: Wad,
    price: Wad,
    nav: Wad,
    assets: int,
    cancelled: int,
    mark: Wad,
    seconds: int,
    terms: VaultFeeTerms,
    tolerance: int,
) -> None:
    scale, redeemed = 1, Wad(supply // 3)
    vault = state(
        supply=supply,
        deposit_assets=assets,
        cancelled_assets=cancelled,
        asset_scale=scale,
        redeem_shares=redeemed,
        high_water_mark=mark,
        fee_clock=Timestamp(CLOSES - seconds),
        terms=terms,
        limits=replace(LIMITS, tolerance_bps=tolerance),
    )
    plan = plan_settlement(vault, post(nav, price_per_share=price), READY)

    net = floor(Fraction(supply * price, WAD))
    gain = floor(Fraction(supply * max(0, price - mark), WAD))
    performance = floor(Fraction(gain * terms.performance_rate, WAD - terms.performance_rate))
    part_of_year = Fraction(terms.management_rate * seconds, SECONDS_PER_YEAR * WAD)
    management = floor((net + performance) * part_of_year / (1 - part_of_year))
    taken = min(management + performance, floor(Fraction(net * terms.cap_bps, BPS)))
    assert (plan.fees.management, plan.fees.performance) == (management, performance)
    assert plan.fees.forgiven == management + performance - taken
    assert plan.fees.shares == floor(Fraction(taken * WAD, price + 1))
    assert plan.fees.high_water_mark == max(mark, price)

    if assets:
        shown, queued = nav - cancelled * scale, assets * scale
        most = floor(Fraction(queued * (BPS + tolerance), BPS))
        value = min(max(0, shown - ceil(Fraction(supply * (price + 1), WAD))), most)
        assert plan.deposits.delta == max(0, shown - net)
        assert plan.deposits.value == value
        assert plan.deposits.shares == floor(Fraction(value * WAD, price + 1))

    fee_shares = ceil(Fraction(redeemed * terms.withdrawal_rate, WAD))
    part = floor(Fraction((redeemed - fee_shares) * price, WAD))
    assert (plan.redemptions.fee_shares, plan.redemptions.part) == (fee_shares, part)
    assert plan.redemptions.missing == ceil(Fraction(part * (BPS - tolerance), BPS))
