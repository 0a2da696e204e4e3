"""The keeper's own guards: pure checks over a valuation, what the chain confirmed, and limits.

Each check answers with a `Verdict`. `judge` turns them into a status: a HALT stops the fund, a VERIFY asks for a second
frame, and that second frame either agrees (VERIFIED) or leaves the NAV SUSPICIOUS. Change is measured on price per
share with declared distributions added back, against the value that the chain confirmed, never one merely sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from navoracle.domain.frame import BlockStamp, Failure, FundPrior, GuardPolicy, NavStatus, RateGap
from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import LIABILITIES, Component
from navoracle.domain.prices import PriceEstimate, PriceStatus, gap_exceeds
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, exceeds_bps, format_wad, mul_div
from navoracle.domain.valuation import PositionValue
from navoracle.domain.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class GuardInput:
    """All that the guards of one fund look at.

    `estimates` are those that the fund's positions use; `averages` the time-weighted averages by asset (None where the
    sampler has too few samples); `readers` the ids of the position readers that the plan asks for; `immaterial` the
    unpriced positions that count as zero; `shortcomings` what a second frame lacks of "every configured source":
    failures and refused quotes.
    """

    valuation: FundValuation
    prior: FundPrior
    policy: GuardPolicy
    now: Timestamp
    clock: Timestamp
    stamps: Sequence[BlockStamp]
    home: BlockStamp | None
    estimates: Sequence[PriceEstimate]
    averages: Mapping[str, Wad | None]
    rate_gaps: Sequence[RateGap]
    readers: frozenset[str]
    immaterial: Sequence[str]
    failures: Sequence[Failure]
    shortcomings: Sequence[str]


def judge(facts: GuardInput) -> tuple[NavStatus, str | None, tuple[Verdict, ...]]:
    """Run every check and return the status, the reason when it is not postable, and all verdicts."""
    verdicts = tuple(
        verdict
        for check in (
            _interval,
            _block_age,
            _components,
            _share_price,
            _positions,
            _mixed_age,
            _haircut,
            _native_rates,
            _rate_gaps,
            _time_weighted,
            _change,
        )
        if (verdict := check(facts)) is not None
    )
    lowest = min(facts.valuation.before.nav, facts.valuation.after.nav)
    if lowest < 0:
        insolvent = Verdict(
            "solvency",
            Outcome.HALT,
            f"NAV is {format_wad(lowest)}: liabilities exceed assets",
            "Nothing is posted as a number; hold the fund on chain and run the emergency procedure.",
        )
        return NavStatus.INSOLVENT, "insolvent", (*verdicts, insolvent)
    for verdict in verdicts:
        if verdict.outcome is Outcome.HALT:
            return NavStatus.HALTED, verdict.check, verdicts
    if facts.valuation.estimated and not facts.policy.post_estimated:
        return NavStatus.HALTED, "estimated", verdicts
    doubts = [verdict for verdict in verdicts if verdict.outcome is Outcome.VERIFY]
    if doubts:
        if facts.prior.first_look is None:
            return NavStatus.SUSPICIOUS, doubts[0].check, verdicts
        second = _second_look(facts)
        verdicts = (*verdicts, second)
        if second.outcome is Outcome.HALT:
            return NavStatus.SUSPICIOUS, "second_frame_disagrees", verdicts
        return NavStatus.VERIFIED, None, verdicts
    return (NavStatus.ESTIMATED if facts.valuation.estimated else NavStatus.LIVE), None, verdicts


def _interval(facts: GuardInput) -> Verdict | None:
    confirmed = facts.prior.confirmed
    if confirmed is None:
        return None
    seconds = facts.now - confirmed.valuation_time
    if seconds >= max(1, facts.policy.min_interval):
        return Verdict("interval", Outcome.PASS, f"{seconds} s after the confirmed valuation")
    return Verdict(
        "interval",
        Outcome.HALT,
        f"{seconds} s after the confirmed valuation; at least {facts.policy.min_interval} s are asked for",
        "Wait; a later slot posts a newer value.",
    )


def _block_age(facts: GuardInput) -> Verdict | None:
    if facts.home is None:
        return None
    age = facts.clock - facts.home.timestamp
    if age <= facts.policy.max_block_age:
        return Verdict("block_age", Outcome.PASS, f"block {facts.home.number} is {age} s old")
    return Verdict(
        "block_age",
        Outcome.HALT,
        f"block {facts.home.number} of {facts.home.chain} is {age} s old, over {facts.policy.max_block_age} s",
        "The node is stuck or the chain has stopped; check it against a second endpoint.",
    )


def _signed(row: PositionValue) -> int:
    return -row.value if row.component in LIABILITIES else row.value


def _components(facts: GuardInput) -> Verdict:
    valuation = facts.valuation
    before = sum(_signed(row) for row in valuation.positions if row.epoch is None)
    after = sum(_signed(row) for row in valuation.positions)
    fees = valuation.fees.total
    if (valuation.before.nav, valuation.after.nav) == (before - fees, after - fees):
        return Verdict("components", Outcome.PASS, "components add up to NAV before and after")
    return Verdict(
        "components",
        Outcome.HALT,
        "components do not add up to the NAV",
        "This is a defect of the valuation: keep the evidence and report it.",
    )


def _share_price(facts: GuardInput) -> Verdict:
    valuation = facts.valuation
    nav, shares, price = valuation.before.nav, valuation.shares, valuation.price_per_share
    if shares > 0 and nav >= 0 and price == 0:
        return Verdict(
            "share_price",
            Outcome.HALT,
            "the price per share rounds to zero",
            "A zero is never posted; hold the fund, or close it when it is empty.",
        )
    consistent = price == WAD if shares == 0 else 0 <= nav * WAD - price * shares < shares
    if consistent:
        return Verdict("share_price", Outcome.PASS, "price per share x shares equals NAV within rounding")
    return Verdict(
        "share_price",
        Outcome.HALT,
        f"price per share {format_wad(price)} x shares {format_wad(shares)} is not the NAV {format_wad(nav)}",
        "This is a defect of the valuation: keep the evidence and report it.",
    )


def _positions(facts: GuardInput) -> Verdict:
    found = {row.position for row in facts.valuation.positions}.union(facts.immaterial)
    missing = sorted(
        prior.position
        for prior in facts.prior.positions
        if prior.position not in found and not facts.readers.isdisjoint(_readers_of(prior.position))
    )
    if not missing:
        return Verdict("positions", Outcome.PASS, f"{len(found)} positions, none gone")
    return Verdict(
        "positions",
        Outcome.VERIFY,
        f"positions gone since the last frame: {', '.join(missing)}",
        "Check that they were closed; remove their readers from the configuration when they were.",
    )


def _readers_of(position: str) -> tuple[str, str]:
    """The ids that the position's reader can have: its own, or what stands before its last "/"."""
    return position, position.rpartition("/")[0]


