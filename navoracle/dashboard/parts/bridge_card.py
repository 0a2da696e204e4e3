"""Why the NAV is another one than at the last post, and what it is made of now and then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.chart import TOOLTIP, Chart
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, exact, unknown
from navoracle.read_model.bridges import Bridge
from navoracle.read_model.frame import Components, FrameDetail

STEPS: Final = (
    ("price", "Prices"),
    ("income", "Income"),
    ("fees", "Fees"),
    ("flows", "Flows"),
    ("unexplained", "Unexplained"),
)
COMPONENTS: Final = (
    ("cash", "Cash", 1),
    ("collateral", "Collateral", 1),
    ("accrued_income", "Accrued income", 1),
    ("rewards", "Rewards", 1),
    ("debt", "Debt", -1),
    ("pending_withdrawals", "Pending withdrawals", -1),
    ("margin_calls", "Margin calls", -1),
    ("fees", "Fees payable", -1),
)
_NAV, _UP, _DOWN = (
    dict.fromkeys(("color", "color0", "borderColor", "borderColor0"), colour)
    for colour in ("--slice-1", "--good", "--bad")
)
"""Colours of a whole NAV, and of a step up and down: said of each bar, whatever the library takes for up."""

_REST: Final = (
    'Flows are not known without a vault of the fund\'s own: deposits, redemptions and trades are in "Flows and rest".'
)
_UNEXPLAINED: Final = (
    "Unexplained is trading against the prices, interest that compounds inside balances, and whatever is wrong."
)


WIDE_ENOUGH: Final = 480
"""Pixels of the picture up to which the names of its steps would lie on one another."""


class BridgeCard:
    """The card."""

    def __init__(self) -> None:
        with Card("bridge", "What changed since the last post", "half"):
            self._note = Text("p", "", "note")
            self._chart = Chart({}, label="Bridge").classes("chart")
            self._table = Records(
                [Column("step", "Step", head=True), Column("amount", "Amount", "number")], caption="Bridge"
            )

    def show(self, bridge: Bridge | None, why: str) -> None:
        """Show the bridge of the newest frame; `why` says why there is none."""
        self._chart.set_visibility(bridge is not None)
        self._table.set_visibility(bridge is not None)
        if bridge is None:
            self._note.say(f"n/a: {why}. The components beside it compare the newest frame with the posted one.")
            return
        rest = _REST if bridge.flows is None else _UNEXPLAINED
        said = "NAV of the shares outstanding, without queued deposits. The axis does not begin at zero."
        self._note.say(f"{said} {rest}")
        steps = _steps(bridge)
        said = ", ".join(f"{name} {formats.signed(amount)}" for name, amount in steps if amount is not None)
        self._chart.show(waterfall(bridge), label=f"Bridge of the NAV: {said}")
        rows = [("Then", formats.of_wad(bridge.before)), *steps, ("Now", formats.of_wad(bridge.now))]
        self._table.show([_amount_row(name, amount, signed=name not in ("Then", "Now")) for name, amount in rows])


class ComponentsCard:
    """What the NAV is made of: at the post before, in the newest slot's frame, and there with queued deposits."""

    def __init__(self) -> None:
        with Card("components", "Components", "half"):
            self._table = Records(
                [
                    Column("name", "Component", head=True),
                    Column("posted", "Post before", "number"),
                    Column("before", "Newest slot", "number"),
                    Column("after", "With queued deposits", "number"),
                ],
                caption="Components of the NAV",
                empty="n/a: no frame has valued the fund",
            )

    def show(self, newest: FrameDetail | None, posted: FrameDetail | None) -> None:
        """Show the newest frame beside that of the post from which it changed."""
        then = None if posted is None else posted.components_before
        before = None if newest is None else newest.components_before
        after = None if newest is None else newest.components_after
        if before is None and then is None:
            self._table.show([])
            return
        names = [(name, label, sign) for name, label, sign in COMPONENTS]
        rows = [
            {
                "key": name,
                "name": label,
                **{
                    column: _component(part, name, sign)
                    for column, part in (("posted", then), ("before", before), ("after", after))
                },
            }
            for name, label, sign in [*names, ("nav", "NAV", 1)]
        ]
        self._table.show(rows)


