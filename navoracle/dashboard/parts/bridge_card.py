"""Why the NAV is another one than at the last post, and what it is made of now and then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.chart import TOOLTIP, Chart
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, exact, unknown
from navoracle.read_model.frame import Bridge, Components, FrameDetail

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


class BridgeCard:
    """The card."""

    def __init__(self) -> None:
        with Text("section", "", "card half", aria_labelledby="bridge-heading"):
            Text("h2", "What changed since the last post", id="bridge-heading")
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
        unexplained = "Flows are not known, so neither is what they leave unexplained." if bridge.flows is None else ""
        self._note.say(f"NAV of the shares outstanding, without queued deposits. {unexplained}".strip())
        steps = _steps(bridge)
        said = ", ".join(f"{name} {formats.signed(amount)}" for name, amount in steps if amount is not None)
        self._chart.show(waterfall(bridge), label=f"Bridge of the NAV: {said}")
        rows = [("Then", formats.of_wad(bridge.before)), *steps, ("Now", formats.of_wad(bridge.now))]
        self._table.show([_amount_row(name, amount, signed=name not in ("Then", "Now")) for name, amount in rows])


class ComponentsCard:
    """What the NAV is made of: at the last post, now, and with queued deposits."""

    def __init__(self) -> None:
        with Text("section", "", "card half", aria_labelledby="components-heading"):
            Text("h2", "Components", id="components-heading")
            self._table = Records(
                [
                    Column("name", "Component", head=True),
                    Column("posted", "Last post", "number"),
                    Column("before", "Now", "number"),
                    Column("after", "With queued deposits", "number"),
                ],
                caption="Components of the NAV",
                empty="n/a: no frame has valued the fund",
            )

    def show(self, newest: FrameDetail | None, posted: FrameDetail | None) -> None:
        """Show the newest frame beside the one that was posted last."""
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
    """The options of the chart: each step stands where the one before has brought the NAV."""
    level = float(formats.rounded(formats.of_wad(bridge.before) or "0", 2))
    names, hidden, up, down = ["Then"], [0.0], [level], [0.0]
    for name, amount in _steps(bridge):
        if amount is None:
            continue
        step = float(formats.rounded(amount, 2))
        names.append(name)
        hidden.append(min(level, level + step))
        up.append(max(step, 0.0))
        down.append(max(-step, 0.0))
        level += step
    names.append("Now")
    hidden.append(0.0)
    up.append(float(formats.rounded(formats.of_wad(bridge.now) or "0", 2)))
    down.append(0.0)
    stack = {"type": "bar", "stack": "nav"}
    ground = {"itemStyle": {"color": "transparent"}, "silent": True, "tooltip": {"show": False}}
    return {
        "grid": {"left": 80, "right": 12, "top": 16, "bottom": 30},
        "tooltip": {**TOOLTIP, "trigger": "item", "formatter": "{b}: {c}"},
        "xAxis": {"type": "category", "data": names, "axisLabel": {"color": "--quiet", "interval": 0, "fontSize": 11}},
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {"color": "--quiet"},
            "splitLine": {"lineStyle": {"color": "--border"}},
        },
        "series": [
            {**stack, **ground, "data": hidden},
            {**stack, "name": "up", "data": up, "itemStyle": {"color": "--slice-1"}},
            {**stack, "name": "down", "data": down, "itemStyle": {"color": "--slice-4"}},
        ],
    }


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