def _mixed_age(facts: GuardInput) -> Verdict | None:
    times = [estimate.as_of for estimate in facts.estimates if estimate.as_of is not None]
    if not times:
        return None
    spread = facts.now - min(times)
    if spread <= facts.policy.max_mixed_age:
        return Verdict("mixed_age", Outcome.PASS, f"oldest reading is {spread} s old")
    return Verdict(
        "mixed_age",
        Outcome.HALT,
        f"readings lie {spread} s apart, over {facts.policy.max_mixed_age} s",
        "Prices of different times do not make one NAV; wait for the old source, or give its asset another one.",
    )


def _haircut(facts: GuardInput) -> Verdict | None:
    valuation = facts.valuation
    nav, plain = valuation.before.nav, valuation.undecayed_nav
    if nav == plain:
        return None
    detail = f"fallback prices move NAV from {format_wad(plain)} to {format_wad(nav)}"
    if plain > 0 and not exceeds_bps(abs(plain - nav), plain, facts.policy.max_haircut_bps):
        return Verdict("haircut", Outcome.WARN, detail, "Restore the sources named as failed or stale.")
    return Verdict(
        "haircut",
        Outcome.HALT,
        f"{detail}, more than {facts.policy.max_haircut_bps} bps",
        "Under leverage a haircut is multiplied; restore the sources before anything is posted.",
    )


def _native_rates(facts: GuardInput) -> Verdict | None:
    alarmed = sorted({estimate.asset for estimate in facts.estimates if estimate.native_alarm})
    if not alarmed:
        return None
    return Verdict(
        "native_rate",
        Outcome.WARN,
        f"market and protocol rate lie apart: {', '.join(alarmed)}",
        "The market value is used; find out whether the market or the protocol is wrong.",
    )


