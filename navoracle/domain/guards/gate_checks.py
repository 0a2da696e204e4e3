"""The verdicts of the fund's NAV gate.

They come after every doubt: a fall that is large enough to need a second frame gets one, so that it is both verified
and vetoed, and a price that was wrong for a moment opens the breaker instead of looking like a loss.
"""

from __future__ import annotations

from typing import Final

from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.risk.gates import GateDecision, GatePolicy, GateWarning, Veto
from navoracle.domain.units import WAD, Rounding, Wad, divide, format_wad
from navoracle.domain.verdicts import Outcome, Verdict

VETOES: Final[frozenset[str]] = frozenset({"nav_drawdown_limit", "day_loss_limit", "nav_stale"})
"""Checks whose halt comes after the second look."""

_LOOSEN: Final = (
    "Find out what lost the money. The veto ends when the NAV is back within its limit; a limit that is too tight is "
    "raised in the configuration or the overrides file."
)


def gate(facts: GuardInput) -> tuple[Verdict, ...]:
    """A halt for each veto where the gate stops posting, a warning for it where not, and for every other warning."""
    found, policy = facts.gate, facts.gate_policy
    if found is None or policy is None:
        return ()
    halts = Outcome.HALT if "posting" in found.stops else Outcome.WARN
    stopped = ", ".join(found.stops) or "nothing"
    return (
        *(
            Verdict(veto, halts, f"{_veto(veto, found, policy)}; stops {stopped}", _ADVICE[veto])
            for veto in found.vetoes
        ),
        *(Verdict(name, Outcome.WARN, _warning(name, found, policy), _ADVICE[name]) for name in found.warnings),
    )


def _veto(veto: Veto, found: GateDecision, policy: GatePolicy) -> str:
    if veto == "nav_drawdown_limit":
        return _fall("its peak", found, found.peak, found.drawdown, policy.max_drawdown)
    if veto == "day_loss_limit":
        return _fall("the day's peak", found, found.daily_peak, found.daily_loss, policy.max_day_loss)
    return _stale(found, policy)


def _warning(name: GateWarning, found: GateDecision, policy: GatePolicy) -> str:
    if name == "nav_stale":
        return _stale(found, policy)
    if name == "sources_failed":
        return "a price is a fallback: neither drawdown nor day's loss is vetoed"
    what = {
        "healed_from_history": "rebuilt from the history",
        "healed_from_confirmed": "rebuilt from the confirmed NAV",
        "new": "begun anew with this NAV",
    }
    done = what.get(found.peak_state, "kept until the NAV is healthy")
    return f"the peak is not to be believed, and {done}: neither drawdown nor day's loss is vetoed in this frame"


def _fall(what: str, found: GateDecision, peak: Wad | None, fall: Wad | None, limit: Wad | None) -> str:
    price = found.health.price_per_share
    if price is None or peak is None or fall is None or limit is None:
        return f"the price per share is below {what}"
    return (
        f"price per share {format_wad(price)} is {_percent(fall)} below {what} {format_wad(peak)}; the limit is "
        f"{_percent(limit)}"
    )


def _stale(found: GateDecision, policy: GatePolicy) -> str:
    health = found.health
    ages = (
        ("the oldest balance", health.balances_age, policy.max_balance_age),
        ("the oldest price", health.marks_age, policy.max_mark_age),
        ("the oldest last valid price", health.cache_age, policy.max_cache_age),
    )
    late = [f"{what} is {age} s old, over {limit} s" for what, age, limit in ages if age is not None and age > limit]
    return "; ".join(late) or "the fund could not be valued"


def _percent(part: Wad) -> str:
    """A part (Wad) in per cent with two places, rounded up: what is beyond a limit never looks equal to it."""
    hundredths = divide(part * 10_000, WAD, Rounding.UP)
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


_ADVICE: Final = {
    "nav_drawdown_limit": _LOOSEN,
    "day_loss_limit": f"{_LOOSEN} The day's peak starts anew at midnight UTC.",
    "nav_stale": "Restore the node or source that is late; `navoracle nav FUND --explain` shows every age.",
    "sources_failed": "Restore the sources named as failed or stale.",
    "drawdown_stale": "Nothing, when the keeper was stopped for long; the next frame is held against the rebuilt peak.",
}
