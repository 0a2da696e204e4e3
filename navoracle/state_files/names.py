"""How the files of a set, and folders of funds, are called."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

INDEX: Final = "index.json"
STATUS_PAGE: Final = "status.html"
STATUS: Final = "status.json"
CURRENT: Final = "current"
SETS: Final = ".sets"
LOCK: Final = ".lock"

DOCUMENTS: Final = ("nav_state.json", "nav.json", "synced_state.json", "risk.json", "kpis.json", "positions.json")
"""The files of a set."""


def folder_name(fund: str) -> str:
    """The name of a fund's folder: its own, with what no file name can hold, or means something, as %XX."""
    quoted = quote(fund, safe=" ()+,;=@&!'$")
    if quoted in (INDEX, STATUS_PAGE, STATUS):
        return quoted.replace(".", "%2E")
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted
