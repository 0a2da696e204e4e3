"""The values that pricing takes and gives.

Prices are Wad in the unit of account per whole token, confidences are Bps, times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from navoracle.domain.errors import DomainError, OutOfRange
from navoracle.domain.units import BPS, Bps, Rounding, Timestamp, Wad

Side = Literal["asset", "debt"]
"""What the price will value: an asset's price rounds and decays downwards, a debt's upwards."""

Method = Literal["median", "weighted_mean"]

Exclusions = tuple[tuple[str, str], ...]
"""(source, reason) pairs, sorted by source."""

CONFIDENCE_CAP: Final = Bps(5_000)
"""The most that a wide spread, a single vote or a fallback can claim (50 %)."""

_METHODS: Final = ("median", "weighted_mean")


def rounding_for(side: Side) -> Rounding:
    """Return the rounding against the fund's optimism: DOWN for an asset, UP for a debt.

    Raises:
        DomainError: the side is neither.
    """
    if side == "asset":
        return Rounding.DOWN
    if side == "debt":
        return Rounding.UP
    raise DomainError(f"side {side!r} is neither asset nor debt", advice='Pass side="asset" or side="debt".')


def check_confidence(confidence: int, what: str) -> None:
    """Raise OutOfRange unless `confidence` lies within 0 to 10_000; `what` names it in the message."""
    if not 0 <= confidence <= BPS:
        raise OutOfRange(
            f"{what}: confidence {confidence} outside 0 to {BPS}",
            advice="State confidence in basis points: 100 % is 10_000.",
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """What one source says an asset is worth.

    Attributes:
        group: sources that share a root share a group, and a group has one vote.
        price: Wad; not checked here, because a price that is not positive is refused with a reason by `aggregate`.
        confidence: Bps.
        observed_at: when the price held.
        max_age: seconds until the quote is stale; None leaves it to the policy.
        published_at: a heartbeat feed's true time of its round, for display and alarms only.
        confidence_cap: the most that the quote can claim, also after it was converted (its time is not known).

    Raises:
        OutOfRange: the confidence or its cap lies outside 0 to 10_000, or `max_age` is negative.
    """

    asset: str
    source: str
    group: str
    price: Wad
    confidence: Bps
    observed_at: Timestamp
    max_age: int | None = None
    published_at: Timestamp | None = None
    confidence_cap: Bps = Bps(BPS)

    def __post_init__(self) -> None:
        check_confidence(self.confidence, f"quote of {self.asset} from {self.source}")
        check_confidence(self.confidence_cap, f"cap of the quote of {self.asset} from {self.source}")
        if self.max_age is not None and self.max_age < 0:
            raise OutOfRange(
                f"quote of {self.asset} from {self.source}: negative max_age {self.max_age}",
                advice="State the source's maximum age in seconds, or leave it to the policy.",
            )

    @property
    def claimed(self) -> Bps:
        """The confidence that counts: capped."""
        return min(self.confidence, self.confidence_cap)


@dataclass(frozen=True, slots=True)
class LastValid:
    """The last live price of an asset: undecayed (Wad), its confidence (Bps) and the time at which it held.

    Raises:
        OutOfRange: the price is not positive, or the confidence lies outside 0 to 10_000.
    """

    price: Wad
    confidence: Bps
    observed_at: Timestamp

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise OutOfRange(
                f"last valid price {self.price} is not positive", advice="Pass no last valid price when there is none."
            )
        check_confidence(self.confidence, "last valid price")


class PriceStatus(Enum):
    """LIVE from a quorum of quotes, ESTIMATED from the last valid price, or UNAVAILABLE."""

    LIVE = "live"
    ESTIMATED = "estimated"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class AggregationPolicy:
    """The limits of price aggregation; ages in seconds, limits in Bps. Every limit is inclusive: only beyond it counts.

    Attributes:
        max_age: age at which a quote without its own `max_age` is still accepted.
        max_future: how far ahead of the valuation time an observation may lie.
        min_confidence: confidence at which a quote is still accepted.
        outlier_bps: distance from the median of the votes at which a vote still counts.
        wide_bps: spread of the remaining votes up to which `method` is used; beyond it the median, at most 50 % sure.
        min_sources: groups that must remain.

    Raises:
        OutOfRange: a limit lies outside its range, or the method is unknown.
    """

    max_age: int = 300
    max_future: int = 30
    min_confidence: Bps = Bps(5_000)
    outlier_bps: Bps = Bps(1_000)
    wide_bps: Bps = Bps(500)
    min_sources: int = 2
    method: Method = "median"

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("max_age", self.max_age, 0, None),
            ("max_future", self.max_future, 0, None),
            ("min_confidence", self.min_confidence, 0, BPS),
            ("outlier_bps", self.outlier_bps, 0, BPS),
            ("wide_bps", self.wide_bps, 0, BPS),
            ("min_sources", self.min_sources, 1, None),
        ):
            if value < low or (high is not None and value > high):
                allowed = f"{low} to {high}" if high is not None else f"{low} or more"
                raise OutOfRange(f"{name} is {value}", advice=f"Set {name} to {allowed}.")
        if self.method not in _METHODS:
            raise OutOfRange(f"unknown method {self.method!r}", advice=f"Use one of: {', '.join(_METHODS)}.")


@dataclass(frozen=True, slots=True)
class Vote:
    """One group's say: the median of its accepted quotes and the mean of their confidences, rounded down."""

    group: str
    price: Wad
    confidence: Bps
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceEstimate:
    """An asset's price in a frame, and how it came about.

    Attributes:
        price: Wad; None exactly when the status is UNAVAILABLE.
        confidence: Bps; 0 when there is no price.
        reason: why there is no live price; None when there is one.
        spread_bps: largest distance of a vote used from their median, rounded up; None without a live price.
        as_of: the oldest observation that the price rests on.
        used: sources whose quotes count, sorted; empty without a live price.
        excluded: sources that do not count, with the reason, sorted by source.
        votes: every vote cast, outliers included, sorted by group.
        undecayed_price: the price before a fallback's haircut; the price itself when live.
        published_at: oldest `published_at` of the quotes used that have one.
        native_gap_bps: signed distance of the undecayed price from the protocol's own rate, rounded away from zero.
        native_alarm: the distance is beyond the alarm band, or cannot be told because the rate or its base could not be
            read; here, or at the base that the price is derived from.

    Raises:
        DomainError: price and status contradict each other, or the price is not positive.
    """

    asset: str
    price: Wad | None
    confidence: Bps
    status: PriceStatus
    reason: str | None
    spread_bps: int | None
    as_of: Timestamp | None
    used: tuple[str, ...]
    excluded: Exclusions
    votes: tuple[Vote, ...] = ()
    undecayed_price: Wad | None = None
    published_at: Timestamp | None = None
    native_gap_bps: int | None = None
    native_alarm: bool = False

    def __post_init__(self) -> None:
        if (self.price is None) is not (self.status is PriceStatus.UNAVAILABLE):
            raise DomainError(
                f"{self.asset}: status {self.status.value} with price {self.price}",
                advice="A price is None exactly when it is unavailable.",
            )
        if self.price is not None and self.price <= 0:
            raise DomainError(
                f"{self.asset}: price {self.price} is not positive", advice="A price that is not to be had is None."
            )


def unavailable(
    asset: str, reason: str, *, excluded: Exclusions = (), votes: Sequence[Vote] = (), native_gap_bps: int | None = None
) -> PriceEstimate:
    """Return the estimate of a price that is not to be had, with the reason."""
    return PriceEstimate(
        asset=asset,
        price=None,
        confidence=Bps(0),
        status=PriceStatus.UNAVAILABLE,
        reason=reason,
        spread_bps=None,
        as_of=None,
        used=(),
        excluded=excluded,
        votes=tuple(votes),
        native_gap_bps=native_gap_bps,
        native_alarm=native_gap_bps is not None,
    )
