"""Where pages are, as links."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from navoracle.dashboard.gate import PREFIX


def overview_of(fund: str) -> str:
    """The overview of a fund."""
    return f"{PREFIX}/?{urlencode({'fund': fund})}"


def fund_page(fund: str) -> str:
    """A fund's page."""
    return f"{PREFIX}/funds/{quote(fund, safe='')}"


def funds_page(**filters: str) -> str:
    """The list of funds, filtered."""
    return f"{PREFIX}/funds" + (f"?{urlencode(filters)}" if filters else "")


def prices_page(asset: str) -> str:
    """An asset's price."""
    return f"{PREFIX}/prices?{urlencode({'asset': asset})}"


def risk_page(fund: str) -> str:
    """A fund's risks."""
    return f"{PREFIX}/risk?{urlencode({'fund': fund})}"


def kpis_page(fund: str) -> str:
    """A fund's key figures."""
    return f"{PREFIX}/kpis?{urlencode({'fund': fund})}"


def table_file(subject: str, form: str, **filters: str) -> str:
    """Rows as a file: of "events", "slots" and their like, as "csv" or "jsonl"."""
    return f"{PREFIX}/exports/{subject}.{form}" + (f"?{urlencode(filters)}" if filters else "")


def evidence_file(frame: str, fund: str) -> str:
    """The evidence of a fund's frame with its proof, as an archive."""
    return f"{PREFIX}/exports/evidence/{quote(frame, safe='')}/{quote(fund, safe='')}.zip"
