"""Watch: what the sampler and the slots say about when the next slot is due.

Keeps the cadence's state, a day of 5-minute returns of each asset, the weights of assets in NAV, and the prices of the
last slots. Two things ask for an EMERGENCY slot: a price that moved by more than the limit since the fund's last valued
slot, and a price that leaves its 30-minute average by more than the limit. Both are asked for once, when they begin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from navoracle.domain.cadence import (
    Cadence,
    CadencePolicy,
    CadenceState,
    ScheduledSlot,
    observe_volatility,
    oracle_move_exceeds,
    request_emergency,
    slots_due,
    take_emergencies,
)
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.prices import PriceEstimate, PriceStatus, gap_exceeds, time_weighted_average
from navoracle.domain.prior import Sample
from navoracle.domain.units import BPS, Bps, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.volatility import annualized_volatility_of_returns, log_return
from navoracle.keeper.pricing import SAMPLE_WINDOW

STEP = 300
"""Seconds between the samples of which volatility is computed."""

WINDOW = 24 * 3600 // STEP
LEAST = 12
"""Returns below which volatility says nothing: an hour's."""


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """Limits of the watch: see `CadencePolicy`, and what moves ask for an EMERGENCY slot."""

    cadence: CadencePolicy = field(default_factory=CadencePolicy)
    oracle_move_bps: Bps = Bps(500)
    time_weighted_gap_bps: Bps = Bps(500)


class _Track:
    """One asset's recent prices."""

    def __init__(self) -> None:
        self.returns: deque[tuple[int, int]] = deque()
        self.samples: deque[tuple[Timestamp, Wad]] = deque()
        self.step: int | None = None
        self.price: Wad | None = None
        self.away = False

    def add(self, at: Timestamp, price: Wad) -> None:
        self.samples.append((at, price))
        while self.samples[0][0] < at - 2 * SAMPLE_WINDOW:
            self.samples.popleft()
        step = at // STEP
        if self.step is None or step > self.step:
            # A return over a hole would count many steps as one.
            if self.price is not None and self.step == step - 1:
                self.returns.append((step, log_return(self.price, price)))
            self.step, self.price = step, price
            while self.returns and self.returns[0][0] <= step - WINDOW:
                self.returns.popleft()

    def volatility(self) -> Wad | None:
        if len(self.returns) < LEAST:
            return None
        return annualized_volatility_of_returns([value for _, value in self.returns], STEP)


