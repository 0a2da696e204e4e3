"""Runs of slots that were not posted, and numbers that keep their distance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.pictures.endings import MOST_NUMBERED, apart, endings_of, list_lines, meaning
from tests.unit.pictures.builders import slot

REASONS = st.sampled_from(["posted", "held:a", "held:b", "skipped:a", "failed:a"])
PLACES = st.lists(st.floats(0, 100), min_size=1, max_size=20).map(sorted)


@given(st.lists(REASONS, max_size=120))
def test_endings__any_slots__count_each_that_was_not_posted_once(kinds: list[str]) -> None:
    slots = [
        slot(hour, state=kind.partition(":")[0], reason=kind.partition(":")[2] or None)
        for hour, kind in enumerate(kinds)
    ]
    endings = endings_of(slots)
    assert sum(ending.slots for ending in endings) == sum(kind != "posted" for kind in kinds)
    assert [ending.first for ending in endings] == sorted(ending.first for ending in endings)
    numbers = [ending.number for ending in endings if ending.number is not None]
    assert numbers == list(range(1, min(len(endings), MOST_NUMBERED) + 1))
    unnumbered = [ending.slots for ending in endings if ending.number is None]
    numbered = [ending.slots for ending in endings if ending.number is not None]
    assert max(unnumbered, default=0) <= min(numbered, default=0)
    for ending in endings:
        within = [each for each in slots if ending.first <= each.time <= ending.last]
        assert {(each.state, each.reason) for each in within} == {(ending.state, ending.reason)}
        assert len(within) == ending.slots


def test_endings__more_runs_than_numbers__number_the_longest_in_the_order_of_time() -> None:
    lengths = [1] * 10 + [3] * MOST_NUMBERED + [1] * 10
    reasons = [str(run) for run, length in enumerate(lengths) for _ in range(length)]
    endings = endings_of(slot(hour, state="held", reason=reason) for hour, reason in enumerate(reasons))
    assert [ending.slots for ending in endings] == lengths
    assert [ending.number for ending in endings] == [None] * 10 + list(range(1, MOST_NUMBERED + 1)) + [None] * 10
    assert list_lines(endings)[-1] == "and 20 shorter runs without a number (20 slots)"


def test_list_lines__reason_that_comes_again__is_explained_once() -> None:
    kinds = [("held", "way_back"), ("posted", None), ("skipped", "way_back"), ("posted", None), ("failed", None)]
    slots = [slot(hour, state=state, reason=reason) for hour, (state, reason) in enumerate(kinds)]
    assert list_lines(endings_of(slots)) == [
        f"1  2023-11-14 23:00: held, way_back. {meaning('way_back')}",
        "2  2023-11-15 01:00: skipped, way_back",
        "3  2023-11-15 03:00: failed, no reason given",
    ]


@given(PLACES)
def test_apart__any_places__keep_order_distance_and_bounds(places: list[float]) -> None:
    moved = apart(places, 5, 0, 100)
    assert len(moved) == len(places)
    assert all(after - before >= 5 - 1e-9 for before, after in pairwise(moved))
    assert moved[0] >= -1e-9
    assert moved[-1] <= 100 + 1e-9


@given(PLACES)
def test_apart__places_that_are_apart__stay(places: list[float]) -> None:
    spread = apart(places, 5, 0, 100)
    assert apart(spread, 5 - 1e-6, 0, 100) == pytest.approx(spread, abs=1e-4)


def test_apart__places_together__move_as_little_as_can_be() -> None:
    assert apart([50, 50, 50], 10, 0, 100) == [40, 50, 60]
    assert apart([1, 1], 10, 0, 100) == [0, 10]
    assert apart([20, 99, 100], 10, 0, 100) == [20, 90, 100]


def test_apart__more_than_fit__is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        apart([1, 2, 3], 51, 0, 100)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("way_back", "After the haircut"),
        ("unpriced:USDC:too_old", "An asset that matters has no price"),
        ("preflight:paused", "The registry is paused."),
        ("registry:step+held", "The fund is held from before."),
        ("something else", ""),
        (None, ""),
    ],
)
def test_meaning__reason__is_what_the_guide_says(reason: str | None, told: str) -> None:
    assert told in meaning(reason)
    assert bool(meaning(reason)) is bool(told)
