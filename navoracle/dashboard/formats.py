"""Figures as people read them: exact text goes in, rounded text comes out. What is not known is "n/a", never zero."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

UNKNOWN: Final = "n/a"

_CONTEXT: Final = Context(prec=120, rounding=ROUND_HALF_EVEN)
_WAD_PLACES: Final = -18


def of_wad(text: str | None) -> str | None:
    """Wad text (an integer of scale 10**18) as decimal text, exactly, without trailing zeros."""
    if text is None:
        return None
    found = f"{Decimal(text).scaleb(_WAD_PLACES, _CONTEXT):f}".rstrip("0").rstrip(".")
    return "0" if found == "-0" else found


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


def price(text: str | None) -> str:
    """A price: two places from a hundred on, and below that as many as show six digits of it, 18 at most."""
    if text is None:
        return UNKNOWN
    return amount(text, max(2, min(18, 5 - Decimal(text).adjusted())) if Decimal(text) else 2)


def percent(fraction: str | None, places: int = 2) -> str:
    """A fraction as percent: 0.0123 is 1.23 %."""
    return UNKNOWN if fraction is None else f"{_rounded(Decimal(fraction).scaleb(2, _CONTEXT), places):,f} %"


def basis_points(bps: int | None) -> str:
    """Basis points as percent, exactly: 9250 is 92.50 %."""
    return UNKNOWN if bps is None else f"{bps // 100}.{bps % 100:02d} %"


def signed_bps(bps: int) -> str:
    """Basis points as percent with a sign, exactly: -50 is -0.50 %."""
    return f"{'-' if bps < 0 else '+' if bps else ''}{basis_points(abs(bps))}"


def change_of(text: str | None, reference: str | None) -> str | None:
    """How far one amount is from another, in percent of that one, with a sign; None where that cannot be said."""
    if text is None or reference is None or Decimal(reference) == 0:
        return None
    part = _CONTEXT.divide(_CONTEXT.subtract(Decimal(text), Decimal(reference)), Decimal(reference))
    return signed(f"{part.scaleb(2, _CONTEXT):f}", 3) + " %"


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


def ether(text: str | None) -> str:
    """An integer of wei as whole units of the chain's own coin, six places."""
    return UNKNOWN if text is None else amount(of_wad(text), 6)


def duration(seconds: int) -> str:
    """Seconds as the largest two units: 90061 is 1 d 1 h."""
    for size, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {name} {seconds % size // smaller} {smaller_name}"
    return f"{seconds} s"


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


def rounded(text: str, places: int) -> Decimal:
    """Decimal text as a number of so many places."""
    return _rounded(Decimal(text), places)


def is_positive(text: str) -> bool:
    """Whether decimal text is above zero."""
    return Decimal(text) > 0


def part_of(text: str, total: str | None) -> str | None:
    """One amount over another, as a fraction; None where the other one is not known, or zero."""
    if total is None or Decimal(total) == 0:
        return None
    return f"{_CONTEXT.divide(Decimal(text), Decimal(total)):f}"
