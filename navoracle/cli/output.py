"""What a command says: its result on standard output, as tables or as one JSON document; errors on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from navoracle.domain.errors import NavoracleError
from navoracle.domain.units import BPS, Timestamp, format_wad

PIPE_WIDTH: Final = 140
"""Columns where there is no terminal to ask and COLUMNS says nothing."""

_WHOLE: Final = frozenset({"slot", "time", "last slot"})
"""Columns that are never broken: a time on two lines cannot be read down the column."""

Show = Callable[[Console], None]


def console(*, error: bool = False) -> Console:
    """Rich's console on standard output or error; colours only on a terminal and without NO_COLOR."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=error)


def present(document: Mapping[str, Any], show: Show, *, as_json: bool) -> None:
    """Print a command's result once: the document as JSON, or what `show` draws."""
    if as_json:
        print_json(document)
    else:
        show(console())


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document to standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def error_document(code: str, message: str, advice: str) -> dict[str, Any]:
    """An error as every command's JSON says it."""
    return {"error": {"code": code, "message": message, "advice": advice}}


def error_of(error: NavoracleError) -> dict[str, Any]:
    """The JSON of an error that was raised."""
    return error_document(error.code, error.message, error.advice)


def print_error(message: str, advice: str) -> None:
    """Say on standard error what is wrong, and what to do about it."""
    err = console(error=True)
    err.print(Text.assemble(("error: ", "bold red"), message))
    if advice:
        err.print(Text.assemble(("advice: ", "bold"), advice))


def table(*columns: str, title: str | None = None, right: tuple[str, ...] = ()) -> Table:
    """A plain table; columns named in `right` are aligned to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        made.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=column in _WHOLE
        )
    return made


def plain(text: object) -> str:
    """Text of the world, so that its brackets are no markup; a dash for nothing."""
    return "-" if text is None else escape(str(text))


def short_hash(text: str | None) -> str:
    """A hash for a table: its first and last digits; JSON has the whole."""
    return "-" if text is None else f"{text[:8]}…{text[-6:]}"


def money(amount: int | None, places: int = 2) -> str:
    """A Wad amount for people: thousands separated, digits beyond `places` cut off."""
    if amount is None:
        return "-"
    whole, _, fraction = format_wad(abs(amount), places).partition(".")
    digits = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    return f"-{digits}" if amount < 0 else digits


def percent(bps: int | None) -> str:
    """Basis points as per cent."""
    return "-" if bps is None else f"{bps * 100 // BPS}.{bps * 100 % BPS // 100:02d} %"


def moment(time: Timestamp | int | None) -> str:
    """A time for people, in UTC."""
    return "-" if time is None else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def duration(seconds: int | None) -> str:
    """A length of time for people, in its two largest units."""
    if seconds is None:
        return "-"
    if seconds < 0:
        return f"-{duration(-seconds)}"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 fund", "2 funds"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
