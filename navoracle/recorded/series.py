"""Recorded price series: a CSV file as an immutable table that never looks ahead.

A row is a step of the market (`timestamp,open,high,low,close,volume`, or `timestamp,price` for closes alone). Its close
is known when the step ends, so it counts as observed at the row's timestamp plus the step.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp, Wad

TIME_COLUMN: Final = "timestamp"
PRICE_COLUMNS: Final = ("close", "price")
PLACES: Final = 18
"""Decimal places of a price (Wad); an index of Aave has 27."""

MAX_PLACES: Final = 36
_DECIMAL: Final = re.compile(r"(-?[0-9]{1,40})(?:\.([0-9]+))?")

LATEST_SECONDS: Final = 10**11
"""No Unix time in seconds is this large; one in milliseconds is."""


class Observation(NamedTuple):
    """A price (Wad) and when it became known."""

    time: Timestamp
    price: Wad


class Gap(NamedTuple):
    """Neighbouring observations further apart than one step; `seconds` lie between them."""

    start: Timestamp
    end: Timestamp
    seconds: int


@dataclass(frozen=True, slots=True)
class Series:
    """Observations in order of time.

    Attributes:
        name: what it was loaded from, for messages.
        step: seconds between rows.
        times: when each price became known (row time + step), strictly increasing.
        prices: the prices, positive; scaled by 10**places.
        places: 18 (Wad) for prices; an index may have more.
    """

    name: str
    step: int
    times: tuple[Timestamp, ...]
    prices: tuple[Wad, ...]
    places: int = PLACES

    @property
    def start(self) -> Timestamp:
        """When the first price became known."""
        return self.times[0]

    @property
    def end(self) -> Timestamp:
        """When the last price became known."""
        return self.times[-1]

    def latest(self, now: Timestamp) -> Observation | None:
        """The newest observation known at `now`; None before the first one."""
        index = bisect_right(self.times, now) - 1
        return None if index < 0 else Observation(self.times[index], self.prices[index])

    def gaps(self) -> tuple[Gap, ...]:
        """Every place where more than one step lies between neighbours."""
        return tuple(
            Gap(before, after, after - before) for before, after in pairwise(self.times) if after - before > self.step
        )


def load_series(path: Path, *, step: int | None = None, column: str | None = None, places: int = PLACES) -> Series:
    """Load a CSV file.

    A price of more decimal places than `places` is rounded down to them. Other columns than the timestamp and the price
    are not read.

    Args:
        path: the file; UTF-8, with a header row.
        step: seconds between rows; None takes the most common difference (the smallest of equally common ones).
        column: the header's name of the column to read; None takes `close` or `price`, whichever there is.
        places: decimal places that are kept, 0 to 36.

    Raises:
        UsageError: the file cannot be read, lacks a column or rows, or a row is malformed, out of order, repeated or
            not positive; the message names the file and the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            times, prices = _parse(path, csv.reader(file, strict=True), column, places)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}", advice="Check the path and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text", advice="Save the file as CSV in UTF-8.") from error
    except csv.Error as error:
        raise UsageError(f"{path}: is not CSV: {error}", advice="Save the file as comma-separated text.") from error
    seconds = _step(path, times) if step is None else step
    if seconds <= 0:
        raise UsageError(f"{path}: a step of {seconds} seconds", advice="Give a positive number of seconds.")
    return Series(str(path), seconds, tuple(Timestamp(time + seconds) for time in times), tuple(prices), places)


def _parse(path: Path, rows: Iterator[list[str]], column: str | None, places: int) -> tuple[list[int], list[Wad]]:
    header = [name.strip().lower() for name in next(rows, [])]
    time_column, price_column = _columns(path, header) if column is None else _named(path, header, column)
    times: list[int] = []
    prices: list[Wad] = []
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(header):
            _refuse(path, line, f"has {len(row)} fields, the header {len(header)}", "Give every row every column.")
        time = _time(path, line, row[time_column].strip())
        if times and time == times[-1]:
            _refuse(path, line, f"repeats the time {time}", "Keep one row per time.")
        if times and time < times[-1]:
            _refuse(path, line, f"the time {time} is earlier than the row before", "Sort the rows by time.")
        times.append(time)
        prices.append(_price(path, line, row[price_column].strip(), places))
    if not times:
        raise UsageError(f"{path}: has no rows", advice="Give a series with at least one row.")
    return times, prices


def _columns(path: Path, header: Sequence[str]) -> tuple[int, int]:
    found = [name for name in PRICE_COLUMNS if name in header]
    if TIME_COLUMN not in header or len(found) != 1 or len(set(header)) != len(header):
        raise UsageError(
            f"{path}:1: the header is {','.join(header) or 'missing'}",
            advice="Begin with the header timestamp,open,high,low,close,volume or timestamp,price.",
        )
    return header.index(TIME_COLUMN), header.index(found[0])


def _named(path: Path, header: Sequence[str], column: str) -> tuple[int, int]:
    name = column.strip().lower()
    if TIME_COLUMN not in header or header.count(name) != 1 or len(set(header)) != len(header):
        raise UsageError(
            f"{path}:1: the header is {','.join(header) or 'missing'}, and {column} is to be read",
            advice=f"Begin with a header that has {TIME_COLUMN} and {column}, each once.",
        )
    return header.index(TIME_COLUMN), header.index(name)


def _time(path: Path, line: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= PLACES):
        _refuse(path, line, f"{text!r} is not a time", "Write Unix seconds: 1678338000.")
    time = int(text)
    if time >= LATEST_SECONDS:
        _refuse(path, line, f"the time {time} is not in seconds", "Divide milliseconds by 1000.")
    return time


def _price(path: Path, line: int, text: str, places: int) -> Wad:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        _refuse(path, line, f"{text!r} is not a price", 'Write a plain decimal number: "0.9987".')
    whole, fraction = match.group(1), match.group(2) or ""
    price = Wad(int(whole + fraction[:places].ljust(places, "0")))
    if price <= 0:
        _refuse(path, line, f"the price {text} is not positive", "Remove rows without a price; nothing is worth zero.")
    return price


def _step(path: Path, times: Sequence[int]) -> int:
    differences = Counter(after - before for before, after in pairwise(times))
    if not differences:
        raise UsageError(
            f"{path}: has one row, so its step is not known", advice="Give the step, or a series of more rows."
        )
    most = max(differences.values())
    return min(difference for difference, count in differences.items() if count == most)


def _refuse(path: Path, line: int, what: str, advice: str) -> NoReturn:
    raise UsageError(f"{path}:{line}: {what}", advice=advice)
