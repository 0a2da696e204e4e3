"""The bridge's picture: every step stands where the one before ended, and is seen beside a NAV many times as large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from navoracle.dashboard.parts.bridge_card import WIDE_ENOUGH, waterfall
from navoracle.domain.units import WAD
from navoracle.read_model.bridges import Bridge

CENTS = st.integers(-(10**9), 10**9)


def bridge(before: int, steps: Mapping[str, int | None]) -> Bridge:
    """A bridge of steps in hundredths of the unit."""
    wad = {name: None if step is None else str(step * WAD // 100) for name, step in steps.items()}
    now = before + sum(step or 0 for name, step in steps.items() if name != "residual")
    said = {"residual": "0", **wad, "before": str(before * WAD // 100), "now": str(now * WAD // 100)}
    return Bridge.model_validate({**said, "posted_frame": "f1", "shares": None, "changes": []})


def bars(options: dict[str, Any]) -> list[tuple[str, float, float]]:
    (series,) = options["series"]
    return [(each["name"], *each["value"][:2]) for each in series["data"]]


@given(before=CENTS, steps=st.lists(CENTS, min_size=5, max_size=5))
def test_waterfall__any_steps__hang_together_within_the_axis(before: int, steps: list[int]) -> None:
    names = ("price", "income", "fees", "flows", "unexplained")
    options = waterfall(bridge(before, dict(zip(names, steps, strict=True))))
    found, axis = bars(options), options["yAxis"]

    assert [end for _, _, end in found[:-2]] == [start for _, start, _ in found[1:-1]]
    assert found[-2][2] == found[-1][2] == (before + sum(steps)) / 100
    assert all(axis["min"] < level < axis["max"] for _, _, level in found)
    assert (found[0][1], found[-1][1]) == (axis["min"], axis["min"])
    moved = max(level for _, _, level in found) - min(level for _, _, level in found)
    assert axis["max"] - axis["min"] <= 1.51 * moved or moved == 0 or moved < 1


def test_waterfall__flows_not_known__has_one_step_for_them_and_the_rest() -> None:
    steps = {"price": 100, "income": 0, "fees": -40, "flows": None, "unexplained": None, "residual": 0}
    found = bars(waterfall(bridge(500_000_000, steps)))
    assert [name for name, _, _ in found] == [
        "Then: 5,000,000.00", "Prices: +1.00", "Income: 0.00", "Fees: -0.40", "Flows and rest: 0.00",
        "Now: 5,000,000.60",
    ]  # fmt: skip
    assert found[1][1:] == (5_000_000.0, 5_000_001.0)


def test_waterfall__narrow_picture__has_its_names_aslant_and_room_for_them() -> None:
    steps = {"price": 1, "income": 0, "fees": 0, "flows": 0, "unexplained": 0}
    usual, narrow = waterfall(bridge(100, steps))["media"]
    assert "query" not in usual
    assert usual["option"]["xAxis"]["axisLabel"]["rotate"] == 0
    assert narrow["query"] == {"maxWidth": WIDE_ENOUGH}
    assert narrow["option"]["xAxis"]["axisLabel"]["rotate"] > 0
    assert narrow["option"]["grid"]["bottom"] > usual["option"]["grid"]["bottom"]


def test_waterfall__steps_up_and_down__have_the_colours_of_gain_and_loss() -> None:
    steps = {"price": -40_011, "income": 0, "fees": 2_687, "flows": 0, "unexplained": 8_001}
    (series,) = waterfall(bridge(500_133_675, steps))["series"]
    colours = {each["name"].partition(":")[0]: set(each["itemStyle"].values()) for each in series["data"]}
    assert colours == {
        "Then": {"--slice-1"}, "Prices": {"--bad"}, "Income": {"--good"}, "Fees": {"--good"}, "Flows": {"--good"},
        "Unexplained": {"--good"}, "Now": {"--slice-1"},
    }  # fmt: skip
