"""Why a vault would not settle, in its own order; what its contract says with an error is here a code with advice."""

from __future__ import annotations

from navoracle.domain.settlement.types import Post, Refusal, SettledDeposits, SettledRedemptions, SettlementState
from navoracle.domain.units import BPS, WAD, Timestamp, format_wad


def stops(state: SettlementState) -> list[Refusal]:
    """What stops the vault as a whole."""
    found = []
    if state.closed:
        found.append(Refusal("closed", "the vault is closed", "The vault's admin opens it; requests can be cancelled."))
    if state.frozen:
        found.append(Refusal("frozen", "a guardian froze the vault", "The RISK role unfreezes it once it is solvent."))
    if state.paused:
        found.append(Refusal("paused", "a guardian paused the vault", "The RISK role ends the pause."))
    return found


def post_refusals(state: SettlementState, post: Post, now: Timestamp) -> list[Refusal]:
    """What is wrong with the time, or with the post."""
    found: list[Refusal] = []

    def refuse(applies: bool, code: str, detail: str, advice: str) -> None:
        if applies:
            found.append(Refusal(code, detail, advice))

    wait, valued, limits = state.settleable_at - now, post.valuation_time, state.limits
    refuse(wait > 0, "too_early", f"epoch {state.epoch} settles in {wait} s", f"Settle at {state.settleable_at}.")
    refuse(post.registry_paused, "registry_paused", "posting is paused", "The registry's RISK role ends the pause.")
    refuse(not post.live, "not_live", "the registry has closed the fund", "The registry's admin reopens the fund.")
    refuse(
        post.held, "held", "the registry holds the fund", "The RISK role accepts, discards or releases what is held."
    )
    refuse(
        post.estimated, "estimated", "the post rests on fallback prices", "Restore the sources and post a live value."
    )
    refuse(
        now > valued + post.max_age,
        "stale",
        f"the post is {now - valued} s old, over {post.max_age} s",
        "Post again, then settle.",
    )
    oldest = max(state.closes_at, state.newer_than + 1)
    refuse(
        valued < oldest,
        "post_too_old",
        f"the post is of {valued}; requests and dividends ask for one of {oldest} or later",
        "Post a value of after the epoch's closing and the last dividend.",
    )
    refuse(
        post.confidence < limits.min_confidence,
        "low_confidence",
        f"the post's confidence is {post.confidence} %, under {limits.min_confidence} %",
        "Restore the sources that are missing, post again, then settle.",
    )
    refuse(
        post.price_per_share < limits.min_share_price,
        "share_price_too_low",
        f"the share price is {format_wad(post.price_per_share)}, under {format_wad(limits.min_share_price)}",
        "Nothing settles at such a price: freeze or close the fund, or the admin lowers the minimum.",
    )
    cash, collateral, income, debt, liabilities = post.components
    total = cash + collateral + income - debt - liabilities
    refuse(
        total != post.nav,
        "wrong_breakdown",
        f"the components add up to {format_wad(total)}, the NAV is {format_wad(post.nav)}",
        "Settle with the components of the post itself.",
    )
    return found


def deposit_refusals(state: SettlementState, post: Post, deposits: SettledDeposits) -> list[Refusal]:
    """What keeps the deposits from being settled, and the epoch with them."""
    if deposits.assets == 0:
        return []
    if state.supply == 0 and post.price_per_share != WAD:
        detail = f"there are no shares, and the posted price is {format_wad(post.price_per_share)}"
        return [Refusal("share_price_not_par", detail, "Post 1.0 a share for a fund without shares.")]
    told = f"the NAV shows {format_wad(deposits.delta)} of {format_wad(deposits.queued)} queued"
    if deposits.value == 0:
        return [
            Refusal("no_delta", told, "Value the vault's queued deposits as positions of the epoch, and post again.")
        ]
    if not _reaches(deposits.delta, deposits.queued, state.limits.tolerance_bps):
        detail = f"{told}; at most {state.limits.tolerance_bps} bps may be missing"
        advice = "Check the asset's price and the position of the queue; RISK can reject the deposits once overdue."
        return [Refusal("delta_too_small", detail, advice)]
    return []


def redemption_refusals(state: SettlementState, redemptions: SettledRedemptions) -> list[Refusal]:
    """What keeps the redemptions from being settled, and the epoch with them."""
    if redemptions.part == 0:
        return []
    if redemptions.worth is None:
        unquoted = ", ".join(each.token for each in state.deliveries if each.amount != 0 and each.worth is None)
        return [
            Refusal("no_quote", f"the quoter has no price for {unquoted}", "Restore the quoter, or recall these units.")
        ]
    if _reaches(redemptions.worth, redemptions.part, state.limits.tolerance_bps):
        return []
    detail = (
        f"units worth {format_wad(redemptions.worth)} are delivered for a part of {format_wad(redemptions.part)}; "
        f"{format_wad(redemptions.missing)} are missing"
    )
    return [Refusal("under_delivered", detail, "The manager delivers what is missing; then settle.")]


def _reaches(value: int, due: int, tolerance_bps: int) -> bool:
    """Whether the value is at least what is due less the tolerance; exact."""
    return value * BPS >= due * (BPS - tolerance_bps)
