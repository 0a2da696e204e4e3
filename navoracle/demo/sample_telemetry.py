"""Sample telemetry: what a router and an executor of the demo's funds would measure, made up for its pages.

Nobody trades in the demo's world. `stable` and `multi` have files as routers and executors write them, which say of
themselves that they are made up; `levered-pt` has none, and its figures stay unknown. Every figure wanders between two
bounds from hour to hour, and is the same at the same time.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from navoracle.config.state_files import ExternalSection
from navoracle.domain.units import Timestamp

ORIGIN: Final = "made up by the demo"
"""What the files say of their own figures."""

_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Wandering:
    """A figure between two bounds, each in units of 10 ** -places."""

    lowest: int
    highest: int
    places: int = 0

    def at(self, name: str, now: Timestamp) -> int | float:
        """The figure of that name at a time in Unix seconds: between those of two full hours, cut to its places."""
        hour, second = divmod(now, _HOUR)
        before, after = self._of(name, hour), self._of(name, hour + 1)
        units = before + (after - before) * second // _HOUR
        return units / 10**self.places if self.places else units

    def _of(self, name: str, hour: int) -> int:
        return random.Random(f"{name} {hour}").randint(self.lowest, self.highest)  # noqa: S311 a story, not a secret


Figures: TypeAlias = Mapping[str, "Wandering | str | Figures"]
"""What is said under each name: a figure that moves, a word, or more of them."""


def _router(slippage: Wandering) -> Figures:
    """Orders that are neither filled as maker nor taken are cancelled: the two parts never make more than one."""
    return {
        "origin": ORIGIN,
        "maker_fill_rate": Wandering(7_400, 8_800, 4),
        "fallback_ratio": Wandering(300, 1_000, 4),
        "slip_q50_bps": slippage,
        "orders_24h": Wandering(180, 260),
    }


def _symbol(spread: Wandering, depth: Wandering) -> Figures:
    return {"origin": ORIGIN, "spread_bps": spread, "depth_usd": depth}


_EXECUTION: Final[Figures] = {
    "origin": ORIGIN,
    "fill_time_q50_s": Wandering(8, 45, 1),
    "rejected_ratio": Wandering(0, 150, 4),
    "exchange_fees_bps": Wandering(60, 180, 2),
}

_NOT_HELD: Final[Figures] = {
    **_symbol(Wandering(120, 350, 2), Wandering(300_000, 700_000)),
    "dd_today_pct": Wandering(20, 180, 4),
    "dd_state": "normal",
    "atr_ratio": Wandering(800, 1_200, 3),
    "atr_regime": "normal",
    "atr_pct": Wandering(15, 60, 4),
}
"""A symbol that the router trades and the fund does not hold: nobody but telemetry speaks of it."""

MEASURED: Final[Mapping[str, Mapping[str, Figures]]] = {
    "stable": {
        "router": _router(Wandering(5, 30, 2)),
        "symbols": {
            "USDC": _symbol(Wandering(10, 40, 2), Wandering(4_000_000, 9_000_000)),
            "USDT": _symbol(Wandering(10, 60, 2), Wandering(3_000_000, 8_000_000)),
        },
        "execution": _EXECUTION,
    },
    "multi": {
        "router": _router(Wandering(60, 220, 2)),
        "symbols": {
            "WBTC": _symbol(Wandering(80, 200, 2), Wandering(900_000, 2_500_000)),
            "ETH": _symbol(Wandering(50, 160, 2), Wandering(1_200_000, 3_000_000)),
            "SOL": _NOT_HELD,
        },
        "execution": _EXECUTION,
    },
}
"""What is measured, by fund and part."""


class SampleTelemetry:
    """Writes the files of all funds that have any: FOLDER/FUND/router.json, symbols.json, execution.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def section(self) -> ExternalSection:
        """Where a configuration finds them."""
        folder = self._folder / "{fund}"
        return ExternalSection(
            router=folder / "router.json", symbols=folder / "symbols.json", execution=folder / "execution.json"
        )

    def write(self, now: Timestamp) -> None:
        """Write what is measured at a time, Unix seconds; a folder that cannot be used stops nothing, and is told."""
        try:
            for fund, parts in MEASURED.items():
                (self._folder / fund).mkdir(parents=True, exist_ok=True)
                for part, figures in parts.items():
                    said = {"updated_at": now, part: _said(f"{fund} {part}", figures, now)}
                    _write(self._folder / fund / f"{part}.json", said)
        except OSError as error:
            structlog.get_logger("navoracle.demo").warning("sample_telemetry_not_written", error=str(error))


def _said(whose: str, figures: Figures, now: Timestamp) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, each in figures.items():
        if isinstance(each, str):
            said[name] = each
        else:
            path = f"{whose} {name}"
            said[name] = each.at(path, now) if isinstance(each, Wandering) else _said(path, each, now)
    return said


def _write(file: Path, document: Mapping[str, Any]) -> None:
    """A whole file in place of the one before: the keeper may be reading it."""
    made = file.with_name(f".{file.name}.new")
    made.write_text(json.dumps(document), encoding="utf-8")
    made.replace(file)
