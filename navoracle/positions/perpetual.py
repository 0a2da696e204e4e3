"""One open position of a derivatives account, as ccxt's unified answer states it, and what can be checked of it.

`contracts x contractSize` is an amount of the base where the contract is linear (it settles in its quote) and of quote
dollars where it is inverse (it settles in its base). The notional is never a value: it only bounds what is checked.
All figures are integers of 18 places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import BPS, WAD, Bps, Rounding, mul_div
from navoracle.services import decimal_of

PLACES: Final = 18
MarginMode = Literal["cross", "isolated"]

_SYMBOL = re.compile(r"([^/:]+)/([^/:]+):([^/:-]+)(?:-[0-9]{6,8})?")
"""A perpetual, or a future with its date; an option's value is not its profit."""
_SIGNS: Final = {"long": 1, "short": -1}


class Perpetual(NamedTuple):
    """An open position.

    Attributes:
        inverse: whether it settles in its base; None where it settles in neither base nor quote.
        size: contracts x contract size, rounded up; None, as the prices, where the exchange does not state it.
        unrealized: profit or loss in `settle`, rounded down.
        maintenance: maintenance margin in `settle`, rounded up.
        collateral: what an isolated position has for itself, in `settle`, rounded down.
    """

    symbol: str
    side: Literal["long", "short"]
    settle: str
    inverse: bool | None
    size: int | None
    mark: int | None
    entry: int | None
    unrealized: int
    margin_mode: MarginMode | None
    maintenance: int | None
    collateral: int | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it apart: the two sides of a hedged market are two positions, and so are two margin modes."""
        return self.symbol, self.side, self.margin_mode or ""

    @property
    def base(self) -> str:
        """The exchange's code of what the market is of."""
        return self.symbol.partition("/")[0]

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.side} {self.symbol}"


def decode_perpetual(owner: str, stated: Mapping[str, Any]) -> Perpetual | None:
    """One entry of the unified positions; None for one that the exchange lists although it is closed.

    Raises:
        SourceRefused: no settlement currency, no side, or no unrealized profit is stated.
        MalformedResult: a figure is no number.
    """
    symbol = stated.get("symbol")
    match = _SYMBOL.fullmatch(symbol) if isinstance(symbol, str) else None
    if match is None:
        raise SourceRefused(
            f"{owner}: {symbol!r} is no perpetual or future that says what it settles in",
            advice="Perpetuals and futures in ccxt's naming are read, BTC/USDT:USDT; spot and options are not.",
        )
    base, quote, settle = match.groups()

    def figure(name: str, rounding: Rounding) -> int | None:
        value = stated.get(name)
        return None if value is None else decimal_of(value, PLACES, rounding, f"{owner}: {symbol} {name}")

    contracts, unrealized = figure("contracts", Rounding.DOWN), figure("unrealizedPnl", Rounding.DOWN)
    if contracts == 0 and not unrealized:
        return None
    side = stated.get("side")
    if side != "long" and side != "short":
        raise SourceRefused(f"{owner}: {symbol} is neither long nor short ({side!r})", advice="Look at the account.")
    if unrealized is None:
        raise SourceRefused(
            f"{owner}: {side} {symbol} states no unrealized profit",
            advice="A position whose profit is not known has no value; try another exchange id or account type.",
        )
    contract_size = figure("contractSize", Rounding.DOWN)
    size = None if contracts is None or contract_size is None else mul_div(contracts, contract_size, WAD, Rounding.UP)
    mode = stated.get("marginMode")
    return Perpetual(
        symbol=match.string,
        side=side,
        settle=settle,
        inverse=True if settle == base else False if settle == quote else None,
        size=size,
        mark=figure("markPrice", Rounding.DOWN),
        entry=figure("entryPrice", Rounding.DOWN),
        unrealized=unrealized,
        margin_mode=mode if mode in ("cross", "isolated") else None,
        maintenance=figure("maintenanceMargin", Rounding.UP),
        collateral=figure("collateral", Rounding.DOWN),
    )


def notional(owner: str, position: Perpetual) -> int:
    """The amount of the settlement currency that the position moves with, at its mark price; rounded up.

    Raises:
        SourceRefused: size or mark price is not stated, or it settles in a third currency.
    """
    size, mark, _ = _figures(owner, position)
    return mul_div(size, WAD, mark, Rounding.UP) if position.inverse else mul_div(size, mark, WAD, Rounding.UP)


def check_unrealized(owner: str, position: Perpetual, limit: Bps) -> None:
    """Hold the stated profit against size, entry and mark price: linear `size x (mark - entry)`, inverse
    `size x (1 / entry - 1 / mark)`, negative for a short position; compared exactly.

    Raises:
        SourceRefused: the two lie more than `limit` of the notional apart, or a figure is missing.
    """
    size, mark, entry = _figures(owner, position)
    profit = _SIGNS[position.side] * size * (mark - entry)
    # Both sides multiplied by WAD where linear, by entry x mark where inverse: nothing is divided.
    stated = position.unrealized * (entry * mark if position.inverse else WAD)
    scale = WAD if position.inverse else 1
    extent = size * (entry if position.inverse else mark)
    if abs(stated - profit * scale) * BPS > limit * extent * scale:
        raise SourceRefused(
            f"{owner}: {position.name} states a profit that its size, entry and mark price do not give",
            advice="The exchange may mark by another price, or count in other units; look before you widen "
            "`mark_tolerance_bps`.",
        )


def _figures(owner: str, position: Perpetual) -> tuple[int, int, int]:
    size, mark, entry = position.size, position.mark, position.entry
    if size is None or mark is None or entry is None or position.inverse is None:
        missing = "its size, entry or mark price" if position.inverse is not None else "a currency of the market"
        raise SourceRefused(
            f"{owner}: {position.name} cannot be checked: it lacks {missing}",
            advice="Set `verify_unrealized: false` and no `funding_allowance_bps` to take the exchange's word for it.",
        )
    if size <= 0 or mark <= 0 or entry <= 0:
        raise SourceRefused(
            f"{owner}: {position.name} states a size or price that is not positive",
            advice="Look at what the exchange answers.",
        )
    return size, mark, entry
