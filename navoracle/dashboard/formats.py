"""Figures as people read them. Exact text goes in, rounded text comes out; what is not known stays "n/a", never zero."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

UNKNOWN: Final = "n/a"

_CONTEXT: Final = Context(prec=120, rounding=ROUND_HALF_EVEN)
_WAD_PLACES: Final = -18


def of_wad(text: str | None) -> str | None:
    """Wad text (an integer of scale 10**18) as decimal text, exactly."""
    return None if text is None else f"{Decimal(text).scaleb(_WAD_PLACES, _CONTEXT):f}"


def amount(text: str | None, places: int = 2) -> str:
    """Decimal text with separators: 1026000.005 is 1,026,000.00, rounded to the even digit."""
    return UNKNOWN if text is None else f"{_rounded(Decimal(text), places):,f}"


def per_share(text: str | None) -> str:
    """A price per share: six places."""
    return amount(text, 6)


def units(text: str | None) -> str:
    """An amount of a token: as many places as it has, six at most."""
    if text is None:
        return UNKNOWN
    shown = amount(text, 6)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def percent(fraction: str | None, places: int = 2) -> str:
    """A fraction as percent: 0.0123 is 1.23 %."""
    return UNKNOWN if fraction is None else f"{_rounded(Decimal(fraction).scaleb(2, _CONTEXT), places):,f} %"


def basis_points(bps: int | None) -> str:
    """Basis points as percent, exactly: 9250 is 92.50 %."""
    return UNKNOWN if bps is None else f"{bps // 100}.{bps % 100:02d} %"


def signed(text: str | None, places: int = 2) -> str:
    """As `amount`, with a sign before what is above zero."""
    if text is None:
        return UNKNOWN
    return ("+" if Decimal(text) > 0 else "") + amount(text, places)


def wei(text: str | None) -> str:
    """A difference of Wad amounts in wei, exactly: 0.000000000000000002 is +2 wei."""
    if text is None:
        return UNKNOWN
    whole = int(Decimal(text).scaleb(18, _CONTEXT))
    return f"{'+' if whole > 0 else ''}{whole:,d} wei"


def moment(at: int | None) -> str:
    """Unix seconds as a time of day in UTC."""
    return UNKNOWN if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def short_hash(text: str | None) -> str:
    """The beginning and end of a hash."""
    if text is None:
        return UNKNOWN
    return text if len(text) <= 18 else f"{text[:10]}…{text[-6:]}"


def word(text: str) -> str:
    """A machine's word for people: high_volatility is high volatility."""
    return text.replace("_", " ")


def _rounded(number: Decimal, places: int) -> Decimal:
    found = number.quantize(Decimal(1).scaleb(-places), context=_CONTEXT)
    return found if found else abs(found)
