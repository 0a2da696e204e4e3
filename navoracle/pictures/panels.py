"""The panels with a price on their axis: an asset's votes and estimate, what was excluded, and the price per share."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.pictures.axis import NOTHING, days, fitted, lasting, merged, price_axis, whole
from navoracle.pictures.slots import PicturedSlot
from navoracle.pictures.style import (
    BLUE,
    ENDING_COLOURS,
    ENDING_MARKERS,
    GREY,
    GROUP_COLOURS,
    GROUP_DASHES,
    INK,
    ORANGE,
    PALE,
    REFUSAL_MARKERS,
    VERMILION,
)

Legend = list[tuple[Artist, str]]


def nothing_here(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def draw_prices(axes: Axes, slots: Sequence[PicturedSlot], asset: str) -> Legend:
    """An asset's votes by group, the estimate, votes that were excluded, and when there was no live price."""
    estimates = [slot.prices.get(asset) for slot in slots]
    times = [days(slot.time) for slot in slots]
    legend: Legend = []
    for index, group in enumerate(sorted({vote.group for each in estimates if each for vote in each.votes})):
        dash = GROUP_DASHES[(index + index // len(GROUP_COLOURS)) % len(GROUP_DASHES)]
        (line,) = axes.plot(
            times,
            [_vote(each, group) for each in estimates],
            color=GROUP_COLOURS[index % len(GROUP_COLOURS)],
            linewidth=1.0,
            dashes=dash,
            marker=".",
            markersize=2.5,
            zorder=3,
        )
        legend.append((line, fitted(group, 1.6, 9)))
    estimate = [whole(None if each is None else each.price) for each in estimates]
    (line,) = axes.plot(times, estimate, color=INK, linewidth=2.2, marker=".", markersize=2.5, zorder=2)
    legend.append((line, "estimate"))
    decayed = [
        (at, value)
        for at, value, each in zip(times, estimate, estimates, strict=True)
        if each is not None and each.status is PriceStatus.ESTIMATED
    ]
    if decayed:
        legend.append((_points(axes, decayed, "o", ORANGE, hollow=True), "estimated (with haircut)"))
    excluded = [
        (at, whole(vote.price))
        for at, each in zip(times, estimates, strict=True)
        if each is not None
        for vote in each.votes
        if _is_excluded(each, vote.sources)
    ]
    kept = [
        whole(vote.price)
        for each in estimates
        if each is not None
        for vote in each.votes
        if not _is_excluded(each, vote.sources)
    ]
    bounds = price_axis(axes, [*estimate, *kept], [value for _, value in excluded])
    if excluded:
        legend.append((_points(axes, excluded, "x", VERMILION), "excluded vote"))
    if bounds is None:
        nothing_here(axes, f"no price of {asset} in any slot")
    else:
        beyond = [(at, value) for at, value in excluded if not bounds[0] <= value <= bounds[1]]
        for marker, edge, some in (
            ("^", bounds[1], [at for at, value in beyond if value > bounds[1]]),
            ("v", bounds[0], [at for at, value in beyond if value < bounds[0]]),
        ):
            if some:
                handle = _points(axes, [(at, edge) for at in some], marker, VERMILION, clip=False)
                legend.append((handle, "excluded vote beyond the axis"))
    legend += _outages(axes, slots, estimates)
    return legend


def _vote(estimate: PriceEstimate | None, group: str) -> float:
    votes = () if estimate is None else estimate.votes
    return next((whole(vote.price) for vote in votes if vote.group == group), NOTHING)


def _is_excluded(estimate: PriceEstimate, sources: Sequence[str]) -> bool:
    refused = {source for source, _ in estimate.excluded}
    return all(source in refused for source in sources)


def _points(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    marker: str,
    colour: str,
    *,
    hollow: bool = False,
    clip: bool = True,
) -> Line2D:
    (line,) = axes.plot(
        [at for at, _ in points],
        [value for _, value in points],
        linestyle="none",
        marker=marker,
        markersize=6,
        markeredgecolor=colour,
        markerfacecolor="white" if hollow else colour,
        markeredgewidth=1.4,
        clip_on=clip,
        zorder=5,
    )
    return line


def _outages(axes: Axes, slots: Sequence[PicturedSlot], estimates: Sequence[PriceEstimate | None]) -> Legend:
    """Shade when the asset could not be priced; an estimate has its own marks, and what was not asked stays blank."""
    gone = [
        span
        for span, each in zip(lasting(slots), estimates, strict=True)
        if each is not None and each.status is PriceStatus.UNAVAILABLE
    ]
    for start, end in merged(gone):
        axes.axvspan(start, end, facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0.6, zorder=1)
    if not gone:
        return []
    return [(Patch(facecolor=PALE, edgecolor=GREY, hatch="////"), "no price")]


def refusals(slots: Sequence[PicturedSlot], asset: str) -> dict[str, dict[str, list[float]]]:
    """The times at which each source was excluded, by source and reason, sorted."""
    found: dict[str, dict[str, list[float]]] = {}
    for slot in slots:
        estimate = slot.prices.get(asset)
        for source, reason in () if estimate is None else estimate.excluded:
            found.setdefault(source, {}).setdefault(reason, []).append(days(slot.time))
    return dict(sorted(found.items()))


def draw_refusals(axes: Axes, found: dict[str, dict[str, list[float]]], asset: str) -> Legend:
    """A row for each source that was ever excluded, with a mark for each time; its shape says the reason."""
    handles: dict[str, Artist] = {}
    for row, by_reason in enumerate(found.values()):
        for reason, times in by_reason.items():
            points = [(at, float(row)) for at in times]
            handles[reason] = _points(axes, points, REFUSAL_MARKERS.get(reason, "o"), INK)
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_yticks(range(len(found)), [fitted(source.removeprefix(f"{asset}."), 1.1, 9) for source in found], size=9)
    axes.grid(visible=False, axis="y")
    return [(handle, f"excluded: {reason.replace('_', ' ')}") for reason, handle in sorted(handles.items())]


def draw_price_per_share(axes: Axes, slots: Sequence[PicturedSlot]) -> Legend:
    """What was computed, what the contract served, and the slots that were not posted."""
    times = [days(slot.time) for slot in slots]
    served = [(at, whole(slot.served)) for at, slot in zip(times, slots, strict=True) if slot.served is not None]
    legend: Legend = []
    if served:
        (line,) = axes.plot(
            [at for at, _ in served],
            [value for _, value in served],
            color=BLUE,
            linewidth=4,
            alpha=0.45,
            drawstyle="steps-post",
            zorder=2,
        )
        legend.append((line, "served by the contract"))
    computed = [whole(slot.price_per_share) for slot in slots]
    (line,) = axes.plot(times, computed, color=INK, linewidth=1.1, marker=".", markersize=3, zorder=3)
    legend.append((line, "computed"))
    decayed = [
        (at, value)
        for at, value, slot in zip(times, computed, slots, strict=True)
        if slot.status == "estimated" and value == value
    ]
    if decayed:
        legend.append((_points(axes, decayed, "o", ORANGE, hollow=True), "estimated"))
    for state, colour in ENDING_COLOURS.items():
        ended = [
            (at, value)
            for at, value, slot in zip(times, computed, slots, strict=True)
            if slot.state == state and value == value
        ]
        if ended:
            legend.append((_points(axes, ended, ENDING_MARKERS[state], colour), f"{state}, as computed"))
    if price_axis(axes, [*computed, *(value for _, value in served)]) is None:
        nothing_here(axes, "no price per share in any slot")
        return []
    return legend
