"""One row of a recorded series as readers get it: `{"time": Unix seconds, "price": "decimal"}`."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from navoracle.domain.errors import EmptyResult, MalformedResult
from navoracle.domain.units import Timestamp

MAX_BYTES: Final = 1_024
"""A longer row is refused unread: deeply nested JSON can bring the interpreter down."""

_DECIMAL: Final = re.compile(r"(-?[0-9]{1,60})(?:\.([0-9]{1,60}))?")


def decode_row(data: bytes, places: int) -> tuple[Timestamp, int]:
    """The row's time, and its figure scaled by 10**places; exact.

    Raises:
        EmptyResult: no row.
        MalformedResult: not exactly these two keys, values of other types, or more decimal places than `places`.
    """
    if not data:
        raise EmptyResult("no recorded row", advice="Check that the series covers the time of the frame.")
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes, more than {MAX_BYTES}")
        row: Any = json.loads(data)
        if not isinstance(row, dict) or set(row) != {"time", "price"}:
            raise ValueError("expected the keys time and price")
        time, price = row["time"], row["price"]
        if type(time) is not int or not isinstance(price, str):
            raise ValueError("expected an integer time and a price in quotes")
        return Timestamp(time), _scaled(price, places)
    except (ValueError, RecursionError) as error:
        raise MalformedResult(
            f"a recorded row is malformed: {error}", advice='Supply rows as {"time": 1678338000, "price": "0.9987"}.'
        ) from error


def _scaled(text: str, places: int) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a decimal number")
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > places:
        raise ValueError(f"{text!r} has more than {places} decimal places")
    return int(whole + fraction.ljust(places, "0"))
