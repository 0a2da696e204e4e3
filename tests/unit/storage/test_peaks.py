"""Peaks and what gates decided, as the store keeps them, on every kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import StoreError
from navoracle.domain.flows import Distribution, Flow
from navoracle.domain.frame import NavFrame
from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from navoracle.risk.gate import decide
from navoracle.storage import SqlStore
from navoracle.store_port import GateRow, KeptPeaks
from tests.unit.risk.gate_builders import facts, policy
from tests.unit.storage.builders import NOW, frame_of, fund_frame, hash_of, valuation_of


def state(peak: int = 2**130, *, at: int = NOW) -> PeakState:
    """A peak beyond 64 bits."""
    return PeakState("ETH,USDC", Wad(peak), Timestamp(at - 90_000), Wad(peak - 1), Timestamp(at - 60), Timestamp(at))


def recorded(frame_id: str, at: int = NOW, *, fund: str = "alpha") -> NavFrame:
    return frame_of(frame_id, fund_frame(fund, valuation_of({"cash": 5})), now=at)


def keep(store: SqlStore, frame_id: str, peaks: PeakState, *, fund: str = "alpha") -> None:
    frame = recorded(frame_id, peaks.updated_at, fund=fund)
    store.record_frame(frame, hashes={name: hash_of(name) for name in frame.evidence}, peaks={fund: peaks})


def test_peaks__kept_with_a_frame__are_loaded_with_its_name(store: SqlStore) -> None:
    keep(store, "f1", state())
    keep(store, "f2", state(7), fund="beta")
    assert store.load_peaks({"alpha"}) == {"alpha": KeptPeaks(state(), "f1")}
    assert store.load_peaks({"alpha", "beta", "gamma"}) == {
        "alpha": KeptPeaks(state(), "f1"),
        "beta": KeptPeaks(state(7), "f2"),
    }
    assert store.load_peaks(()) == {}


def test_peaks__of_a_later_frame__take_the_place_of_the_earlier_ones(store: SqlStore) -> None:
    keep(store, "f1", state())
    keep(store, "f2", state(9, at=NOW + 1))
    assert store.load_peaks({"alpha"}) == {"alpha": KeptPeaks(state(9, at=NOW + 1), "f2")}


def test_peaks__of_a_keeper_that_looked_earlier__change_nothing(store: SqlStore) -> None:
    keep(store, "f1", state(at=NOW + 5))
    keep(store, "f2", state(9, at=NOW + 4))
    assert store.load_peaks({"alpha"})["alpha"] == KeptPeaks(state(at=NOW + 5), "f1")


def test_peaks__frame_that_cannot_be_recorded__are_not_kept_either(store: SqlStore) -> None:
    keep(store, "f1", state())
    frame = recorded("f1", NOW + 1)
    with pytest.raises(StoreError):
        store.record_frame(frame, hashes={"alpha": "0x"}, peaks={"alpha": state(9, at=NOW + 1)})
    assert store.load_peaks({"alpha"})["alpha"].state == state()


def test_peaks__frame_that_moves_none__leaves_them(store: SqlStore) -> None:
    keep(store, "f1", state())
    frame = recorded("f2", NOW + 1)
    store.record_frame(frame, hashes={"alpha": "0x"}, peaks={})
    assert store.load_peaks({"alpha"})["alpha"].frame == "f1"


def test_fund_frames__with_a_gate__tell_what_it_decided(store: SqlStore) -> None:
    gate = decide(facts("800", policy=policy(stops=("deposits",))))
    gated = replace(fund_frame("alpha", valuation_of({"cash": 5})), gate=gate)
    frame = frame_of("f1", gated, fund_frame("beta", None))
    store.record_frame(frame, hashes={name: hash_of(name) for name in frame.evidence})
    rows = {row.fund: row.gate for row in store.fund_frames()}
    assert rows == {
        "alpha": GateRow(
            measure="*",
            price_per_share=to_wad("800"),
            healthy=True,
            drawdown=to_wad("0.2"),
            daily_loss=to_wad("0.2"),
            vetoes=("nav_drawdown_limit", "day_loss_limit"),
            warnings=(),
            stops=("deposits",),
        ),
        "beta": None,
    }


def test_fund_frames__gate_that_knew_nothing__keeps_what_is_missing_as_missing(store: SqlStore) -> None:
    gate = decide(replace(facts(), valuation=None, policy=policy(on_stale="fail_open")))
    frame = frame_of("f1", replace(fund_frame("alpha", None), gate=replace(gate, drawdown=None, daily_loss=None)))
    store.record_frame(frame, hashes={"alpha": "0x"})
    (row,) = store.fund_frames()
    assert row.gate is not None
    assert (row.gate.price_per_share, row.gate.drawdown, row.gate.daily_loss, row.gate.healthy) == (None,) * 3 + (
        False,
    )
    assert row.gate.warnings == ("nav_stale",)


def test_distributions__declared__come_with_their_times_oldest_first(store: SqlStore) -> None:
    shares = Wad(4 * WAD)
    for at, amount in ((NOW + 20, 2), (NOW + 10, 4), (NOW, 8)):
        store.declare_flow("alpha", Flow("dividend", Wad(amount * WAD), Timestamp(at)), shares=shares)
    store.declare_flow("alpha", Flow("deposit", Wad(WAD), Timestamp(NOW + 15)))
    store.declare_flow("beta", Flow("dividend", Wad(WAD), Timestamp(NOW + 15)), shares=shares)
    assert store.distributions("alpha", NOW) == (
        Distribution(Timestamp(NOW + 10), to_wad("1")),
        Distribution(Timestamp(NOW + 20), to_wad("0.5")),
    )
    assert store.distributions("alpha", NOW, until=Timestamp(NOW + 19)) == (
        Distribution(Timestamp(NOW + 10), to_wad("1")),
    )
