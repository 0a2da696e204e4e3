"""The NAV gate: is the NAV fresh, how far has it fallen, and what is therefore not done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from navoracle.domain.flows import Distribution
from navoracle.domain.units import Timestamp, Wad

Stop = Literal["posting", "settlements", "deposits"]
"""What a veto may stop: posts, settlements of any kind, or settlements that would take deposits in."""

Veto = Literal["nav_drawdown_limit", "day_loss_limit", "nav_stale"]
GateWarning = Literal["nav_stale", "sources_failed", "drawdown_stale"]

PeakCondition = Literal["fresh", "stale", "new", "reset", "healed_from_history", "healed_from_confirmed", "unknown"]
"""How the peak was come by. Only a "fresh" one is ground for a veto; "new" and "reset" are the NAV itself."""

DAY: Final = 86_400

EVERYTHING: Final = "*"
"""The measure of a gate that leaves nothing out: its NAV is the fund's."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """How a fund's gate is set.

    Attributes:
        max_drawdown, max_day_loss: falls from the peak and from the UTC day's peak that are vetoed beyond (Wad); None:
            not limited.
        on_stale: what a NAV that is not fresh does: "fail_closed" is a veto, "fail_open" a warning.
        include_assets: the assets whose holdings count in the gate's NAV; None counts all. What is owed always counts.
        use_mark_price: whether balances at exchanges that are not cash count, at the frame's prices.
        max_balance_age, max_mark_age, max_cache_age: seconds: of the oldest reading of a holding, of the oldest price,
            and of the oldest last valid price that a fallback rests on.
        peak_stale_seconds: a peak that was last confirmed longer ago is not believed, and rebuilt.
        min_history: samples of the NAV history that a peak is rebuilt from; with fewer the confirmed NAV is taken.
        history_seconds: how far back that history goes.
        reset_peak_at_start: whether the first frame of a process starts with its own NAV as peak; for test networks.
        stops: what a veto stops.
    """

    max_drawdown: Wad | None
    max_day_loss: Wad | None
    on_stale: Literal["fail_closed", "fail_open"]
    include_assets: tuple[str, ...] | None
    use_mark_price: bool
    max_balance_age: int
    max_mark_age: int
    max_cache_age: int
    peak_stale_seconds: int
    min_history: int
    history_seconds: int
    reset_peak_at_start: bool
    stops: tuple[Stop, ...]

    @property
    def measure(self) -> str:
        """What its NAV is of, as text: a peak of one measure says nothing of a NAV of another."""
        held = EVERYTHING if self.include_assets is None else ",".join(sorted(set(self.include_assets)))
        return held if self.use_mark_price else f"{held} without marks"


@dataclass(frozen=True, slots=True)
class PeakState:
    """The highest price per share so far, and that of one UTC day (Wad), each as it was when it was reached.

    Dividends declared since are not taken off here but whenever the peak is used, so that one declared late counts too.

    Attributes:
        measure: what it is the peak of; see `GatePolicy.measure`.
        peak_at, daily_peak_at: when they were reached.
        updated_at: the last frame that held the NAV against it.
    """

    measure: str
    peak: Wad
    peak_at: Timestamp
    daily_peak: Wad
    daily_peak_at: Timestamp
    updated_at: Timestamp

    @property
    def day(self) -> Timestamp:
        """Midnight (UTC) of the day that `daily_peak` is of."""
        return day_of(self.daily_peak_at)


def day_of(at: Timestamp) -> Timestamp:
    """Midnight (UTC) of a time's day."""
    return Timestamp(at - at % DAY)


@dataclass(frozen=True, slots=True)
class NavPoint:
    """A price per share (Wad) of the fund's history, and the frame that found it."""

    time: Timestamp
    price_per_share: Wad
    frame: str


@dataclass(frozen=True, slots=True)
class GatePrior:
    """What the gate starts from.

    Attributes:
        peaks: as they were kept; None for a fund that has none yet.
        frame: the frame that they were kept from; None without any.
        history: of the NAV, oldest first; only where `peaks` is missing, stale or of another measure.
        distributions: dividends declared since the oldest peak or point above: a dividend is no loss.
        is_first: whether no frame of the fund has moved its peaks since this process started.
    """

    peaks: PeakState | None
    frame: str | None
    history: tuple[NavPoint, ...]
    distributions: tuple[Distribution, ...]
    is_first: bool


@dataclass(frozen=True, slots=True)
class AssetLine:
    """What a fund holds less what it owes of one asset, at one price; queued deposits are none of it.

    What counts in the gate's NAV and what it leaves out of one asset are two lines: the values of those that count,
    less fees payable, are its NAV.

    Attributes:
        amount: whole units (Wad, signed), rounded down; what accrues is counted as the units that it is worth.
        mark_price: Wad per whole unit: that of what is held, or where nothing is held that of what is owed.
        value: Wad, signed.
        included: whether it counts in the gate's NAV.
    """

    asset: str
    amount: Wad
    mark_price: Wad
    value: Wad
    included: bool


@dataclass(frozen=True, slots=True)
class NavHealth:
    """The NAV that the gate goes by.

    Attributes:
        nav, price_per_share: of what is included; of the confirmed post where the frame has no valuation; None where
            there is neither.
        nav_mode: "enhanced" where the gate has settings of its own of what counts, "confirmed" where the frame has no
            valuation, else "standard".
        measure: what the NAV is of; see `GatePolicy.measure`.
        balances_age: seconds since the oldest of the holdings was read.
        marks_age: of the oldest live price. cache_age: of the oldest last valid price that a fallback rests on.
            Seconds; None where there is none.
        sources_ok: the fund was valued, every price of it live. A source that its asset can do without does not count:
            one that fails must not switch the drawdown off.
        fresh: the fund was valued, and every age is within its limit.
    """

    measure: str
    nav: Wad | None
    price_per_share: Wad | None
    nav_mode: Literal["standard", "enhanced", "confirmed"]
    assets: tuple[AssetLine, ...]
    balances_age: int | None
    marks_age: int | None
    cache_age: int | None
    sources_ok: bool
    fresh: bool

    @property
    def healthy(self) -> bool:
        """Whether peaks may be moved by it, and a fall below them vetoed."""
        return self.fresh and self.sources_ok


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the gate decided, with its grounds.

    Attributes:
        peaks: after this frame, to be kept if the frame is sound (`navoracle.risk.gate.kept`); None: nothing is known.
        peak, daily_peak: after this frame, less what was distributed since; None where it is not known.
        drawdown, daily_loss: (peak - NAV) / peak, from 0 to 1, rounded up; None where NAV or peak is not known.
        vetoes: in the order drawdown, day's loss, stale.
        stops: what is not done while there is a veto; empty without one.
    """

    health: NavHealth
    peaks: PeakState | None
    peak_state: PeakCondition
    peak: Wad | None
    daily_peak: Wad | None
    drawdown: Wad | None
    daily_loss: Wad | None
    vetoes: tuple[Veto, ...]
    warnings: tuple[GateWarning, ...]
    stops: tuple[Stop, ...]
