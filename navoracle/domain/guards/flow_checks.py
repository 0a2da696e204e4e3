"""The check of the NAV bridge: what no price, income, fee or flow explains, and shares that no flow made."""

from __future__ import annotations

from navoracle.domain.bridge import NavBridge
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.units import exceeds_bps, format_wad
from navoracle.domain.verdicts import Outcome, Verdict


def unexplained(facts: GuardInput) -> Verdict | None:
    """`unexplained_verdict` of the fund's bridge; a halt where what was posted cannot be read, unless RISK re-bases."""
    unreadable = facts.prior.posted_unreadable
    if unreadable is not None and facts.prior.rebase is None:
        return Verdict(
            "unexplained",
            Outcome.HALT,
            unreadable,
            "The RISK role lets the next post start anew with a signed re-base request.",
        )
    return unexplained_verdict(facts.bridge, facts.policy, facts.prior.rebase)


def unexplained_verdict(bridge: NavBridge | None, policy: GuardPolicy, rebase: str | None) -> Verdict | None:
    """A halt when more than `max_unexplained_bps` of the NAV is unexplained, or shares do not reconcile.

    The limit is a part of the NAV at the first end and the deposits settled since, compared exactly; where that is not
    positive, anything unexplained halts. A re-base granted by the RISK role (`rebase` names the request) makes it a
    warning. No verdict where the vault's flows are not known, or nothing was posted before.

    Args:
        bridge: from the valuation whose post the chain confirmed to this one; never from the frame before, whose halt
            would be forgotten by the next frame.
    """
    if bridge is None or bridge.unexplained is None or bridge.shares is None:
        return None
    found = []
    part, base = bridge.unexplained, max(0, bridge.base)
    if exceeds_bps(abs(part), base, policy.max_unexplained_bps):
        found.append(
            f"{format_wad(part)} of the change of NAV is unexplained, more than {policy.max_unexplained_bps} bps of "
            f"{format_wad(base)}"
        )
    if bridge.shares.difference != 0:
        found.append(
            f"{format_wad(bridge.shares.difference)} shares are outstanding that no deposit, fee or redemption explains"
        )
    if not found:
        return Verdict("unexplained", Outcome.PASS, f"{format_wad(part)} of the change of NAV is unexplained")
    detail = "; ".join(found)
    if rebase is not None:
        return Verdict(
            "unexplained",
            Outcome.WARN,
            f"{detail}; re-base granted by request {rebase}",
            "Expected after a re-base: the next post starts the bridge anew.",
        )
    return Verdict(
        "unexplained",
        Outcome.HALT,
        detail,
        "Find the position that moved (the bridge names each); the RISK role lets the next post start anew with a "
        "signed re-base request.",
    )
