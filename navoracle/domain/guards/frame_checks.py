"""Checks of the frame and of the valuation as a whole: time, sums, shares, positions, ages."""

from __future__ import annotations

from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.positions import LIABILITIES
from navoracle.domain.units import WAD, format_wad
from navoracle.domain.valuation import PositionValue
from navoracle.domain.verdicts import Outcome, Verdict


def interval(facts: GuardInput) -> Verdict | None:
    """A halt before `min_interval` seconds have passed since the confirmed valuation, and for one that is not newer."""
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


def block_age(facts: GuardInput) -> Verdict | None:
    """A halt when the home chain's block lies more than `max_block_age` seconds behind the clock."""
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


def block_forward(facts: GuardInput) -> Verdict | None:
    """Blocks move forward: a second frame when one lies behind what was read before, a halt when that was posted.

    Compared with the blocks of the fund's frame before this one and with the block at which the confirmed value was
    read.
    """
    confirmed, last, here = facts.prior.confirmed, facts.prior.last_frame, {}
    for stamp in facts.stamps:
        here[stamp.chain] = stamp.number
    behind: list[str] = []
    if confirmed is not None and facts.chain in here and here[facts.chain] < confirmed.block_number:
        behind.append(f"{facts.chain} {here[facts.chain]} after {confirmed.block_number}")
    posted = False
    if last is not None:
        behind += [
            f"{chain} {here[chain]} after {number}"
            for chain, number in sorted(last.blocks.items())
            if chain in here and here[chain] < number
        ]
        number = None if facts.home is None else last.blocks.get(facts.home.chain)
        was_posted = confirmed is not None and confirmed.frame == last.frame
        posted = was_posted and facts.home is not None and number is not None and facts.home.number <= number
    if not behind and not posted:
        return None if confirmed is None and last is None else Verdict("block_forward", Outcome.PASS, "no older block")
    detail = f"blocks do not move forward: {', '.join(dict.fromkeys(behind))}" if behind else "the posted frame's block"
    advice = "A node lags, or the chain was reorganized: compare the endpoints' heads."
    return Verdict("block_forward", Outcome.HALT if posted else Outcome.VERIFY, detail, advice)


def rounds_forward(facts: GuardInput) -> Verdict | None:
    """A second frame when a source on a chain answered with something older than it did in the frame before."""
    if not facts.turned_back:
        return None
    return Verdict(
        "rounds_forward",
        Outcome.VERIFY,
        f"answers older than those of the frame before: {', '.join(sorted(facts.turned_back))}",
        "A node lags, or the chain was reorganized; a second frame must agree.",
    )


def sources(facts: GuardInput) -> Verdict | None:
    """A warning that names every source that failed, or whose quote was refused."""
    if not facts.shortcomings:
        return None
    return Verdict(
        "sources",
        Outcome.WARN,
        f"not every source counts: {', '.join(facts.shortcomings)}",
        "Restore them before others fail too; `navoracle price ASSET --explain` shows why.",
    )


def _signed(row: PositionValue) -> int:
    return -row.value if row.component in LIABILITIES else row.value


def components(facts: GuardInput) -> Verdict:
    """A halt unless the rows, added up anew, give NAV before and NAV after."""
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


def share_price(facts: GuardInput) -> Verdict:
    """A halt for a price per share of zero, and for one that does not give the NAV within its rounding."""
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


def positions(facts: GuardInput) -> Verdict:
    """A second frame when a position of a configured reader is gone since the last frame."""
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


def mixed_age(facts: GuardInput) -> Verdict | None:
    """A halt when the oldest reading lies more than `max_mixed_age` seconds behind the valuation time."""
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
