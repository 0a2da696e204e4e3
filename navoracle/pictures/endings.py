"""Slots that were not posted, in runs of one ending and reason, numbered for the list under the picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from navoracle.domain.units import Timestamp
from navoracle.pictures.slots import PicturedSlot
from navoracle.telemetry.error_codes import explain

MOST_NUMBERED: Final = 20
"""Runs that get a number and a line; the picture says how many others there are."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Slots in succession that ended alike and were not posted; `number` is None beyond MOST_NUMBERED."""

    first: Timestamp
    last: Timestamp
    slots: int
    state: str
    reason: str | None
    number: int | None

    @property
    def text(self) -> str:
        """When, how many, how, and the reason as it was recorded."""
        when = moment(self.first)
        if self.slots > 1:
            same_day = self.first // 86_400 == self.last // 86_400
            when += f" to {moment(self.last)[-5:] if same_day else moment(self.last)}, {self.slots} slots"
        return f"{when}: {self.state}, {printable(self.reason or 'no reason given')}"


def list_lines(endings: Iterable[Ending]) -> list[str]:
    """A line for each numbered run; what a reason means stands where it comes first. Then how many have no number."""
    told: set[str | None] = set()
    lines, slots, others = [], 0, 0
    for ending in endings:
        if ending.number is None:
            slots, others = slots + ending.slots, others + 1
            continue
        line = f"{ending.number}  {ending.text}"
        if ending.reason not in told and (means := meaning(ending.reason)):
            line += f". {means}"
        told.add(ending.reason)
        lines.append(line)
    if others:
        lines.append(f"and {others} shorter runs without a number ({slots} slots)")
    return lines


def meaning(reason: str | None) -> str:
    """What the guide says of a slot's reason; empty where it says nothing."""
    if reason is None:
        return ""
    place, _, rest = reason.partition(":")
    if place == "registry":
        found = [explain("registry", part) for part in rest.split("+")]
    elif place == "preflight":
        found = [explain("preflight", rest)]
    else:
        found = [explain("slot", reason) or explain("guard", reason)]
    # The guide's form of a code, in brackets and backticks, is no news beside the code itself.
    return " ".join(re.sub(r" \(`[^)]*\)", "", code.message) for code in found if code is not None)


def endings_of(slots: Iterable[PicturedSlot]) -> tuple[Ending, ...]:
    """Every run, oldest first. Where there are too many, those of the most slots are numbered, the older ones first."""
    runs = [
        (state, reason, tuple(run))
        for (state, reason), run in groupby(slots, key=lambda slot: (slot.state, slot.reason))
        if state != "posted"
    ]
    longest = sorted(range(len(runs)), key=lambda index: (-len(runs[index][2]), index))[:MOST_NUMBERED]
    numbers = {index: number for number, index in enumerate(sorted(longest), start=1)}
    return tuple(
        Ending(run[0].time, run[-1].time, len(run), state, reason, numbers.get(index))
        for index, (state, reason, run) in enumerate(runs)
    )


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move ascending places as little as can be (least squares) so that each is `gap` from the next, within bounds.

    Raises:
        ValueError: they do not fit between the bounds.
    """
    if (len(places) - 1) * gap > high - low:
        raise ValueError(f"{len(places)} places {gap} apart do not fit between {low} and {high}")
    # Less their own room, places a gap apart only have to ascend: isotonic regression by pooling adjacent violators.
    pools: list[tuple[float, int]] = []
    for index, place in enumerate(places):
        mean, size = place - index * gap, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    most = high - (len(places) - 1) * gap
    flat = [min(max(mean, low), most) for mean, size in pools for _ in range(size)]
    return [place + index * gap for index, place in enumerate(flat)]


def moment(time: Timestamp) -> str:
    """Date and minute in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def printable(text: str) -> str:
    """The text on one line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
