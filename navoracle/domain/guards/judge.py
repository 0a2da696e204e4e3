"""From all checks to one status, and the second look."""

from __future__ import annotations

from navoracle.domain.frame import NavStatus
from navoracle.domain.guards import breaker_checks, flow_checks, frame_checks, gate_checks, price_checks
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.positions import LIABILITIES, Component
from navoracle.domain.units import Wad, exceeds_bps, format_wad
from navoracle.domain.verdicts import Outcome, Verdict

_CHECKS = (
    breaker_checks.breaker,
    breaker_checks.asset_breakers,
    breaker_checks.active,
    frame_checks.interval,
    frame_checks.block_age,
    frame_checks.block_forward,
    frame_checks.rounds_forward,
    frame_checks.components,
    frame_checks.share_price,
    frame_checks.positions,
    frame_checks.sources,
    frame_checks.mixed_age,
    price_checks.haircut,
    price_checks.way_back,
    price_checks.native_rates,
    price_checks.confidence,
    price_checks.rate_gaps,
    price_checks.time_weighted,
    flow_checks.unexplained,
    price_checks.baseline_age,
    price_checks.change,
    price_checks.guard_distance,
    gate_checks.gate,
)
"""Every check, in the order in which the first halt or doubt decides: who stopped the fund comes before its value.

What the NAV gate halts comes after every doubt and its second look: see `gate_checks`.
"""

_REASONS = {"baseline_age": "baseline_too_old", "active": "not_active"}
"""What a halt is called where it is not the name of its check."""


def judge(facts: GuardInput) -> tuple[NavStatus, str | None, tuple[Verdict, ...]]:
    """Run every check and return the status, the reason when it is not postable, and all verdicts."""
    verdicts = _verdicts(facts)
    lowest = min(facts.valuation.before.nav, facts.valuation.after.nav)
    haircut = facts.valuation.undecayed_nav - facts.valuation.before.nav
    # A NAV that only decayed prices take below zero is no insolvency: the haircut halts it.
    if lowest + haircut < 0:
        insolvent = Verdict(
            "solvency",
            Outcome.HALT,
            f"NAV is {format_wad(lowest)}: liabilities exceed assets",
            "Nothing is posted as a number; hold the fund on chain and run the emergency procedure.",
        )
        return NavStatus.INSOLVENT, "insolvent", (*verdicts, insolvent)
    halts = [verdict for verdict in verdicts if verdict.outcome is Outcome.HALT]
    for verdict in halts:
        if verdict.check not in gate_checks.VETOES:
            return NavStatus.HALTED, reason_of(verdict), verdicts
    if facts.valuation.estimated and not facts.policy.post_estimated:
        return NavStatus.HALTED, "estimated", verdicts
    if facts.prior.first_look is not None:
        # Whatever the second frame finds alone: two frames that differ are a doubt of their own.
        second = _second_look(facts)
        verdicts = (*verdicts, second)
        if second.outcome is Outcome.HALT:
            return NavStatus.SUSPICIOUS, "second_frame_disagrees", verdicts
        if halts:
            return NavStatus.HALTED, reason_of(halts[0]), verdicts
        return NavStatus.VERIFIED, None, verdicts
    doubts = [verdict for verdict in verdicts if verdict.outcome is Outcome.VERIFY]
    if doubts:
        return NavStatus.SUSPICIOUS, doubts[0].check, verdicts
    if halts:
        return NavStatus.HALTED, reason_of(halts[0]), verdicts
    return (NavStatus.ESTIMATED if facts.valuation.estimated else NavStatus.LIVE), None, verdicts


def reason_of(verdict: Verdict) -> str:
    """The reason that a fund has when this verdict decides."""
    return _REASONS.get(verdict.check, verdict.check)


def _verdicts(facts: GuardInput) -> tuple[Verdict, ...]:
    found: list[Verdict] = []
    for check in _CHECKS:
        answer = check(facts)
        if isinstance(answer, Verdict):
            found.append(answer)
        elif answer is not None:
            found += answer
    return tuple(found)


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
