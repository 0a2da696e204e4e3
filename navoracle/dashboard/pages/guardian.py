"""Guardian: prepares a signed request, says what will follow, takes a signature made elsewhere, and sends it.

The page never holds a key. What it sends goes to the desk that takes every other request, and is refused there alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from navoracle.dashboard import addresses, formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, toned
from navoracle.dashboard.parts.request_steps import RequestSteps
from navoracle.dashboard.words import REQUEST_TONES, tone_of
from navoracle.domain.units import Timestamp
from navoracle.read_model.funds import FundRow
from navoracle.read_model.model import ReadModel
from navoracle.read_model.requests import SignedRequestRecord

ROWS: Final = 15
_PAST: Final = (
    Column("received", "Taken", "time", head=True),
    Column("fund", "Fund"),
    Column("action", "Action"),
    Column("signer", "Signed by"),
    Column("reason", "Reason"),
    Column("state", "State"),
    Column("result", "What came of it"),
)


@dataclass(frozen=True, slots=True)
class GuardianPage:
    """What the page shows beside what is being prepared."""

    now: Timestamp
    fund: FundRow | None
    requests: tuple[SignedRequestRecord, ...]


def parameters(address: Mapping[str, str]) -> str | None:
    """The fund that is chosen; None for the first one."""
    return address.get("fund") or None


def load(model: ReadModel, fund: str | None) -> GuardianPage:
    """Read the page. Raises StoreError."""
    row = next(iter(model.funds(limit=1).items), None) if fund is None else model.fund_row(fund)
    return GuardianPage(model.sources.now(), row, tuple(model.requests(limit=ROWS).items))


def build(view: View[Any, GuardianPage], first: GuardianPage) -> Callable[[GuardianPage], None]:
    """Make the page."""
    Text("h1", "Guardian")
    Text(
        "p",
        "Asks the keeper for a slot, a stop or a reset with a request that the holder of a role signs. This page "
        "prepares the request and sends it; the key stays in a wallet or with the command, never here.",
        "note",
    )
    steps = None if view.desk is None or not view.desk.targets else RequestSteps(view, first.now, first.fund)
    if steps is None:
        Text(
            "p",
            "This dashboard runs without a keeper that takes requests about a fund. Open the dashboard of the keeper "
            "that posts, or send a request with `navoracle emergency` and one of --url, --to-folder and --to-database.",
            "banner soft",
        )
    with Card("requests", "Requests that were taken, the newest first"):
        past = Records(_PAST, caption="Requests that were taken", empty="None yet.")

    def update(data: GuardianPage) -> None:
        past.show([_row(each) for each in data.requests])
        if steps is not None:
            steps.see(data.now, data.fund)

    return update


def _row(row: SignedRequestRecord) -> dict[str, Any]:
    return {
        "key": row.request,
        "received": {"text": formats.moment(row.received_at), "title": row.request},
        "fund": {"text": row.fund, "href": addresses.fund_page(row.fund)},
        "action": formats.word(row.action),
        "signer": {"text": formats.short_hash(row.signer), "title": row.signer, "note": row.role},
        "reason": row.reason,
        "state": toned(formats.word(row.state), tone_of(REQUEST_TONES, row.state)),
        "result": row.result or "not ended yet",
    }