def waterfall(bridge: Bridge) -> dict[str, Any]:
    """The options of the chart: each step stands where the one before has brought the NAV.

    A bar is a candle, whose body reaches from one level to the next, below zero too.
    """
    before, now = formats.of_wad(bridge.before) or "0", formats.of_wad(bridge.now) or "0"
    level = float(formats.rounded(before, 2))
    bars: list[tuple[str, str, float, float]] = []
    for name, amount in _steps(bridge):
        if amount is not None:
            after = round(level + float(formats.rounded(amount, 2)), 2)
            bars.append((name, formats.signed(amount), level, after))
            level = after
    first, last = float(formats.rounded(before, 2)), float(formats.rounded(now, 2))
    floor, top = _ends([first, last, *(each for _, _, start, end in bars for each in (start, end))])
    whole = [("Then", formats.amount(before), floor, first), *bars, ("Now", formats.amount(now), floor, last)]
    return {
        "grid": {"left": 90, "right": 12, "top": 16},
        # Names stand beside one another where there is room for all of them, else aslant.
        "media": [
            _names(bottom=30, aslant=0),
            {"query": {"maxWidth": WIDE_ENOUGH}, **_names(bottom=66, aslant=40)},
        ],
        "tooltip": {**TOOLTIP, "trigger": "item", "formatter": "{b}"},
        "xAxis": {
            "type": "category",
            "data": [name for name, _, _, _ in whole],
            "axisLabel": {"color": "--quiet", "interval": 0, "fontSize": 11},
        },
        "yAxis": {
            "type": "value",
            "min": floor,
            "max": top,
            "axisLabel": {"color": "--quiet", "showMinLabel": False, "showMaxLabel": False},
            "splitLine": {"lineStyle": {"color": "--border"}},
        },
        "series": [
            {
                "type": "candlestick",
                "barWidth": "60%",
                "data": [
                    {
                        "name": f"{name}: {said}",
                        "value": [start, end, min(start, end), max(start, end)],
                        "itemStyle": _NAV if name in ("Then", "Now") else _DOWN if end < start else _UP,
                    }
                    for name, said, start, end in whole
                ],
            }
        ],
    }


def _names(*, bottom: int, aslant: int) -> dict[str, Any]:
    return {"option": {"grid": {"bottom": bottom}, "xAxis": {"axisLabel": {"rotate": aslant}}}}


def _ends(levels: Sequence[float]) -> tuple[float, float]:
    """Between what the axis reaches, so that the steps are seen beside a NAV that is many times as large."""
    low, high = min(levels), max(levels)
    room = (high - low or abs(high) / 1_000 or 1.0) / 4
    return round(low - room, 6), round(high + room, 6)


def _steps(bridge: Bridge) -> Sequence[tuple[str, str | None]]:
    found = [(label, formats.of_wad(getattr(bridge, name))) for name, label in STEPS]
    if bridge.flows is None or bridge.unexplained is None:
        found = [*found[:3], ("Flows and rest", formats.of_wad(bridge.residual))]
    return found


def _amount_row(name: str, amount: str | None, *, signed: bool) -> dict[str, Any]:
    if amount is None:
        return {"key": name, "step": name, "amount": unknown("flows are not known")}
    return {"key": name, "step": name, "amount": exact((formats.signed if signed else formats.amount)(amount), amount)}


def _component(part: Components | None, name: str, sign: int) -> Any:
    if part is None:
        return unknown("not valued, or nothing was posted")
    text = formats.of_wad(getattr(part, name))
    if text is None:
        return unknown()
    owed = sign < 0 and formats.is_positive(text)
    return exact(f"{'-' if owed else ''}{formats.amount(text)}", text)
