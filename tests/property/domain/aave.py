"""Accounts at Aave v3 as hypothesis draws them."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from navoracle.domain.aave_rules import RAY
from navoracle.domain.lending import AaveReserve, EMode
from navoracle.domain.units import BPS, Bps, RawAmount

AMOUNTS: Final = st.integers(0, 10**30)
PARTS: Final = st.integers(0, BPS).map(Bps)
INDICES: Final = st.integers(RAY, 3 * RAY)

e_modes: Final = st.builds(
    EMode, st.integers(1, 255), PARTS, PARTS, st.integers(0, 2_000).map(Bps), st.none() | st.integers(1, 10**14)
)


@st.composite
def reserves(draw: st.DrawFn) -> AaveReserve:
    """A reserve with any figures; `in_e_mode` needs an account that is in one."""
    decimals = draw(st.sampled_from([6, 8, 18]))
    owed = draw(AMOUNTS)
    return AaveReserve(
        token=f"token{draw(st.integers(0, 10**6))}",
        supplied=RawAmount(draw(AMOUNTS), decimals),
        owed=RawAmount(owed, decimals),
        owed_at_stable_rate=draw(st.integers(0, owed)),
        supply_index=draw(INDICES),
        debt_index=draw(INDICES),
        price=draw(st.integers(1, 10**14)),
        loan_to_value=draw(PARTS),
        liquidation_threshold=draw(PARTS),
        liquidation_bonus=draw(st.none() | st.integers(0, 2_000).map(Bps)),
        protocol_fee=draw(PARTS),
        is_collateral=draw(st.booleans()),
        in_e_mode=draw(st.booleans()),
        lends_nothing_in_e_mode=draw(st.booleans()),
    )
