"""`status.html` and `status.json`: the last state of all funds, for when no server answers.

Neither needs a script or a server: the page is opened from the folder, or served by anything that serves files.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from navoracle.domain.units import Timestamp
from navoracle.state_files.names import STATUS, STATUS_PAGE

MOST_FUNDS: Final = 500
"""Funds that are listed, those first that need a look; `index.json` has all of them."""

_WORST_FIRST: Final = ("insolvent", "suspicious", "halted", "estimated", "confirmed", "verified", "live")
_COLUMNS: Final = ("Fund", "Status", "NAV", "Per share", "Valued at", "Risk", "Contract", "Why")
_NUMBERS: Final = {"NAV": 2, "Per share": 6}
"""The places that are shown; the exact figure is the cell's title, and in `status.json`."""

_STYLE: Final = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem;color:#16202c;background:#fff}"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.35rem .8rem;border-bottom:1px solid #d5dbe3}"
    "td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}"
    "@media (prefers-color-scheme:dark){body{color:#e6ebf1;background:#10161d}th,td{border-color:#334150}}"
)


def status_files(index: Mapping[str, Any], now: Timestamp) -> dict[str, bytes]:
    """Both files.

    Args:
        index: the document of `index.json`.
        now: when they are written.
    """
    funds: Mapping[str, Mapping[str, Any]] = index["funds"]
    listed = sorted(funds, key=lambda name: (_rank(funds[name]), name))[:MOST_FUNDS]
    document = {
        "format": 1,
        "written_at": now,
        "updated_at": index["updated_at"] if funds else None,
        "funds_total": len(funds),
        "statuses": dict(sorted(Counter(entry["status"] for entry in funds.values()).items())),
        "held": sum(entry.get("held") is True for entry in funds.values()),
        "funds": {name: _line(funds[name]) for name in listed},
    }
    return {STATUS: json.dumps(document, indent=1).encode() + b"\n", STATUS_PAGE: _page(document).encode()}


def _rank(entry: Mapping[str, Any]) -> int:
    """A fund that its contract holds comes before all others."""
    if entry.get("held"):
        return -1
    status = entry["status"]
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else 0


def _line(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "status",
        "reason",
        "nav",
        "price_per_share",
        "confidence_bps",
        "risk_status",
        "held",
        "updated_at",
        "frame",
    )
    return {name: entry.get(name) for name in names}


def _page(document: Mapping[str, Any]) -> str:
    told = ", ".join(f"{count} {status}" for status, count in document["statuses"].items())
    rows = "".join(_row(name, line) for name, line in document["funds"].items())
    heads = "".join(f'<th scope="col"{" class=number" if name in _NUMBERS else ""}>{name}</th>' for name in _COLUMNS)
    left = document["funds_total"] - len(document["funds"])
    more = f"<p>{left} more funds are in index.json.</p>" if left else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"content-security-policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>navoracle: last state</title><style>{_STYLE}</style></head><body><main><h1>Last state</h1>"
        f"<p>Written at {_moment(document['written_at'])}; newest valuation {_moment(document['updated_at'])}. "
        "This page does not renew itself: load it again, and look at these times.</p>"
        f"<p>{document['funds_total']} funds: {html.escape(told) or 'none'}; {document['held']} held by their "
        f"contracts.</p><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}</main></body></html>\n"
    )


def _row(name: str, line: Mapping[str, Any]) -> str:
    held = {True: "holds it", False: "serves"}.get(line["held"], "n/a")
    cells = (
        ("", line["status"]),
        _number("NAV", line["nav"]),
        _number("Per share", line["price_per_share"]),
        ("", _moment(line["updated_at"])),
        ("", line["risk_status"]),
        ("", held),
        ("", line["reason"] or ""),
    )
    told = "".join(
        f"<td{attributes}>{html.escape('n/a' if text is None else str(text))}</td>" for attributes, text in cells
    )
    return f'<tr><th scope="row">{html.escape(name)}</th>{told}</tr>'


def _number(column: str, text: str | None) -> tuple[str, str | None]:
    """A figure with separators, and the attributes of its cell: rounded to the even digit, the title has it whole."""
    if text is None:
        return " class=number", None
    shown = f"{Decimal(text):,.{_NUMBERS[column]}f}"
    return f' class=number title="{html.escape(text)}"', shown


def _moment(at: int | None) -> str:
    return "n/a" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
