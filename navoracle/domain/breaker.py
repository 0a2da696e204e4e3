"""The circuit breaker of a fund or an asset: CLOSED posts, OPEN does not, HALF_OPEN is watched until its frames agree.

Every way into OPEN has a way out: a reset by the RISK role, or a cool-down followed by agreeing frames within the
contract's bounds. A stop that a person ordered, or an insolvency, ends with a reset alone, and a guardian cannot reset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from navoracle.domain.errors import DomainError, GuardRefused, OutOfRange
from navoracle.domain.units import BPS, Bps, Timestamp


class BreakerState(Enum):
    """CLOSED: posts are allowed. OPEN: they are not. HALF_OPEN: they are not yet, agreeing frames close it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Role(Enum):
    """Who acts: the keeper itself, a guardian, or the RISK role."""

    KEEPER = "keeper"
    GUARDIAN = "guardian"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens by itself, and how it closes: after a cool-down, with agreeing frames.

    Attributes:
        cool_down: seconds that it stays open before it is half open.
        agreements: agreeing frames that close it then.
        agreement_bps: how far an asset's price may lie from the one before it to agree; a fund's guards have their own.
        large_changes: slots with a large change within `window` seconds that open a fund's breaker.
        window: seconds.
        no_majority_frames: frames in a row without a majority of sources that open an asset's breaker.

    Raises:
        OutOfRange: a time is negative, a number is below one, or the agreement lies outside 0 to 10_000 bps.
    """

    cool_down: int = 3_600
    agreements: int = 2
    agreement_bps: Bps = Bps(50)
    large_changes: int = 3
    window: int = 86_400
    no_majority_frames: int = 3

    def __post_init__(self) -> None:
        if self.cool_down < 0 or self.agreements < 1:
            raise OutOfRange(
                f"cool-down of {self.cool_down} s with {self.agreements} agreements",
                advice="Set the cool-down to 0 seconds or more and the agreements to 1 or more.",
            )
        if self.large_changes < 1 or self.window < 0 or self.no_majority_frames < 1:
            raise OutOfRange(
                f"{self.large_changes} large changes in {self.window} s, {self.no_majority_frames} without a majority",
                advice="Set the numbers to 1 or more and the window to 0 seconds or more.",
            )
        if not 0 <= self.agreement_bps <= BPS:
            raise OutOfRange(
                f"an agreement within {self.agreement_bps} bps", advice=f"Set the agreement to 0 to {BPS} bps."
            )


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of a fund or an asset; every transition returns a new one. Start with `Breaker()`.

    Attributes:
        reasons: why it is not closed, in the order in which they came up; empty when closed.
        since: when it took its present state; None when it was never opened.
        needs_reset: no cool-down ends it, because a person stopped it or it was opened so.
        agreed: agreeing frames since it is half open.

    Raises:
        DomainError: the state and the reasons contradict each other.
    """

    state: BreakerState = BreakerState.CLOSED
    reasons: tuple[str, ...] = ()
    since: Timestamp | None = None
    needs_reset: bool = False
    agreed: int = 0

    def __post_init__(self) -> None:
        closed = self.state is BreakerState.CLOSED
        if closed is bool(self.reasons) or (closed and self.needs_reset) or (not closed and self.since is None):
            raise DomainError(
                f"breaker is {self.state.value} with {len(self.reasons)} reasons since {self.since}",
                advice="A breaker that is not closed has a reason and a time; a closed one has no reason.",
            )

    @property
    def allows_posting(self) -> bool:
        """Whether a NAV may be posted: only when closed."""
        return self.state is BreakerState.CLOSED

    @property
    def advice(self) -> str | None:
        """What ends the stop; None when there is none."""
        if self.state is BreakerState.CLOSED:
            return None
        if self.needs_reset:
            return "Look into the reason. It ends when the RISK role resets the breaker, and by nothing else."
        if self.state is BreakerState.OPEN:
            return "Look into the reason. It is tried again after the cool-down; the RISK role can reset it before."
        return "It closes when the next frames agree within the contract's bounds; the RISK role can reset it before."

    def open(self, reason: str, at: Timestamp, by: Role = Role.KEEPER, *, needs_reset: bool = False) -> Breaker:
        """Open it, from any state. The cool-down begins anew; reasons are added to those that stand.

        Opened by a guardian or the RISK role, or with `needs_reset`, it stays open until a reset, whatever else opened
        or opens it.

        Raises:
            DomainError: the reason is empty.
        """
        if not reason:
            raise DomainError("a breaker was opened without a reason", advice="State why it is opened.")
        reasons = self.reasons if reason in self.reasons else (*self.reasons, reason)
        stays = self.needs_reset or needs_reset or by is not Role.KEEPER
        return Breaker(BreakerState.OPEN, reasons, at, stays)

    def cool_down(self, now: Timestamp, policy: BreakerPolicy) -> Breaker:
        """Return it half open once it was open for the whole cool-down and needs no reset; else unchanged."""
        if self.state is not BreakerState.OPEN or self.needs_reset or self.since is None:
            return self
        if now - self.since < policy.cool_down:
            return self
        return replace(self, state=BreakerState.HALF_OPEN, since=now, agreed=0)

    def record_agreement(self, *, agrees: bool, within_bounds: bool, at: Timestamp, policy: BreakerPolicy) -> Breaker:
        """Return it after a frame: only a half-open breaker listens.

        Args:
            agrees: the frame agrees with the one before it.
            within_bounds: the change it would post lies within the contract's own bounds.

        Enough agreeing frames close it; one that disagrees or lies out of bounds opens it again.
        """
        if self.state is not BreakerState.HALF_OPEN:
            return self
        if not (agrees and within_bounds):
            return self.open("out_of_bounds" if agrees else "frames_disagree", at)
        agreed = self.agreed + 1
        if agreed < policy.agreements:
            return replace(self, agreed=agreed)
        return Breaker(since=at)

    def reset(self, by: Role, at: Timestamp) -> Breaker:
        """Close it. Only the RISK role resumes a fund; the caller checks the signature and keeps the record.

        Raises:
            GuardRefused: anyone else asks.
        """
        if by is not Role.RISK:
            raise GuardRefused(
                f"a breaker cannot be reset by the role {by.value}",
                advice="Ask the RISK role for a signed reset; a guardian can stop a fund, never resume it.",
            )
        return self if self.state is BreakerState.CLOSED else Breaker(since=at)
