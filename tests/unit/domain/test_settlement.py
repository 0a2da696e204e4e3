"""What a vault's settlement would do, in figures worked out by hand, and each reason at its limit and one beyond."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError
from navoracle.domain.settlement import (
    Delivery,
    Payout,
    Post,
    SettledDeposits,
    SettledFees,
    SettlementState,
    plan_settlement,
)
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from tests.unit.domain.settlements import CLOSES, LENGTH, LIMITS, READY, SCALE, TERMS, delivered, post, state

HALF_YEAR = 365 * 43_200


def reasons(vault: SettlementState, served: Post, now: int = READY) -> tuple[str, ...]:
    plan = plan_settlement(vault, served, Timestamp(now))
    assert plan.settles == (plan.reasons == ())
    assert all(refusal.advice and refusal.detail for refusal in plan.refusals)
    return plan.reasons


def test_plan__nothing_queued__settles_and_moves_to_the_next_window() -> None:
    plan = plan_settlement(state(), post(), READY)
    assert plan.settles
    assert (plan.epoch, plan.supply, plan.closes_at) == (7, to_wad("1000000"), CLOSES + LENGTH)
    assert plan.fees == SettledFees(Wad(0), Wad(0), Wad(0), Wad(0), Wad(WAD))


@pytest.mark.parametrize(
    ("now", "closes"),
    [(READY, 1), (CLOSES + LENGTH - 1, 1), (CLOSES + LENGTH, 2), (CLOSES + 10 * LENGTH + 5, 11)],
)
def test_plan__next_closing__is_the_first_of_the_rhythm_that_lies_ahead(now: int, closes: int) -> None:
    assert plan_settlement(state(), post(), Timestamp(now)).closes_at == CLOSES + closes * LENGTH


def test_fees__gain_and_half_a_year__are_what_was_deducted_of_gross() -> None:
    # Gross 1.2 million, half of 2 % is 12,000; a fifth of the 188,000 above the mark is 37,600; 1,150,400 are left.
    terms = replace(TERMS, cap_bps=1_000)
    vault = state(fee_clock=Timestamp(CLOSES - HALF_YEAR), terms=terms)
    fees = plan_settlement(vault, post(price_per_share=to_wad("1.1504")), READY).fees
    assert (fees.management, fees.performance, fees.forgiven) == (to_wad("12000"), to_wad("37600"), 0)
    assert fees.shares == to_wad("49600") * WAD // (to_wad("1.1504") + 1)
    assert fees.high_water_mark == to_wad("1.1504")


def test_fees__above_the_cap__are_forgiven() -> None:
    vault = state(fee_clock=Timestamp(CLOSES - HALF_YEAR))
    fees = plan_settlement(vault, post(price_per_share=to_wad("1.1504")), READY).fees
    assert fees.forgiven == to_wad("49600") - to_wad("11504")
    assert fees.shares == to_wad("11504") * WAD // (to_wad("1.1504") + 1)


def test_fees__cap_of_a_net_nav_that_is_no_whole_wei__is_of_the_wei_below() -> None:
    terms = replace(TERMS, performance_rate=Wad(WAD // 2), cap_bps=1_000)
    vault = state(supply=Wad(19), terms=terms, high_water_mark=Wad(0))
    fees = plan_settlement(vault, post(price_per_share=Wad(WAD // 2)), READY).fees
    assert (fees.performance, fees.forgiven) == (9, 9)


def test_fees__several_years__are_those_of_one() -> None:
    one, three = (
        plan_settlement(state(fee_clock=Timestamp(CLOSES - years * 2 * HALF_YEAR)), post(), READY).fees.management
        for years in (1, 3)
    )
    assert one == three == to_wad("1000000") * 2 // 98


def test_fees__without_shares__are_none_and_the_mark_is_par() -> None:
    empty = state(supply=Wad(0), high_water_mark=to_wad("5"), fee_clock=Timestamp(0))
    assert plan_settlement(empty, post(Wad(0)), READY).fees == SettledFees(Wad(0), Wad(0), Wad(0), Wad(0), Wad(WAD))


def test_fees__under_the_mark__keep_it() -> None:
    fees = plan_settlement(state(high_water_mark=to_wad("1.5")), post(), READY).fees
    assert (fees.performance, fees.high_water_mark) == (0, to_wad("1.5"))


def test_fees__rates_that_take_everything__are_refused() -> None:
    for terms in (replace(TERMS, performance_rate=Wad(WAD)), replace(TERMS, management_rate=Wad(WAD))):
        with pytest.raises(DomainError):
            plan_settlement(state(terms=terms, fee_clock=Timestamp(0), high_water_mark=Wad(1)), post(), READY)


def test_deposits__what_the_nav_shows__is_minted_at_a_wei_above_the_price() -> None:
    vault = state(deposit_assets=50_000 * 10**6)
    plan = plan_settlement(vault, post(to_wad("1049900")), READY)
    assert plan.settles
    value = Wad(to_wad("49900") - to_wad("0.000000000001"))
    assert plan.deposits == SettledDeposits(
        assets=50_000 * 10**6,
        queued=to_wad("50000"),
        delta=to_wad("49900"),
        value=value,
        shares=Wad(value * WAD // (WAD + 1)),
    )
    assert plan.supply == to_wad("1000000") + plan.deposits.shares


def test_deposits__more_than_they_are_worth__is_minted_up_to_the_tolerance() -> None:
    plan = plan_settlement(state(deposit_assets=50_000 * 10**6), post(to_wad("1060000")), READY)
    assert plan.settles
    assert plan.deposits.value == to_wad("50250")


@pytest.mark.parametrize(("off", "expected"), [(0, ()), (-1, ("delta_too_small",))])
def test_deposits__at_the_tolerance_and_a_wei_under__settle_or_not(off: int, expected: tuple[str, ...]) -> None:
    served = post(Wad(to_wad("1049750") + off))
    assert reasons(state(deposit_assets=50_000 * 10**6), served) == expected


@pytest.mark.parametrize("nav", ["1000000", "999999", "1000000.000000000001"])
def test_deposits__that_the_nav_does_not_show__have_no_delta(nav: str) -> None:
    assert reasons(state(deposit_assets=50_000 * 10**6), post(to_wad(nav))) == ("no_delta",)


def test_deposits__cancelled_after_the_valuation__are_taken_out_of_the_nav() -> None:
    vault = state(deposit_assets=40_000 * 10**6, cancelled_assets=10_000 * 10**6)
    plan = plan_settlement(vault, post(to_wad("1050000")), READY)
    assert plan.settles
    assert plan.deposits.delta == to_wad("40000")


def test_deposits__first_ones__are_minted_one_for_one() -> None:
    empty = state(supply=Wad(0), deposit_assets=10**6)
    plan = plan_settlement(empty, post(Wad(WAD)), READY)
    assert plan.settles
    assert (plan.deposits.value, plan.deposits.shares, plan.supply) == (WAD, WAD, WAD)
    assert reasons(empty, post(Wad(WAD), price_per_share=Wad(WAD - 1))) == ("share_price_not_par",)
    assert reasons(state(supply=Wad(0)), post(Wad(0), price_per_share=to_wad("2"))) == ()


def test_redemptions__fee_part_and_fraction__are_exact() -> None:
    vault = state(redeem_shares=to_wad("1000"), deliveries=(delivered("1998"), Delivery("NONE", 0, None)))
    plan = plan_settlement(vault, post(), READY)
    assert plan.settles
    found = plan.redemptions
    assert (found.fee_shares, found.burned, found.part) == (to_wad("1"), to_wad("999"), to_wad("999"))
    assert (found.worth, found.missing) == (to_wad("1998"), 0)
    assert found.payouts == (Payout("USD", 999 * 10**6, 999 * 10**6),)
    assert plan.supply == to_wad("999001")


@pytest.mark.parametrize(("off", "expected"), [(0, ()), (-1, ("under_delivered",))])
def test_redemptions__at_the_tolerance_and_a_wei_under__settle_or_not(off: int, expected: tuple[str, ...]) -> None:
    due = 999 * WAD * 9_950 // 10_000
    vault = state(redeem_shares=to_wad("1000"), deliveries=(Delivery("USD", 1, Wad(due + off)),))
    assert reasons(vault, post()) == expected
    plan = plan_settlement(vault, post(), READY)
    assert plan.redemptions.missing == -off
    assert plan.redemptions.payouts == (Payout("USD", 1, 0),)


def test_redemptions__nothing_due__return_what_was_delivered() -> None:
    plan = plan_settlement(state(deliveries=(delivered("10"),)), post(), READY)
    assert plan.settles
    assert plan.redemptions.payouts == (Payout("USD", 0, 10 * 10**6),)


def test_redemptions__token_without_quote__is_named() -> None:
    vault = state(redeem_shares=to_wad("1000"), deliveries=(delivered("2000"), Delivery("WETH", 5, None)))
    assert reasons(vault, post()) == ("no_quote",)
    assert "WETH" in plan_settlement(vault, post(), READY).refusals[0].detail
    assert reasons(replace(vault, redeem_shares=Wad(0)), post()) == ()


@pytest.mark.parametrize(
    ("vault", "served", "now", "code"),
    [
        ({"closed": True}, {}, READY, "closed"),
        ({"frozen": True}, {}, READY, "frozen"),
        ({"paused": True}, {}, READY, "paused"),
        ({}, {}, READY - 1, "too_early"),
        ({}, {"registry_paused": True}, READY, "registry_paused"),
        ({}, {"live": False}, READY, "not_live"),
        ({}, {"held": True}, READY, "held"),
        ({}, {"estimated": True}, READY, "estimated"),
        ({}, {}, CLOSES + 3_601, "stale"),
        ({}, {"valuation_time": Timestamp(CLOSES - 1)}, READY, "post_too_old"),
        ({"newer_than": CLOSES}, {}, READY, "post_too_old"),
        ({}, {"confidence": 79}, READY, "low_confidence"),
        ({}, {"price_per_share": Wad(LIMITS.min_share_price - 1)}, READY, "share_price_too_low"),
        ({}, {"components": (to_wad("1000000"), Wad(0), Wad(0), Wad(1), Wad(0))}, READY, "wrong_breakdown"),
    ],
)
def test_refusals__each_rule_one_beyond_its_limit__is_the_only_reason(
    vault: dict[str, object], served: dict[str, object], now: int, code: str
) -> None:
    assert reasons(state(**vault), post(None, **served), now) == (code,)


def test_refusals__every_rule_at_its_limit__settles() -> None:
    served = post(
        price_per_share=LIMITS.min_share_price,
        confidence=80,
        components=(to_wad("400000"), to_wad("700000"), to_wad("100000"), to_wad("150000"), to_wad("50000")),
    )
    assert reasons(state(newer_than=Timestamp(CLOSES - 1)), served, CLOSES + 3_600) == ()


def test_refusals__many__are_all_told_in_the_vault_s_order() -> None:
    vault = state(frozen=True, deposit_assets=10**6, redeem_shares=to_wad("1"))
    served = post(held=True, confidence=0)
    assert reasons(vault, served, READY - 1) == (
        "frozen",
        "too_early",
        "held",
        "low_confidence",
        "no_delta",
        "under_delivered",
    )
    assert SCALE * 10**6 == WAD
