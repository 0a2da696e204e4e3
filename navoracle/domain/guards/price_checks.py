"""Checks of prices and of what they do to the NAV: haircuts, rates, averages, the change since the last post."""

from __future__ import annotations

from navoracle.domain.flows import distributions_added_back
from navoracle.domain.guards import distance
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.prices import CONFIDENCE_CAP, PriceStatus, gap_exceeds
from navoracle.domain.units import WAD, Rounding, Wad, divide, exceeds_bps, format_wad, mul_div
from navoracle.domain.verdicts import Outcome, Verdict

NEAR_BPS = 8_000
"""The part of the contract's band above which a post is told to be close to it."""


def haircut(facts: GuardInput) -> Verdict | None:
    """How far fallback prices move the NAV: a warning, and a halt beyond `max_haircut_bps` of the undecayed NAV."""
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


def native_rates(facts: GuardInput) -> Verdict | None:
    """A warning for every asset whose market price lies beyond the alarm band, or could not be compared."""
    alarmed = sorted({estimate.asset for estimate in facts.estimates if estimate.native_alarm})
    if not alarmed:
        return None
    return Verdict(
        "native_rate",
        Outcome.WARN,
        f"market and protocol rate lie apart, or the rate cannot be read: {', '.join(alarmed)}",
        "The market value is used; find out whether the market or the protocol is wrong, or restore the rate's reader.",
    )


def confidence(facts: GuardInput) -> Verdict | None:
    """A warning for every asset whose price is less than half sure: below what any single vote may claim."""
    doubtful = sorted({(each.asset, each.confidence) for each in facts.estimates if each.confidence < CONFIDENCE_CAP})
    if not doubtful:
        return None
    told = ", ".join(f"{asset} ({sure // 100}.{sure % 100:02d} %)" for asset, sure in doubtful)
    return Verdict(
        "confidence",
        Outcome.WARN,
        f"prices of little confidence: {told}",
        "Look at the sources and rates of these assets; `navoracle price ASSET --explain` shows why.",
    )


def rate_gaps(facts: GuardInput) -> Verdict | None:
    """A second frame when the two values of derived rates lie `rate_gap_bps` of NAV apart, their worth rounded up."""
    if not facts.rate_gaps:
        return None
    by_asset = {gap.asset: gap for gap in facts.rate_gaps}
    worth = 0
    for row in facts.valuation.positions:
        gap = by_asset.get(row.asset)
        if gap is not None and gap.higher > gap.lower:
            taken = gap.higher if row.component.is_liability else gap.lower
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


def time_weighted(facts: GuardInput) -> Verdict | None:
    """A second frame when a live price lies beyond `time_weighted_gap_bps` of its 30-minute average."""
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


def baseline_age(facts: GuardInput) -> Verdict | None:
    """A halt when the confirmed value is too old to compare with, unless the RISK role has granted a re-base."""
    confirmed = facts.prior.confirmed
    if confirmed is None:
        return None
    age = facts.now - confirmed.valuation_time
    if age <= facts.policy.max_baseline_age:
        return Verdict("baseline_age", Outcome.PASS, f"the confirmed value is {age} s old")
    detail = f"the confirmed value is {age} s old, over {facts.policy.max_baseline_age} s"
    if facts.prior.rebase is None:
        advice = "Look at the new value; the RISK role lets the next post start anew with a signed re-base request."
        return Verdict("baseline_age", Outcome.HALT, detail, advice)
    return Verdict(
        "baseline_age",
        Outcome.WARN,
        f"{detail}; re-base granted by request {facts.prior.rebase}",
        "Expected after a re-base; a second frame must agree, and the contract's own band still holds.",
    )


def change(facts: GuardInput) -> Verdict | None:
    """A second frame when the price per share, dividends added back, moved by more than `max_change_bps`.

    With a re-base granted by the RISK role nothing is compared, and a second frame is asked for whatever the price is.
    """
    confirmed, rebase = facts.prior.confirmed, facts.prior.rebase
    if confirmed is None:
        return Verdict("change", Outcome.WARN, "no confirmed NAV to compare with", "Expected for a fund's first post.")
    if rebase is not None:
        return Verdict(
            "change",
            Outcome.VERIFY,
            f"price per share {format_wad(facts.valuation.price_per_share)}, compared with nothing: re-base granted by "
            f"request {rebase}",
            "A second frame must agree; beyond the contract's own band the RISK role must accept it.",
        )
    old = confirmed.price_per_share
    new = distributions_added_back(facts.valuation.price_per_share, facts.prior.distributions_per_share)
    detail = f"price per share {format_wad(old)} to {format_wad(new)}"
    if not exceeds_bps(abs(new - old), old, facts.policy.max_change_bps):
        return Verdict("change", Outcome.PASS, detail)
    return Verdict(
        "change",
        Outcome.VERIFY,
        f"{detail}, more than {facts.policy.max_change_bps} bps",
        "A second frame must agree; beyond the contract's own band the RISK role must accept it.",
    )


def guard_distance(facts: GuardInput) -> Verdict | None:
    """How much of the contract's own band a post would use; a warning above `NEAR_BPS` of it."""
    found = distance.forecast(facts.prior.confirmed, facts.valuation.price_per_share, facts.now)
    if found is None:
        return None
    detail = distance.sentence(found)
    if found.used_bps <= NEAR_BPS:
        return Verdict("guard_distance", Outcome.PASS, detail)
    if found.within:
        advice = "Close to the contract's bound; a little more and the contract holds the fund until RISK decides."
    else:
        advice = "The contract would hold the fund at its old value; only the RISK role can accept this one."
    return Verdict("guard_distance", Outcome.WARN, detail, advice)


def way_back(facts: GuardInput) -> Verdict | None:
    """Whether the contract would take the undecayed value after this one: a haircut must not lock the fund in.

    A haircut of 10 % fits a band of 10 %, and the way back, 11.1 % of what was posted, does not. The way back may fall
    on the same day, so its drift counts too.
    """
    confirmed, valuation = facts.prior.confirmed, facts.valuation
    if not valuation.estimated or confirmed is None or confirmed.bounds is None or valuation.shares <= 0:
        return None
    now = valuation.price_per_share
    back = Wad(divide(valuation.undecayed_nav * WAD, valuation.shares, Rounding.DOWN))
    limit = confirmed.bounds.up_bps if back >= now else confirmed.bounds.down_bps
    detail = f"from {format_wad(now)} back to {format_wad(back)} without haircuts; the contract's band is {limit} bps"
    first = distance.forecast(confirmed, now, facts.now)
    fits = not exceeds_bps(abs(back - now), now, limit)
    if fits and first is not None:
        day = first.day + distance.contract_step(now, back)
        detail += f", {confirmed.bounds.day_bps} bps for a day"
        fits = abs(day) <= first.day_limit
    if fits:
        return Verdict("way_back", Outcome.PASS, detail)
    return Verdict(
        "way_back",
        Outcome.HALT,
        detail,
        "Posted, this value would make the contract hold every right one after it. Restore the sources.",
    )
