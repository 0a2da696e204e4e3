"""Checks of prices and of what they do to the NAV: haircuts, rates, averages, the change since the last post."""

from __future__ import annotations

from navoracle.domain.flows import distributions_added_back
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.prices import CONFIDENCE_CAP, PriceStatus, gap_exceeds
from navoracle.domain.units import WAD, Rounding, divide, exceeds_bps, format_wad, mul_div
from navoracle.domain.verdicts import Outcome, Verdict


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


def change(facts: GuardInput) -> Verdict | None:
    """A second frame when the price per share, dividends added back, moved by more than `max_change_bps`."""
    confirmed = facts.prior.confirmed
    if confirmed is None:
        return Verdict("change", Outcome.WARN, "no confirmed NAV to compare with", "Expected for a fund's first post.")
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


def way_back(facts: GuardInput) -> Verdict | None:
    """Whether the contract would take the undecayed value after this one: a haircut must not lock the fund in.

    A haircut of 10 % fits a band of 10 %, and the way back, 11.1 % of what was posted, does not.
    """
    confirmed, valuation = facts.prior.confirmed, facts.valuation
    if not valuation.estimated or confirmed is None or confirmed.bounds is None or valuation.shares <= 0:
        return None
    now = valuation.price_per_share
    back = divide(valuation.undecayed_nav * WAD, valuation.shares, Rounding.DOWN)
    limit = confirmed.bounds.up_bps if back >= now else confirmed.bounds.down_bps
    detail = f"from {format_wad(now)} back to {format_wad(back)} without haircuts; the contract's band is {limit} bps"
    if not exceeds_bps(abs(back - now), now, limit):
        return Verdict("way_back", Outcome.PASS, detail)
    return Verdict(
        "way_back",
        Outcome.HALT,
        detail,
        "Posted, this value would make the contract hold every right one after it. Restore the sources.",
    )
