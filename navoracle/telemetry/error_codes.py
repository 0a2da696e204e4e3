"""The registry of codes and reasons, and the page of the guide that is made of it.

`python -m navoracle.telemetry.error_codes` prints docs/operations/errors.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from navoracle.store_port import Severity
from navoracle.telemetry.error_table import TABLE, Group

GROUPS: Final[Mapping[Group, str]] = {
    "error": "Errors: what commands and the HTTP API answer with, and what failed readers are recorded with",
    "slot": "Slots: why one was not posted",
    "preflight": "Preflight: what speaks against posting to a registry (`preflight:REASON`)",
    "registry": "Registry: why the contract did not store a record, joined by `+` (`registry:REASON`)",
    "publisher": "Publishers: why another system's contract was not posted to, or does not serve it (`NAME:REASON`)",
    "guard": "Guards: the keeper's checks; the one that stopped a fund is its slot's reason",
    "price": "Prices: why an asset has no live price",
    "quote": "Quotes: why a source's answer was not used",
    "breaker": "Breakers: why one is open",
    "lane": "Transactions: what happened on the way (`transaction_KIND` in the event log)",
    "event": "Events of the risk monitor and of the NAV gates: their kind in the event log",
    "request": "Requests: why a signed request was refused",
    "settlement": "Settlements: why a vault does not settle (`settlement_waiting` in the event log)",
    "node": "Nodes: what may be done with one",
    "logs": "Logs: how trades are seen",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One code: where it comes from, how grave it is, what it means and what to do."""

    group: Group
    code: str
    component: str
    severity: Severity
    message: str
    resolution: str

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return f"{self.group}-{self.code.replace(' ', '-').replace(',', '')}"


CODES: Final[Mapping[tuple[Group, str], Code]] = {
    (group, code): Code(group, code, component, Severity(severity), message, resolution)
    for group, rows in TABLE.items()
    for code, component, severity, message, resolution in rows
}
"""Every code, by its group and name."""


def explain(group: Group, code: str) -> Code | None:
    """What a code means; what stands behind a colon is looked up by what stands before it."""
    return CODES.get((group, code)) or CODES.get((group, code.partition(":")[0]))


def page() -> str:
    """The page of the guide."""
    lines = [
        "# Codes and reasons",
        "",
        "Every code and reason that navoracle gives: in commands, the database, the event log and the HTTP API. This",
        "page is made by `python -m navoracle.telemetry.error_codes`; a test holds it to the code.",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", "| code | component | severity | means | what to do |", "|---|---|---|---|---|"]
        for code in CODES.values():
            if code.group == group:
                name = f'<a id="{code.anchor}"></a>`{code.code}`'
                lines.append(
                    f"| {name} | {code.component} | {code.severity.value} | {code.message} | {code.resolution} |"
                )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
