"""A price against its own recent past: the time-weighted average and the gap from it."""

from __future__ import annotations

from collections.abc import Sequence

from navoracle.domain.errors import DomainError
from navoracle.domain.units import Bps, Rounding, Timestamp, Wad, divide, exceeds_bps


def time_weighted_average(samples: Sequence[tuple[Timestamp, Wad]], *, now: Timestamp, window: int) -> Wad | None:
    """Return the average of the sampled prices over the last `window` seconds, weighted by time, rounded down.

    A sample's price holds until the next sample, the last one's until `now`. Samples before the window or after `now`
    do not count; of several at one time the one given last does. None when the first sample in the window leaves less
    than half of the window covered: a price from before an outage says nothing about the minutes after it.

    Raises:
        DomainError: the window is not positive, or a price in it is not.
    """
    if window <= 0:
        raise DomainError(f"window of {window} seconds", advice="Set the window to a positive number of seconds.")
    inside = sorted(((at, price) for at, price in samples if now - window <= at <= now), key=lambda sample: sample[0])
    if not inside or 2 * (now - inside[0][0]) < window:
        return None
    total = 0
    ends = [at for at, _ in inside[1:]] + [now]
    for (at, price), end in zip(inside, ends, strict=True):
        if price <= 0:
            raise DomainError(f"sample of {price} at {at}", advice="Leave out a price that was not to be had.")
        total += price * (end - at)
    return Wad(divide(total, now - inside[0][0], Rounding.DOWN))


def gap_exceeds(price: Wad, average: Wad, limit_bps: Bps) -> bool:
    """Return whether the price lies more than `limit_bps` of the average away from it; exact, in either direction.

    Raises:
        DomainError: the average is not positive.
    """
    if average <= 0:
        raise DomainError(
            f"average price {average} is not positive", advice="Compare only with an average that exists."
        )
    return exceeds_bps(abs(price - average), average, limit_bps)
