"""The kept peak is a price that depositors had: one that the contract accepted, or that was within its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.frame import NavStatus
from navoracle.domain.guards import forecast
from navoracle.domain.positions import Component
from navoracle.domain.prior import ConfirmedNav, PostBounds
from navoracle.domain.risk.gates import DAY, GatePrior, PeakState
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.risk.gate import decide, kept
from tests.unit.domain.builders import NOW
from tests.unit.domain.funds import holding, prices, value
from tests.unit.risk.gate_builders import HOUR, facts, policy

CASH, PRICES = Component.CASH, prices(USD="1")
BOUNDS = PostBounds(1_000, 1_000, 1_500)


@dataclass(frozen=True)
class Look:
    """A frame: seconds after the last one, its price in cents, and whether RISK accepts what the contract holds."""

    after: int
    cents: int
    is_accepted: bool


looks = st.lists(
    st.builds(Look, st.integers(1, 6 * HOUR) | st.integers(DAY, 3 * DAY), st.integers(5_000, 20_000), st.booleans())
    | st.builds(Look, st.integers(1, 6 * HOUR), st.integers(9_500, 10_500), st.just(value=False)),
    max_size=15,
)


@given(looks)
def test_peak__of_held_and_accepted_posts__is_never_above_what_was_accepted_or_within_the_band(
    course: Sequence[Look],
) -> None:
    now, state = int(NOW), None
    served, drift, valued_at = Wad(100 * WAD), 0, Timestamp(NOW)
    highest = int(served)
    for place, each in enumerate(course):
        now += each.after
        price = Wad(each.cents * WAD // 100)
        confirmed = ConfirmedNav(served, served, valued_at, False, 1, "f", BOUNDS, drift)
        distance = forecast(confirmed, price, Timestamp(now))
        assert distance is not None
        found = decide(
            facts(
                now=now,
                valuation=value([holding("f.cash", CASH, "USD", f"{each.cents / 100:.2f}")], PRICES, shares="1"),
                confirmed=confirmed,
                prior=GatePrior(state, None, (), (), is_first=place == 0),
                policy=policy(stops=()),
            )
        )
        before: PeakState | None = state
        keeps = kept(found, before, NavStatus.VERIFIED, None, distance)
        state = before if keeps is None else keeps
        if distance.within or each.is_accepted:
            served, valued_at, drift = price, Timestamp(now), distance.day
            highest = max(highest, price)
        if state is not None:
            assert max(state.peak, state.daily_peak) <= highest
            assert not distance.within or state.peak >= price
