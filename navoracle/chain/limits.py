"""When a node may be asked: its rate limit, and how long it is left alone after a failure. Time is an argument."""

from __future__ import annotations

from typing import Final

FIRST_BACK_OFF: Final = 0.25
LONGEST_BACK_OFF: Final = 30.0


class RateLimit:
    """So many requests a second, of which one second's worth may go at once (a token bucket, kept as one time).

    Args:
        per_second: the limit; None for none.
    """

    def __init__(self, per_second: int | None) -> None:
        self._interval = 0.0 if per_second is None else 1.0 / per_second
        self._burst = 0.0 if per_second is None else self._interval * (per_second - 1)
        self._next = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next place in the row; returns the seconds to wait until it comes."""
        due = max(self._next, now)
        self._next = due + self._interval
        return max(0.0, due - self._burst - now)


class BackOff:
    """How long a host is left alone: twice as long after each failure, not at all after a success."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = float("-inf")

    def failed(self, now: float, at_least: float = 0.0) -> None:
        """Note a failure. Those of requests that were under way together count once."""
        if now >= self._until:
            self._failures += 1
            delay = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2.0 ** min(self._failures - 1, 16))
            self._until = now + delay
        self._until = max(self._until, now + min(at_least, LONGEST_BACK_OFF))

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0
        self._until = float("-inf")

    def remaining(self, now: float) -> float:
        """Seconds until the host may be asked again."""
        return max(0.0, self._until - now)
