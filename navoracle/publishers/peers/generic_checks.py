"""Whether a declared contract would take a post: its guards, its bounds, the order of times, and the waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from navoracle.domain.errors import CallReverted, ConfigurationError
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.answers import at_least, at_most, fall_of_at_most, rise_of_at_most
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Read
from navoracle.publishers.peers.amounts import waits_until
from navoracle.publishers.peers.base import TOO_EARLY
from navoracle.publishers.peers.generic_declarations import Argument, Bounds, Moment, change_bps
from navoracle.publishers.peers.generic_views import Guard, literal

EXPIRED: Final = "expired"
NOT_NEWER: Final = "not_newer"
NO_BASELINE: Final = "no_baseline"

_EARLY: Final = "The contract takes it later; it is sent once that is over."


class Refusal(NamedTuple):
    """Why a post is not sent; role and advice are the peer's own where they are None."""

    reason: str
    role: str | None = None
    advice: str | None = None
    ready_at: Timestamp | None = None


class Finding(NamedTuple):
    """What one check found.

    Attributes:
        use: what the post would use of the guard.
        refusal: why it is not sent; None where this check lets it pass.
        early_at_block: whether it would have been too early in the newest block, where a simulation runs.
    """

    use: GuardUse
    refusal: Refusal | None = None
    early_at_block: bool = False


class Times(NamedTuple):
    """The newest block's time, when a post would be mined at the earliest, and what is added to every wait."""

    block: Timestamp
    now: Timestamp
    margin: int

    def wait(self, name: str, since: Timestamp, seconds: int) -> Finding:
        """A wait of so many seconds; a post is sent `margin` seconds after its end."""
        ready_at = waits_until(since, seconds, self.margin)
        use = at_least(name, self.now - since, seconds, "seconds")
        refusal = None if self.now >= ready_at else Refusal(TOO_EARLY, None, _EARLY, ready_at)
        return Finding(use, refusal, early_at_block=self.block - since < seconds)


def check_guard(guard: Guard, contract: Address, posted: Sequence[Any], times: Times) -> Read[Finding]:
    """Ask what a guard asks and compare.

    Raises:
        EmptyResult, MalformedResult: the contract does not answer, or otherwise than declared.
    """
    refusal = Refusal(guard.name, guard.role, guard.advice)
    try:
        values = yield from guard.view.ask(contract, posted)
    except CallReverted:
        return _told(guard.name, refusal, passes=guard.expect == "reverts")
    if guard.expect in ("answers", "reverts"):
        return _told(guard.name, refusal, passes=guard.expect == "answers")
    found = values[guard.index]
    if guard.expect == "passed":
        return times.wait(guard.name, Timestamp(found), (guard.delay or 0) + (1 if guard.strict else 0))
    wanted = _wanted(guard)
    if guard.expect in ("at_least", "at_most"):
        use = (at_least if guard.expect == "at_least" else at_most)(guard.name, found, wanted, "raw")
        return Finding(use, None if use.passes else refusal)
    # Addresses come back in lower case.
    equal = found.lower() == wanted.lower() if isinstance(found, str) else found == wanted
    return _told(guard.name, refusal, passes=equal == (guard.expect == "equals"))


def check_bounds(bounds: Bounds, held: int, value: int, delta: int | None) -> list[Finding]:
    """The declared bounds on a value, given the held one; `delta` is the largest change in the contract's units."""
    found: list[GuardUse] = []
    if bounds.are_relative:
        if held <= 0:
            use = at_least(NO_BASELINE, held, 1, "raw")
            advice = (
                "The contract holds no value that a change could be measured from: the first one is posted by hand."
            )
            return [Finding(use, Refusal(NO_BASELINE, None, advice))]
        change = change_bps(held, value, bounds.rounding)
        if bounds.up_bps is not None:
            found.append(rise_of_at_most("upper_bound", change, bounds.up_bps, "bps"))
        if bounds.down_bps is not None:
            found.append(fall_of_at_most("lower_bound", change, -bounds.down_bps, "bps"))
    if delta is not None:
        found.append(rise_of_at_most("upper_delta", value - held, delta, "raw"))
        found.append(fall_of_at_most("lower_delta", value - held, -delta, "raw"))
    if bounds.minimum is not None:
        found.append(at_least("minimum", value, bounds.minimum, "raw"))
    if bounds.maximum is not None:
        found.append(at_most("maximum", value, bounds.maximum, "raw"))
    return [Finding(use, None if use.passes else Refusal(use.name)) for use in found]


def check_moments(arguments: Sequence[Argument], posted: Sequence[Any], times: Times) -> list[Finding]:
    """Whether each time of the post lies where the contract wants it when the post is mined."""
    return [
        _moment(argument.must_be, Timestamp(value), times)
        for argument, value in zip(arguments, posted, strict=True)
        if argument.must_be is not None
    ]


def check_order(held: Timestamp, posted: Timestamp) -> Finding:
    """A post is of a later time than the held one, where the contract keeps the post's own time."""
    use = at_least("after_held", posted - held, 1, "seconds")
    advice = "The contract holds a value of this time or a later one: value again."
    return Finding(use, None if use.passes else Refusal(NOT_NEWER, None, advice))


def _moment(must_be: Moment, time: Timestamp, times: Times) -> Finding:
    if must_be == "not_before_block":
        # It must still lie ahead when the post is mined, and that takes up to the margin.
        use = at_least(must_be, time - times.now, times.margin, "seconds")
        advice = "The time that it should take effect at is too close or over: value again, or raise the offset."
        return Finding(use, None if use.passes else Refusal(EXPIRED, None, advice))
    found = times.wait(must_be, time, 1 if must_be == "before_block" else 0)
    # What is in time for the newest block is for every later one: no margin is needed then.
    return found if found.early_at_block else found._replace(refusal=None)


def _told(name: str, refusal: Refusal, *, passes: bool) -> Finding:
    return Finding(GuardUse(name, int(passes), 1, "raw", passes, "at_least"), None if passes else refusal)


def _wanted(guard: Guard) -> Any:
    if guard.value is None:
        raise ConfigurationError(f"guard {guard.name} compares with nothing", advice="Give it a `value`.")
    return literal(guard.view.returns[guard.index], guard.value)