class Watch:
    """Decides, from frames alone, which slots are due."""

    def __init__(self, funds: Iterable[str], policy: WatchPolicy, *, since: Timestamp) -> None:
        self.state = CadenceState()
        self.volatilities: dict[str, Wad] = {}
        self._funds = tuple(funds)
        self._policy = policy
        self._since = since
        self._tracks: dict[str, _Track] = {}
        self._weights: dict[str, dict[str, Bps]] = {}
        self._references: dict[str, dict[str, Wad]] = {}

    def restore(self, samples: Iterable[Sample], regular: Cadence | None, now: Timestamp) -> None:
        """Go on where an earlier run of the keeper stopped.

        Args:
            samples: what the sampler found in the last day, oldest first.
            regular: the cadence of the newest regular slot. After HIGH_VOLATILITY the calm period begins anew: it is
                not known for how long it had been calm.
        """
        for sample in samples:
            track = self._tracks.setdefault(sample.asset, _Track())
            if not track.samples or sample.time > track.samples[-1][0]:
                track.add(sample.time, sample.price)
        for asset, track in self._tracks.items():
            if (volatility := track.volatility()) is not None:
                self.volatilities[asset] = volatility
        if regular is Cadence.HIGH_VOLATILITY:
            until = Timestamp(now + self._policy.cadence.calm_period)
            self.state = replace(self.state, high_since=now, high_until=until)

    def ask(self, fund: str, reason: str, at: Timestamp) -> None:
        """Ask for an EMERGENCY slot of a fund; with one that is asked for already it becomes one."""
        self.state = request_emergency(self.state, fund, reason, at)

    def observe_sample(self, frame: NavFrame) -> None:
        """Take in a sampler's frame: live prices only."""
        for (asset, side), estimate in frame.estimates.items():
            if side != "asset" or estimate.status is not PriceStatus.LIVE or estimate.price is None:
                continue
            track = self._tracks.setdefault(asset, _Track())
            step = track.step
            track.add(frame.now, estimate.price)
            self._watch_average(asset, track, estimate.price, frame.now)
            self._watch_moves(asset, estimate.price, frame.now)
            if track.step != step and (volatility := track.volatility()) is not None:
                self.volatilities[asset] = volatility
        self._observe(frame.now)

    def observe_slot(self, frame: NavFrame) -> None:
        """Take in a slot's frame: what each fund holds, and the prices that later moves are measured from."""
        for found in frame.funds:
            if found.valuation is not None:
                self._weights[found.fund] = weights_in_nav(found)
                self._references[found.fund] = live_prices(frame.estimates, self._weights[found.fund])

    def due(self, now: Timestamp) -> tuple[tuple[ScheduledSlot, tuple[str, ...]], ...]:
        """The slots that fell due since the last call, each with its funds; regular ones first."""
        regular = [(slot, self._funds) for slot in slots_due(self.state, self._since, now)]
        emergencies, self.state = take_emergencies(self.state, now)
        self._since = now
        return (*regular, *((slot, (slot.fund,)) for slot in emergencies if slot.fund is not None))

    def _observe(self, now: Timestamp) -> None:
        if not self._weights:
            return
        weights = {
            asset: max(held.get(asset, Bps(0)) for held in self._weights.values()) for asset in self.volatilities
        }
        self.state = observe_volatility(self.state, now, self.volatilities, weights, self._policy.cadence)

    def _watch_average(self, asset: str, track: _Track, price: Wad, now: Timestamp) -> None:
        average = time_weighted_average(tuple(track.samples), now=now, window=SAMPLE_WINDOW)
        away = average is not None and gap_exceeds(price, average, self._policy.time_weighted_gap_bps)
        if away and not track.away:
            self._ask(asset, f"{asset} left its 30-minute average", now)
        track.away = away

    def _watch_moves(self, asset: str, price: Wad, now: Timestamp) -> None:
        for fund, references in self._references.items():
            reference = references.get(asset)
            if reference is not None and oracle_move_exceeds(price, reference, self._policy.oracle_move_bps):
                self.ask(fund, f"{asset} moved since the last slot", now)
                del references[asset]

    def _ask(self, asset: str, reason: str, now: Timestamp) -> None:
        for fund, weights in self._weights.items():
            if weights.get(asset, 0) > self._policy.cadence.weight_limit:
                self.ask(fund, reason, now)


def weights_in_nav(found: FundFrame) -> dict[str, Bps]:
    """Each asset's part of the NAV by absolute value, in bps rounded down and at most 100 %; empty without a NAV."""
    if found.valuation is None or found.valuation.before.nav <= 0:
        return {}
    sizes: dict[str, int] = {}
    for row in found.valuation.positions:
        sizes[row.asset] = sizes.get(row.asset, 0) + abs(row.value)
    nav = found.valuation.before.nav
    return {asset: Bps(min(BPS, size * BPS // nav)) for asset, size in sizes.items()}


def live_prices(estimates: Mapping[PriceKey, PriceEstimate], assets: Iterable[str]) -> dict[str, Wad]:
    """The live asset-side prices of these assets."""
    found: dict[str, Wad] = {}
    for asset in assets:
        estimate = estimates.get((asset, "asset")) or estimates.get((asset, "debt"))
        if estimate is not None and estimate.status is PriceStatus.LIVE and estimate.price is not None:
            found[asset] = estimate.price
    return found