def _rate_gaps(facts: GuardInput) -> Verdict | None:
    if not facts.rate_gaps:
        return None
    by_asset = {gap.asset: gap for gap in facts.rate_gaps}
    worth = 0
    for row in facts.valuation.positions:
        gap = by_asset.get(row.asset)
        if gap is not None and gap.higher > gap.lower:
            taken = gap.higher if row.component in LIABILITIES else gap.lower
            worth += mul_div(abs(row.value), gap.higher - gap.lower, max(1, taken), Rounding.UP)
    nav = facts.valuation.before.nav
    if nav >= 0 and not exceeds_bps(worth, nav, facts.policy.rate_gap_bps):
        return Verdict("rate_gap", Outcome.PASS, f"spot and average rates differ by {format_wad(worth)} of value")
    return Verdict(
        "rate_gap",
        Outcome.VERIFY,
        f"spot and average rates differ by {format_wad(worth)}, over {facts.policy.rate_gap_bps} bps of NAV",
        "A spot rate can be moved within one transaction; a second frame must agree.",
    )


def _time_weighted(facts: GuardInput) -> Verdict | None:
    moved = []
    for estimate in facts.estimates:
        average = facts.averages.get(estimate.asset)
        if estimate.status is not PriceStatus.LIVE or estimate.price is None or average is None:
            continue
        if gap_exceeds(estimate.price, average, facts.policy.time_weighted_gap_bps):
            moved.append(f"{estimate.asset} {format_wad(estimate.price)} against {format_wad(average)}")
    if not moved:
        return None
    return Verdict(
        "time_weighted",
        Outcome.VERIFY,
        f"price far from its 30-minute average: {'; '.join(sorted(set(moved)))}",
        "Compare the sources with another market; a second frame must agree.",
    )


def _change(facts: GuardInput) -> Verdict | None:
    confirmed = facts.prior.confirmed
    if confirmed is None:
        return Verdict("change", Outcome.WARN, "no confirmed NAV to compare with", "Expected for a fund's first post.")
    old = confirmed.price_per_share
    new = facts.valuation.price_per_share + facts.prior.distributions_per_share
    detail = f"price per share {format_wad(old)} to {format_wad(new)}"
    if not exceeds_bps(abs(new - old), old, facts.policy.max_change_bps):
        return Verdict("change", Outcome.PASS, detail)
    return Verdict(
        "change",
        Outcome.VERIFY,
        f"{detail}, more than {facts.policy.max_change_bps} bps",
        "A second frame must agree; beyond the contract's own band the RISK role must accept it.",
    )


def _second_look(facts: GuardInput) -> Verdict:
    first = facts.prior.first_look
    price = facts.valuation.price_per_share
    if first is None:
        return Verdict("second_frame", Outcome.HALT, "there is no first frame", "Report this as a defect.")
    advice = "The fund is left as it was; a guardian or the RISK role must look at it."
    if facts.home is not None and facts.home.number <= first.block_number:
        return Verdict("second_frame", Outcome.HALT, f"not at a newer block than frame {first.frame}", advice)
    if facts.shortcomings:
        return Verdict(
            "second_frame", Outcome.HALT, f"not every source answered: {', '.join(facts.shortcomings)}", advice
        )
    if exceeds_bps(abs(price - first.price_per_share), first.price_per_share, facts.policy.agreement_bps):
        return Verdict(
            "second_frame",
            Outcome.HALT,
            f"{format_wad(price)} differs from {format_wad(first.price_per_share)} of frame {first.frame}",
            advice,
        )
    return Verdict("second_frame", Outcome.PASS, f"agrees with frame {first.frame}")


def unpriced_is_immaterial(component: Component, last_value: Wad | None, nav_without: Wad, limit_bps: int) -> bool:
    """Whether an unpriced position may count as zero: an asset whose last known value is under `limit_bps` of NAV.

    A position without a last known value is never immaterial, nor is anything owed.
    """
    if component in LIABILITIES or last_value is None or nav_without <= 0:
        return False
    return last_value * 10_000 < limit_bps * nav_without
