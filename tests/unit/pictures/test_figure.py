"""What is drawn is what was found: the artists of the figure hold the slots' own figures, and nothing else."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import NavStatus
from navoracle.domain.prices import PriceStatus
from navoracle.pictures.endings import MOST_NUMBERED
from navoracle.pictures.figure import HEIGHT, WIDTH
from navoracle.pictures.files import picture_bytes
from navoracle.pictures.slots import NOT_VALUED, FundPicture, PicturedSlot
from navoracle.pictures.style import CADENCE_COLOURS, ENDING_COLOURS, ENDING_MARKERS, REFUSAL_MARKERS, STATUS_COLOURS
from navoracle.store_port import SlotState
from tests.unit.pictures.builders import (
    HOUR,
    START,
    bands,
    drawn,
    estimate,
    legend_of,
    line,
    panel,
    points,
    series,
    slot,
    titles,
    wads,
)

VOTES = {"a": "1.01", "b": "0.99"}


def texts_inside(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_figure__votes_and_estimate__are_the_slots_own() -> None:
    figure = drawn(
        slot(0, prices={"USDC": estimate("1", VOTES)}),
        slot(1, prices={"USDC": estimate("1.02", {"a": "1.02"})}),
        slot(2, prices={"USDC": estimate("0.97", {"a": "0.98", "b": "0.96"})}),
    )
    prices = panel(figure, "Price of USDC")
    assert series(line(prices, "a")) == wads((0, "1.01"), (1, "1.02"), (2, "0.98"))
    assert series(line(prices, "b")) == wads((0, "0.99"), (1, None), (2, "0.96"))
    assert series(line(prices, "estimate")) == wads((0, "1"), (1, "1.02"), (2, "0.97"))
    assert legend_of(prices) == ["a", "b", "estimate"]


def test_figure__every_asset__has_a_panel_of_its_own() -> None:
    both = {"USDC": estimate("1", VOTES), "ETH": estimate("3000", asset="ETH")}
    figure = drawn(slot(0, prices=both), slot(1, prices=both))
    assert series(line(panel(figure, "Price of ETH"), "estimate")) == wads((0, "3000"), (1, "3000"))
    assert series(line(panel(figure, "Price of USDC"), "estimate")) == wads((0, "1"), (1, "1"))


def test_figure__price_that_is_not_to_be_had__breaks_the_line_and_is_shaded_until_the_next_slot() -> None:
    figure = drawn(
        slot(0, prices={"USDC": estimate("1", VOTES)}),
        slot(1, prices={"USDC": estimate(None)}),
        slot(2, prices={"USDC": estimate(None)}),
        slot(3, prices={"USDC": estimate("1", VOTES)}),
        slot(4),
    )
    prices = panel(figure, "Price of USDC")
    assert series(line(prices, "estimate")) == wads((0, "1"), (1, None), (2, None), (3, "1"), (4, None))
    (shade,) = prices.patches
    box = shade.get_path().get_extents(shade.get_patch_transform())
    assert (round(box.x0 * 86_400), round(box.x1 * 86_400)) == (START + HOUR, START + 3 * HOUR)
    assert "no price" in legend_of(prices)


def test_figure__estimated_price__has_marks_of_its_own() -> None:
    figure = drawn(
        slot(0, prices={"USDC": estimate("1", VOTES)}),
        slot(1, "0.98", status="estimated", prices={"USDC": estimate("0.98", status=PriceStatus.ESTIMATED)}),
    )
    assert series(line(panel(figure, "Price of USDC"), "estimated (with haircut)")) == wads((1, "0.98"))
    assert series(line(panel(figure, "NAV per share"), "estimated")) == wads((1, "0.98"))


def test_figure__exclusions__are_marked_by_source_and_reason_and_at_their_vote() -> None:
    figure = drawn(
        slot(0, prices={"USDC": estimate("1", {**VOTES, "c": "1.05"}, excluded=[("USDC.c", "outlier")])}),
        slot(1, prices={"USDC": estimate("1", {"a": "1"}, excluded=[("USDC.b", "stale"), ("USDC.c", "stale")])}),
    )
    prices = panel(figure, "Price of USDC")
    assert series(line(prices, "excluded vote")) == wads((0, "1.05"))
    (strip,) = (axes for axes in figure.axes if [label.get_text() for label in axes.get_yticklabels()] == ["b", "c"])
    marks = {(mark.get_marker(), at, row) for mark in strip.get_lines() for at, row in series(mark)}
    assert marks == {
        ("x", START, 10**18),
        ("|", START + HOUR, 0),
        ("|", START + HOUR, 10**18),
    }
    assert {"excluded: outlier", "excluded: stale"} <= set(legend_of(prices))


def test_figure__outlier_far_off__is_marked_at_the_edge_and_does_not_flatten_the_rest() -> None:
    figure = drawn(
        slot(0, prices={"USDC": estimate("1", {**VOTES, "c": "50"}, excluded=[("USDC.c", "outlier")])}),
        slot(1, prices={"USDC": estimate("1", VOTES)}),
    )
    prices = panel(figure, "Price of USDC")
    low, high = prices.get_ylim()
    assert 0.9 < low < 0.99
    assert 1.01 < high < 1.1
    ((at, edge),) = points(line(prices, "excluded vote beyond the axis"))
    assert (round(at * 86_400), edge) == (START, high)


def test_figure__quiet_price__does_not_look_like_news() -> None:
    figure = drawn(*(slot(hour, prices={"USDC": estimate(f"1.0000{hour}")}) for hour in range(3)))
    low, high = panel(figure, "Price of USDC").get_ylim()
    assert high - low >= 0.002


def test_figure__price_per_share__is_computed_beside_what_the_contract_served() -> None:
    figure = drawn(
        slot(0, "1", served="1"),
        slot(1, "1.4", served="1", state="held", reason="registry:step"),
        slot(2, None, served=None, state="failed", reason="chain", status=NOT_VALUED),
        slot(3, "1.1", served="1.1"),
    )
    shares = panel(figure, "NAV per share")
    assert series(line(shares, "computed")) == wads((0, "1"), (1, "1.4"), (2, None), (3, "1.1"))
    served = line(shares, "served by the contract")
    assert series(served) == wads((0, "1"), (1, "1"), (3, "1.1"))
    assert served.get_drawstyle() == "steps-post"
    assert series(line(shares, "held, as computed")) == wads((1, "1.4"))


def test_figure__nothing_served__names_no_contract() -> None:
    assert legend_of(panel(drawn(slot(0), slot(1)), "NAV per share")) == ["computed"]


def test_figure__status__is_a_band_under_its_name_until_the_next_slot() -> None:
    figure = drawn(
        slot(0), slot(1), slot(2, status="estimated"), slot(3, status="halted"), slot(4, status="insolvent"), slot(9)
    )
    axes = panel(figure, "Status")
    hour = [START + HOUR * index for index in range(11)]
    assert bands(axes) == {
        "live": [(hour[0], hour[2]), (hour[9], hour[10])],
        "verified": [],
        "estimated": [(hour[2], hour[3])],
        "suspicious": [],
        "halted": [(hour[3], hour[4])],
        "insolvent": [(hour[4], hour[5])],
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == list(bands(axes))


def test_figure__cadence__shows_the_regular_ones_as_bands_and_emergencies_as_marks() -> None:
    quarters = [slot(2 + quarter / 4, cadence="high_volatility") for quarter in range(4)]
    figure = drawn(slot(0), slot(0.5, cadence="emergency"), slot(1), *quarters, slot(3.5, cadence="emergency"), slot(4))
    axes = panel(figure, "Cadence")
    found = bands(axes)
    assert found["hourly"] == [(START, START + 2 * HOUR), (START + 4 * HOUR, START + 5 * HOUR)]
    assert found["high_volatility"] == [(START + 2 * HOUR, START + 3 * HOUR)]
    assert found["emergency"] == []
    (marks,) = axes.get_lines()
    assert [at for at, _ in series(marks)] == [START + HOUR // 2, START + 7 * HOUR // 2]


def test_figure__slots_that_were_not_posted__have_a_number_and_a_line_with_the_reason() -> None:
    figure = drawn(
        slot(0),
        slot(1, state="held", reason="registry:step+day_drift"),
        slot(2, state="skipped", reason="unpriced:USDC:too_old"),
        slot(3, state="skipped", reason="unpriced:USDC:too_old"),
        slot(4),
        slot(5, state="failed", reason="chain: $x$\nno node"),
    )
    assert texts_inside(figure) == ["1", "2", "3"]
    lines = [text for text in titles(figure) if text[:3] in ("1  ", "2  ", "3  ")]
    assert lines[0].startswith("1  2023-11-15 00:00: held, registry:step+day_drift. The change is larger than")
    assert lines[1].startswith("2  2023-11-15 01:00 to 02:00, 2 slots: skipped, unpriced:USDC:too_old. An asset")
    assert lines[2] == "3  2023-11-15 04:00: failed, chain: $x$ no node"
    assert not any(text.get_parse_math() for text in figure.texts)
    ended = panel(figure, "Slots that were not posted")
    assert [label.get_text() for label in ended.get_yticklabels()] == ["held", "skipped", "failed"]
    marks = [(round(at * 86_400), row) for mark in ended.get_lines() for at, row in points(mark)]
    assert marks == [(START + hour * HOUR, row) for hour, row in ((1, 0), (2, 1), (3, 1), (5, 2))]


@pytest.mark.parametrize(("back", "until"), [(3, 3), (5, 3)])
def test_figure__high_volatility_that_ends_between_quarters__lasts_to_the_full_hour_and_no_longer(
    back: int, until: int
) -> None:
    figure = drawn(slot(2, cadence="high_volatility"), slot(2.25, cadence="high_volatility"), slot(back))
    found = bands(panel(figure, "Cadence"))
    assert found["high_volatility"] == [(START + 2 * HOUR, START + until * HOUR)]
    assert found["hourly"] == [(START + back * HOUR, START + (back + 1) * HOUR)]


def test_figure__more_endings_than_numbers__says_how_many_have_none() -> None:
    slots = [slot(hour, state="held" if hour % 2 else "skipped", reason=str(hour)) for hour in range(50)]
    figure = drawn(*slots)
    assert texts_inside(figure) == [str(number) for number in range(1, MOST_NUMBERED + 1)]
    assert "and 30 shorter runs without a number (30 slots)" in titles(figure)
    marks = panel(figure, "Slots that were not posted").get_lines()
    assert sum(len(points(mark)) for mark in marks) == 50


def test_figure__no_slots__says_so_and_draws_nothing() -> None:
    figure = drawn()
    assert "There is nothing to draw: no slot lies in this range." in " ".join(titles(figure))
    assert not [at for axes in figure.axes for each in axes.get_lines() for at in points(each)]
    assert picture_bytes(FundPicture("fund", "Test", ()), ".png").startswith(b"\x89PNG")


def test_figure__every_slot_failed__has_no_price_and_one_line() -> None:
    failed = [slot(hour, None, state="failed", reason="chain", status=NOT_VALUED) for hour in range(5)]
    figure = drawn(*failed)
    assert "no price per share in any slot" in texts_inside(figure)
    assert [axes.get_title() for axes in figure.axes] == [""] * 4
    assert bands(panel(figure, "Status"))["not valued"] == [(START, START + 5 * HOUR)]
    assert [text for text in titles(figure) if text.startswith("1  ")] == [
        "1  2023-11-14 23:00 to 2023-11-15 03:00, 5 slots: failed, chain"
    ]


def test_figure__one_asset__is_1600_by_1200_and_more_assets_make_it_higher() -> None:
    one = drawn(slot(0, prices={"USDC": estimate("1", VOTES)}))
    assert tuple(one.get_size_inches()) == (WIDTH, HEIGHT)
    many = drawn(slot(0, prices={str(each): estimate("1", asset=str(each)) for each in range(9)}))
    assert many.get_size_inches()[1] > HEIGHT
    heights = [axes.get_position().height * many.get_size_inches()[1] for axes in many.axes[:9]]
    assert min(heights) > 1.5


def test_figure__names_of_states__all_have_a_row_and_a_mark() -> None:
    assert {status.value for status in NavStatus} <= set(STATUS_COLOURS)
    assert {state.value for state in SlotState} - {"posted"} == set(ENDING_COLOURS) == set(ENDING_MARKERS)
    assert {cadence.value for cadence in Cadence} == set(CADENCE_COLOURS)


def many_slots(count: int) -> tuple[PicturedSlot, ...]:
    """Slots in which everything changes from one to the next: the most that there can be to draw."""
    states, statuses = ("posted", "held", "skipped"), tuple(STATUS_COLOURS)
    return tuple(
        slot(
            index,
            f"1.{index % 97:02}",
            served="1",
            state=states[index % 3],
            reason=None if index % 3 == 0 else str(index % 7),
            status=statuses[index % len(statuses)],
            prices={
                "USDC": estimate(
                    f"1.{index % 89:02}",
                    {group: f"1.{(index * step) % 91:02}" for group, step in (("a", 1), ("b", 3), ("c", 7))},
                    excluded=[("USDC.c", "outlier")],
                )
            },
        )
        for index in range(count)
    )


def texts_of(figure: Figure) -> list[Text]:
    """Every text that can be seen."""
    texts = list(figure.texts)
    for axes in figure.axes:
        legend = axes.get_legend()
        texts += [*axes.texts, *(legend.get_texts() if legend else ()), *axes.get_yticklabels(), axes.xaxis.label]
    return [*texts, *figure.axes[-1].get_xticklabels()]


def extent(text: Text) -> Bbox:
    """The room that a text takes, with the circle around a number but without its leader."""
    around = text.get_bbox_patch()
    return text.get_window_extent() if around is None else around.get_window_extent()


def crowded(index: int) -> PicturedSlot:
    groups = [f"group-{number}-of-a-name-that-is-rather-long" for number in range(8)]
    refused = [(f"{asset}.{groups[index % 3]}", reason) for asset in ("A", "B") for reason in REFUSAL_MARKERS]
    prices = {
        asset: estimate("1.5", dict.fromkeys(groups, "1.5"), asset=asset, excluded=refused) for asset in ("A", "B")
    }
    state = tuple(ENDING_COLOURS)[index % len(ENDING_COLOURS)]
    status = tuple(STATUS_COLOURS)[index % len(STATUS_COLOURS)]
    # Twice as many as have numbers, all within minutes, and one far away.
    hour = 0 if index == 0 else 200 + index / 60
    return slot(hour, served="1", state=state, reason="registry:step+day_drift+held", status=status, prices=prices)


def test_figure__crowded_page__no_text_lies_on_another_or_leaves_the_page() -> None:
    figure = drawn(*(crowded(index) for index in range(40)))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    page = figure.bbox
    boxes = [(text.get_text(), extent(text)) for text in texts_of(figure) if text.get_text()]
    assert len(boxes) > 100
    for text, box in boxes:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    for (one, box), (other, over) in combinations(boxes, 2):
        assert not box.padded(-1).overlaps(over.padded(-1)), (one, other)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_figure__10_000_slots__are_drawn_in_bounded_time(suffix: str) -> None:
    picture = FundPicture("fund", "Test", many_slots(10_000))
    begun = time.process_time()
    assert picture_bytes(picture, suffix)
    assert time.process_time() - begun < 60
